"""Plans of operators; those of equal content in equal places are planned once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.mapping.choice import Choice, choose
from codesign.mapping.paths import Paths
from codesign.workload.record import Op


class Plans:
    """Choices of engines, remembered.

    Attributes:
        paths: routes and budgets of the hardware.
    """

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._known: dict[tuple[object, ...], Choice] = {}

    def choose(
        self, op: Op, taken: Mapping[str, int], homes: Sequence[str], buffer: str = ""
    ) -> Choice:
        """As ``codesign.mapping.choice.choose``.

        Raises:
            MappingError: no engine that takes the operator finds tiles that fit.
        """
        key = (op.content, tuple(sorted(taken.items())), tuple(homes), buffer)
        if key not in self._known:
            self._known[key] = choose(op, self.paths, taken, homes, buffer)
        return self._known[key]
