"""Plans of operators; those of equal content in equal places are planned once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import TilePlan
from codesign.mapping.answers import content_of
from codesign.mapping.choice import Choice, choose
from codesign.mapping.fixed import Fixed
from codesign.mapping.paths import Paths
from codesign.mapping.placement import Assignment
from codesign.workload.record import Op


class Plans:
    """Choices of engines, remembered.

    Attributes:
        paths: routes and budgets of the hardware.
        fixed: mappings that are decided.
    """

    def __init__(self, paths: Paths, fixed: Fixed | None = None) -> None:
        self.paths, self.fixed = paths, fixed or Fixed()
        self._known: dict[tuple[object, ...], Choice] = {}
        self._asked: dict[tuple[object, ...], tuple[dict[str, int], str]] = {}

    def choose(
        self,
        op: Op,
        taken: Mapping[str, int],
        homes: Sequence[str],
        buffer: str = "",
        engine: str = "",
    ) -> Choice:
        """As ``codesign.mapping.choice.choose``.

        Raises:
            MappingError: no engine that takes the operator finds tiles that fit, or the one that
                it would run on if nothing were fixed cannot keep to what is.
        """
        fixed = self.fixed.of(op)
        if fixed and not engine:
            self.check_fixed(op, taken, homes, buffer)
        found = self._choose(op, taken, homes, buffer, engine, fixed)
        if fixed:
            self._asked[_place(found.plan, homes, found.budget_bytes)] = dict(taken), buffer
        return found

    def check_fixed(
        self, op: Op, taken: Mapping[str, int], homes: Sequence[str], buffer: str = ""
    ) -> None:
        """Checks that the engine an operator would run on if nothing were fixed keeps to what is.

        Raises:
            MappingError: it does not; another engine that does would hardly be what is meant.
        """
        fixed = self.fixed.of(op)
        if fixed is not None:
            meant = self._choose(op, taken, homes, buffer, "", None).engine.name
            self._choose(op, taken, homes, buffer, meant, fixed)

    def unfixed(self, one: Assignment) -> Choice | None:
        """The best choice in the place of one with a fixed mapping; None if none is fixed.

        Raises:
            MappingError: the search finds nothing where the fixed mapping fits.
        """
        place = _place(one.plan, one.homes, one.budget_bytes)
        if place not in self._asked:
            return None
        taken, buffer = self._asked[place]
        return self._choose(one.op, taken, one.homes, buffer, "", None)

    def _choose(
        self,
        op: Op,
        taken: Mapping[str, int],
        homes: Sequence[str],
        buffer: str,
        engine: str,
        fixed: FixedMapping | None,
    ) -> Choice:
        key = (content_of(op), tuple(sorted(taken.items())), tuple(homes), buffer, engine, fixed)
        if key not in self._known:
            self._known[key] = choose(op, self.paths, taken, homes, buffer, engine, fixed)
        return self._known[key]


def _place(plan: TilePlan | None, homes: Sequence[str], budget_bytes: int) -> tuple[object, ...]:
    """What a plan was chosen for; all plans are kept, so none has the identity of another."""
    return id(plan), tuple(homes), budget_bytes
