"""The roofline: every operator under the roof of its engine and the slope of the memory."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from codesign.explore.figures.style import INK, say
from codesign.explore.pareto import Floats
from codesign.quantities import quantity
from codesign.report.figures.colours import ordered, part_colours
from codesign.report.figures.kit import Drawn, new_figure
from codesign.report.names import shown
from codesign.report.roof import Roofline, find_roofline
from codesign.report.saved import Saved


def draw_roofline(saved: Saved) -> Drawn:
    """Draws MAC/s over MAC/B, both by decades."""
    found = find_roofline(saved)
    drawn = new_figure(4.3, _said(found))
    if not found.points:
        say(drawn.figure, "no operator multiplies and moves bytes off the chip")
        return drawn
    axes = drawn.figure.subplots()
    x = np.array([point.intensity for point in found.points])
    y = np.array([point.macs_per_s for point in found.points])
    low, high = _limits(found, x)
    axes.set(xscale="log", yscale="log", xlim=(low, high))
    top = max([*y, *found.roofs.values()])
    axes.set_ylim(y.min() / 4, top * 2.5)
    _roofs(drawn, axes, found, (low, high))
    _points(drawn, axes, found, part_colours(saved))
    _axes(axes)
    return drawn


def _limits(found: Roofline, x: Floats) -> tuple[float, float]:
    ridges = [roof / slope for roof in found.roofs.values() for slope in found.slopes.values()]
    return float(min([x.min(), *ridges])) / 4, float(max([x.max(), *ridges])) * 4


def _roofs(drawn: Drawn, axes: Axes, found: Roofline, limits: tuple[float, float]) -> None:
    top = max(found.roofs.values(), default=None)
    for name, slope in found.slopes.items():
        end = limits[1] if top is None else min(limits[1], top / slope)
        xs = np.array([limits[0], end])
        (line,) = axes.plot(xs, xs * slope, color=INK, linewidth=1.1)
        told = f"{shown(name, 24)}: {quantity(slope, 'B/s')}"
        drawn.name(line, told)
        middle = np.sqrt(xs[0] * xs[1])  # no point lies above the line, so none is covered there
        axes.annotate(
            told, (middle, middle * slope), xytext=(-6, 4), textcoords="offset points",
            fontsize=8, ha="right", va="bottom",
        )  # fmt: skip
    for name, roof in found.roofs.items():
        begin = min((roof / slope for slope in found.slopes.values()), default=limits[0])
        (line,) = axes.plot([begin, limits[1]], [roof, roof], color=INK, linewidth=1.1)
        told = f"{shown(name, 24)}: {quantity(roof, 'MAC/s')}"
        drawn.name(line, told)
        axes.annotate(
            told, (limits[1], roof), xytext=(-4, 4), textcoords="offset points",
            fontsize=8, ha="right", va="bottom",
        )  # fmt: skip


def _points(drawn: Drawn, axes: Axes, found: Roofline, parts: dict[str, str]) -> None:
    for engine, colour in ordered((point.engine for point in found.points), parts).items():
        mine = [point for point in found.points if point.engine == engine]
        marks = axes.scatter(
            [point.intensity for point in mine],
            [point.macs_per_s for point in mine],
            s=26,
            color=colour,
            alpha=0.75,
            linewidths=0,
            label=f"{shown(engine, 24)} ({len(mine):,} operators)",
            zorder=3,
        )
        drawn.name(
            marks,
            *(
                f"{point.name}: {quantity(point.macs_per_s, 'MAC/s')} at "
                f"{point.intensity:.3g} MAC/B"
                for point in mine
            ),
        )
    axes.legend(loc="lower right")


def _axes(axes: Axes) -> None:
    axes.set(xlabel="MAC per byte off the chip", ylabel="MAC/s of an operator, transfers included")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator())
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short_rate(value)))
    axes.grid()


def _short_rate(value: float) -> str:
    mantissa, _, unit = quantity(value, "").partition(" ")
    return f"{float(mantissa.replace(',', '')):g} {unit}".strip()


def _said(found: Roofline) -> str:
    told = [f"{len(found.points):,} operators by MAC per byte off the chip and MAC per second."]
    told += [f"Roof of {name}: {quantity(r, 'MAC/s')}." for name, r in found.roofs.items()]
    told += [f"Slope of {name}: {quantity(s, 'B/s')}." for name, s in found.slopes.items()]
    return " ".join(told)
