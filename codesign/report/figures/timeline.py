"""The timeline as it stands on paper: engines as slices, memories and links as rates."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from codesign.explore.figures.style import say
from codesign.explore.pareto import Floats
from codesign.quantities import quantity, share
from codesign.report.figures.colours import GREY, TIME_COLOURS, ordered, part_colours
from codesign.report.figures.kit import Drawn, legend, new_figure, prefix_axis
from codesign.report.items import Flow, Slices, find_items
from codesign.report.names import shown
from codesign.report.saved import Saved

_MOST = 1200
"""Slices of all tracks in a figure (assumed): more than paper can show."""
_STEPS = 500
_PALE = 0.28
"""Opacity of what is taken and does not compute (assumed), that of the page too."""


def draw_timeline(saved: Saved) -> Drawn:
    """Draws a row for each engine, memory and link."""
    items = find_items(saved, _MOST, _STEPS)
    rows: list[Slices | Flow] = [*items.slices, *items.flows]
    drawn = new_figure(max(1.5, 0.55 * len(rows) + 0.8), _said(items.slices, items.flows))
    if not rows:
        say(drawn.figure, "nothing ran")
        return drawn
    axes = drawn.figure.subplots()
    parts = part_colours(saved)
    causes = [sort for one in items.slices if one.is_path for sort in one.sorts if sort]
    colours = ordered(causes, TIME_COLOURS)
    factor = 1e12 * prefix_axis(axes, "x", items.makespan / 1e12, "s")
    for place, row in enumerate(rows):
        colour = parts.get(row.name, GREY)
        if isinstance(row, Slices):
            looks = [colours.get(sort, GREY) if row.is_path else colour for sort in row.sorts]
            _slices(drawn, axes, row, place, factor, looks)
        else:
            _flow(drawn, axes, row, place, factor, colour)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.set(xlim=(0, items.makespan / factor), ylim=(len(rows) - 0.5, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_title(
        "Height: share of the time that an engine computes (pale: waits), rate of others"
    )
    axes.title.set_fontsize(8)
    legend(drawn, colours)
    return drawn


def _label(row: Slices | Flow) -> str:
    name = shown(row.name, 24)
    if isinstance(row, Flow):
        return f"{name}\n{'peak' if row.peak else 'most'} {quantity(row.full, 'B/s')}"
    return name if row.used is None else f"{name}\n{share(row.used, 1.0)} computing"


def _slices(
    drawn: Drawn, axes: Axes, row: Slices, place: int, factor: float, looks: list[str]
) -> None:
    """Pale boxes for what is taken, and boxes as high as the share that computes over them."""
    if not len(row.starts):
        return
    whole = np.maximum(1, row.ends - row.starts)
    taken, computed = row.lengths / whole, row.busy / whole
    titles = [
        f"{label}: from {quantity(start / 1e12, 's')}, {quantity((end - start) / 1e12, 's')}"
        + ("" if row.is_path else f", computes {share(part, 1.0)} of it")
        for label, start, end, part in zip(
            row.labels, row.starts.tolist(), row.ends.tolist(), computed.tolist(), strict=True
        )
    ]
    if (computed < taken).any():
        _boxes(axes, row, taken, place, factor, looks).set_alpha(_PALE)
    drawn.name(_boxes(axes, row, computed, place, factor, looks), *titles)


def _boxes(
    axes: Axes, row: Slices, tall: Floats, place: int, factor: float, looks: list[str]
) -> PolyCollection:
    """A box for each slice, of a height from 0 to 1 of the row, standing on its floor."""
    starts, ends = row.starts / factor, row.ends / factor
    low, high = np.full(len(starts), place + 0.36), place + 0.36 - 0.72 * tall
    corners = np.stack(
        [
            np.stack(pair, axis=1)
            for pair in ((starts, low), (ends, low), (ends, high), (starts, high))
        ],
        axis=1,
    )
    boxes = PolyCollection(list(corners), facecolors=looks, edgecolors="#ffffff", linewidths=0.15)
    axes.add_collection(boxes)
    return boxes


def _flow(drawn: Drawn, axes: Axes, row: Flow, place: int, factor: float, colour: str) -> None:
    heights = place + 0.4 - 0.8 * np.minimum(1.0, row.rate.values / row.full)
    area = axes.stairs(
        heights, row.rate.edges / factor, baseline=place + 0.4, fill=True, color=colour
    )
    what = "peak" if row.peak else "most"
    drawn.name(area, f"{row.name}: {what} {quantity(row.full, 'B/s')}")


def _said(slices: tuple[Slices, ...], flows: tuple[Flow, ...]) -> str:
    told = [f"{one.name}: {len(one.starts):,} slices." for one in slices]
    told += [f"{one.name}: {quantity(one.rate.bytes, 'B')} in all." for one in flows]
    return " ".join(told)
