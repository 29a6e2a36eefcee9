"""Energy by cause: what work costs, what leaks, and what memories take in each power state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from codesign.result.ledger import Ledger
from codesign.result.static import LEAKAGE


@dataclass(frozen=True)
class EnergySplit:
    """Joules by cause; the sum of all is the total.

    Attributes:
        dynamic_by_component_j: of what operators did.
        leakage_by_component_j: of the power that flows all the time.
        background_by_state_j: of memories, by name, and by power state or regular action: of a DRAM
            ``active``, ``precharged``, ``power_down``, ``self_refresh`` and ``refresh``.
    """

    dynamic_by_component_j: Mapping[str, float]
    leakage_by_component_j: Mapping[str, float]
    background_by_state_j: Mapping[str, Mapping[str, float]]

    @cached_property
    def dynamic_j(self) -> float:
        """Energy of what operators did."""
        return math.fsum(self.dynamic_by_component_j.values())

    @cached_property
    def leakage_j(self) -> float:
        """Energy of the power that flows all the time."""
        return math.fsum(self.leakage_by_component_j.values())

    @cached_property
    def background_j(self) -> float:
        """Background of all memories."""
        return math.fsum(map(self.background_of, self.background_by_state_j))

    def background_of(self, component: str) -> float:
        """Background of a component; 0 if it has none."""
        return math.fsum(self.background_by_state_j.get(component, {}).values())

    @property
    def figures(self) -> dict[str, Any]:
        """What summaries say."""
        return {
            "dynamic_energy_j": self.dynamic_j,
            "leakage_energy_j": self.leakage_j,
            "background_energy_j": self.background_j,
            "background_by_state_j": self.background_by_state_j,
        }


def split_energy(ledgers: Iterable[Ledger]) -> EnergySplit:
    """The energy of some ledgers together, by cause."""
    dynamic: dict[str, list[float]] = {}
    leakage: dict[str, list[float]] = {}
    background: dict[str, dict[str, float]] = {}
    for ledger in ledgers:
        columns = ledger.op, ledger.component, ledger.action, ledger.energy
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for op, component, action, joules in rows:
            if op >= 0:
                dynamic.setdefault(component, []).append(joules)
            elif action == LEAKAGE:
                leakage.setdefault(component, []).append(joules)
            else:
                states = background.setdefault(component, {})
                states[action] = states.get(action, 0.0) + joules
    return EnergySplit(_summed(dynamic), _summed(leakage), background)


def _summed(parts: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: math.fsum(found) for name, found in parts.items()}
