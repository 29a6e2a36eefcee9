"""What an optimiser is told of a point, and what is asked of an optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from codesign.explore.space import Point

State: TypeAlias = "Literal['done', 'failed', 'left_out']"


@dataclass(frozen=True)
class Outcome:
    """What came of a point.

    Attributes:
        point: values by name, without those that a condition leaves out.
        index: of its combination in the space.
        state: ``done``, ``failed``, or ``left_out`` where a constraint on what is known before a
            replay excludes it.
        figures: by name, every objective among them; empty unless it is done.
        excess: by constraint on results, how far the point is beyond it; 0 or less keeps to it.
            Empty unless it is done.
        message: why it failed or was left out; else empty.
        again: whether the point had been asked for before, so that nothing was run.
    """

    point: Point
    index: int
    state: State
    figures: Mapping[str, float] = field(default_factory=dict)
    excess: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    again: bool = False

    @property
    def feasible(self) -> bool:
        """Whether it was measured and keeps to every constraint."""
        return self.state == "done" and all(amount <= 0 for amount in self.excess.values())


class Optimiser(Protocol):
    """Asks for points and is told what came of them; anything with these two methods is one."""

    def ask(self) -> Point | None:
        """The point to measure next, values by name; None if it knows no further one.

        It may be asked several times before it is told anything, for points that run side by side.
        What it does not know, such as constraints, it need not keep to: it is told.
        """

    def tell(self, point: Point, outcome: Outcome) -> None:
        """Takes in what came of a point, also of one that it has not asked for.

        Args:
            point: as it was asked for.
            outcome: figures, or why there are none; never a large number in the place of a failure.
        """
