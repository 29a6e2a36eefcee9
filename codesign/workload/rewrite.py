"""Editing a trace: who writes, who reads, what may move, for passes that keep the ledger.

A pass builds an ``Editor``, asks it for producers and readers, replaces groups of operators by
one, and returns ``finish()``. Only tensors of role ``activation`` ever disappear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, zip_longest

from codesign.workload.affine import covers
from codesign.workload.nest import Axis
from codesign.workload.record import Access, Branch, Item, Op, Region, Tensor, Trace


def redirect(items: tuple[Item, ...], tensor: Tensor, target: Access) -> tuple[Item, ...]:
    """Lets all operators use a row-major part of another tensor in the place of ``tensor``.

    Regions may not carry ``tensor``; see ``carried``.
    """

    def moved(access: Access) -> Access:
        if access.tensor.name != tensor.name:
            return access
        pairs = zip_longest(access.advance, target.advance, fillvalue=0)
        offset, advance = access.offset + target.offset, tuple(a + b for a, b in pairs)
        return replace(access, tensor=target.tensor, offset=offset, advance=advance)

    kept: list[Item] = []
    for item in items:
        if isinstance(item, Op):
            inputs, outputs = tuple(map(moved, item.inputs)), tuple(map(moved, item.outputs))
            kept.append(replace(item, inputs=inputs, outputs=outputs))
        elif isinstance(item, Region):
            kept.append(replace(item, body=redirect(item.body, tensor, target)))
        else:
            taken = redirect(item.taken, tensor, target)
            otherwise = redirect(item.otherwise, tensor, target)
            kept.append(replace(item, taken=taken, otherwise=otherwise))
    return tuple(kept)


def with_operands(op: Op, extra: Sequence[tuple[Access, tuple[Axis, ...]]], output: Access) -> Op:
    """A contraction with further inputs, each with its projection, that writes elsewhere."""
    if op.nest is None:
        raise ValueError(f"{op.name} has no loop nest to add an operand to")
    split = len(op.inputs)
    axes = (*op.nest.operands[:split], *(a for _, a in extra), *op.nest.operands[split:])
    return replace(
        op,
        inputs=op.inputs + tuple(view for view, _ in extra),
        outputs=(output,),
        nest=replace(op.nest, operands=axes),
    )


class Editor:
    """A trace under change: an index of writers and readers kept true while operators merge."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._live: dict[str, Op] = {}
        self._place: dict[str, tuple[int, int]] = {}
        self._writers: dict[str, dict[str, None]] = {}
        self._readers: dict[str, dict[str, None]] = {}
        self._carried = carried(trace.items)
        self._blocks = 0
        self._changed = False
        self._enter(trace.items)

    def ops(self) -> Iterator[Op]:
        """Live operators in order; a merge while iterating is seen."""
        for name in tuple(self._live):
            if name in self._live:
                yield self._live[name]

    def maker(self, tensor: Tensor) -> Op | None:
        """The one operator that writes the whole of a private intermediate and nothing else.

        None for inputs, stored data, carried state and what is written in pieces.
        """
        writers = self._writers.get(tensor.name, {})
        if tensor.role != "activation" or tensor.name in self._carried or len(writers) != 1:
            return None
        op = self._live[next(iter(writers))]
        return op if len(op.outputs) == 1 and covers(op.outputs[0]) else None

    def readers(self, tensor: Tensor) -> tuple[Op, ...]:
        """Every operator that reads a tensor, in order of first indexing."""
        return tuple(self._live[name] for name in self._readers.get(tensor.name, {}))

    def only_read_by(self, tensor: Tensor, op: Op) -> bool:
        """Whether ``op`` and no other reads the tensor."""
        return tuple(self._readers.get(tensor.name, {})) == (op.name,)

    def place(self, op: Op) -> int:
        """Position of an operator in the order of the trace."""
        return self._place[op.name][1]

    def may_merge(self, members: Sequence[Op], at: Op) -> bool:
        """Whether ``members`` can run at the place of ``at``.

        They must stand in one block (not across the edge of a region or branch), and nothing
        that they read may be overwritten in between.
        """
        names = {op.name for op in members}
        block, end = self._place[at.name]
        for op in members:
            if self._place[op.name][0] != block:
                return False
            for access in op.inputs:
                for writer in self._writers.get(access.tensor.name, {}):
                    if writer not in names and self.place(op) < self._place[writer][1] < end:
                        return False
        return True

    def merge(self, members: Sequence[Op], at: Op, result: Op) -> None:
        """Replaces ``members`` (which include ``at``) by ``result``, standing where ``at`` stood.

        ``result`` must bear the name of one of the members.
        """
        place = self._place[at.name]
        for op in members:
            self._unlink(op)
        self._changed = True
        self._link(result, place)

    def finish(self) -> Trace:
        """The edited trace, without the intermediates that nothing names any more."""
        if not self._changed:
            return self._trace
        placed = {self.place(op): op for op in self._live.values()}
        items = _rebuild(self._trace.items, count(), placed)
        return drop_unused(self._trace.replace(items=items))

    def _enter(self, items: tuple[Item, ...]) -> None:
        block = self._blocks
        self._blocks += 1
        for item in items:
            if isinstance(item, Op):
                self._link(item, (block, len(self._place)))
            elif isinstance(item, Region):
                self._enter(item.body)
            else:
                self._enter(item.taken)
                self._enter(item.otherwise)

    def _link(self, op: Op, place: tuple[int, int]) -> None:
        self._live[op.name] = op
        self._place[op.name] = place
        for access in op.inputs:
            self._readers.setdefault(access.tensor.name, {})[op.name] = None
        for access in op.outputs:
            self._writers.setdefault(access.tensor.name, {})[op.name] = None

    def _unlink(self, op: Op) -> None:
        del self._live[op.name]
        for access in op.inputs:
            self._readers[access.tensor.name].pop(op.name, None)
        for access in op.outputs:
            self._writers[access.tensor.name].pop(op.name, None)


