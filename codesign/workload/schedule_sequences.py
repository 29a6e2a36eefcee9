"""Sequences of a trace: what extends over time, and what runs over it piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from codesign.errors import TraceError
from codesign.workload.record import Item, Op, Region
from codesign.workload.reroll_gather import RefusalError, left_over
from codesign.workload.schedule_access import Names, Touch, reach, row_of, touches
from codesign.workload.schedule_cut import cut
from codesign.workload.schedule_piece import WholeError

_STORED = ("weight", "constant")
"""Roles of tensors that are there as a whole before the first step."""


class Sequences:
    """The sequences of a trace, found from its regions outwards, and the operators cut on the way.

    Args:
        regions: regions over time.
        count: pieces of time; it divides the steps of every region.
        names: free names.
        finest: whether an operator is cut as finely as what it feeds or follows, rather than in
            ``count`` pieces.

    Attributes:
        pieces: regions of the pieces of each operator that could be cut, by its name.
        reasons: why others could not be cut, by name.

    Raises:
        TraceError: a region runs backwards.
    """

    def __init__(self, regions: Iterable[Region], count: int, names: Names, finest: bool) -> None:
        self.count, self.names, self.finest = count, names, finest
        self.pieces: dict[str, Region] = {}
        self.reasons: dict[str, str] = {}
        self._spans: dict[str, set[int]] = {}
        self._counts: dict[str, set[int]] = {}
        for region in regions:
            # where there is one step, an advance says nothing
            if region.steps > 1:
                self._learn(region)

    @property
    def spans(self) -> Mapping[str, int]:
        """Span of each sequence; none where two regions step through it at different paces."""
        return {name: min(spans) for name, spans in self._spans.items() if len(spans) == 1}

    def cut_all(self, items: Sequence[Item]) -> Sequence[Item]:
        """Cuts all operators that can be cut.

        Returns:
            The items; for a concatenation over time its copies, of which some could be cut.
        """
        self._cut_each(items)
        for item in items:
            copies = self._copies(item)
            self._cut_each(copies)
            if any(copy.name in self.pieces for copy in copies):
                at = items.index(item)
                items = (*items[:at], *copies, *items[at + 1 :])
                self._cut_each(items)
        return items

    def whole(self, item: Item) -> Region:
        """An item as a region of one step."""
        piece = Region(self.names.item(f"{item.name}.steps"), 1, (item,))
        return self.pieces.setdefault(item.name, piece)

    def takes_whole(self, item: Item) -> bool:
        """Whether an uncut item touches more of a sequence than its first piece."""
        return any(self._is_beyond(touch) for touch in touches((item,)))

    def _is_beyond(self, touch: Touch) -> bool:
        span = self.spans.get(touch.name)
        if span is None or touch.access.tensor.role in _STORED:
            return False
        loops = ((touch.moves(level), steps) for level, steps in enumerate(touch.steps))
        low, high = reach(touch.access, loops, row_of((touch,), span))
        return low < 0 or high * self.count >= span

    def _cut_each(self, items: Sequence[Item]) -> None:
        """Cuts operators until no more sequences are found on the way."""
        known = -1
        while known < len(self.pieces):
            known = len(self.pieces)
            for item in items:
                if isinstance(item, Op) and item.name not in self.pieces:
                    self._cut(item)

    def _copies(self, item: Item) -> Sequence[Op]:
        """What an uncut concatenation copies, one by one."""
        if not isinstance(item, Op) or item.name in self.pieces or len(item.inputs) < 2:
            return ()
        try:
            copies = left_over(item, [])
        except RefusalError:
            return ()
        return [replace(copy, name=self.names.item(copy.name)) for copy in copies]

    def _cut(self, op: Op) -> None:
        spans = self.spans
        own = {access.tensor.name for access in op.operands} & spans.keys()
        counts = {self.count}
        if self.finest:
            counts = {count for name in own for count in self._counts[name]}
        for count in sorted(counts, reverse=True) if own else ():
            try:
                found = cut(op, count, spans)
            except WholeError as error:
                self.reasons[op.name] = str(error)
            else:
                self.pieces[op.name] = Region(
                    self.names.item(f"{op.name}.steps"), count, (found,), (), op.module
                )
                self._learn(self.pieces[op.name])
                return

    def _learn(self, region: Region) -> None:
        for touch in touches((region,)):
            if touch.moves(0) < 0:
                raise TraceError(
                    f"{region.name}: must run forwards to be cut into chunks or frames, but goes "
                    f"through {touch.name!r} from its end; leave the reverse direction out"
                )
            if touch.moves(0):
                self._spans.setdefault(touch.name, set()).add(touch.moves(0) * region.steps)
                self._counts.setdefault(touch.name, set()).add(region.steps)
