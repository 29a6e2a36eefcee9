"""What the figures of a result share: colours, stacked bars, and words for each mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from codesign.explore.figures.scale import short, shortened
from codesign.quantities import quantity, share
from codesign.report.names import shown
from codesign.report.sums import Stack

COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8c6d1f", "#7a68b8",
)  # fmt: skip
"""Seven of Okabe and Ito (2008), the yellow of theirs darker and a violet, for light and dark."""
GREY = "#999999"
ON_COLOUR = "#fefefe"
"""Text on colours; pages turn #ffffff, and not this, into the colour of their own background."""
_ROLES = {
    "weight": COLOURS[0], "activation": COLOURS[1], "input": COLOURS[2], "output": COLOURS[3],
    "state": COLOURS[4], "constant": COLOURS[5], "computing": COLOURS[7], "static": GREY,
}  # fmt: skip
_CAUSES = {"dynamic": COLOURS[0], "leakage": COLOURS[3], "background": COLOURS[1]}
_PREFIXES = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P")
WIDTH = 7.4
"""Inches of a figure."""
NAME_SIGNS = 38
"""Signs of a name beside a bar (measured)."""


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


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name: roles and causes have their own, others take turns."""
    known = _ROLES | _CAUSES
    free = [colour for colour in COLOURS if colour not in {known.get(name) for name in names}]
    free = free or list(COLOURS)
    found: dict[str, str] = {}
    for name in names:
        if name in known:
            found[name] = known[name]
        else:
            found[name] = free[sum(one not in known for one in found) % len(free)]
    return found


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
        colours: by part.
    """
    sums = [stack.row(name) for name in stack.rows]
    factor = prefix_axis(axes, "x", max(sums, default=0.0), unit)
    left = [0.0] * len(stack.rows)
    for part in stack.parts:
        widths = [stack.values.get((row, part), 0.0) for row in stack.rows]
        kept = [place for place, width in enumerate(widths) if width]
        made = axes.barh(
            kept,
            [widths[place] / factor for place in kept],
            left=[left[place] / factor for place in kept],
            color=colours[part],
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


def legend_above(axes: Axes) -> None:
    """The legend of one panel, below its title."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=5,
        borderpad=0.0,
        borderaxespad=0.2,
        handlelength=1.4,
    )
    axes.set_title(axes.get_title(loc="left"), loc="left", fontweight="bold", pad=17)


def legend(drawn: Drawn, colours: dict[str, str], *, columns: int = 6) -> None:
    """One legend below all panels of a figure."""
    handles = [Patch(color=colour, label=shown(name, 24)) for name, colour in colours.items()]
    if handles:
        drawn.figure.legend(handles=handles, loc="outside lower center", ncols=columns)
