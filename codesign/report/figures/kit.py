"""What the figures of a result share: colours, stacked bars, and words for each mark."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from codesign.explore.figures.scale import short, shortened
from codesign.quantities import quantity, share
from codesign.report.figures.colours import GREY, ordered
from codesign.report.names import shown
from codesign.report.sums import Stack

_PREFIXES = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P")
WIDTH = 7.4
"""Inches of a figure."""
NAME_SIGNS = 38
"""Signs of a name beside a bar (measured)."""
_LINE = 55
"""Signs of a line of a legend above a panel (measured)."""
_MARK = 6
"""Signs that the mark before a name takes there (measured)."""
_LEADING = 12.5
"""Points from line to line of it (measured)."""


@dataclass
class Drawn:
    """A figure and what its marks are called.

    Attributes:
        figure: as matplotlib has it.
        said: what the figure shows, in sentences, for who cannot see it.
        titles: by the id of an artist, one text for each thing that it draws.
    """

    figure: Figure
    said: str
    titles: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def name(self, artist: Artist, *texts: str) -> None:
        """Says what an artist shows, or each of the things that it draws, in their order."""
        gid = f"mark{len(self.titles)}"
        artist.set_gid(gid)
        self.titles[gid] = tuple(shown(text) for text in texts)


def new_figure(height: float, said: str) -> Drawn:
    """An empty figure of the common width."""
    return Drawn(Figure(figsize=(WIDTH, height), layout="constrained"), said)


def bars(drawn: Drawn, axes: Axes, stack: Stack, unit: str, colours: dict[str, str]) -> None:
    """Draws rows of stacked bars, the first one on top.

    Args:
        drawn: whose marks they are.
        axes: to draw into.
        stack: the amounts.
        unit: of the amounts, a symbol without prefix.
        colours: by part, stacked in their order.
    """
    sums = [stack.row(name) for name in stack.rows]
    factor = prefix_axis(axes, "x", max(sums, default=0.0), unit)
    left = [0.0] * len(stack.rows)
    for part in ordered(stack.parts, colours):
        widths = [stack.values.get((row, part), 0.0) for row in stack.rows]
        kept = [place for place, width in enumerate(widths) if width]
        made = axes.barh(
            kept,
            [widths[place] / factor for place in kept],
            left=[left[place] / factor for place in kept],
            color=colours.get(part, GREY),
            height=0.72,
            label=shown(part, NAME_SIGNS),
        )
        for place, patch in zip(kept, made.patches, strict=True):
            whole = share(widths[place], stack.total + stack.others)
            drawn.name(
                patch, f"{stack.rows[place]} · {part}: {quantity(widths[place], unit)}, {whole}"
            )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    labels = [shortened(shown(name), NAME_SIGNS) for name in stack.rows]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    for place, amount in enumerate(sums):
        axes.annotate(
            quantity(amount, unit),
            (amount / factor, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )
    axes.set_xlim(0, 1.16 * max(sums, default=1.0) / factor or 1.0)


def prefix_axis(axes: Axes, which: str, largest: float, unit: str) -> float:
    """Labels an axis with a unit and its prefix; returns what amounts are divided by.

    Args:
        axes: whose axis.
        which: ``x`` or ``y``.
        largest: what it has to show.
        unit: a symbol without prefix.
    """
    third = math.floor(math.log10(largest) / 3 + 1e-9) if largest > 0 else 0
    third = min(max(third, -5), 5)
    axes.set(**{f"{which}label": f"{_PREFIXES[third + 5]}{unit}"})
    axis: Axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    return 10.0 ** (3 * third)


def title(axes: Axes, text: str, stack: Stack, unit: str) -> None:
    """The title of a panel of bars; it says, too, what has no bar."""
    if stack.others:
        text += f"; {stack.folded:,} more: {quantity(stack.others, unit)}"
    axes.set_title(text, loc="left", fontweight="bold")


def legend_above(axes: Axes, colours: dict[str, str]) -> None:
    """The legend of one panel, between its title and its bars, on as many lines as it needs.

    Args:
        axes: of the panel.
        colours: what the legend explains, in order.
    """
    names = [shown(name, 24) for name in colours]
    columns = next(n for n in range(max(1, len(names)), 0, -1) if n == 1 or _fits(names, n))
    handles = [
        Patch(color=colour, label=name)
        for name, colour in zip(names, colours.values(), strict=True)
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        borderpad=0.0,
        borderaxespad=0.2,
        handlelength=1.4,
        columnspacing=1.4,
        labelspacing=0.3,
    )
    lines = -(-len(names) // columns)
    axes.set_title(
        axes.get_title(loc="left"), loc="left", fontweight="bold", pad=4.5 + _LEADING * lines
    )


def _fits(names: list[str], columns: int) -> bool:
    """Whether names, which fill one column after the other, fit into a line."""
    # matplotlib gives the first columns one name more each until none is left over
    tall, taller = divmod(len(names), columns)
    sizes = [tall + (at < taller) for at in range(columns)]
    starts = (sum(sizes[:at]) for at in range(columns))
    widest = [
        max(map(len, names[start : start + size]))
        for start, size in zip(starts, sizes, strict=True)
    ]
    return sum(width + _MARK for width in widest) <= _LINE


def legend(drawn: Drawn, colours: dict[str, str], *, columns: int = 6) -> None:
    """One legend below all panels of a figure."""
    handles = [Patch(color=colour, label=shown(name, 24)) for name, colour in colours.items()]
    if handles:
        drawn.figure.legend(handles=handles, loc="outside lower center", ncols=columns)
