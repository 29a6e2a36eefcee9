"""The tables: which rows answer a question, and which of their answers is the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from codesign.energy.curve import as_it_stands
from codesign.energy.estimate import Estimate, worst
from codesign.energy.families import FAMILIES, OWN, Family
from codesign.energy.query import Query
from codesign.energy.read import read_tables
from codesign.energy.row import STATUSES, UNITS, Quantity, Row
from codesign.errors import (
    OF_OTHERS,
    CodesignError,
    EnergyError,
    PluginError,
    did_you_mean,
    one_line,
)

Estimator: TypeAlias = Callable[[Query], Row]
"""An external tool: a row that answers a question as it stands, or an EnergyError."""

_FOLDER = Path(__file__).parent / "tables"
_MISTYPED = 0.75  # ratio of two words from which one is taken for the other: "raed", "read"


class NoRowError(EnergyError):
    """No row has the quantity that is asked for."""


class EnergyTables:
    """Rows and external estimators; an answer is a dictionary look-up after its first use.

    Args:
        rows: earlier ones win where nothing else decides.
        estimators: external tools by name.

    Raises:
        EnergyError: an action of a row of the user's that is nearly one of the shipped rows.
    """

    def __init__(self, rows: Iterable[Row], estimators: Mapping[str, Estimator] | None = None):
        self.rows = tuple(rows)
        _check_actions(self.rows)
        self.estimators = dict(estimators or {})
        self._known: dict[Query, tuple[Estimate, ...]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # estimators are functions of plugins, found again where they are needed
        return EnergyTables, (self.rows,)

    def with_rows(self, rows: Iterable[Row]) -> EnergyTables:
        """These tables with further rows in front."""
        return EnergyTables((*rows, *self.rows), self.estimators)

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components that can be asked for."""
        known = {row.component for row in self.rows}
        known |= {name for name, family in FAMILIES.items() if known & set(family.parts)}
        return tuple(sorted(known))

    def actions(self, component: str) -> tuple[str, ...]:
        """Actions of a component in the order of its rows.

        Raises:
            EnergyError: no such component.
        """
        self._check_component(component)
        mine = [row.action for row in self.rows if row.component == component and row.action]
        return tuple(dict.fromkeys(mine or [FAMILIES[component].action]))

    def estimate(self, query: Query) -> Estimate:
        """The best answer, with the spread between all tools.

        Raises:
            NoRowError: no row answers the question.
            EnergyError: one of its words breaks a rule.
        """
        return self.rivals(query)[0]

    def rivals(self, query: Query) -> tuple[Estimate, ...]:
        """The answers of all tools, the best first; never empty.

        The user's rows come first, then the better status, then the nearer node, then the order of
        the rows. What is ranked is a whole curve, by the worst status on it, at the node, width
        and voltage that are asked for: size plays no part, so that a sweep over sizes stays on one
        curve, which rises with size as its rows do.

        Raises:
            EnergyError: see ``estimate``.
        """
        if query not in self._known:
            self._known[query] = self._look_up(query)
        return self._known[query]

    def complete(self, query: Query) -> Query:
        """The question as it is answered, with the default width of its component.

        Raises:
            EnergyError: a word that means nothing to the component.
        """
        return FAMILIES.get(query.component, OWN).complete(query)

    def in_unit(self, query: Query, unit: str) -> Estimate:
        """The best answer in a unit, which says what is asked for.

        Args:
            query: the question; its quantity does not count.
            unit: ``J`` of an action, ``J/B`` of an access over its bytes, ``s``, ``W`` or ``m2``.

        Raises:
            EnergyError: another unit, or see ``estimate``.
        """
        known: dict[str, Quantity] = {name: quantity for quantity, name in UNITS.items()}
        known["J/B"] = "energy"
        if unit not in known:
            raise EnergyError(
                f"an estimate is in {', '.join(sorted(known))}, not in {unit or 'no unit'}; "
                "write a number"
            )
        query = replace(query, quantity=known[unit])
        found = self.estimate(query)
        if unit != "J/B":
            return found
        width = self.complete(query).width_bits
        if width is None:
            raise EnergyError(f"{query} has no width, so no energy per byte; write a number")
        return replace(found, value=found.value * 8 / width, unit=unit)

    def _look_up(self, query: Query) -> tuple[Estimate, ...]:
        family = FAMILIES.get(query.component, OWN)
        if query.estimator:
            return (self._ask(query.estimator, family.complete(query)),)
        full = family.complete(self._with_action(query))
        found = list(family.lookup(_matching(self.rows, full, family), full, self.estimate))
        if not found:
            raise NoRowError(self._nothing(full))
        ranked = sorted(found, key=lambda one: _rank(one, full))
        best = replace(ranked[0], spread=_spread(ranked))
        return tuple(one.scaled(full.count) for one in (best, *ranked[1:]))

    def _with_action(self, query: Query) -> Query:
        known = self.actions(query.component)
        if query.quantity in ("area", "leakage") or query.action in known:
            return query
        if not query.action and len(known) == 1:
            return replace(query, action=known[0])
        hint = did_you_mean(query.action[:60], known)
        raise EnergyError(f"unknown action {query.action[:60]!r} of {query.component}{hint}")

    def _ask(self, estimator: str, query: Query) -> Estimate:
        if estimator not in self.estimators:
            hint = did_you_mean(estimator[:60], self.estimators)
            raise EnergyError(f"unknown estimator {estimator[:60]!r}{hint}")
        try:
            row = self.estimators[estimator](query)
        except CodesignError:
            raise
        except OF_OTHERS as error:  # a plugin may fail in any way; name it
            raise PluginError(f"estimator {estimator!r} raised {one_line(error)}") from error
        if row.figure(query.quantity) is None:
            raise EnergyError(f"estimator {estimator!r} gives no {query.quantity} of {query}")
        return as_it_stands(row, query.quantity).scaled(query.count)

    def _check_component(self, component: str) -> None:
        if component not in self.components:
            hint = did_you_mean(component[:60], self.components)
            raise EnergyError(f"unknown component {component[:60]!r}{hint}")

    def _nothing(self, query: Query) -> str:
        types = {row.type for row in self.rows if row.component == query.component and row.type}
        if query.type and query.type not in types:
            hint = did_you_mean(query.type[:60], types)
            return f"unknown type {query.type[:60]!r} of {query.component}{hint}"
        asked = f"{query} of type {query.type}" if query.type else str(query)
        asked = f"{asked} in {query.format}" if query.format != "int" else asked
        return f"no row gives the {query.quantity} of {asked}; add a table of your own with one"


