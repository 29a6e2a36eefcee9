"""Energy of a byte by how far it travels, beside the figures of AttAcc."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign.validation import Case, TableRow, Validation, parse_table, read_table

from .places import FINE_GRAINED, PLACES, Place, energy_at

FILE = "pim/pim_silicon_and_targets.csv"
COLUMNS = ("system", "figure", "value", "unit")
SYSTEM, FIGURE = "AttAcc HBM3-PIM", "energy per byte at bank"
TYPED = """\
system,figure,value,unit
AttAcc HBM3-PIM,energy per byte at bank and further away,4.40 / 12.48 / 26.32 / 28.72,pJ/B
"""
"""The row, for those who do not have the file."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Energy of a byte at a place.

    Attributes:
        place: how far the byte travels.
        joules: of a byte.
    """

    place: Place
    joules: float


def rows(data: Path | None) -> Sequence[Published]:
    """The figures of the file, or the typed ones.

    Raises:
        ValidationError: a file that breaks a rule.
    """
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    return [
        one
        for row in found
        if row.text("system") == SYSTEM and row.text("figure").startswith(FIGURE)
        for one in _published(row)
    ]


def compare(published: Published) -> Iterator[Case]:
    """The parts of the way added up."""
    yield Case(
        name=published.place.replace("_", " "),
        quantity="energy per byte",
        unit="J",
        ours=energy_at(published.place, FINE_GRAINED),
        theirs=published.joules,
    )


ENERGIES = Validation(
    title="energy per byte at the bank, the bank group, the buffer die and the host",
    source="attacc_simulator c60005, after O'Connor et al., MICRO 2017",
    note="nothing is fitted: the parts are published and only added up here; no chip was measured",
    rows=rows,
    compare=compare,
    files=(FILE,),
)


def _published(row: TableRow) -> Iterator[Published]:
    values = row.text("value").split("/")
    try:
        joules = [float(value) * 1e-12 for value in values]
    except ValueError:
        joules = []
    if len(joules) != len(PLACES) or row.text("unit") != "pJ/B":
        raise row.fault("value", f"pJ/B at {', '.join(PLACES)}, as 4.4 / 12.48 / 26.32 / 28.72")
    for place, value in zip(PLACES, joules, strict=True):
        yield Published(place=place, joules=value)
