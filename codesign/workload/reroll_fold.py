"""Folding N equal-looking steps into one body, or finding that they do not fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from codesign.workload.affine import covers, traversal
from codesign.workload.record import Access, Carry, Op, Region, Tensor, Trace
from codesign.workload.reroll_gather import RefusalError, landing, lands_beside, left_over, slope
from codesign.workload.reroll_step import aligned
from codesign.workload.rewrite import carried, every_op

Slot = tuple[int, int]
"""Position of an operator in the step and of an operand among its inputs or outputs."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A region and what must stand around it.

    Attributes:
        region: the loop.
        before: moves that put a sliced or broadcast initial state in place.
        after: moves of final values to outputs of the model.
        tensors: what these operators name that the trace does not know yet.
        gathered: later moves that the region makes superfluous, by name, and what is left of
            each.
    """

    region: Region
    before: tuple[Op, ...]
    after: tuple[Op, ...]
    tensors: tuple[Tensor, ...]
    gathered: Mapping[str, tuple[Op, ...]]

    @property
    def carried_bytes(self) -> int:
        """Bytes handed from step to step: the smaller, the better the cut between steps."""
        return sum(carry.state.bytes for carry in self.region.carries)


class Surroundings:
    """Who reads and writes each tensor anywhere in a trace, and what regions hand on."""

    def __init__(self, trace: Trace) -> None:
        self.readers: dict[str, dict[str, Op]] = {}
        self.writers: dict[str, dict[str, Op]] = {}
        self.carried = carried(trace.items)
        for op in every_op(trace.items):
            for access in op.inputs:
                self.readers.setdefault(access.tensor.name, {})[op.name] = op
            for access in op.outputs:
                self.writers.setdefault(access.tensor.name, {})[op.name] = op


def fold(rows: Sequence[Sequence[Op]], around: Surroundings, name: str) -> Folded | None:
    """Makes a region of steps that were found to look alike.

    Args:
        rows: operators of each step, equally many, that resemble each other pairwise.
        around: the trace they stand in.
        name: name for the region.

    Returns:
        The region, or None where a step reads what a fixed body cannot: another tensor each time,
        a stride that is not constant, a value from two steps ago, or where an early step's result
        is used elsewhere than gathered in order.
    """
    steps = aligned(rows)
    if steps is None:
        return None
    try:
        return _Fold(steps, around, name).build()
    except RefusalError:
        return None


@dataclass
class _Fold:
    rows: Sequence[Sequence[Op]]
    around: Surroundings
    name: str
    fresh: dict[str, tuple[int, Slot]] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)
    needed: set[Slot] = field(default_factory=set)
    landing: dict[Slot, Access] = field(default_factory=dict)
    gathered: dict[str, tuple[Op, ...]] = field(default_factory=dict)
    carries: dict[tuple[object, ...], Carry] = field(default_factory=dict)
    results: dict[Slot, Tensor] = field(default_factory=dict)
    before: list[Op] = field(default_factory=list)
    after: list[Op] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    outer: bool = False

    def build(self) -> Folded:
        inside = {op.name for row in self.rows for op in row}
        for slot in self._slots("outputs"):
            self._classify_output(slot)
        for slot in self._slots("outputs"):
            if slot not in self.results:
                continue
            self._gather(slot, inside)
        reads = {slot: self._input(slot) for slot in self._slots("inputs")}
        if not self.outer:
            raise RefusalError
        body = tuple(op for j in range(len(self.rows[0])) for op in self._body_ops(j, reads))
        region = Region(
            self.name, len(self.rows), body, tuple(self.carries.values()), self._module()
        )
        self._finish_outputs()
        return Folded(
            region,
            tuple(self.before),
            tuple(self.after),
            tuple(self.tensors),
            self.gathered,
        )

    def _slots(self, side: str) -> Iterator[Slot]:
        for j, op in enumerate(self.rows[0]):
            for k in range(len(getattr(op, side))):
                yield j, k

    def _outputs(self, slot: Slot) -> list[Access]:
        return [row[slot[0]].outputs[slot[1]] for row in self.rows]

    def _classify_output(self, slot: Slot) -> None:
        accesses = self._outputs(slot)
        names = [access.tensor.name for access in accesses]
        if len(set(names)) == 1:
            self.shared[names[0]] = slope(accesses)
            return
        for step, access in enumerate(accesses):
            name = access.tensor.name
            sole = len(self.around.writers[name]) == 1 and name not in self.fresh
            if not (sole and covers(access) and access.tensor.role in ("activation", "output")):
                raise RefusalError
            self.fresh[name] = (step, slot)
        self.results[slot] = self._result(slot, accesses[-1].tensor)

    def _result(self, slot: Slot, last: Tensor) -> Tensor:
        """The tensor that the body writes: that of the last step, which outlives the loop."""
        if last.role == "activation":
            return last
        held = replace(last, name=f"{self.name}.result{slot[0]}_{slot[1]}", role="activation")
        self.tensors.append(held)
        self.needed.add(slot)
        return held

    def _gather(self, slot: Slot, inside: set[str]) -> None:
        """Lets the body write its slice of what the steps' results are later collected into."""
        accesses = self._outputs(slot)
        outside = [
            [
                op
                for op in self.around.readers.get(a.tensor.name, {}).values()
                if op.name not in inside
            ]
            for a in accesses
        ]
        if any(a.tensor.name in self.around.carried for a in accesses):
            raise RefusalError
        if any(a.tensor.role == "output" for a in accesses[:-1]):
            raise RefusalError
        if not any(outside[:-1]):
            if outside[-1]:
                self.needed.add(slot)
            return
        names = [access.tensor.name for access in accesses]
        moves = {op.name: op for ops in outside[:-1] for op in ops}
        moves |= {op.name: op for op in outside[-1] if lands_beside(op, moves)}
        if not self.gathered.keys().isdisjoint(moves):
            raise RefusalError
        self.landing[slot] = landing(list(moves.values()), accesses, names)
        self.gathered |= {name: left_over(move, names) for name, move in moves.items()}
        if any(op.name not in moves for op in outside[-1]):
            self.needed.add(slot)

    def _input(self, slot: Slot) -> Access:
        accesses = [row[slot[0]].inputs[slot[1]] for row in self.rows]
        source = self.fresh.get(accesses[1].tensor.name)
        if source is None:
            return self._outer(accesses)
        step, made = source
        lag = 1 - step
        expected = [self.fresh.get(a.tensor.name) for a in accesses[1:]]
        if expected != [(t - lag, made) for t in range(1, len(self.rows))]:
            raise RefusalError
        if slope(accesses[1:]) != 0:
            raise RefusalError
        self.needed.add(made)
        if lag == 1:
            return self._carried(made, accesses)
        if self.fresh.get(accesses[0].tensor.name) != (0, made) or slope(accesses) != 0:
            raise RefusalError
        return replace(accesses[0], tensor=self.results[made])

    def _outer(self, accesses: list[Access]) -> Access:
        """A view of one outer tensor that stands still or moves on evenly."""
        first = accesses[0]
        if any(access.tensor.name != first.tensor.name for access in accesses):
            raise RefusalError
        step = slope(accesses)
        if first.tensor.name in self.shared:
            if step or self.shared[first.tensor.name]:
                raise RefusalError
            held = first.tensor
            self.carries.setdefault((held.name,), Carry(held, held, held))
        self.outer = True
        return replace(first, advance=(step,) if step else ())

    def _carried(self, made: Slot, accesses: list[Access]) -> Access:
        """A value of the step before; the first step reads the initial one."""
        first, then = accesses[:2]
        if first.tensor.name in self.fresh or first.tensor.name in self.shared:
            raise RefusalError
        update = self.results[made]
        same = (first.strides, first.offset) == (then.strides, then.offset)
        whole = same and first.tensor.elements == update.elements
        key = (made, first.tensor.name if whole else traversal(first))
        if key not in self.carries:
            initial = first.tensor if whole else self._placed(first, then, update)
            state = replace(update, name=f"{self.name}.state{len(self.carries)}", role="state")
            self.tensors.append(state)
            self.carries[key] = Carry(state, update, initial)
        return replace(then, tensor=self.carries[key].state)

    def _placed(self, first: Access, then: Access, update: Tensor) -> Tensor:
        """Moves an initial value that is a slice or a broadcast to a tensor of its own."""
        if not covers(then):
            raise RefusalError
        name = f"{self.name}.initial{len(self.carries)}"
        tensor = replace(update, name=name, role="activation")
        self.tensors.append(tensor)
        target = replace(then, tensor=tensor)
        self.before.append(Op(name, "move", (first,), (target,), module=self._module()))
        return tensor

    def _body_ops(self, j: int, reads: dict[Slot, Access]) -> Iterator[Op]:
        op = self.rows[0][j]
        outputs: list[Access] = []
        extra: list[Access] = []
        for k, access in enumerate(op.outputs):
            slot = (j, k)
            if slot not in self.results:
                step = self.shared[access.tensor.name]
                outputs.append(replace(access, advance=(step,) if step else ()))
            elif slot in self.landing and slot not in self.needed:
                outputs.append(self.landing[slot])
            else:
                outputs.append(replace(access, tensor=self.results[slot]))
                extra += [self.landing[slot]] if slot in self.landing else []
        inputs = tuple(reads[j, k] for k in range(len(op.inputs)))
        # an operator with a nest has the outputs that its nest describes; others may write twice
        if op.nest is None:
            yield replace(op, inputs=inputs, outputs=(*outputs, *extra))
            return
        yield replace(op, inputs=inputs, outputs=tuple(outputs))
        for index, target in enumerate(extra):
            yield Op(f"{op.name}.collect{index}", "move", (outputs[index],), (target,))

    def _finish_outputs(self) -> None:
        for slot, held in self.results.items():
            last = self._outputs(slot)[-1]
            if last.tensor.name != held.name:
                source = replace(last, tensor=held)
                self.after.append(Op(f"{held.name}.copy", "move", (source,), (last,)))

    def _module(self) -> str:
        """The innermost module that all operators of a step belong to."""
        paths = [op.module.split(".") for op in self.rows[0]]
        shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
        return ".".join(parts[0] for parts in shared)
