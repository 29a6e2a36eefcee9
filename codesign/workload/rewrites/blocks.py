"""Blocks of a model: the operators of a module, what flows in and what flows out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from codesign.errors import TraceError, nearest
from codesign.workload.record import Branch, Carry, Item, Op, Region, Tensor, Trace
from codesign.workload.rewrite import every_op
from codesign.workload.rewrites.edit import patterns_in

_AT_REST = ("weight", "constant", "state")


def is_under(path: str, parent: str) -> bool:
    """Whether a module path is ``parent`` or below it."""
    return path == parent or path.startswith(f"{parent}.")


def matching_paths(trace: Trace, patterns: str | Sequence[str], does: str) -> tuple[str, ...]:
    """Paths of the modules that match, each only if no module around it matches.

    Args:
        trace: where to look.
        patterns: one or several, with ``*``, ``?`` and ``[...]`` as in file names; ``*`` also
            stands for dots.
        does: the rewrite, for messages.

    Raises:
        TraceError: no pattern, or one that matches no module.
    """
    known = dict.fromkeys(path for op in every_op(trace.items) for path in _ancestors(op.module))
    found: dict[str, None] = {}
    for pattern in patterns_in(patterns, does):
        meant = [path for path in known if fnmatchcase(path, pattern)]
        if not meant:
            hint = nearest(pattern.replace("*", ""), known)
            raise TraceError(f"{does}: {pattern!r} matches no module of {trace.name}{hint}")
        found |= dict.fromkeys(meant)
    return tuple(p for p in found if not any(q in found for q in _ancestors(p) if q != p))


def _ancestors(path: str) -> Iterator[str]:
    parts = path.split(".") if path else []
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


@dataclass(frozen=True)
class Block:
    """The operators of one module.

    Attributes:
        path: of the module.
        ops: its operators, in order.
        reads: what it reads of other operators or of the inputs of the model, in order.
        writes: what it writes for others, in order.
        stored: names of the parameters, constants and state that nobody but the block uses.
        held: names of the states that regions inside the block hand from step to step.
        handed: names of what other regions hand from step to step or start from.
    """

    path: str
    ops: tuple[Op, ...]
    reads: tuple[Tensor, ...]
    writes: tuple[Tensor, ...]
    stored: frozenset[str]
    held: frozenset[str]
    handed: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Names of its operators."""
        return frozenset(op.name for op in self.ops)


def block_at(trace: Trace, path: str) -> Block:
    """The block of a module.

    Args:
        trace: where it is.
        path: of a module that has operators.
    """
    every = list(every_op(trace.items))
    inside = [op for op in every if is_under(op.module, path)]
    outside = [op for op in every if not is_under(op.module, path)]
    own, others = _carries(trace.items, frozenset(op.name for op in inside))
    initial = {carry.initial.name: carry.initial for carry in own if carry.initial}
    handed = frozenset(tensor.name for carry in others for tensor in _held(carry))
    written = _tensors(inside, "outputs")
    read_outside = _tensors(outside, "inputs").keys() | handed
    used_outside = read_outside | _tensors(outside, "outputs").keys()
    read = _tensors(inside, "inputs") | initial
    reads = [t for n, t in read.items() if t.role not in _AT_REST and n not in written]
    writes = [t for n, t in written.items() if n in read_outside or t.role == "output"]
    used_inside = read | written
    stored = [
        tensor.name
        for tensor in trace.tensors
        if tensor.role in _AT_REST
        and tensor.name not in used_outside
        and (tensor.name in used_inside or is_under(tensor.name, path))
    ]
    held = frozenset(carry.state.name for carry in own)
    return Block(path, tuple(inside), tuple(reads), tuple(writes), frozenset(stored), held, handed)


def _carries(items: tuple[Item, ...], names: frozenset[str]) -> tuple[list[Carry], list[Carry]]:
    """Carries of the regions that hold only operators of these names, and of all others."""
    own: list[Carry] = []
    others: list[Carry] = []
    for item in items:
        if isinstance(item, Op):
            continue
        if isinstance(item, Region):
            inside = {op.name for op in every_op(item.body)} <= names
            (own if inside else others).extend(item.carries)
        for part in parts_of(item):
            more = _carries(part, names)
            own += more[0]
            others += more[1]
    return own, others


def parts_of(item: Region | Branch) -> tuple[tuple[Item, ...], ...]:
    """The sequences of items inside a region or a branch."""
    return (item.body,) if isinstance(item, Region) else (item.taken, item.otherwise)


def _held(carry: Carry) -> tuple[Tensor, ...]:
    return tuple(one for one in (carry.state, carry.update, carry.initial) if one)


def _tensors(ops: Sequence[Op], side: str) -> dict[str, Tensor]:
    return {access.tensor.name: access.tensor for op in ops for access in getattr(op, side)}
