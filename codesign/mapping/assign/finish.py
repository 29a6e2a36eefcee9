"""When everything ends if operators run here or there: the earliest finish, near or exact.

Operators are taken in the order of the program, as the replay issues them. A beginning of the
program says where its operators run; what matters of it for the rest is when each engine, each
shared channel and each result still needed is ready. A beginning whose moments are all no earlier
than another's can never win and is dropped. With all others kept this is dynamic programming and
exact; with the best few kept it is list scheduling by earliest finish (Topcuoglu et al., "HEFT",
IEEE TPDS 2002) that looks at several beginnings instead of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from codesign.errors import MappingError

KEPT = 64
"""Beginnings kept. With one, 73 of 200 random programs of 4 to 10 operators end over 5 % later than
the best, with 16 one does, with 64 none, and none of 300 others."""

_EFFORT = 40_000
"""Moments looked at for each beginning kept, above which fewer are: about a second (assumed)."""

_MOST = 1_000
"""Beginnings that an exact search may keep at once (assumed)."""

Moments: TypeAlias = "tuple[float, ...]"


@dataclass(frozen=True, slots=True)
class Turn:
    """Part of an operator on one machine.

    Attributes:
        machine: number of the engine.
        loader: number of what loads for it, while it may still compute something else.
        seconds: time that it takes alone.
        early: seconds of it that only load what nobody writes, before anything else.
        loads: seconds of it that load, the early ones among them.
        shared: numbers of the channels that it shares with other engines, each with the seconds
            for which it keeps them busy.
    """

    machine: int
    loader: int
    seconds: float
    early: float
    loads: float
    shared: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """An operator.

    Attributes:
        after: tasks, of those before this one, that must have ended.
        ways: how it may run: turns that run side by side, at least one way.
    """

    after: tuple[int, ...]
    ways: tuple[tuple[Turn, ...], ...]


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The first tasks of a program, placed.

    Attributes:
        ready: when each machine and channel is free.
        ends: when each task ended whose result is still needed, by number.
        path: the beginning before with the way of its last task; None for nothing begun.
        end: when all of it has ended.
        last: when its last task has.
        bound: before which no program that begins so can end.
    """

    ready: Moments
    ends: dict[int, float]
    path: tuple[_Beginning, int] | None
    end: float
    last: float
    bound: float

    @property
    def moments(self) -> Moments:
        """All that matters for the rest."""
        return (self.end, *self.ready, *self.ends.values())

    @property
    def ways(self) -> tuple[int, ...]:
        """Way of each of its tasks."""
        found, one = [], self
        while one.path is not None:
            one, way = one.path
            found.append(way)
        return tuple(reversed(found))


def find_earliest(
    tasks: Sequence[Task], machines: int, *, exact: bool = False
) -> tuple[tuple[int, ...], float]:
    """The way of each task with which all ends earliest, and when that is.

    Args:
        tasks: in order of the program; each engine runs its own in this order.
        machines: how many machines and channels there are.
        exact: drop no beginning that could still win.

    Raises:
        MappingError: too many beginnings for an exact search.
    """
    program = _Program(tasks, machines)
    best = program.search(max(1, min(KEPT, _EFFORT // max(1, program.moments))))
    if best is not None and exact:
        best = program.search(_MOST, best.end) or best
    return (best.ways, best.end) if best else ((), 0.0)


def finish(tasks: Sequence[Task], machines: int, ways: Sequence[int]) -> float:
    """When all ends, with the way of each task given."""
    program = _Program(tasks, machines)
    one = program.nothing
    for number, way in enumerate(ways):
        one = program.longer(one, number, way)
    return one.end


class _Program:
    """Tasks with what a search wants to know of them.

    Attributes:
        tasks: the tasks.
        nothing: the beginning without any.
    """

    def __init__(self, tasks: Sequence[Task], machines: int) -> None:
        self.tasks = tasks
        self.nothing = _Beginning((0.0,) * machines, {}, None, 0.0, 0.0, 0.0)
        self._after: list[list[int]] = [[] for _ in tasks]
        for number, task in enumerate(tasks):
            for before in task.after:
                self._after[before].append(number)
        self._least = [0.0] * len(tasks)
        for number in reversed(range(len(tasks))):
            ways = (max(turn.seconds - turn.early for turn in w) for w in tasks[number].ways)
            self._least[number] = min(ways) + self._least_after(number, number)

    @property
    def moments(self) -> int:
        """Moments that a beginning has, over all tasks: of the machines, and of results needed."""
        machines, tasks = len(self.nothing.ready), range(len(self.tasks))
        needed = sum(after[-1] - number for number, after in enumerate(self._after) if after)
        return machines * len(tasks) + needed

    def search(self, kept: int, before: float = math.inf) -> _Beginning | None:
        """The program that ends earliest among the beginnings kept; None if none ends before.

        Args:
            kept: most beginnings kept after each task.
            before: what cannot end before this is of no interest; any may if endless, and then
                what is too much is dropped.

        Raises:
            MappingError: more beginnings may end before than are kept.
        """
        found = [self.nothing]
        for number, task in enumerate(self.tasks):
            ways = range(len(task.ways))
            longer = [self.longer(one, number, way) for one in found for way in ways]
            longer = [one for one in longer if one.bound < before]
            longer.sort(key=lambda one: (one.bound, one.last, sum(one.ready)))
            found = _undominated(longer, kept + (before < math.inf))
            if len(found) > kept:
                raise MappingError(
                    f"engines 'optimal' has more than {kept:,} ways to begin with the first "
                    f"{number + 1} of {len(self.tasks)} operators; take 'earliest', or fewer "
                    "operators"
                )
        return found[0] if found else None

    def longer(self, one: _Beginning, number: int, way: int) -> _Beginning:
        """A beginning with one task more.

        What nobody writes is loaded as soon as the engine's loads before it are over, the rest
        once the engine is free and the tasks before have ended. A channel that several engines
        share is never done before all its bytes are through; which of them go first is left open.
        """
        task = self.tasks[number]
        begin = max((one.ends[before] for before in task.after), default=0.0)
        ready = list(one.ready)
        last, busiest = begin, one.end
        for turn in task.ways[way]:
            start = max(begin, ready[turn.machine], ready[turn.loader] + turn.early)
            end = start + turn.seconds - turn.early
            ready[turn.loader] = start + turn.loads - turn.early
            for channel, seconds in turn.shared:
                ready[channel] += seconds
                busiest = max(busiest, ready[channel])
            ready[turn.machine] = end
            last = max(last, end)
        known = {**one.ends, number: last}
        ends = {
            n: end for n, end in known.items() if self._after[n] and self._after[n][-1] > number
        }
        whole = max(busiest, last)
        rest = (end + self._least_after(n, number) for n, end in ends.items())
        return _Beginning(tuple(ready), ends, (one, way), whole, last, max(whole, *rest, 0.0))

    def _least_after(self, number: int, done: int) -> float:
        """The longest chain of tasks that wait for one, of those after ``done``, at their best."""
        return max((self._least[n] for n in self._after[number] if n > done), default=0.0)


def _undominated(found: Sequence[_Beginning], most: int) -> list[_Beginning]:
    """The first of them that no earlier one beats in every moment."""
    kept: list[_Beginning] = []
    known: list[Moments] = []
    for one in found:
        mine = one.moments
        if any(all(a <= b for a, b in zip(other, mine, strict=True)) for other in known):
            continue
        kept.append(one)
        known.append(mine)
        if len(kept) == most:
            break
    return kept
