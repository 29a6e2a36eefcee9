"""What one change to a network or its hardware brings, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from quality.measure import Found, Row, kept_in_part
from quality.train import Shares

BUFFER = "sram.size"
START: dict[str, Any] = {"cell": "LSTM", "width": 64, "weight_bits": 8}
"""Where one begins who has not asked yet: 20.4 kB of weights and scales."""
SMALL, LARGE = "16 KiB", "32 KiB"
"""The largest buffer that does not hold these weights, and the smallest that does."""
SINGLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("GRU", {"cell": "GRU"}),
    ("LiGRU", {"cell": "LiGRU"}),
    ("SRU", {"cell": "SRU"}),
    ("width 48", {"width": 48}),
    ("width 32", {"width": 32}),
    ("width 16", {"width": 16}),
    ("6 bits", {"weight_bits": 6}),
    ("4 bits", {"weight_bits": 4}),
    ("3 bits", {"weight_bits": 3}),
    ("2 bits", {"weight_bits": 2}),
)
BUFFERS = {
    "half the buffer": {SMALL: "8 KiB", LARGE: "16 KiB"},
    "twice the buffer": {SMALL: "32 KiB", LARGE: "64 KiB"},
}
PARTS = "parts stay"
"""A matrix may stay on chip in part: a change of schedule."""
STEP = 0.01
"""Accuracy that a row must have above the one before it to be told: less is within the spread."""
MOST_POINTS = 1.0
"""Points of validation accuracy that a change may cost, in the mean over seeds."""


@dataclass(frozen=True)
class Change:
    """A change and what it brings.

    Attributes:
        name: of the change.
        start: row before it.
        row: row after it; None if its accuracy is too low to have been replayed.
        points: change of validation accuracy in points, by seed: networks of one seed saw the same
            images.
    """

    name: str
    start: Row
    row: Row | None
    points: tuple[float, ...]

    @property
    def energy(self) -> float:
        """Times less energy."""
        return self._ratio("energy_j")

    @property
    def latency(self) -> float:
        """Times less latency."""
        return self._ratio("latency_s")

    @property
    def mean(self) -> float:
        """Mean change of accuracy in points."""
        return mean(self.points)

    def _ratio(self, name: str) -> float:
        return 0.0 if self.row is None else float(self.start[name] / self.row[name])


def start_of(found: Found, buffer: str) -> Row:
    """The start with a buffer.

    Args:
        found: by the study.
        buffer: size of the scratchpad.
    """
    row = found.row({**START, BUFFER: buffer})
    assert row is not None
    return row


def changes(found: Found, buffer: str) -> Iterator[Change]:
    """Every single change.

    Args:
        found: by the study.
        buffer: of the start.
    """
    start = start_of(found, buffer)
    sizes = [(name, {BUFFER: size[buffer]}) for name, size in BUFFERS.items()]
    for name, values in (*SINGLE, *sizes):
        point = {**START, BUFFER: buffer, **values}
        kind = point["cell"], point["width"], point["weight_bits"]
        points = by_seed(found.scores[kind].validation, found.scores_of(start).validation)
        yield Change(name, start, found.row(point), points)
    yield Change(PARTS, start, kept_in_part(**START, buffer=buffer), (0.0,) * len(points))


def ranked(found: Found, buffer: str) -> list[Change]:
    """Single changes that save energy and cost little accuracy, best first.

    Args:
        found: by the study.
        buffer: of the start.
    """
    kept = [one for one in changes(found, buffer) if one.mean >= -MOST_POINTS and one.energy > 1]
    return sorted(kept, key=lambda one: -one.energy)


def cheapest(found: Found, buffer: str) -> Row:
    """The row of least energy that costs little accuracy, all parameters free.

    Args:
        found: by the study.
        buffer: of the start.
    """
    before = found.scores_of(start_of(found, buffer)).validation
    costs = ((row, by_seed(found.scores_of(row).validation, before)) for row in found.front)
    return next(row for row, points in costs if mean(points) >= -MOST_POINTS)


def steps(found: Found) -> list[Row]:
    """Rows of the front that are a step more accurate than all that take less energy.

    Args:
        found: by the study.
    """
    kept: list[Row] = []
    for row in found.front:
        if not kept or row["accuracy"] >= kept[-1]["accuracy"] + STEP:
            kept.append(row)
    return kept


def by_seed(after: Shares, before: Shares) -> Shares:
    """Change of accuracy in points, seed by seed.

    Args:
        after: accuracies of some networks.
        before: those of others, on the same images.
    """
    return tuple(100 * (x - y) for x, y in zip(after, before, strict=True))


def in_percent(shares: Shares) -> str:
    """Accuracy in per cent: mean and standard deviation over seeds."""
    return f"{100 * mean(shares):.1f} ± {100 * stdev(shares):.1f}"


def in_points(changes: Shares) -> str:
    """Change of accuracy in points: mean and standard deviation over seeds."""
    return f"{mean(changes):+.1f} ± {stdev(changes):.1f}"
