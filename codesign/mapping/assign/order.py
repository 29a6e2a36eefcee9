"""What an operator must wait for: who wrote what it reads, and who used what it writes."""

from __future__ import annotations

from collections.abc import Iterable

from codesign.mapping.timeline import Level, Timeline
from codesign.workload.record import Op, Region


def find_before(timeline: Timeline) -> tuple[tuple[int, ...], ...]:
    """For each operator of a timeline the earlier ones that must have ended before it begins.

    A region of several steps stands for all of them: what it carries comes from before it, and no
    operator in it is done with its steps before all that any of them waits for has ended.
    """
    order = _Order(timeline)
    order.add(timeline.levels[0])
    return tuple(order.before)


class _Order:
    """The orders of operators so far."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.before: list[tuple[int, ...]] = []
        self._writer: dict[str, int] = {}
        self._readers: dict[str, set[int]] = {}

    def add(self, level: Level) -> None:
        """Appends the operators of a level."""
        for place, span in enumerate(level.spans):
            if not isinstance(span.item, Region):
                self._add(span.item)
                continue
            body = self.timeline.bodies[level.number, place]
            carries = body.regions[-1].carries
            self._hand_on((c.initial.name, c.state.name) for c in carries if c.initial)
            first = len(self.before)
            self.add(body)
            if body.regions[-1].steps > 1:
                self._wait_together(first)
            self._hand_on([(c.update.name, c.state.name) for c in carries])

    def _wait_together(self, first: int) -> None:
        """Lets all operators from one on wait for whatever any of them waits for from outside."""
        outside = {number for waits in self.before[first:] for number in waits if number < first}
        for number in range(first, len(self.before)):
            self.before[number] = tuple(sorted(outside.union(self.before[number])))

    def _add(self, op: Op) -> None:
        number = len(self.before)
        read = {access.tensor.name for access in op.inputs}
        written = {access.tensor.name for access in op.outputs}
        found = {self._writer[name] for name in read | written if name in self._writer}
        for name in written:
            found |= self._readers.pop(name, set())
            self._writer[name] = number
        for name in read - written:
            self._readers.setdefault(name, set()).add(number)
        self.before.append(tuple(sorted(found)))

    def _hand_on(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Gives the second name of each pair to what the first one names."""
        given = [(target, self._writer.get(source)) for source, target in pairs]
        self._writer |= {target: writer for target, writer in given if writer is not None}
