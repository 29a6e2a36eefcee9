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
from codesign.report.items import Flow, Items, Slices, find_items
from codesign.report.names import shown
from codesign.report.saved import Saved
from codesign.report.timeline_data import causes_of

_MOST = 1200
"""Slices of all tracks in a figure (assumed): more than paper can show."""
_STEPS = 500
_EDGED = 0.004
"""Length from which on a slice has an edge, in that of the run (measured): about two pixels.

A shorter one would be all edge; and what lies between two pixels is drawn into both, for rounded to
pixels some would be gone."""
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
    colours = ordered(causes_of(items), TIME_COLOURS)
    factor = 1e12 * prefix_axis(axes, "x", items.makespan / 1e12, "s")
    axes.set(xlim=(0, items.makespan / factor), ylim=(len(rows) - 0.5, -0.6))
    for place, row in enumerate(rows):
        colour = parts.get(row.name, GREY)
        if isinstance(row, Flow):
            _flow(drawn, axes, row, place, factor, colour)
        elif row.is_path:
            _path(drawn, axes, row, place, factor, colours)
        else:
            _slices(drawn, axes, row, place, factor, colour)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_title(_title(items))
    axes.title.set_fontsize(8)
    legend(drawn, colours)
    return drawn


def _label(row: Slices | Flow) -> str:
    name = shown(row.name, 24)
    if isinstance(row, Flow):
        return f"{name}\n{'peak' if row.peak else 'most'} {quantity(row.full, 'B/s')}"
    return name if row.used is None else f"{name}\n{share(row.used, 1.0)} computing"


def _title(items: Items) -> str:
    """What heights are; a folded stretch of the path has those of its causes."""
    told = "Height: share of the time that an engine computes (pale: waits), rate of others"
    is_mixed = any(len(some) > 1 for one in items.slices for some in one.shares)
    return f"{told}, share of causes that took turns" if is_mixed else told


def _slices(drawn: Drawn, axes: Axes, row: Slices, place: int, factor: float, colour: str) -> None:
    """Pale boxes for what is taken, and boxes as high as the share that computes over them."""
    if not len(row.starts):
        return
    whole = np.maximum(1, row.ends - row.starts)
    taken, computed = row.lengths / whole, row.busy / whole
    titles = [
        f"{label}: {when}, computes {share(part, 1.0)} of it"
        for label, when, part in zip(row.labels, _when(row), computed.tolist(), strict=True)
    ]
    floor = np.zeros(len(row.starts))
    times = row.starts / factor, row.ends / factor
    if (computed < taken).any():
        _boxes(axes, times, (floor, taken), place, [colour]).set_alpha(_PALE)
    drawn.name(_boxes(axes, times, (floor, computed), place, [colour]), *titles)


def _path(
    drawn: Drawn, axes: Axes, row: Slices, place: int, factor: float, colours: dict[str, str]
) -> None:
    """A box for each cause of each slice: what took turns stands above each other, by share."""
    if not row.shares:
        return
    order = {cause: number for number, cause in enumerate(colours)}
    found: list[tuple[int, float, float, str, str]] = []
    for at, (label, when, shares) in enumerate(
        zip(row.labels, _when(row), row.shares, strict=True)
    ):
        whole, low = sum(ticks for _, ticks in shares) or 1, 0.0
        for cause, ticks in sorted(shares, key=lambda pair: order[pair[0]]):
            part = f", {cause} {share(ticks, whole)} of it" if len(shares) > 1 else ""
            high = low + (ticks / whole if len(shares) > 1 else 1.0)
            found.append((at, low, high, colours[cause], f"{label}: {when}{part}"))
            low = high
    places = [at for at, *_ in found]
    times = row.starts[places] / factor, row.ends[places] / factor
    heights = np.array([low for _, low, *_ in found]), np.array([high for _, _, high, *_ in found])
    boxes = _boxes(axes, times, heights, place, [colour for *_, colour, _ in found])
    drawn.name(boxes, *(title for *_, title in found))


def _when(row: Slices) -> list[str]:
    return [
        f"from {quantity(start / 1e12, 's')}, {quantity((end - start) / 1e12, 's')}"
        for start, end in zip(row.starts.tolist(), row.ends.tolist(), strict=True)
    ]


def _boxes(
    axes: Axes,
    times: tuple[Floats, Floats],
    heights: tuple[Floats, Floats],
    place: int,
    looks: list[str],
) -> PolyCollection:
    """Boxes from a time to another and from a height to another, 0 to 1 of the row."""
    (starts, ends), (low, high) = times, (place + 0.36 - 0.72 * height for height in heights)
    corners = np.stack(
        [
            np.stack(pair, axis=1)
            for pair in ((starts, low), (ends, low), (ends, high), (starts, high))
        ],
        axis=1,
    )
    edges = np.where(ends - starts > _EDGED * axes.get_xlim()[1], 0.15, 0.0)
    boxes = PolyCollection(
        list(corners), facecolors=looks, edgecolors="#ffffff", linewidths=edges.tolist(), snap=False
    )
    axes.add_collection(boxes)
    return boxes


def _flow(drawn: Drawn, axes: Axes, row: Flow, place: int, factor: float, colour: str) -> None:
    heights = place + 0.4 - 0.8 * np.minimum(1.0, row.rate.values / row.full)
    area = axes.stairs(
        heights, row.rate.edges / factor, baseline=place + 0.4, fill=True, color=colour, snap=False
    )
    what = "peak" if row.peak else "most"
    drawn.name(area, f"{row.name}: {what} {quantity(row.full, 'B/s')}")


def _said(slices: tuple[Slices, ...], flows: tuple[Flow, ...]) -> str:
    told = [f"{one.name}: {len(one.starts):,} slices." for one in slices]
    told += [f"{one.name}: {quantity(one.rate.bytes, 'B')} in all." for one in flows]
    return " ".join(told)
