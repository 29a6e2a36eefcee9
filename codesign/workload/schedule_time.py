"""What runs over time in a trace, what before it, and what has to wait for its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from codesign.errors import TraceError
from codesign.workload.record import Item, Region, Trace
from codesign.workload.schedule_access import Names, touches
from codesign.workload.schedule_sequences import Sequences


@dataclass(frozen=True, slots=True)
class Timeline:
    """A trace sorted by time.

    Attributes:
        before: what needs nothing that happens over time, in order.
        timed: what runs over time, in order; an operator as a region of its pieces.
        after: what needs the end of the sequence, in order.
    """

    before: tuple[Item, ...]
    timed: tuple[Region, ...]
    after: tuple[Item, ...]


def timeline(trace: Trace, count: int, names: Names, *, finest: bool = False) -> Timeline:
    """Sorts a trace by time and cuts the operators that run over it.

    Args:
        trace: a trace with regions.
        count: pieces of time; it divides the steps of every region.
        names: free names.
        finest: whether operators are cut step by step, as finely as what they feed or follow,
            rather than in ``count`` pieces.

    Raises:
        TraceError: a region runs backwards, or needs what is known only after the last step.
    """
    sequences = Sequences(trace.regions, count, names, finest)
    sorter = _Sorter(sequences)
    for item in sequences.cut_all(trace.items):
        sorter.add(item)
    return Timeline(tuple(sorter.before), tuple(sorter.timed), tuple(sorter.after))


@dataclass
class _Sorter:
    """Decides item by item, in order, whether it runs before, during or after the sequence."""

    sequences: Sequences
    before: list[Item] = field(default_factory=list)
    timed: list[Region] = field(default_factory=list)
    after: list[Item] = field(default_factory=list)
    _causes: dict[str, str] = field(default_factory=dict)
    _used: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        found = list(touches((item,)))
        sides = ({t.name for t in found if t.writes is side} for side in (False, True))
        region = self.sequences.pieces.get(item.name, item)
        self._used[item.name] = self._used[region.name] = next(sides), next(sides)
        late = self._conflict(self.after, item)
        if late and self.sequences.count == 1 and isinstance(item, Region):
            # all of time is one piece, so that nothing has to be cut
            for other in self.after:
                whole = self.sequences.whole(other)
                self._used[whole.name] = self._used[other.name]
                self.timed.append(whole)
            late, self.after = None, []
        if not isinstance(region, Region):
            during = self._conflict(self.timed, item)
            if late is None and during is None and not self.sequences.takes_whole(item):
                self.before.append(item)
                return
            self._add_after(item, late, during)
        elif late is None:
            self.timed.append(region)
        elif isinstance(item, Region):
            raise TraceError(
                f"{item.name}: must need nothing from after the last step, but uses {late[1]!r} "
                f"of {late[0].name!r}: {self._causes[late[0].name]}; "
                "schedule the part before it as a trace of its own"
            )
        else:
            self._add_after(item, late, None)

    def _add_after(
        self, item: Item, late: tuple[Item, str] | None, during: tuple[Item, str] | None
    ) -> None:
        self.after.append(item)
        if late:
            cause = self._causes[late[0].name]
        elif item.name in self.sequences.reasons:
            cause = f"{item.name!r} cannot be cut, {self.sequences.reasons[item.name]}"
        elif during:
            cause = f"{item.name!r} uses {during[1]!r} as {during[0].name!r} leaves it"
        else:
            cause = f"{item.name!r} takes a whole sequence"
        self._causes[item.name] = cause

    def _conflict(self, earlier: Iterable[Item], item: Item) -> tuple[Item, str] | None:
        """The first of the items that must stay before ``item``, and the tensor that says so."""
        reads, writes = self._used[item.name]
        for other in earlier:
            other_reads, other_writes = self._used[other.name]
            shared = (other_writes & (reads | writes)) | (other_reads & writes)
            if shared:
                return other, min(shared)
        return None
