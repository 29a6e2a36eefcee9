"""Carrying a figure to another node or voltage, by rules whose gaps are known and told."""

from __future__ import annotations

import bisect
import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from codesign.energy.estimate import Note
from codesign.energy.row import Quantity

Physics: TypeAlias = Literal["memory", "logic", "wire"]
"""What sets the cost: bit and word lines, gates, or the length of a wire."""

SUPPLY_V = 0.8
"""Voltage at which nodes are compared; voltages are scaled by themselves."""

_FILE = Path(__file__).parent / "tables" / "node_scaling.csv"
_GAPS = {
    ("memory", "energy"): "1 MiB of CACTI 7 shrinks 2.87x from 45 to 22 nm, of which its lower "
    "voltage explains 1.36x; this rule gives 2.05x",
    ("memory", "area"): "within 1 % of hwcomponents from 45 to 22 nm",
    ("memory", "latency"): "1 MiB of CACTI 7 gets 1.73x faster from 45 to 22 nm; "
    "this rule gives 2.05x",
}


@dataclass(frozen=True, slots=True)
class Carried:
    """A factor with the rule that it comes from.

    Attributes:
        factor: what the figure is multiplied by.
        note: the rule in words.
        status: of the rule.
    """

    factor: float
    note: Note
    status: str


def to_node(quantity: Quantity, physics: Physics, start: float, end: float) -> Carried:
    """Factor from one node to another, at equal voltage.

    Memories: energy and latency follow the node, area its square (our rule, whose gaps are in the
    note). Logic: energy and area by Stillmaker and Baas, "Scaling equations for the accurate
    prediction of CMOS device performance from 180 nm to 7 nm", Integration 58 (2017), high
    performance, at 0.8 V, read between its nodes on a log-log line; latency follows the node.
    Leakage has no known trend over nodes and stays. Wires stay.

    Args:
        quantity: what is carried.
        physics: what sets its cost.
        start: node of the row, nm.
        end: node asked for, nm.
    """
    path = f"carried from {start:g} to {end:g} nm"
    if physics == "wire" or quantity == "leakage":
        return Carried(1.0, Note(f"{path} unchanged, no trend is known", "scaled"), "assumed")
    if physics == "logic" and quantity != "latency":
        column = 0 if quantity == "energy" else 1
        factor = _published(end)[column] / _published(start)[column]
        inside = all(min(_nodes()) <= node <= max(_nodes()) for node in (start, end))
        beyond = "" if inside else ", beyond its 7 to 130 nm in proportion to the node"
        text = f"{path} at equal voltage by Stillmaker and Baas 2017 (x{factor:.3g}){beyond}"
        return Carried(factor, Note(text, "scaled"), "fitted" if inside else "assumed")
    power = 2 if quantity == "area" else 1
    factor = (end / start) ** power
    gap = _GAPS.get((physics, quantity), "")
    text = f"{path} in proportion to the node{'' if power == 1 else ' squared'} (x{factor:.3g})"
    return Carried(factor, Note(f"{text}; {gap}" if gap else text, "scaled"), "assumed")


def to_voltage(start: float | None, end: float) -> Carried | None:
    """Factor of a dynamic energy from one supply to another, the square of their ratio."""
    if start is None:
        note = Note("the row states no voltage, so it is not carried to another")
        return Carried(1.0, note, "assumed")
    if start == end:
        return None
    factor = (end / start) ** 2
    text = f"carried from {start:g} to {end:g} V by the square of their ratio (x{factor:.3g})"
    return Carried(factor, Note(text, "scaled"), "assumed")


@lru_cache(maxsize=1)
def _nodes() -> Mapping[float, tuple[float, float]]:
    """Energy at the common supply and area by node, in arbitrary units."""
    with _FILE.open(encoding="utf-8") as file:
        rows = [{key: float(text) for key, text in row.items()} for row in csv.DictReader(file)]
    return {
        row["node_nm"]: (
            row["energy_v2"] * SUPPLY_V**2 + row["energy_v1"] * SUPPLY_V + row["energy_v0"],
            row["area"],
        )
        for row in sorted(rows, key=lambda row: row["node_nm"])
    }


def _published(node: float) -> tuple[float, float]:
    known = _nodes()
    names = list(known)
    if node in known:
        return known[node]
    if node < names[0] or node > names[-1]:
        edge = names[0] if node < names[0] else names[-1]
        energy, area = known[edge]
        return energy * node / edge, area * (node / edge) ** 2
    after = bisect.bisect(names, node)
    low, high = names[after - 1], names[after]
    energy, area = (
        between(low, known[low][column], high, known[high][column])(node) for column in (0, 1)
    )
    return energy, area


def between(x0: float, y0: float, x1: float, y1: float) -> Callable[[float], float]:
    """The straight line through two points on log-log paper; on plain paper where one is 0."""
    if y0 <= 0 or y1 <= 0:
        return lambda x: y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    slope = math.log(y1 / y0) / math.log(x1 / x0)
    return lambda x: float(y0 * (x / x0) ** slope)
