"""Residency of regions: what a region touches at every step stays, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from codesign.mapping.hold import Hold
from codesign.mapping.timeline import Level, Timeline
from codesign.workload.record import Region, Tensor, Trace, all_carries, iterate


@dataclass(frozen=True)
class RegionKeeper:
    """Finds the regions that keep everything.

    Attributes:
        trace: the trace.
        timeline: its operators and levels.
        memory: where it stays.
        settled: names of the tensors whose place is decided already.
        fits: whether the tiles of the region fit beside a hold.
    """

    trace: Trace
    timeline: Timeline
    memory: str
    settled: Collection[str]
    fits: Callable[[Hold], bool]

    def holds(self) -> list[Hold]:
        """One hold for each of the regions; inside a region that keeps everything there is none."""
        return list(self._at(self.timeline.levels[0]))

    def _at(self, level: Level) -> Iterator[Hold]:
        for place, span in enumerate(level.spans):
            if isinstance(span.item, Region):
                hold = self._hold(level, place, span.item)
                if hold.tensors and self.fits(hold):
                    yield hold
                else:
                    yield from self._at(self.timeline.bodies[level.number, place])

    def _hold(self, level: Level, place: int, region: Region) -> Hold:
        tensors = tuple(t for t in stationary(region) if t.name not in self.settled)
        loads = fetched(region, tensors, self.settled)
        return Hold(
            tensors=tensors,
            memory=self.memory,
            bytes=sum(tensor.plain_bytes for tensor in tensors),
            level=level.number,
            start=place,
            stop=place,
            first=level.spans[place].first,
            last=level.spans[place].last,
            saved=0,
            loads=tuple(tensor.access() for tensor in loads),
            stores=tuple(tensor.access() for tensor in kept(self.trace, region, tensors)),
        )


def fetched(
    region: Region, tensors: Iterable[Tensor], settled: Collection[str] = ()
) -> list[Tensor]:
    """What is at home before the first step: invariants, standing state, initial values."""
    carried = {carry.state.name for carry in all_carries((region,))}
    invariant = {tensor.name for tensor in region.invariants}
    standing = [
        t for t in tensors if t.name not in carried and (t.name in invariant or t.role == "state")
    ]
    return standing + [
        carry.initial
        for carry in region.carries
        if carry.initial and carry.state.name not in settled
    ]


def kept(trace: Trace, region: Region, tensors: Iterable[Tensor]) -> list[Tensor]:
    """What must be at home after the last step: outputs, standing state, what others read."""
    inside = {op.name for op, _ in iterate(region.body)}
    read = {a.tensor.name for op, _ in trace.ops() if op.name not in inside for a in op.inputs}
    for carry in all_carries(trace.items, but=region):
        read |= {carry.update.name} | ({carry.initial.name} if carry.initial else set())
    carried = {carry.state.name for carry in all_carries((region,))}
    written = {a.tensor.name for op, _ in iterate(region.body) for a in op.outputs} | carried
    return [
        t
        for t in tensors
        if t.name in written
        and (t.name in read or t.role == "output" or (t.role == "state" and t.name not in carried))
    ]


def stationary(region: Region) -> list[Tensor]:
    """Tensors that a region touches at every step in the same place."""
    found: dict[str, Tensor] = {}
    for op, _ in iterate(region.body):
        for access in op.operands:
            if not access.advance:
                found.setdefault(access.tensor.name, access.tensor)
    moving = {a.tensor.name for op, _ in iterate(region.body) for a in op.operands if a.advance}
    return [tensor for name, tensor in found.items() if name not in moving]
