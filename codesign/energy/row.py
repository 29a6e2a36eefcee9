"""One row of an energy table: what a component costs at one size, width, node and voltage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Quantity: TypeAlias = Literal["energy", "latency", "area", "leakage"]

STATUSES = ("standard", "datasheet", "published", "tool", "fitted", "assumed")
"""How far a figure can be trusted, the best first: from a standard's table, a datasheet, a paper,
the output of a public tool (which is no silicon), a fit, or somebody's judgement."""

COLUMNS: dict[Quantity, str] = {
    "energy": "energy_j",
    "latency": "latency_s",
    "area": "area_m2",
    "leakage": "leakage_w",
}
"""Column of each quantity, in the SI unit that its name ends in."""

UNITS: dict[Quantity, str] = {"energy": "J", "latency": "s", "area": "m2", "leakage": "W"}
"""SI unit of each quantity."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with its place and origin.

    Attributes:
        component: what it describes: ``sram``, ``mac``, or any name of the user's.
        action: ``read``, ``compute``; empty for a row of leakage or area alone.
        tool: who made the figure: rows of one tool and type form a curve.
        type: cell type of a memory, number format of arithmetic, device of a DRAM; may be empty. A
            row whose type is its tool is a convention: it answers only who asks for it by name.
        node_nm: technology node; None if it is not stated, and then it is not scaled.
        vdd_v: supply voltage; None if it is not stated.
        size_bytes: capacity; None where it does not matter. A row of one byte is a rate.
        width_bits: bits of one access; None where it does not matter.
        energy_j: energy of one action.
        latency_s: time of one action.
        area_m2: area of the component.
        leakage_w: power while it is on.
        status: one of ``STATUSES``.
        source: where the figure is from.
        note: a doubt about it.
        place: file and line.
        is_own: whether it is the user's: such a row beats every shipped one.
    """

    component: str
    action: str
    tool: str
    status: str
    source: str
    type: str = ""
    node_nm: float | None = None
    vdd_v: float | None = None
    size_bytes: float | None = None
    width_bits: float | None = None
    energy_j: float | None = None
    latency_s: float | None = None
    area_m2: float | None = None
    leakage_w: float | None = None
    note: str = ""
    place: str = ""
    is_own: bool = False

    def figure(self, quantity: Quantity) -> float | None:
        """Its figure for a quantity in SI units; None if it has none."""
        value: float | None = getattr(self, COLUMNS[quantity])
        return value
