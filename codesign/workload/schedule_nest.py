"""Taking turns: items that ran one after the other become the body of a region over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from codesign.workload.record import Access, Carry, Item, Region
from codesign.workload.schedule_access import Names, advanced, rewritten
from codesign.workload.schedule_order import check_causal


@dataclass(frozen=True, slots=True)
class _Part:
    """Items for the body of a region, and the state that it has to hand on for them."""

    items: tuple[Item, ...]
    carries: tuple[Carry, ...]


def take_turns(
    items: Sequence[Region], count: int, name: str, names: Names, *, by_rate: bool = False
) -> Region:
    """One region of ``count`` iterations in which every item does its share, in the old order.

    An item that does several steps in an iteration stays a region of those steps. Its state lives
    on in the outer region: that carries a new tensor from which the inner one starts.

    Args:
        items: what takes turns, each a region whose steps ``count`` divides.
        count: iterations.
        name: name for the region, and the stem for those that ``by_rate`` adds.
        names: free names.
        by_rate: whether neighbours that do several steps in an iteration take turns in the same
            way inside it, as often as the rates of all of them allow.

    Raises:
        TraceError: an item would need what another one has not done by then.
    """
    title = names.item(name)
    check_causal(items, count)
    shares = [item.steps // count for item in items]
    part = _Nester(name, names, by_rate).side_by_side(items, shares, (count,))
    return Region(title, count, part.items, part.carries)


class _Nester:
    """Builds the body of a region from the inside out; see ``take_turns``."""

    def __init__(self, name: str, names: Names, by_rate: bool) -> None:
        self.name, self.names, self.by_rate = name, names, by_rate

    def side_by_side(
        self, items: Sequence[Region], steps: Sequence[int], levels: tuple[int, ...]
    ) -> _Part:
        """Items one after the other, each with its ``steps``, inside regions of ``levels``."""
        parts = []
        start = 0
        while start < len(items):
            end = self._run(steps, start)
            if end - start > 1:
                parts.append(self._together(items[start:end], steps[start:end], levels))
            else:
                parts.append(self._alone(items[start], steps[start], levels))
            start = end
        inside = tuple(item for part in parts for item in part.items)
        return _Part(inside, tuple(carry for part in parts for carry in part.carries))

    def _run(self, steps: Sequence[int], start: int) -> int:
        """Where the longest run of items ends whose numbers of steps have a common factor."""
        end, factor = start + 1, steps[start]
        while self.by_rate and end < len(steps) and math.gcd(factor, steps[end]) > 1:
            factor, end = math.gcd(factor, steps[end]), end + 1
        return end

    def _together(
        self, items: Sequence[Region], steps: Sequence[int], levels: tuple[int, ...]
    ) -> _Part:
        turns = math.gcd(*steps)
        inside = (*levels, turns)
        check_causal(items, math.prod(inside))
        part = self.side_by_side(items, [n // turns for n in steps], inside)
        return self._region(Region(self.names.item(self.name), turns, part.items, part.carries))

    def _alone(self, item: Region, steps: int, levels: tuple[int, ...]) -> _Part:
        """One item with its share; one step dissolves into the body around it."""
        inside = levels if steps == 1 else (*levels, steps)
        body = rewritten(item.body, partial(_spread, levels=inside))
        if steps == 1:
            return _Part(body, item.carries)
        return self._region(replace(item, steps=steps, body=body))

    def _region(self, region: Region) -> _Part:
        """A region inside another one: it goes on where it stopped in the iteration before."""
        held = [
            replace(c, state=self.names.tensor(c.state, f"{c.state.name}.held", role="state"))
            for c in region.carries
        ]
        carries = tuple(
            replace(carry, initial=outer.state)
            for carry, outer in zip(region.carries, held, strict=True)
        )
        return _Part((replace(region, carries=carries),), tuple(held))


def _spread(access: Access, levels: tuple[int, ...]) -> Access:
    """A view that moved with one region, inside several that share its steps."""
    if not access.advance:
        return access
    first, *inner = access.advance
    moves = (
        # where there is one step, an advance says nothing
        first * math.prod(levels[level + 1 :]) if steps > 1 else 0
        for level, steps in enumerate(levels)
    )
    return advanced(access, (*moves, *inner))