@lru_cache(maxsize=1)
def shipped_tables() -> EnergyTables:
    """The tables that ship with codesign."""
    names = ("sram", "registers", "arithmetic", "network", "converters", "dram")
    return EnergyTables(read_tables([_FOLDER / f"{name}.csv" for name in names], is_own=False))


def _check_actions(rows: Iterable[Row]) -> None:
    """A component of the user's may have any action; of a shipped one, none that looks mistyped."""
    known: dict[str, set[str]] = {}
    own = []
    for row in rows:
        if row.is_own:
            own.append(row)
        else:
            known.setdefault(row.component, set()).add(row.action)
    for row in own:
        actions = known.get(row.component, set()) - {""}
        if row.action in actions or not row.action:
            continue
        close = get_close_matches(row.action, actions, n=1, cutoff=_MISTYPED)
        if close:
            raise EnergyError(
                f"{row.place}: unknown action {row.action[:60]!r} of {row.component}; did you mean "
                f"{close[0]!r}? if not, choose a name that nobody takes for it"
            )


def _matching(rows: Iterable[Row], query: Query, family: Family) -> list[Row]:
    """Rows of the component or of its parts that have the quantity."""
    action = query.action if query.quantity in ("energy", "latency") else None
    return [
        row
        for row in rows
        if row.figure(query.quantity) is not None
        and (row.component in family.parts or _is_meant(row, query, action))
    ]


def _is_meant(row: Row, query: Query, action: str | None) -> bool:
    if row.component != query.component or action not in (None, row.action):
        return False
    return row.type == query.type if query.type else row.type != row.tool or not row.type


def _rank(found: Estimate, query: Query) -> tuple[bool, int, float]:
    is_own = any(row.is_own for row in found.curve)
    status = worst(row.status for row in found.curve)
    return not is_own, STATUSES.index(status), _distance(found.curve, query.node_nm)


def _distance(rows: Iterable[Row], node: float | None) -> float:
    """How far the rows are from the node, as a logarithm; 0 if they enclose it or state none."""
    nodes = [row.node_nm for row in rows if row.node_nm is not None]
    if node is None or not nodes or min(nodes) <= node <= max(nodes):
        return 0.0
    return min(abs(math.log(known / node)) for known in nodes)


def _spread(found: Iterable[Estimate]) -> float:
    values = [one.value for one in found if worst(row.status for row in one.rows) != "assumed"]
    return max(values) / min(values) if values and min(values) > 0 else 1.0
