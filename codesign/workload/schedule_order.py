"""Whether pieces of several items may take turns: each still finds what the others left for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from codesign.errors import TraceError
from codesign.workload.record import Region
from codesign.workload.schedule_access import Touch, reach, row_of, touches

_REMEDY = "schedule them as traces of their own"


@dataclass(frozen=True, slots=True)
class _Share:
    """What an item touches of one tensor while it does its share of an iteration.

    Attributes:
        item: position of the item, in order.
        touch: what it touches.
        pitch: elements from one iteration to the next; 0 for the same ones in each.
        loops: pairs of (elements, trips) of the steps inside the share.
    """

    item: int
    touch: Touch
    pitch: int
    loops: tuple[tuple[int, int], ...]

    def first(self, row: int) -> tuple[int, int]:
        """Lowest and highest element of each row of the tensor in the first iteration."""
        return reach(self.touch.access, self.loops, row)

    def path(self, row: int, count: int) -> range:
        """Places in each row that ``count`` iterations touch."""
        low, high = reach(self.touch.access, (*self.loops, (self.pitch, count)), row)
        return range(low, high + 1)


def check_causal(items: Sequence[Region], count: int) -> None:
    """Checks that items may take turns, each with its share of ``count`` iterations.

    Items ran one after the other. Now a later one starts before an earlier one has ended, so it
    must read only what that one has written by then, and overwrite only what that one is done with.

    Args:
        items: the items in order, in the order in which they keep taking turns.
        count: iterations; it divides the steps of every item.

    Raises:
        TraceError: two items share a tensor in another way.
    """
    shares: dict[str, list[_Share]] = {}
    for position, item in enumerate(items if count > 1 else ()):
        for share in _shares(position, item, count):
            shares.setdefault(share.touch.name, []).append(share)
    for found in shares.values():
        for first, second in combinations(found, 2):
            if first.item != second.item and (first.touch.writes or second.touch.writes):
                _check(items, first, second, count)


def _shares(position: int, item: Region, count: int) -> Iterator[_Share]:
    own = item.steps // count
    for touch in dict.fromkeys(touches((item,))):
        lead = touch.moves(0)
        inner = [(touch.moves(n), steps) for n, steps in enumerate(touch.steps)][1:]
        yield _Share(position, touch, lead * own, ((lead, own), *inner))


def _check(items: Sequence[Region], first: _Share, second: _Share, count: int) -> None:
    """Iteration j of the second item may touch only what iterations up to j of the first do."""
    one, two = items[first.item].name, items[second.item].name
    name = first.touch.name
    if not first.pitch or not second.pitch:
        whole = one if not first.pitch else two
        raise TraceError(
            f"{two}: must not wait for the last step of {one!r} to take turns with it, but "
            f"{whole!r} takes {name!r} as a whole; {_REMEDY}"
        )
    if first.pitch != second.pitch:
        raise TraceError(
            f"{two}: must go through {name!r} at the pace of {one!r}, {first.pitch} elements in "
            f"each of {count} iterations, got {second.pitch}; {_REMEDY}"
        )
    row = row_of((first.touch, second.touch), first.pitch * count)
    paths = [share.path(row, count) for share in (first, second)]
    if paths[0].stop <= paths[1].start or paths[1].stop <= paths[0].start:
        return
    # iteration j of the first begins at low + j pitch, that of the second ends at high + j pitch
    ahead = (second.first(row)[1] - first.first(row)[0]) // first.pitch
    if any(path.start < 0 or path.stop > row for path in paths):
        # over the edge of a row lies the time of the row beside it
        ahead = max(ahead, 1)
    if ahead > 0:
        raise TraceError(
            f"{two}: must use only what {one!r} is done with, but needs {name!r} {ahead} of "
            f"{count} iterations ahead; {_REMEDY}"
        )
