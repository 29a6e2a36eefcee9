"""The figure of a front: each two objectives, with all that is dominated behind it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.style import GREY, MANY, ORANGE, SKY, set_scale
from codesign.explore.pareto import Floats

_NAMED = 12
"""Most points of a front that are named (assumed)."""
_APART = 24.0
"""Pixels between names of points, so that they can be read (measured)."""
_COLUMNS = 3


def draw_front(cloud: Cloud) -> Figure:
    """Draws a panel for each pair of objectives; one objective by rank."""
    pairs = list(combinations(range(len(cloud.scales)), 2))
    columns = min(_COLUMNS, max(1, len(pairs)))
    rows = -(-max(1, len(pairs)) // columns)
    size = (6.4, 4.8) if columns == 1 else (3.9 * columns, 3.7 * rows + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[max(1, len(pairs)) :]:
        axes.remove()
    if pairs:
        for axes, (x, y) in zip(grid, pairs, strict=False):
            _panel(axes, cloud, x, y)
    else:
        _ranks(grid[0], cloud)
    handles, labels = grid[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=4)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)
    empty = "" if cloud.front.any() else "; no point keeps to all constraints"
    figure.suptitle(cloud.title + empty, fontsize=9)
    return figure


def _panel(axes: Axes, cloud: Cloud, x: int, y: int) -> None:
    shown = np.vstack((cloud.values, cloud.bounds))
    for which, place in (("x", x), ("y", y)):
        set_scale(axes, which, cloud.scales[place], shown[:, place])
    axes.margins(0.06)
    _scatter(axes, cloud, x, y)
    if cloud.front.any():
        _front(axes, cloud, x, y)
    axes.grid()


def _front(axes: Axes, cloud: Cloud, x: int, y: int) -> None:
    front = _drawn(cloud, cloud.values[cloud.front])
    size, alpha = (8, 0.35) if len(front) > MANY else (20, 1.0)
    look = {"color": ORANGE, "s": size, "alpha": alpha, "zorder": 4, "gid": f"front-{x}-{y}"}
    _dots(axes, front[:, [x, y]], "front", **look)
    if len(cloud.scales) == 2:
        stairs = _stairs(front * cloud.signs) * cloud.signs
        axes.plot(*stairs.T, color=ORANGE, linewidth=1.0, zorder=3)
        _name_points(axes, cloud, front)


def _scatter(axes: Axes, cloud: Cloud, x: int, y: int) -> None:
    """What is not on the front."""
    bounds = _drawn(cloud, cloud.bounds)[:, [x, y]]
    points = _drawn(cloud, cloud.values)[:, [x, y]]
    broken, beaten = points[~cloud.feasible], points[cloud.feasible & ~cloud.front]
    alpha = 0.35 if len(points) + len(bounds) > MANY else 0.7
    look = {"alpha": alpha, "zorder": 2}
    _dots(axes, bounds, "pruned, at its lower bounds", color=SKY, s=9, **look)
    _dots(axes, broken, "breaks a constraint", color=GREY, s=14, marker="x", **look)
    _dots(axes, beaten, "dominated", color=GREY, s=9, gid=f"dominated-{x}-{y}", **look)


def _dots(axes: Axes, points: Floats, words: str, **look: Any) -> None:
    """Marks of one sort, as pixels where there are many of them."""
    if len(points):
        look = {"linewidths": 0.7 if "marker" in look else 0.0} | look
        label = f"{words} ({len(points):,})"
        axes.scatter(points[:, 0], points[:, 1], label=label, rasterized=len(points) > MANY, **look)


def _drawn(cloud: Cloud, values: Floats) -> Floats:
    drawn: Floats = values / np.array([scale.factor for scale in cloud.scales])
    return drawn


def _stairs(scores: Floats) -> Floats:
    """Corners of what a front of two objectives dominates."""
    order = scores[np.lexsort((scores[:, 1], scores[:, 0]))]
    corners = np.repeat(order, 2, axis=0)
    corners[1::2, 0] = np.append(order[1:, 0], order[-1:, 0])
    return corners


def _name_points(axes: Axes, cloud: Cloud, front: Floats) -> None:
    """Writes the index of some points on the side where nothing can be."""
    if len(front) > _NAMED:
        return
    indexes = [cloud.swept.done[place]["index"] for place in np.flatnonzero(cloud.front)]
    taken: list[Floats] = []
    side = -cloud.signs
    for place in np.lexsort(front.T):
        spot = axes.transData.transform(front[place])
        if any(np.abs(spot - other).max() < _APART for other in taken):
            continue
        taken.append(spot)
        axes.annotate(
            f"{indexes[place]}",
            front[place],
            xytext=(4 * side[0], 4 * side[1]),
            textcoords="offset points",
            ha="right" if side[0] < 0 else "left",
            va="top" if side[1] < 0 else "bottom",
            fontsize=7.5,
        )


def _ranks(axes: Axes, cloud: Cloud) -> None:
    """The only objective of all points, best first."""
    (scale,) = cloud.scales
    order = np.argsort(cloud.scores[:, 0], kind="stable")
    drawn = scale.drawn(cloud.values[:, 0])[order]
    ranks = np.arange(1.0, len(order) + 1)
    set_scale(axes, "y", scale, cloud.values[:, 0])
    points = np.stack((ranks, drawn), axis=1)
    for words, mask, look in (
        ("breaks a constraint", ~cloud.feasible, {"color": GREY, "s": 14, "marker": "x"}),
        ("not the best", cloud.feasible & ~cloud.front, {"color": GREY, "s": 9}),
        ("best", cloud.front, {"color": ORANGE, "s": 24}),
    ):
        _dots(axes, points[mask[order]], words, **look)
    axes.set(xlabel="points, sorted")
    axes.grid()
