"""The figure of main effects: the mean of each objective at each value of each parameter."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codesign.explore.effects import Effect, Effects, main_effects
from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.matched import draw_pairs
from codesign.explore.figures.panels import MOST, name_row, note, panels
from codesign.explore.figures.scale import Scale
from codesign.explore.figures.style import BLUE, set_scale
from codesign.explore.pareto import Floats


def draw_effects(cloud: Cloud) -> Figure:
    """Draws a row for each objective and a column for each parameter that varies.

    Where not all points were measured, these are measured pairs, see ``codesign.explore.pairs``.
    """
    if cloud.swept.untried:
        return draw_pairs(cloud)
    found = main_effects(cloud.swept)
    ranked = sorted(found.effects, key=lambda one: -max(one.shares.values()))[:MOST]
    shown = [one for one in found.effects if one in ranked]
    columns = [(one.name, one.values) for one in shown]
    empty = "no parameter varies among the measured points"
    figure, grid = panels(cloud, _told(found, len(shown)), columns, empty)
    for row, axes in enumerate(grid):
        _row(list(axes), cloud, found, shown, row)
    return figure


def _told(found: Effects, shown: int) -> str:
    left = len(found.effects) - shown
    return "mean over all other parameters, and share of the variance" + (
        f"; {left} parameters of little effect are not shown" if left else ""
    )


def _row(axes: list[Axes], cloud: Cloud, found: Effects, shown: list[Effect], place: int) -> None:
    """All parameters of one objective."""
    name, maximise = cloud.swept.objectives[place]
    means = np.array([mean for effect in shown for mean in effect.means[name]])
    scale = Scale.of(name, means, maximise=maximise)
    set_scale(axes[0], "y", scale, means)
    if not scale.decades:
        _widen(axes[0], scale.drawn(means), scale.drawn(cloud.values[:, place]))
    part = found.interplay[name]
    name_row(axes[0], scale, f"\ninterplay {100 * part:.0f} %" if part >= 0.005 else "")
    for one, effect in zip(axes, shown, strict=True):
        heights = scale.drawn(np.array(effect.means[name]))
        one.plot(range(len(heights)), heights, "o-", color=BLUE, markersize=3.5, linewidth=1.1)
        one.grid(axis="y")
        note(one, f"{100 * effect.shares[name]:.0f} %")


def _widen(axes: Axes, means: Floats, values: Floats) -> None:
    """Shows a standard deviation to either side, so that what has no effect looks flat."""
    middle, deviation = values.mean(), values.std()
    low, high = min(means.min(), middle - deviation), max(means.max(), middle + deviation)
    if values.min() >= 0:
        low = max(0.0, low)
    if low < high:
        axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
