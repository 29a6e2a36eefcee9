"""Points of a front that are equal in every objective, taken together for tables.

Where a parameter has no effect, as a buffer has none beyond what is needed, the front has a point
for each of its values. For people these are one row; the front itself keeps them all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from codesign.explore.levels import ABSENT, Levels
from codesign.explore.swept import Row, Swept

_PIECES = 3
"""Most values or runs of values that are told one by one (assumed)."""


@dataclass(frozen=True)
class Alike:
    """Points of a front with the same objectives.

    Attributes:
        rows: in order of the space; the first stands for all.
        spans: what parameters take in which they differ, in words. ``256 KiB … 4 MiB`` goes with
            all that the others take, and has whatever was measured between; ``GRU (LSTM)`` is what
            the first takes and, in some combination with others of that form, the rest.
    """

    rows: tuple[Row, ...]
    spans: Mapping[str, str]

    @property
    def first(self) -> Row:
        """The point that stands for all: the first in order of the space."""
        return self.rows[0]

    def values(self, name: str) -> frozenset[str]:
        """What a parameter takes, in a form that tells 1 from True."""
        return frozenset(repr(row.get(name)) for row in self.rows)


def alike_on_front(swept: Swept) -> tuple[Alike, ...]:
    """The front with points of equal objectives together, in its order.

    Args:
        swept: the study. Equal is equal to the bit: what differs in the last digit differs.
    """
    names = [name for name, _ in swept.objectives]
    groups = groupby(swept.pareto(), lambda row: [float(row[name]) for name in names])
    found = [tuple(rows) for _, rows in groups]
    if all(len(rows) == 1 for rows in found):
        return tuple(Alike(rows, {}) for rows in found)
    levels = {name: Levels.of([row.get(name) for row in swept.done]) for name in swept.parameters}
    places = {row["index"]: place for place, row in enumerate(swept.done)}
    return tuple(
        Alike(rows, _spans(levels, [places[row["index"]] for row in rows])) for rows in found
    )


def unlike(front: Sequence[Alike]) -> str:
    """How many different points a front has, in words; empty where each is one of its own.

    Args:
        front: of ``alike_on_front``.
    """
    if all(len(one.rows) == 1 for one in front):
        return ""
    return f"{len(front):,} different" if len(front) > 1 else "all alike"


def _spans(levels: Mapping[str, Levels], places: Sequence[int]) -> dict[str, str]:
    """What parameters take in some rows of a table, those that take several values."""
    taken = {name: [int(one.codes[place]) for place in places] for name, one in levels.items()}
    differ = [name for name, codes in taken.items() if len(set(codes)) > 1]
    found = {}
    for name in differ:
        codes = set(taken[name])
        others = set(zip(*(taken[other] for other in differ if other != name), strict=True))
        if len(codes) * max(1, len(others)) == len(places):  # each of them with each of these
            found[name] = _told(levels[name], codes)
        else:
            first = taken[name][0]
            rest = _told(levels[name], codes - {first})
            found[name] = f"{_told(levels[name], {first})} ({rest})"
    return found


def _told(levels: Levels, codes: Collection[int]) -> str:
    """Values, neighbours among all that were measured as from … to."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and code == runs[-1][-1] + 1 and runs[-1][0] != ABSENT:
            runs[-1].append(code)
        else:
            runs.append([code])
    pieces = [piece for run in runs for piece in _pieces(levels, run)]
    if len(pieces) <= _PIECES:
        return ", ".join(pieces)
    return f"{', '.join(pieces[: _PIECES - 1])} and {len(pieces) - _PIECES + 1} more"


def _pieces(levels: Levels, run: Sequence[int]) -> list[str]:
    told = ["-" if code == ABSENT else levels.labels[code] for code in run]
    return [f"{told[0]} … {told[-1]}"] if len(told) > 2 else told
