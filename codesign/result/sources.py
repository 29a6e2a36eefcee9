"""How much of the energy rests on prices that nobody has tabulated or measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from codesign.hardware.component import Component
from codesign.hardware.estimates import unit_of
from codesign.hardware.spec import Hardware
from codesign.result.ledger import Ledger
from codesign.result.static import LEAKAGE

_PRICES = ("J", "J/B", "W", "V", "A")
"""Units of the fields that price something; sizes, widths and rates are choices of a design."""


def assumed_energy_j(machine: Hardware, ledgers: Iterable[Ledger]) -> float:
    """Joules whose price rests on a value with status ``assumed``.

    A price rests on the fields in J, J/B, W, V or A that move it when they are moved; it is sourced
    if there is one and none of them is assumed. What cannot be traced so counts as assumed: prices
    that are written in the code of a kind, the background of a memory, and everything that a
    component with values behind a field (a DRAM with a device file) costs, unless each of these
    values has a source. How often a price is paid (bytes, operations, time) is not judged.
    """
    sourced = {name: sourced_actions(machine, name) for name in machine.components}
    return math.fsum(
        joules
        for ledger in ledgers
        for name, action, joules in zip(
            ledger.component.tolist(),
            ledger.action.tolist(),
            ledger.energy.tolist(),
            strict=True,
        )
        if action not in sourced[name]
    )


def sourced_actions(machine: Hardware, component: str) -> frozenset[str]:
    """Actions of a component, ``leakage`` among them, whose price rests on no assumed value.

    Args:
        machine: the hardware.
        component: name of one of its parts.
    """
    part = machine.components[component]
    if any(row.status == "assumed" for row in part.origins):
        return frozenset()
    status = {row.field: row.status for row in machine.provenance if row.component == component}
    prices = _prices(part)
    firm: set[str] = set()
    weak: set[str] = set()
    for path, changed in _moved(part):
        moved = {action for action, price in _prices(changed).items() if price != prices[action]}
        (weak if status.get(path, "assumed") == "assumed" else firm).update(moved)
    return frozenset(firm - weak)


def _prices(part: Component) -> dict[str, float]:
    return {**part.energies_j(), LEAKAGE: part.leakage}


def _moved(part: Component) -> Iterator[tuple[str, Component]]:
    """The part with one price field, or one entry of a table of prices, moved: path and copy."""
    for field in dataclasses.fields(part):
        value: Any = getattr(part, field.name)
        if unit_of(type(part), field.name) not in _PRICES or value is None:
            continue
        if isinstance(value, Mapping):
            for key, entry in value.items():
                table = {**value, key: _another(entry)}
                yield f"{field.name}.{key}", _with(part, field.name, table)
        else:
            yield field.name, _with(part, field.name, _another(value))


def _with(part: Component, field: str, value: Any) -> Component:
    return dataclasses.replace(part, **{field: value})


def _another(price: float) -> float:
    return 2 * price if price else 1.0
