"""The figure of an incomplete table: measured points that differ in one parameter, joined."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.panels import MOST, name_row, note, panels
from codesign.explore.figures.style import BLUE, MANY, set_scale
from codesign.explore.pairs import Contrast, Pairs, measured_pairs
from codesign.explore.pareto import Floats

_FEW = 60
"""Lines that can be told apart (assumed)."""


def draw_pairs(cloud: Cloud) -> Figure:
    """Draws a row for each objective and a column for each parameter of which there is a pair.

    Every dot is a measured point and every line joins two that differ in nothing else, so that
    nothing here is fitted or stands for points that nobody has measured.
    """
    found = measured_pairs(cloud.swept)
    ranked = sorted(found.told, key=lambda one: -_moved(cloud, one))[:MOST]
    shown = [one for one in found.told if one in ranked]
    columns = [(one.name, one.levels.labels) for one in shown]
    empty = "no two measured points differ in one parameter alone"
    figure, grid = panels(cloud, _told(found, len(shown)), columns, empty)
    for place, row in enumerate(grid):
        _row(list(row), cloud, shown, place)
    return figure


def _told(found: Pairs, shown: int) -> str:
    told = "a line joins measured points that differ in this alone"
    if len(found.told) > shown:
        told += f"; {len(found.told) - shown} parameters of little effect are not shown"
    if found.untold:
        told += f"; no pair for {', '.join(one.name for one in found.untold)}"
    return told


def _moved(cloud: Cloud, one: Contrast) -> float:
    """Mean change of what changes most, as a share of what lies between all measured points."""
    before, after = cloud.values[one.places[:, 0]], cloud.values[one.places[:, 1]]
    ranges = np.ptp(cloud.values, axis=0)
    shares = np.abs(after - before).mean(axis=0) / np.where(ranges > 0, ranges, np.inf)
    return float(shares.max())


def _row(axes: list[Axes], cloud: Cloud, shown: list[Contrast], place: int) -> None:
    """All parameters of one objective."""
    scale = cloud.scales[place]
    set_scale(axes[0], "y", scale, cloud.values[:, place])
    name_row(axes[0], scale)
    heights = scale.drawn(cloud.values[:, place])
    for one, contrast in zip(axes, shown, strict=True):
        _lines(one, contrast, heights)
        one.grid(axis="y")
        count = len(contrast.places)
        note(one, f"{count:,} pair{'s' if count > 1 else ''}")


def _lines(axes: Axes, contrast: Contrast, heights: Floats) -> None:
    places = contrast.places
    ends = np.stack((contrast.levels.codes[places].astype(float), heights[places]), axis=2)
    is_many = len(places) > MANY
    alpha = 0.9 if len(places) <= _FEW else 0.3
    lines = LineCollection(
        list(ends), colors=BLUE, linewidths=0.8, alpha=alpha, rasterized=is_many, gid="pairs"
    )
    axes.add_collection(lines)
    dots = np.unique(ends.reshape(-1, 2), axis=0)
    axes.scatter(
        dots[:, 0], dots[:, 1], color=BLUE, s=7, linewidths=0, alpha=alpha, rasterized=is_many
    )
    axes.autoscale_view(scalex=False)
