"""The figure of the memory study: traffic against size, the ladder beside it, energy below."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

from rnnt_study.design import MIB, Design
from rnnt_study.ladder import CONTROLS, CURVES, LADDER, A, C, D
from rnnt_study.measure import Measured

Found = Mapping[Design, Measured]
BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#777777"
"""Colours that stay apart for most kinds of colour blindness (Okabe and Ito, 2008)."""
SCHEDULES = ((1, MIB, RED), (8, MIB // 2, ORANGE), (8, MIB, BLUE))
TRAFFIC = "weight MB off chip per second of audio"
OFFSETS = {"A": (6, 4), "C": (-24, 22), "D": (14, 24), "3": (-22, -22), "5": (16, -22)}
OFFSETS |= {"1": (-20, 14), "2": (-4, 16), "6": (12, -18), "4": (12, -14)}
"""Where the name of a point stands, in printer's points."""
ENERGIES = (("DRAM", BLUE), ("weight buffer", ORANGE), ("multiply-accumulates", GREEN))


def draw(found: Found, path: str | Path = "rnnt_memory.png") -> Path:
    """Draws what was measured of the designs of ``ladder``.

    Args:
        found: what the replays showed, by design.
        path: where the figure goes; its ending says in which format.
    """
    figure = pyplot.figure(figsize=(11, 8.5), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(2.4, 1))
    _sizes(figure.add_subplot(grid[0, 0]), found)
    _ladder(figure.add_subplot(grid[0, 1]), found)
    _energy(figure.add_subplot(grid[1, :]), found)
    figure.suptitle(
        "Weight traffic of a streaming recogniser: the mechanism, with a model pair of our own",
        fontsize=12,
    )
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return Path(path)


def _sizes(axes: Axes, found: Found) -> None:
    """Off-chip bytes against stored bytes: a curve for plain LSTMs under each schedule."""
    for chunk, buffer, colour in SCHEDULES:
        curve = [d for d in CURVES if (d.chunk, d.buffer) == (chunk, buffer)]
        size = "any buffer" if chunk == 1 else f"{buffer / MIB:g} MiB"
        label = f"8 plain LSTM layers, {curve[0].schedule}, {size}"
        axes.plot(*_points(curve, found), "o-", color=colour, label=label)
    named = {design.name[0]: design for design in (A, C, D, *CONTROLS)}
    for name, design in named.items():
        (x,), (y,) = _points([design], found)
        colour = GREY if name.isdigit() else GREEN
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6}
        axes.plot([x], [y], "s", color=colour, markersize=5)
        axes.annotate(
            name, (x, y), OFFSETS[name], textcoords="offset points", arrowprops=line, fontsize=9
        )
    axes.set(xlabel="stored MB (numbers: the controls)", ylabel=TRAFFIC, ylim=(0, None))
    axes.set_title("Size says little, schedule and fit say much", fontsize=10)
    axes.legend(fontsize=8, loc="upper left")
    axes.grid(alpha=0.3)


def _points(curve: list[Design], found: Found) -> tuple[list[float], list[float]]:
    """Stored and fetched megabytes."""
    return (
        [design.model.parameters / 1e6 for design in curve],
        [float(found[design].bytes_per_s) / 1e6 for design in curve],
    )


def _ladder(axes: Axes, found: Found) -> None:
    """One bar for each step, with its cut and both sides of the ratio."""
    rates = [float(found[design].bytes_per_s) / 1e6 for design in LADDER]
    colours = [GREEN if design.pinned else BLUE for design in LADDER]
    axes.barh(range(len(LADDER)), rates, color=[RED, *colours[1:]])
    for place, (design, rate) in enumerate(zip(LADDER, rates, strict=True)):
        side = f"{design.buffer / MIB:g} MiB, rule {design.rule}"
        if design.pinned and design.aside is None:
            side += ", own memory"
        words = "frame by frame,\nany buffer" if place == 0 else f"{design.schedule}, {side}"
        _write(axes, rate, place, f"{rates[0] / rate:.2f}x  {words}")
    axes.set_yticks(range(len(LADDER)), [design.name for design in LADDER], fontsize=9)
    axes.invert_yaxis()
    axes.set(xlabel=TRAFFIC, xlim=(0, rates[0] * 1.6))
    axes.set_title("The ladder, each step against A frame by frame", fontsize=10)


def _write(axes: Axes, x: float, y: float, text: str) -> None:
    """Writes beside the end of a bar."""
    axes.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=8)


def _energy(axes: Axes, found: Found) -> None:
    """Milliwatts by component, of what the study counts."""
    designs = {"A": A, "A in chunks": LADDER[1], "C": C, "D": D}
    left = [0.0] * len(designs)
    for part, colour in ENERGIES:
        widths = [found[design].power_mw[part] for design in designs.values()]
        axes.barh(range(len(left)), widths, left=left, color=colour, label=part)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for place, (total, design) in enumerate(zip(left, designs.values(), strict=True)):
        side = "any buffer" if design.chunk == 1 else f"{design.buffer / MIB:g} MiB, rule S"
        words = f"{total:.1f} mW, {left[0] / total:.2f}x\n{design.schedule}, {side}"
        _write(axes, total, place, words)
    axes.set_yticks(range(len(left)), list(designs), fontsize=9)
    axes.invert_yaxis()
    axes.set(xlabel="mW at 160 pJ/B DRAM, 12.5 pJ/B buffer, 0.23 pJ/MAC (assumed); no idle power")
    axes.set_xlim(0, left[0] * 1.2)
    axes.legend(fontsize=8, loc="lower right")
