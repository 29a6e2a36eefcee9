"""The figure of the recurrent study: energy and latency of a step against hidden size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

from recurrent_study.measure import CELLS, DRAM, LARGE, SIDES, SRAM, Measured, weight_bytes

Found = Mapping[tuple[int, str], Measured]
COLOURS = dict(
    zip((CELLS, SRAM, LARGE, DRAM), ("#d55e00", "#0072b2", "#56b4e9", "#222222"), strict=True)
)
"""Colours that stay apart for most kinds of colour blindness (Okabe and Ito, 2008)."""
MARKERS = dict(zip((CELLS, SRAM, LARGE, DRAM), "os^x", strict=True))
LINES = dict(zip((CELLS, SRAM, LARGE, DRAM), ("-", "-", "-", "--"), strict=True))
TITLE = """LSTM step at batch 1 by where its weights lie, steady state; int8, h inputs and h states
h4h-edge with 4 x 32 tiles of 128 x 128 weights in cells; own parameters, derived figures"""


def draw(found: Found, path: str | Path = "recurrent_cim.png") -> Path:
    """Draws every size on every side.

    Args:
        found: what was measured, by hidden size and name of the side.
        path: where it goes, as PNG.
    """
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5.2), layout="constrained")
    sizes = sorted({hidden for hidden, _ in found})
    for side in SIDES:
        ones = [found[hidden, side.name] for hidden in sizes]
        look = {
            "color": COLOURS[side],
            "marker": MARKERS[side],
            "linestyle": LINES[side],
            "label": f"{side.name} ({side.engine})",
        }
        left.plot(sizes, [1e9 * one.energy_j for one in ones], **look)
        right.plot(sizes, [1e6 * one.latency_s for one in ones], **look)
    _finish(left, "nJ per step, chip with leakage and DRAM", sizes)
    _finish(right, "us per step", sizes)
    left.legend(fontsize=9, loc="upper left")
    figure.suptitle(TITLE, fontsize=10)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return Path(path)


def _finish(axes: Axes, label: str, sizes: list[int]) -> None:
    """Scales, and where the cells are full."""
    last = max(size for size in sizes if weight_bytes(size) <= CELLS.weight_bytes)
    axes.axvline(last, color="#888888", linewidth=0.8, linestyle=":")
    axes.text(
        last + 8, 0.03, f"2 MiB hold {last}", transform=axes.get_xaxis_transform(), fontsize=8.5
    )
    axes.set(yscale="log", ylabel=label, xlabel="hidden size")
    axes.set_xticks(sizes)
    axes.grid(alpha=0.3, which="both", linewidth=0.4)
