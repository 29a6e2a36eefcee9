"""Values that hardware files leave to the energy tables.

A value may be written as ``{estimate: {...}}``, and fields of a component may follow from others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import (
    Annotated,
    Any,
    Protocol,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from codesign.energy import EnergyTables, Estimate, Estimated, Query, figure, read_key
from codesign.errors import EnergyError, HardwareError
from codesign.hardware.component import Component
from codesign.hardware.provenance import Provenance
from codesign.hardware.yaml_source import Node
from codesign.units import Unit

DEFAULT = "default of kind "
"""Source of the values that a file leaves out begins with it."""
_WORDS = {"tool": "published"}
_QUOTED = re.compile(r"'([^']*)'")


@runtime_checkable
class Follows(Protocol):
    """A component some of whose fields follow from others where nobody gives them."""

    def estimates(self) -> Mapping[str, Query]:
        """What to ask the tables for, by field."""


class Resolver:
    """Turns ``{estimate: {...}}`` into numbers for one component.

    Args:
        cls: class of the component.
        name: its name.
        label: what errors call the file.
        tables: where figures come from.
    """

    def __init__(self, cls: type[Component], name: str, label: str, tables: EnergyTables) -> None:
        self.cls, self.name, self.label, self.tables = cls, name, label, tables

    def __call__(self, node: Node, path: tuple[str, ...]) -> tuple[float, Provenance]:
        """The figure for a field or an entry of a table in the unit of that field, and its origin.

        Raises:
            HardwareError: a word or value that breaks a rule, or nothing answers; with the line.
        """
        place = f"{self.name}.{'.'.join(path)}.estimate"
        line = node.line
        if len(path) == 1 and _is_table(self._hint(path[0])):
            raise HardwareError(
                f"{self.label}:{line}: {place}: {self.name}.{path[0]} is a table; write the "
                "estimate in the place of one of its entries"
            )
        if not isinstance(node.value, dict):
            raise HardwareError(
                f"{self.label}:{line}: {place} must be a map; write {{component: sram, ...}}"
            )
        words: dict[str, Any] = {}
        try:
            for key, entry in node.value.items():
                line = entry.line
                field, value = read_key(key, entry.plain())
                words[field] = value
            line = node.line
            if "component" not in words:
                raise EnergyError("needs a component; add for example 'component: sram'")
            found = self.tables.in_unit(Query(**words), unit_of(self.cls, path[0]))
        except EnergyError as error:
            line = _line_of(str(error), node.value) or line
            raise HardwareError(f"{self.label}:{line}: {place}: {error}") from error
        return found.value, origin(self.name, path, found)

    def _hint(self, field: str) -> Any:
        return get_type_hints(self.cls, include_extras=True).get(field)


def _is_table(hint: Any) -> bool:
    made_of = get_origin(hint)
    if made_of is Annotated:
        return _is_table(get_args(hint)[0])
    return isinstance(made_of, type) and issubclass(made_of, Mapping)


def _line_of(message: str, words: Mapping[str, Node]) -> int:
    """Line of the word that a message quotes first, or that has the value it quotes; 0 if none."""
    quoted = _QUOTED.search(message)
    lines = [
        entry.line for key, entry in words.items() if quoted and quoted[1] in (key, entry.text)
    ]
    return lines[0] if lines else 0


def unit_of(cls: type[Component], field: str) -> str:
    """SI unit of a field, or of the entries of a table; empty if it has none."""
    units = _units(get_type_hints(cls, include_extras=True).get(field))
    return units[0] if units else ""


def _units(hint: Any) -> list[str]:
    parts = get_args(hint)
    return [part.symbol for part in parts if isinstance(part, Unit)] + [
        unit for part in parts for unit in _units(part)
    ]


def origin(component: str, path: tuple[str, ...], estimate: Estimate) -> Provenance:
    """Where an estimated value comes from, with all that was done to it."""
    marks = f" ({', '.join(estimate.flags)})" if estimate.flags else ""
    return Provenance(
        component,
        ".".join(path),
        figure(estimate.value, estimate.unit),
        f"{estimate.source}{marks}",
        _WORDS.get(estimate.status, estimate.status),
        estimate.summary,
        estimate.flags,
    )


def follow(component: Component, given: Collection[str], tables: EnergyTables) -> Component:
    """The component with every field that follows from others, unless it is given.

    Raises:
        EnergyError: nothing answers what the component asks.
    """
    if not isinstance(component, Follows):
        return component
    found: dict[str, Any] = {}
    for field, query in component.estimates().items():
        if field not in given:
            estimate = tables.in_unit(query, unit_of(type(component), field))
            found[field] = Estimated(estimate)
    return replace(component, **found) if found else component


def given_values(part: Component, provenance: Collection[Provenance]) -> dict[str, object]:
    """Fields of a component that somebody gave: neither defaults nor estimates."""
    left = {
        row.field.partition(".")[0]
        for row in provenance
        if row.component == part.name and row.source.startswith(DEFAULT)
    }
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {
        name: value
        for name, value in values.items()
        if name not in (*left, "name") and not isinstance(value, Estimated)
    }
