"""The figure of main effects: the mean of each objective at each value of each parameter."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codesign.explore.effects import MOST_VALUES, Effect, Effects, main_effects
from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.scale import Scale, shortened, thinned, wrapped
from codesign.explore.figures.style import BLUE, head, say, set_scale
from codesign.explore.pareto import Floats

_MOST = 8
"""Most parameters in the figure (assumed): those that explain most of some objective."""
_SIGNS = 20
"""Signs that fit below a panel side by side (measured)."""


def draw_effects(cloud: Cloud) -> Figure:
    """Draws a row for each objective and a column for each parameter that varies."""
    found = main_effects(cloud.swept)
    count = len(cloud.scales)
    ranked = sorted(found.effects, key=lambda one: -max(one.shares.values()))[:_MOST]
    shown = [one for one in found.effects if one in ranked]
    width, height = max(4.5, 1.75 * len(shown) + 0.9), 1.9 * count + 1.1
    figure = Figure(figsize=(width, height), layout="constrained")
    head(figure, f"{cloud.title}; {_told(found, len(shown))}")
    if not shown:
        return say(figure, "no parameter varies among the measured points")
    grid = figure.subplots(count, len(shown), squeeze=False, sharex="col", sharey="row")
    for axes in grid[:-1].flat:
        axes.tick_params(axis="x", which="both", length=0)
    for axes in grid[:, 1:].flat:
        axes.tick_params(axis="y", which="both", length=0)
    for row in range(count):
        _row(list(grid[row]), cloud, found, shown, row)
    for column, effect in enumerate(shown):
        _name_values(grid[-1, column], effect)
        grid[0, column].set_title(wrapped(effect.name, 20), fontsize=8.5, pad=10)
    figure.align_ylabels(grid[:, 0])
    return figure


def _told(found: Effects, shown: int) -> str:
    left = len(found.effects) - shown
    return "mean over all other parameters, and share of the variance" + (
        f"; {left} parameters of little effect are not shown" if left else ""
    )


def _row(panels: list[Axes], cloud: Cloud, found: Effects, shown: list[Effect], place: int) -> None:
    """All parameters of one objective."""
    name, maximise = cloud.swept.objectives[place]
    means = np.array([mean for effect in shown for mean in effect.means[name]])
    scale = Scale.of(name, means, maximise=maximise)
    set_scale(panels[0], "y", scale, means)
    if not scale.decades:
        _widen(panels[0], scale.drawn(means), scale.drawn(cloud.values[:, place]))
    label = wrapped(scale.label, 24)
    label = f"{label}  →" if maximise else f"←  {label}"
    if found.interplay[name] >= 0.005:
        label += f"\ninterplay {100 * found.interplay[name]:.0f} %"
    panels[0].set_ylabel(label)
    for axes, effect in zip(panels, shown, strict=True):
        heights = scale.drawn(np.array(effect.means[name]))
        axes.plot(range(len(heights)), heights, "o-", color=BLUE, markersize=3.5, linewidth=1.1)
        axes.grid(axis="y")
        axes.text(
            0.98,
            1.0,
            f"{100 * effect.shares[name]:.0f} %",
            transform=axes.transAxes,
            ha="right",
            va="bottom",
            fontsize=8,
        )


def _widen(axes: Axes, means: Floats, values: Floats) -> None:
    """Shows a standard deviation to either side, so that what has no effect looks flat."""
    middle, deviation = values.mean(), values.std()
    low, high = min(means.min(), middle - deviation), max(means.max(), middle + deviation)
    if values.min() >= 0:
        low = max(0.0, low)
    if low < high:
        axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))


def _name_values(axes: Axes, effect: Effect) -> None:
    places = thinned(len(effect.values), MOST_VALUES)
    labels = [shortened(effect.values[place], 14) for place in places]
    axes.set_xticks(places, labels)
    axes.set_xlim(-0.4, len(effect.values) - 0.6)
    if sum(len(label) + 1 for label in labels) > _SIGNS:
        axes.tick_params(axis="x", rotation=90)
