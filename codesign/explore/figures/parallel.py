"""The figure of what a front is made of: a line for each point, an upright axis for each choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator

from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.scale import Scale, short, shortened, thinned, wrapped
from codesign.explore.figures.style import INK, MANY, head, say
from codesign.explore.levels import Codes, Levels
from codesign.explore.pareto import Floats

_MOST = 10
"""Most parameters that get an axis (assumed); those that vary on the front come first."""
_TICKS = 12


@dataclass(frozen=True)
class _Upright:
    """One axis, from 0 at its foot to 1.

    Attributes:
        name: at its head.
        heights: of each point of the front.
        ticks: heights and what stands beside them.
    """

    name: str
    heights: Floats
    ticks: tuple[tuple[float, str], ...]


def draw_parallel(cloud: Cloud) -> Figure:
    """Draws the front in parallel coordinates: parameters, then objectives, best at the foot."""
    front = np.flatnonzero(cloud.front)
    uprights, left = _parameters(cloud, front)
    uprights += [_objective(cloud, place, front) for place in range(len(cloud.scales))]
    figure = Figure(figsize=(max(5.0, 1.35 * len(uprights) + 0.8), 4.4), layout="constrained")
    if not len(front):
        figure.suptitle(cloud.title, fontsize=9)
        return say(figure, "no point keeps to all constraints, so there is no front")
    said = f"{cloud.title}; front of {len(front):,}, objectives better below, colour: "
    said += cloud.scales[0].name + (f"; {left} parameters not shown" if left else "")
    head(figure, said)
    axes = figure.subplots()
    _lines(axes, uprights, uprights[-len(cloud.scales)].heights)
    for place, upright in enumerate(uprights):
        _upright(axes, place, upright)
    axes.set(xlim=(-0.15, len(uprights) - 0.35), ylim=(-0.04, 1.02))
    axes.set_xticks(range(len(uprights)), [wrapped(one.name, 17) for one in uprights])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8.5)
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _parameters(cloud: Cloud, front: Codes) -> tuple[list[_Upright], int]:
    """Axes of what varies in the table, and how many are left out."""
    columns = {
        name: Levels.of([row.get(name) for row in cloud.swept.done])
        for name in cloud.swept.parameters
    }
    varying = [name for name, levels in columns.items() if len(np.unique(levels.codes)) > 1]
    on_front = {name: len(np.unique(columns[name].codes[front])) for name in varying}
    chosen = sorted(varying, key=lambda name: -min(on_front[name], 2))[:_MOST]
    kept = [name for name in varying if name in chosen]
    return [_parameter(name, columns[name], front) for name in kept], len(varying) - len(kept)


def _parameter(name: str, levels: Levels, front: Codes) -> _Upright:
    labels = levels.labels
    codes = levels.codes
    if (codes < 0).any():
        labels, codes = ("none", *labels), codes + 1
    span = max(1, len(labels) - 1)
    ticks = [(place / span, shortened(labels[place], 15)) for place in thinned(len(labels), _TICKS)]
    return _Upright(name, codes[front] / span, tuple(ticks))


def _objective(cloud: Cloud, place: int, front: Codes) -> _Upright:
    name, maximise = cloud.swept.objectives[place]
    values = cloud.values[front, place]
    scale = Scale.of(name, values, maximise=maximise)
    if not len(values) or values.min() == values.max():
        ticks = tuple((0.5, short(value)) for value in scale.drawn(values[:1]))
        return _Upright(scale.label, np.full(len(values), 0.5), ticks)
    drawn = scale.drawn(values)
    low, high = float(drawn.min()), float(drawn.max())

    def heights(numbers: Floats) -> Floats:
        if scale.decades:
            shares: Floats = np.log(numbers / low) / np.log(high / low)
        else:
            shares = (numbers - low) / (high - low)
        return 1 - shares if maximise else shares

    marks = np.array(_marks(scale, low, high))
    ticks = tuple((float(at), short(mark)) for at, mark in zip(heights(marks), marks, strict=True))
    return _Upright(scale.label, heights(drawn), ticks)


def _marks(scale: Scale, low: float, high: float) -> list[float]:
    """Round numbers within a range; its ends where there are fewer than two."""
    if scale.decades:
        subs = (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
        found = LogLocator(subs=subs).tick_values(low, high)
    else:
        found = MaxNLocator(6).tick_values(low, high)
    kept = [float(mark) for mark in found if low <= mark <= high]
    return kept if len(kept) > 1 else [low, high]


def _lines(axes: Axes, uprights: Sequence[_Upright], colour_by: Floats) -> None:
    heights = np.stack([upright.heights for upright in uprights], axis=1)
    places = np.broadcast_to(np.arange(len(uprights)), heights.shape)
    count = len(heights)
    lines = LineCollection(
        list(np.stack((places, heights), axis=2)),
        colors=colormaps["viridis"](0.3 + 0.45 * colour_by),  # seen on light and on dark
        linewidths=1.2 if count <= 100 else 0.6,
        alpha=0.85 if count <= 100 else 0.4,
        rasterized=count > MANY,
    )
    axes.add_collection(lines)


def _upright(axes: Axes, place: int, upright: _Upright) -> None:
    axes.plot([place, place], [0, 1], color=INK, linewidth=0.8, zorder=3)
    for height, text in upright.ticks:
        axes.plot([place, place + 0.03], [height, height], color=INK, linewidth=0.8, zorder=3)
        axes.text(
            place + 0.05,
            height,
            text,
            fontsize=7.5,
            va="center",
            zorder=4,
            path_effects=[withStroke(linewidth=2.5, foreground="white", alpha=0.9)],
        )
