"""A grid of panels: a row for each objective, a column for each parameter and its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codesign.explore.effects import MOST_VALUES
from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.scale import Scale, shortened, thinned, wrapped
from codesign.explore.figures.style import head, say

MOST = 8
"""Most parameters in a figure (assumed)."""
_SIGNS = 20
"""Signs that fit below a panel side by side (measured)."""


def panels(
    cloud: Cloud, words: str, columns: Sequence[tuple[str, Sequence[str]]], empty: str
) -> tuple[Figure, Any]:
    """An empty figure, and its axes of shape ``(objectives, columns)``; none without columns.

    Args:
        cloud: what is shown.
        words: behind the title.
        columns: name and values of each parameter.
        empty: what a figure without columns says.
    """
    count = len(cloud.scales)
    width, height = max(4.5, 1.75 * len(columns) + 0.9), 1.9 * count + 1.1
    figure = Figure(figsize=(width, height), layout="constrained")
    head(figure, f"{cloud.title}; {words}")
    if not columns:
        return say(figure, empty), []
    grid = figure.subplots(count, len(columns), squeeze=False, sharex="col", sharey="row")
    for axes in grid[:-1].flat:
        axes.tick_params(axis="x", which="both", length=0)
    for axes in grid[:, 1:].flat:
        axes.tick_params(axis="y", which="both", length=0)
    for place, (name, values) in enumerate(columns):
        _name_values(grid[-1, place], values)
        grid[0, place].set_title(wrapped(name, 20), fontsize=8.5, pad=10)
    figure.align_ylabels(grid[:, 0])
    return figure, grid


def name_row(axes: Axes, scale: Scale, more: str = "") -> None:
    """Writes an objective beside its row, with an arrow to where it is better."""
    label = wrapped(scale.label, 24)
    axes.set_ylabel((f"{label}  →" if scale.maximise else f"←  {label}") + more)


def note(axes: Axes, text: str) -> None:
    """Writes a few signs above a panel, to the right."""
    axes.text(0.98, 1.0, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=8)


def _name_values(axes: Axes, values: Sequence[str]) -> None:
    places = thinned(len(values), MOST_VALUES)
    labels = [shortened(values[place], 14) for place in places]
    axes.set_xticks(places, labels)
    axes.set_xlim(-0.4, len(values) - 0.6)
    if sum(len(label) + 1 for label in labels) > _SIGNS:
        axes.tick_params(axis="x", rotation=90)
