"""Blocks of a model: the operators of a module, what flows in and what flows out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from codesign.errors import TraceError, nearest
from codesign.workload.record import Op, Tensor, Trace
from codesign.workload.rewrite import carried, every_op

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
        TraceError: a pattern that matches no module.
    """
    known = dict.fromkeys(path for op in every_op(trace.items) for path in _ancestors(op.module))
    found: dict[str, None] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        meant = [path for path in known if fnmatchcase(path, pattern)]
        if not meant:
            hint = nearest(pattern.replace("*", ""), known)
            raise TraceError(f"{does}: {pattern!r} matches no module of {trace.name}{hint}")
        found |= dict.fromkeys(meant)
    if not found:
        raise TraceError(f"{does}: no pattern is given; name at least one module")
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
    """

    path: str
    ops: tuple[Op, ...]
    reads: tuple[Tensor, ...]
    writes: tuple[Tensor, ...]
    stored: frozenset[str]

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
    written = _tensors(inside, "outputs")
    read_outside = _tensors(outside, "inputs").keys() | carried(trace.items)
    used_outside = read_outside | _tensors(outside, "outputs").keys()
    reads = [
        tensor
        for name, tensor in _tensors(inside, "inputs").items()
        if tensor.role not in _AT_REST and name not in written
    ]
    writes = [t for n, t in written.items() if n in read_outside or t.role == "output"]
    used_inside = _tensors(inside, "inputs") | written
    stored = [
        tensor.name
        for tensor in trace.tensors
        if tensor.role in _AT_REST
        and tensor.name not in used_outside
        and (tensor.name in used_inside or is_under(tensor.name, path))
    ]
    return Block(path, tuple(inside), tuple(reads), tuple(writes), frozenset(stored))


def _tensors(ops: Sequence[Op], side: str) -> dict[str, Tensor]:
    return {access.tensor.name: access.tensor for op in ops for access in getattr(op, side)}
