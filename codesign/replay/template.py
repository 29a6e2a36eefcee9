"""What every run of one operator shares: its tiles with their transfers, as a short program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from codesign.hardware.plan import Loop, Tile, TilePlan
from codesign.units import cycles_to_ticks

Part: TypeAlias = "tuple[int, int]"
"""A transfer: its class and its bytes."""
Parts: TypeAlias = "tuple[Part, ...]"
"""Transfers of a tile, one after the other."""


@dataclass(frozen=True, slots=True)
class Load:
    """Transfers of a tile's loads.

    Attributes:
        early: those that may go before the operator is open (weights and other inputs at rest).
        late: those that wait for what earlier operators write.
        whole: both, merged by class, for an operator that is open already.
        alone: those that wait until the engine has computed all before; none of the others.
        alone_late: whether they wait for what earlier operators write, too.
    """

    early: Parts
    late: Parts
    whole: Parts
    alone: Parts = ()
    alone_late: bool = False

    @property
    def every(self) -> Parts:
        """All of them."""
        return self.whole + self.alone


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A tile as the replay sees it: its transfers and its compute ticks. Equal only to itself."""

    load: Load
    stores: Parts
    ticks: int


Item: TypeAlias = "tuple[Step | None, int, int]"
"""A run of equal tiles ``(step, count, 0)``, or a loop's end ``(None, its start, its number)``."""


class Template:
    """What every run of one assignment shares.

    Attributes:
        plan: its tiles; None for an engine that is a process.
        budget_bytes: buffer bytes granted.
        number: equal for what behaves alike.
        code: the plan as runs of tiles and ends of loops.
        repeats: trip count of each loop of the code.
        tiles: tiles in all; 1 for a process, which ends as a whole.
        slots_out: tiles whose outputs the buffer holds at once.
        wake: most ticks that a tile waits for memories that it has for itself to wake up.
    """

    def __init__(
        self,
        plan: TilePlan | None,
        budget_bytes: int,
        number: int,
        loads: Callable[[Tile], Load],
        stores: Callable[[Tile], Parts],
        wake: int = 0,
    ) -> None:
        self.plan, self.budget_bytes, self.number = plan, budget_bytes, number
        self.wake = wake
        self.code: list[Item] = []
        self.repeats: list[int] = []
        self.tiles = plan.tiles if plan else 1
        self.slots_out = plan.slots_out if plan else 1
        self._known: dict[Tile, Step] = {}
        if plan is not None:
            for tile, _ in plan.counts:
                ticks = cycles_to_ticks(tile.cycles, plan.clock_hz)
                self._known[tile] = Step(loads(tile), stores(tile), ticks)
            self._compile(plan.loop)

    def step(self, tile: Tile) -> Step:
        """A tile of the plan as the replay sees it."""
        return self._known[tile]

    @cached_property
    def counts(self) -> list[tuple[Step, int]]:
        """Each distinct tile with the number of times it runs."""
        return [(self._known[tile], times) for tile, times in self.plan.counts] if self.plan else []

    @cached_property
    def totals(self) -> tuple[int, Counter[int]]:
        """Compute ticks, and bytes by transfer class, of one run."""
        ticks = 0
        moved: Counter[int] = Counter()
        for step, times in self.counts:
            ticks += step.ticks * times
            for number, size in step.load.every + step.stores:
                moved[number] += size * times
        return ticks, moved

    def _compile(self, loop: Loop) -> None:
        if len(loop.body) == 1 and isinstance(loop.body[0], Tile):
            self.code.append((self._known[loop.body[0]], loop.repeats, 0))
            return
        start = len(self.code)
        for part in loop.body:
            if isinstance(part, Tile):
                self.code.append((self._known[part], 1, 0))
            else:
                self._compile(part)
        if loop.repeats > 1:
            self.code.append((None, start, len(self.repeats)))
            self.repeats.append(loop.repeats)
