"""A loop over several layers becomes one loop for each of them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from codesign.workload.record import Access, Item, Op, Region, Tensor, Trace, contiguous_strides
from codesign.workload.rewrite import redirect
from codesign.workload.schedule_access import Names, shared
from codesign.workload.schedule_flow import Dataflow


def by_layer(trace: Trace, names: Names) -> Trace:
    """The trace with outermost regions split before each projection that waits for a recurrence.

    A loop over time that was written around all layers holds them side by side in its body. What
    one layer hands to the next at every step then becomes a sequence.

    Args:
        trace: the trace.
        names: free names; it keeps the tensors made here.
    """
    needed = shared(trace)
    items: list[Item] = []
    for item in trace.items:
        if isinstance(item, Region) and _can_split(item):
            items += _Split(item, needed(item), names).regions()
        else:
            items.append(item)
    return trace.replace(items=tuple(items))


def _can_split(region: Region) -> bool:
    """Whether a body is plain operators, and each state is what one of them makes of it."""
    made = {
        access.tensor.name
        for item in region.body
        if isinstance(item, Op)
        for access in item.outputs
    }
    plain = all(isinstance(item, Op) for item in region.body)
    return plain and all(carry.update.name in made for carry in region.carries)


class _Split:
    """One region and where its layers begin.

    Args:
        region: an outermost region with plain operators inside.
        needed: names of its tensors that something outside touches.
        names: free names.
    """

    def __init__(self, region: Region, needed: frozenset[str], names: Names) -> None:
        self.region, self.needed, self.names = region, needed, names
        self.flow = Dataflow(region, 0)

    def regions(self) -> list[Region]:
        """A region for each layer, in order."""
        starts = self._starts()
        ends = [*starts[1:], len(self.region.body)]
        bodies = [self.region.body[start:end] for start, end in zip(starts, ends, strict=True)]
        for tensor in self._crossing(starts):
            self._hand_on(bodies, tensor, starts)
        found = []
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            own = [c for c in self.region.carries if start <= self._place(c.update.name) < end]
            name = self.names.item(self.region.name) if number else self.region.name
            found.append(replace(self.region, name=name, body=bodies[number], carries=tuple(own)))
        return found

    def _starts(self) -> list[int]:
        """Positions at which layers begin: at 0 and at projections of what a recurrence made."""
        starts, position = [0], 0
        waiting: set[int] = set()
        recurrences = self.flow.recurrences()
        ops = dict(self.flow.ops())
        while position < len(self.region.body):
            own = next((r for r in recurrences if position in r), None)
            unit = own or range(position, position + 1)
            op = ops.get(position)
            if not own and op and self.flow.is_projection(op) and self._reads(op, 2) & waiting:
                starts.append(position)
                waiting.clear()
            if own or op is None or self._reads(op, len(op.inputs)) & waiting:
                waiting.update(unit)
            position = unit.stop
        return starts

    def _reads(self, op: Op, inputs: int) -> set[int]:
        """Positions of what makes the first inputs of an operator at the same step."""
        names = (access.tensor.name for access in op.inputs[:inputs])
        return {place for name in names for place in self.flow.writers(name)}

    def _place(self, name: str) -> int:
        """Where a tensor gets the value that it has at the end of a step."""
        return max(self.flow.writers(name), default=0)

    def _crossing(self, starts: Sequence[int]) -> Iterator[Tensor]:
        """Tensors that an operator of one layer makes for a step of a later one."""
        names = {access.tensor.name: access for _, op in self.flow.ops() for access in op.outputs}
        for name, access in names.items():
            last = max(position for position, _ in self.flow.uses(name))
            layers = [sum(start <= n for start in starts) for n in (self._place(name), last)]
            if layers[0] < layers[1] and not any(access.advance):
                yield access.tensor

    def _hand_on(
        self, bodies: list[tuple[Item, ...]], tensor: Tensor, starts: Sequence[int]
    ) -> None:
        """Gives a value of a step a place in a sequence, which later layers read."""
        shape = (self.region.steps, *tensor.shape)
        whole = self.names.tensor(tensor, f"{tensor.name}.steps", shape=shape, role="activation")
        strides = contiguous_strides(shape)
        home = Access(whole, tensor.shape, strides[1:], 0, strides[:1])
        made = self._place(tensor.name)
        layer = sum(start <= made for start in starts) - 1
        if tensor.name in self.needed or not self.flow.is_passing(tensor.access()):
            copy = self.names.item(f"{tensor.name}.collect")
            move = Op(copy, "move", (tensor.access(),), (home,), module=self.region.module)
            bodies[layer] = (*bodies[layer], move)
            layer += 1
        bodies[layer:] = [redirect(body, tensor, home) for body in bodies[layer:]]