def drop_unused(trace: Trace) -> Trace:
    """The trace without the activations that no operator and no carry names."""
    named = {a.tensor.name for op in every_op(trace.items) for a in op.operands}
    used = named | carried(trace.items)
    kept = tuple(t for t in trace.tensors if t.role != "activation" or t.name in used)
    return trace.replace(tensors=kept)


def carried(items: tuple[Item, ...]) -> set[str]:
    """Names of the tensors that regions hand from step to step or start from."""
    names: set[str] = set()
    for item in items:
        if isinstance(item, Region):
            names |= carried(item.body)
            for carry in item.carries:
                names |= {carry.state.name, carry.update.name}
                names |= {carry.initial.name} if carry.initial else set()
        elif isinstance(item, Branch):
            names |= carried(item.taken) | carried(item.otherwise)
    return names


def _rebuild(
    items: tuple[Item, ...], places: Iterator[int], placed: dict[int, Op]
) -> tuple[Item, ...]:
    kept: list[Item] = []
    for item in items:
        if isinstance(item, Op):
            op = placed.get(next(places))
            kept += [op] if op else []
        elif isinstance(item, Region):
            kept.append(replace(item, body=_rebuild(item.body, places, placed)))
        else:
            taken = _rebuild(item.taken, places, placed)
            kept.append(
                replace(item, taken=taken, otherwise=_rebuild(item.otherwise, places, placed))
            )
    return tuple(kept)


def every_op(items: tuple[Item, ...]) -> Iterator[Op]:
    """Every operator below ``items`` once, both sides of a branch included."""
    for item in items:
        if isinstance(item, Op):
            yield item
        elif isinstance(item, Region):
            yield from every_op(item.body)
        else:
            yield from every_op(item.taken)
            yield from every_op(item.otherwise)
