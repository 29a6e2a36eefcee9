"""The figure of the DRAM study: energy per inference against duty, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from dram_study.cases import AWAKE, DUTIES, MEMORIES, MODELS, POLICIES, RESTS
from dram_study.measure import (
    BACKGROUND,
    BYTES,
    CHIP,
    LEAKAGE,
    PARTS,
    ROWS,
    Measured,
    break_even_s,
)

Found = Mapping[tuple[str, str, str], Measured]
COLOURS = dict(zip(MEMORIES, ("#0072b2", "#e69f00", "#222222"), strict=True))
"""Colours that stay apart for most kinds of colour blindness (Okabe and Ito, 2008)."""
MARKERS = dict(zip(MEMORIES, "os^", strict=True))
LINES = {RESTS: "-", AWAKE: "--"}
FILLS = {
    CHIP: ("#ffffff", ""),
    LEAKAGE: ("#ffffff", "...."),
    ROWS: ("#c4c4c4", ""),
    BYTES: ("#8a8a8a", ""),
    BACKGROUND: ("#d55e00", "////"),
}
"""Fill and hatch of each part: apart in grey too."""
NAMES = {
    CHIP: "chip, work",
    LEAKAGE: "chip, leakage",
    ROWS: "DRAM, rows opened and closed",
    BYTES: "DRAM, reads and writes",
    BACKGROUND: "DRAM, background and refresh",
}
WIDTH, GAP = 0.84, 1.2
TITLE = """Energy per inference at 100, 10 and 1 % duty: edge-npu-lpddr5 with three memories
backend window; lpddr4x-4266 and lpddr5-6400 on 2 channels, hbm2 on 8; no device is calibrated"""


def draw(found: Found, path: str | Path = "dram_duty.png") -> Path:
    """Draws every case.

    Args:
        found: what was measured, by the names of model, memory and policy.
        path: where it goes, as PNG.
    """
    figure, grid = pyplot.subplots(2, len(MODELS), figsize=(12, 9.5), layout="constrained")
    for column, model in enumerate(MODELS):
        _totals(grid[0, column], model, found)
        _split(grid[1, column], model, found)
    handles, names = grid[1, 0].get_legend_handles_labels()
    figure.legend(handles, names, fontsize=8, loc="outside lower center", ncols=len(PARTS))
    lines = figure.legend(
        handles=list(_handles()),
        title=TITLE,
        loc="outside upper center",
        fontsize=8.5,
        ncols=5,
        frameon=False,
    )
    lines.get_title().set_multialignment("center")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return Path(path)


def _totals(axes: Axes, model: str, found: Found) -> None:
    """Joules against the time between inferences, which is the same scale for every memory."""
    for memory in MEMORIES:
        for policy in POLICIES[::-1]:
            one = found[model, memory.name, policy.name]
            points = [one.points[duty] for duty in DUTIES]
            line = {"color": COLOURS[memory], "linestyle": LINES[policy]}
            periods = np.geomspace(points[0].period_s, points[-1].period_s, 60)
            between = [one.energy_at_j(period) * 1e3 for period in periods]
            axes.plot(periods, between, linewidth=1.3, **line)
            ends = [point.period_s for point in points], [point.total_j * 1e3 for point in points]
            filled = COLOURS[memory] if policy is RESTS else "white"
            axes.plot(*ends, MARKERS[memory], color=COLOURS[memory], markerfacecolor=filled)
    _mark_break_evens(axes, model, found)
    axes.set(xscale="log", yscale="log", ylabel="mJ per inference, idle time included")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("seconds from one inference to the next; marks: 100, 10, 1 % duty", fontsize=9)
    axes.set_title(model, fontsize=10)
    axes.grid(alpha=0.3, which="both", linewidth=0.4)


def _mark_break_evens(axes: Axes, model: str, found: Found) -> None:
    """Where LPDDR4X begins to take less than LPDDR5."""
    words = ["x  LPDDR4X takes as much as LPDDR5:"]
    for policy in POLICIES:
        slow, fast = (found[model, memory.name, policy.name] for memory in MEMORIES[:2])
        period = break_even_s(fast, slow)
        if period is None:
            continue
        axes.plot([period], [fast.energy_at_j(period) * 1e3], "kx", markersize=9, zorder=5)
        duty = fast.latency_s / period
        words.append(f"{policy.name}: every {period:.2g} s, {duty:.1%} duty of LPDDR5")
    axes.text(0.03, 0.97, "\n".join(words), fontsize=8.5, va="top", transform=axes.transAxes)


def _split(axes: Axes, model: str, found: Found) -> None:
    """A bar for each case and duty, with the share of each part."""
    cases = [(memory, policy) for memory in MEMORIES for policy in POLICIES]
    places, names, bars = [], [], []
    for group, duty in enumerate(DUTIES):
        for number, (memory, policy) in enumerate(cases):
            places.append(group * (len(cases) + GAP) + number)
            names.append(memory.name if policy is RESTS else f"{memory.name}, awake")
            bars.append(found[model, memory.name, policy.name].points[duty])
    bottom = np.zeros(len(bars))
    for part in PARTS:
        heights = np.array([100 * point.energy_j[part] / point.total_j for point in bars])
        fill, hatch = FILLS[part]
        look = {"color": fill, "hatch": hatch, "edgecolor": "black", "linewidth": 0.5}
        axes.bar(places, heights, WIDTH, bottom=bottom, label=NAMES[part], **look)
        bottom += heights
    for place, point in zip(places, bars, strict=True):
        axes.annotate(
            f"{point.total_j * 1e3:#.3g}".rstrip("."),
            (place, 102),
            ha="center",
            va="bottom",
            rotation=90,
            fontsize=7.5,
        )
    axes.set_xticks(places, names, rotation=90, fontsize=7.5)
    middle = (len(cases) - 1) / 2
    for group, duty in enumerate(DUTIES):
        place = group * (len(cases) + GAP) + middle
        axes.annotate(f"{duty:.0%} duty", (place, 118), ha="center", fontsize=9)
    axes.set(ylim=(0, 125), ylabel="% of the energy (above: mJ per inference)")
    axes.set_yticks(range(0, 101, 20))


def _handles() -> Iterator[Line2D]:
    """What colours, marks and lines stand for."""
    for memory in MEMORIES:
        yield Line2D(
            [], [], color=COLOURS[memory], marker=MARKERS[memory], label=memory.name, linewidth=1.3
        )
    words = {RESTS: "rests: power-down after 100 ns, self-refresh after 100 us"}
    words[AWAKE] = "awake: never rests"
    for policy in POLICIES:
        yield Line2D([], [], color="black", linestyle=LINES[policy], label=words[policy])
