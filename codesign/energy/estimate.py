"""The answer of the tables: a number, where it comes from, and all that was done to it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from codesign.energy.row import STATUSES, Row

FLAGS = ("interpolated", "extrapolated", "scaled", "composed")
"""What may have been done to rows: read between two of them, beyond the last one, carried to
another node, voltage, width or format by a rule, or added up from parts."""

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k"}


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done to the rows, or a doubt about them.

    Attributes:
        text: a sentence for people.
        flag: one of ``FLAGS``; empty for a doubt.
    """

    text: str
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure out of the tables.

    Attributes:
        value: in ``unit``.
        unit: ``J``, ``J/B``, ``s``, ``m2`` or ``W``.
        tool: who made the rows.
        status: the worst of the statuses of the rows and of the rules applied to them.
        rows: the rows it follows from.
        curve: all rows of the curve that they lie on, whatever their size: what ranks it, so that
            the rank does not change along a curve.
        notes: what was done to them, in order, and doubts.
        spread: largest over smallest figure of all tools that have rows better than assumed.
    """

    value: float
    unit: str
    tool: str
    status: str
    rows: tuple[Row, ...] = ()
    notes: tuple[Note, ...] = ()
    spread: float = 1.0
    curve: tuple[Row, ...] = field(default=(), repr=False)

    @property
    def flags(self) -> tuple[str, ...]:
        """What was done to the rows, in the order of ``FLAGS``; empty for a row as it stands."""
        found = {note.flag for note in self.notes}
        return tuple(flag for flag in FLAGS if flag in found)

    @property
    def source(self) -> str:
        """Sources of all rows."""
        return "; ".join(dict.fromkeys(row.source for row in self.rows))

    @property
    def is_own(self) -> bool:
        """Whether it rests on rows of the user."""
        return any(row.is_own for row in self.rows)

    @property
    def summary(self) -> str:
        """All notes in one line, with the spread between tools where there is one."""
        texts = [note.text for note in self.notes]
        if self.spread >= 1.05:
            texts.append(f"tools differ by a factor of {self.spread:.2g}")
        return "; ".join(dict.fromkeys(texts))

    def scaled(self, factor: float, note: Note | None = None, status: str = "standard") -> Estimate:
        """The figure times a factor; a rule lowers the status to its own."""
        notes = (*self.notes, note) if note else self.notes
        return replace(
            self, value=self.value * factor, notes=notes, status=worst((self.status, status))
        )

    def __str__(self) -> str:
        marks = ", ".join((self.status, *self.flags))
        return f"{figure(self.value, self.unit)} ({marks}; {self.source})"


class Estimated(float):
    """A number that remembers the estimate it was taken from."""

    estimate: Estimate

    def __new__(cls, estimate: Estimate) -> Estimated:
        """The value of an estimate."""
        made = super().__new__(cls, estimate.value)
        made.estimate = estimate
        return made

    def __reduce__(self) -> tuple[type[Estimated], tuple[Estimate]]:
        return Estimated, (self.estimate,)


def worst(statuses: Iterable[str]) -> str:
    """The status that can be trusted least."""
    return max(statuses, key=STATUSES.index)


def add(parts: Iterable[Estimate], note: Note) -> Estimate:
    """The sum of estimates of one unit; its status is the worst of theirs."""
    found = tuple(parts)
    return Estimate(
        value=math.fsum(part.value for part in found),
        unit=found[0].unit,
        tool=" + ".join(dict.fromkeys(part.tool for part in found)),
        status=worst(part.status for part in found),
        rows=tuple(dict.fromkeys(row for part in found for row in part.rows)),
        notes=(note, *dict.fromkeys(one for part in found for one in part.notes)),
        curve=tuple(dict.fromkeys(row for part in found for row in part.curve)),
    )


def figure(value: float, unit: str) -> str:
    """A number with four digits and a prefix: ``1.21 pJ``, ``0.05860 mm2``."""
    if unit == "m2":
        return f"{value * 1e12:.4g} um2" if value < 1e-9 else f"{value * 1e6:.4g} mm2"
    power = 3 * math.floor(math.log10(value) / 3 + 1e-9) if value > 0 else 0
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return f"{value / 10.0**power:.4g} {_PREFIXES[power]}{unit}"


def clocks(latency: Estimate, clock_hz: float) -> int:
    """Whole cycles of a clock that a latency takes, at least 1."""
    exact = latency.value * clock_hz
    near = round(exact)
    return max(1, near if abs(exact - near) <= 1e-9 * near else math.ceil(exact))
