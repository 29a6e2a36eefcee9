"""A group of parameters as Optuna sees it: one choice, by its place in the list of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codesign.explore.search.choices import is_ordered
from codesign.explore.space import Parameter

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass(frozen=True)
class Axis:
    """A group of parameters as Optuna sees it.

    Attributes:
        name: of its parameters.
        radix: how many choices there are.
        ordered: whether neighbours among them are alike.
    """

    name: str
    radix: int
    ordered: bool

    @classmethod
    def of(cls, group: Sequence[Parameter]) -> Axis:
        """The axis of a group."""
        ordered = all(is_ordered(parameter.values) for parameter in group)
        return cls("+".join(p.name for p in group), len(group[0].values), ordered)

    def suggest(self, trial: Trial) -> int:
        """The choice of a trial."""
        if self.radix == 1:
            return 0
        if self.ordered:
            return trial.suggest_int(self.name, 0, self.radix - 1)
        return int(trial.suggest_categorical(self.name, range(self.radix)))
