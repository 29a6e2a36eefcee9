"""The figure of the study: accuracy against energy, and what rounding weights costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

from quality.compare import LARGE, SMALL, start_of, steps
from quality.measure import Found, Row

COLOURS = {"LSTM": "#0072b2", "GRU": "#d55e00", "LiGRU": "#009e73", "SRU": "#cc79a7"}
"""Colours that stay apart for most kinds of colour blindness (Okabe and Ito, 2008)."""
MARKERS = {"LSTM": "o", "GRU": "s", "LiGRU": "^", "SRU": "D"}
LABEL: Mapping[str, Any] = {"textcoords": "offset points", "fontsize": 8.5}
TITLE = """Handwritten digits row by row: accuracy measured on validation images, mean of 5 seeds
energy of one image simulated on edge-npu with a small buffer, nothing calibrated"""
TICKS = (50, 100, 200, 500, 1000, 2000, 5000)
ROUNDED_WIDTH = 32
"""Width whose rounding is shown."""


def draw(found: Found, path: str | Path = "quality_digits.png") -> Path:
    """Draws every point, the front, and the accuracy by bits.

    Args:
        found: by the study.
        path: where it goes, as PNG.
    """
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(12, 5.2), layout="constrained", width_ratios=(1.5, 1)
    )
    _points(left, found)
    _rounding(right, found)
    figure.suptitle(TITLE, fontsize=10)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return Path(path)


def _points(axes: Axes, found: Found) -> None:
    for cell in COLOURS:
        _scatter(axes, [row for row in found.rows if row["cell"] == cell], alpha=0.25, s=14)
        ones = [row for row in found.front if row["cell"] == cell]
        _scatter(axes, ones, s=42, edgecolors="black", linewidths=0.7)
    for row in steps(found):
        text = f"{row['width']}, {row['weight_bits']} bits"
        axes.annotate(text, _place(row), (-7, 2), ha="right", **LABEL)
    for buffer in (SMALL, LARGE):
        text = f"LSTM 64, 8 bits,\n{buffer}"
        line = {"arrowstyle": "-", "linewidth": 0.6}
        place = _place(start_of(found, buffer))
        axes.annotate(text, place, (0, -44), ha="center", arrowprops=line, **LABEL)
    axes.set(xscale="log", xlabel="nJ per image", ylabel="validation accuracy, %", xlim=(22, None))
    axes.set_xticks(TICKS, [f"{tick:,}" for tick in TICKS])
    axes.set_title(
        "points of 85 % and more; outlined: the front in energy, latency and accuracy", fontsize=9.5
    )
    axes.grid(alpha=0.3, which="both", linewidth=0.4)


def _scatter(axes: Axes, rows: Sequence[Row], **look: Any) -> None:
    """Rows of one cell."""
    if rows:
        cell = rows[0]["cell"]
        places = zip(*map(_place, rows), strict=True)
        axes.scatter(*places, color=COLOURS[cell], marker=MARKERS[cell], **look)


def _place(row: Row) -> tuple[float, float]:
    return 1e9 * row["energy_j"], 100 * row["accuracy"]


def _rounding(axes: Axes, found: Found) -> None:
    widths = sorted({row["width"] for row in found.rows})
    bits = sorted({kind[2] for kind in found.scores if kind[2] is not None}, reverse=True)
    assert ROUNDED_WIDTH in widths
    for shift, (cell, colour) in enumerate(COLOURS.items()):
        shares = [found.scores[cell, ROUNDED_WIDTH, one].validation for one in (None, *bits)]
        axes.errorbar(
            [place + 0.06 * (shift - 1.5) for place in range(len(shares))],
            [100 * mean(one) for one in shares],
            [100 * stdev(one) for one in shares],
            color=colour,
            marker=MARKERS[cell],
            markersize=5,
            linewidth=1,
            capsize=2,
            label=cell,
        )
    axes.set_xticks(range(len(bits) + 1), ["as trained", *map(str, bits)])
    axes.set(xlabel="bits of a weight, rounded after training", ylabel="validation accuracy, %")
    axes.set_title(f"width {ROUNDED_WIDTH}; bars: standard deviation over seeds", fontsize=9.5)
    axes.grid(alpha=0.3, linewidth=0.4)
    axes.legend(fontsize=9, loc="lower left", title="cell, in both panels", title_fontsize=9)
