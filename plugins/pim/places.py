"""Energy of a byte by how far it travels: from the cells of a bank out to the host.

The parts are those that O'Connor et al. (Fine-grained DRAM, MICRO 2017) give for HBM2, as the
simulator of AttAcc (ASPLOS 2024) takes them: 0.11 pJ/bit to open the row, 0.44 to read or write the
cells, 1.01 from the columns to the multiplexer of the bank group, 1.23 from there over the die, 0.5
through the stack and 0.3 over the interposer. Added up: 0.55 at the bank, 1.56 at the bank group,
3.29 on the buffer die, 3.59 at the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from codesign.errors import HardwareError, did_you_mean
from codesign.units import JoulesPerByte

Part: TypeAlias = Literal[
    "cell_activate", "cell_access", "column_mux", "group_mux", "tsv", "interposer"
]
Place: TypeAlias = Literal["bank", "bank_group", "buffer_die", "host"]
PARTS: tuple[Part, ...] = get_args(Part)
PLACES: tuple[Place, ...] = get_args(Place)
_CELLS = 2
"""Parts of the cells themselves, first in ``PARTS``; the others are the way."""
_REACH: Mapping[Place, int] = {"bank": 2, "bank_group": 3, "buffer_die": 5, "host": 6}
"""How many of the parts a byte goes through up to a place."""
_PJ_PER_BIT = 8e-12
FINE_GRAINED: Mapping[str, float] = dict(
    zip(PARTS, (_PJ_PER_BIT * part for part in (0.11, 0.44, 1.01, 1.23, 0.5, 0.3)), strict=True)
)
"""Joules per byte of each part."""

Parts: TypeAlias = Mapping[str, JoulesPerByte]


def energy_at(place: Place, parts: Mapping[str, float]) -> float:
    """Joules per byte between open and closed cells and a place, all columns of a row used."""
    return sum(parts[name] for name in PARTS[: _REACH[place]])


def way_to(place: Place, parts: Mapping[str, float]) -> float:
    """Joules per byte of the way alone: without the cells, which the memory is charged for."""
    return sum(parts[name] for name in PARTS[_CELLS : _REACH[place]])


def check_parts(name: str, parts: Mapping[str, float]) -> None:
    """Refuses a table that lacks a part or has one that there is not.

    Args:
        name: of the component, for the message.
        parts: joules per byte.

    Raises:
        HardwareError: in one line.
    """
    for part in (*parts, *PARTS):
        if part not in PARTS:
            raise HardwareError(
                f"{name}.parts[{part[:40]!r}]: no such part{did_you_mean(part[:40], PARTS)}"
            )
        if part not in parts:
            raise HardwareError(f"{name}.parts must have every part, got none for {part!r}; add it")
