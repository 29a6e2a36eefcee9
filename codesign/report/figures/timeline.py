"""The timeline as it stands on paper: engines as slices, memories and links as rates."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from codesign.explore.figures.style import say
from codesign.quantities import quantity
from codesign.report.figures.kit import (
    COLOURS,
    GREY,
    Drawn,
    colours_of,
    legend,
    new_figure,
    prefix_axis,
)
from codesign.report.items import Flow, Slices, find_items
from codesign.report.names import shown
from codesign.report.saved import Saved

_MOST = 1200
"""Slices of all tracks in a figure (assumed): more than paper can show."""
_STEPS = 500


def draw_timeline(saved: Saved) -> Drawn:
    """Draws a row for each engine, memory and link."""
    items = find_items(saved, _MOST, _STEPS)
    rows: list[Slices | Flow] = [*items.slices, *items.flows]
    drawn = new_figure(max(1.5, 0.55 * len(rows) + 0.8), _said(items.slices, items.flows))
    if not rows:
        say(drawn.figure, "nothing ran")
        return drawn
    axes = drawn.figure.subplots()
    sorts = [sort for one in items.slices for sort in one.sorts if sort]
    colours = colours_of(list(dict.fromkeys(sorts))) | {"": GREY}
    factor = 1e12 * prefix_axis(axes, "x", items.makespan / 1e12, "s")
    for place, row in enumerate(rows):
        if isinstance(row, Slices):
            _slices(drawn, axes, row, place, factor, colours)
        else:
            _flow(drawn, axes, row, place, factor)
    axes.set_yticks(range(len(rows)), [shown(row.name, 24) for row in rows])
    axes.set(xlim=(0, items.makespan / factor), ylim=(len(rows) - 0.5, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    shown_sorts = {name: colour for name, colour in colours.items() if name}
    legend(drawn, shown_sorts)
    return drawn


def _slices(
    drawn: Drawn, axes: Axes, row: Slices, place: int, factor: float, colours: dict[str, str]
) -> None:
    if not len(row.starts):
        return
    starts, ends = row.starts / factor, row.ends / factor
    low, high = np.full(len(starts), place + 0.36), np.full(len(starts), place - 0.36)
    corners = np.stack(
        [
            np.stack(pair, axis=1)
            for pair in ((starts, low), (ends, low), (ends, high), (starts, high))
        ],
        axis=1,
    )
    looks = [colours[sort] for sort in row.sorts]
    boxes = PolyCollection(list(corners), facecolors=looks, edgecolors="#ffffff", linewidths=0.15)
    axes.add_collection(boxes)
    times = zip(row.labels, row.starts.tolist(), row.ends.tolist(), strict=True)
    drawn.name(
        boxes,
        *(
            f"{label}: from {quantity(start / 1e12, 's')}, {quantity((end - start) / 1e12, 's')}"
            for label, start, end in times
        ),
    )


def _flow(drawn: Drawn, axes: Axes, row: Flow, place: int, factor: float) -> None:
    most = max(row.peak, float(row.rate.values.max(initial=0.0))) or 1.0
    heights = place + 0.4 - 0.8 * row.rate.values / most
    area = axes.stairs(
        heights, row.rate.edges / factor, baseline=place + 0.4, fill=True, color=COLOURS[4]
    )
    drawn.name(area, f"{row.name}: at most {quantity(most, 'B/s')}")


def _said(slices: tuple[Slices, ...], flows: tuple[Flow, ...]) -> str:
    told = [f"{one.name}: {len(one.starts):,} slices." for one in slices]
    told += [f"{one.name}: {quantity(one.rate.bytes, 'B')} in all." for one in flows]
    return " ".join(told)
