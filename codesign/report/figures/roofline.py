"""The roofline: every operator under the roof of its engine and the slope of the memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from codesign.explore.figures.style import INK, say
from codesign.quantities import count, quantity
from codesign.report.figures.colours import ordered, part_colours
from codesign.report.figures.kit import Drawn, legend, new_figure
from codesign.report.names import shown
from codesign.report.roof import Point, Roofline, find_roofline
from codesign.report.saved import Saved

_SLOPE = 0.4
"""Share of the width that a slope has at least (measured): words stand left of its middle."""
_STRIP = 0.11
"""Width of the strip to the right, in that of the chart (assumed)."""
_ABREAST = 5
"""Operators side by side in it (assumed): dots of so many fit."""
_NEAR = 20
"""Speeds of a decade that are told apart in it (assumed): about a dot's height each."""
_NAMED = 4
"""Operators without a place that the words below the chart name (assumed)."""


def draw_roofline(saved: Saved) -> Drawn:
    """Draws MAC/s over MAC/B, both by decades; who moves no byte has a strip to the right."""
    found = find_roofline(saved)
    drawn = new_figure(4.3, _said(found))
    if not found.points and not found.on_chip:
        say(
            drawn.figure,
            "no operator can be drawn" if found.without_side else "no operator multiplies",
        )
        return drawn
    axes, strip = _grid(drawn, found)
    y = [point.macs_per_s for point in (*found.points, *found.on_chip)]
    low, high = _limits(found)
    axes.set(xscale="log", yscale="log", xlim=(low, high))
    middles = [slope * _middle(found, slope, (low, high)) for slope in found.slopes.values()]
    axes.set_ylim(min([*y, *middles]) / 4, max([*y, *found.roofs.values()]) * 2.5)
    _roofs(drawn, axes, found, (low, high))
    parts = part_colours(saved)
    _points(drawn, axes, found.points, [point.intensity for point in found.points], parts)
    _axes(axes, len(found.without_macs), len(found.without_time))
    if strip is not None:
        _strip(drawn, strip, found, parts)
    _legend(drawn, found, parts)
    return drawn


def _grid(drawn: Drawn, found: Roofline) -> tuple[Axes, Axes | None]:
    """The chart, and the strip beside it where somebody stands there."""
    if not found.on_chip:
        return drawn.figure.subplots(), None
    axes, strip = drawn.figure.subplots(
        1, 2, sharey=True, width_ratios=[1.0, _STRIP], gridspec_kw={"wspace": 0.02}
    )
    return axes, strip


def _strip(drawn: Drawn, strip: Axes, found: Roofline, parts: dict[str, str]) -> None:
    """Operators without bytes off the chip, side by side where they are as fast as each other."""
    points, places = _abreast(found.on_chip)
    _points(drawn, strip, points, places, parts)
    for roof in found.roofs.values():
        strip.axhline(roof, color=INK, linewidth=1.1)
    half = _ABREAST / 2
    strip.set(xlim=(-half, half), xlabel="no byte off\nthe chip")
    strip.set_xticks([])
    strip.tick_params(axis="y", which="both", length=0)
    strip.grid(axis="y")


def _abreast(points: tuple[Point, ...]) -> tuple[tuple[Point, ...], list[float]]:
    """Points with their places across the strip, those of nearly one speed around its middle."""
    near: dict[int, list[Point]] = {}
    for point in sorted(points, key=lambda point: (point.macs_per_s, point.name)):
        near.setdefault(round(_NEAR * math.log10(point.macs_per_s)), []).append(point)
    ordered_points, places = list[Point](), list[float]()
    for group in near.values():
        wide = min(_ABREAST, len(group))
        ordered_points += group
        places += [at % wide - (wide - 1) / 2 for at in range(len(group))]
    return tuple(ordered_points), places


def _limits(found: Roofline) -> tuple[float, float]:
    ridges = [roof / slope for roof in found.roofs.values() for slope in found.slopes.values()]
    every = [*(point.intensity for point in found.points), *ridges] or [1.0]
    low, high = min(every) / 4, max(every) * 4
    if not found.roofs or not found.slopes:
        return low, high
    # where the steepest slope meets the highest roof; left of it is room for the words of a slope
    end = max(found.roofs.values()) / max(found.slopes.values())
    return min(low, end * (end / high) ** (_SLOPE / (1 - _SLOPE))), high


def _end(found: Roofline, slope: float, limits: tuple[float, float]) -> float:
    """MAC/B at which a slope meets the highest roof."""
    return min(limits[1], max(found.roofs.values(), default=math.inf) / slope)


def _middle(found: Roofline, slope: float, limits: tuple[float, float]) -> float:
    """MAC/B in the middle of a slope, by decades."""
    return math.sqrt(limits[0] * _end(found, slope, limits))


def _roofs(drawn: Drawn, axes: Axes, found: Roofline, limits: tuple[float, float]) -> None:
    for name, slope in found.slopes.items():
        xs = np.array([limits[0], _end(found, slope, limits)])
        (line,) = axes.plot(xs, xs * slope, color=INK, linewidth=1.1)
        told = f"{shown(name, 24)}: {quantity(slope, 'B/s')}"
        drawn.name(line, told)
        middle = _middle(found, slope, limits)
        # no point lies above the line, so none is covered there
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


def _points(
    drawn: Drawn,
    axes: Axes,
    points: tuple[Point, ...],
    places: Sequence[float],
    parts: dict[str, str],
) -> None:
    """Dots by engine, each named.

    Args:
        drawn: whose marks they are.
        axes: to draw into.
        points: the operators.
        places: of each along the axis.
        parts: colours of components.
    """
    for engine, colour in ordered((point.engine for point in points), parts).items():
        mine = [(at, one) for at, one in zip(places, points, strict=True) if one.engine == engine]
        marks = axes.scatter(
            [at for at, _ in mine],
            [point.macs_per_s for _, point in mine],
            s=26,
            color=colour,
            alpha=0.75,
            linewidths=0,
            zorder=3,
        )
        drawn.name(marks, *(_told(point) for _, point in mine))


def _told(point: Point) -> str:
    told = f"{point.name}: {quantity(point.macs_per_s, 'MAC/s')}"
    if point.intensity == math.inf:
        return f"{told}, no byte off the chip"
    return f"{told} at {point.intensity:.3g} MAC/B"


def _legend(drawn: Drawn, found: Roofline, parts: dict[str, str]) -> None:
    """Below the chart, where it covers no operator."""
    every = Counter(point.engine for point in (*found.points, *found.on_chip))
    named = {
        f"{shown(engine, 24)} ({count(every[engine])} operator{'s' * (every[engine] != 1)})": colour
        for engine, colour in ordered(every, parts).items()
    }
    legend(drawn, named, columns=3)


def _axes(axes: Axes, idle: int, unlisted: int) -> None:
    """Labels; the lower one counts what is not drawn, for a figure without its caption."""
    lost = [f"{count(idle)} without a MAC"] * bool(idle)
    lost += [f"{count(unlisted)} without a listed run"] * bool(unlisted)
    below = f"\n(operators not drawn: {', '.join(lost)})" if lost else ""
    axes.set(
        xlabel=f"MAC per byte off the chip{below}",
        ylabel="MAC/s of an operator, transfers included",
    )
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
    drawn = len(found.points) + len(found.on_chip)
    told = [f"Operators by MAC per byte off the chip and MAC per second: {count(drawn)}."]
    told += [f"Roof of {name}: {quantity(r, 'MAC/s')}." for name, r in found.roofs.items()]
    told += [f"Slope of {name}: {quantity(s, 'B/s')}." for name, s in found.slopes.items()]
    return " ".join([*told, *left_words(found)])


def left_words(found: Roofline) -> list[str]:
    """What does not stand between the axes, one sentence for each reason."""
    lists: tuple[tuple[str, Sequence[str]], ...] = (
        (
            "In the strip to the right, as they move no byte off the chip",
            [point.name for point in found.on_chip],
        ),
        (
            "Not drawn, as they have no multiply-accumulate (copies, pooling, elementwise)",
            found.without_macs,
        ),
        ("Not drawn, as the folder lists no run of them", found.without_time),
        (
            "Not drawn, as the folder does not say which memory is off the chip",
            found.without_side,
        ),
    )
    return [f"{why}: {_named(names)}." for why, names in lists if names]


def _named(names: Sequence[str]) -> str:
    """How many, and the first of them by name."""
    first = ", ".join(shown(name, 40) for name in names[:_NAMED])
    more = f" and {count(len(names) - _NAMED)} more" if len(names) > _NAMED else ""
    return f"{count(len(names))} operator{'s' * (len(names) != 1)} ({first}{more})"
