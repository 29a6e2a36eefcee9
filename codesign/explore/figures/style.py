"""Colours, type and files that all figures share. Same input, same bytes: no dates, no versions."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from codesign.explore.figures.scale import Scale, short
from codesign.explore.pareto import Floats
from codesign.whole_file import write_whole

ORANGE, BLUE, SKY, GREY, INK = "#d55e00", "#0072b2", "#56b4e9", "#999999", "#333333"
"""Colours that stay apart for most kinds of colour blindness (Okabe and Ito, 2008)."""
_DOTS = 160
"""Pixels per inch of PNG files and of what is pixels in others (assumed)."""
_SIGNS = 13
"""Signs of a title for each inch of a figure (measured)."""
MANY = 2000
"""Marks from which on they are pixels in vector files, which would grow by megabytes (assumed)."""

RULES: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "savefig.facecolor": "white",
    "text.parse_math": False,  # a $ in a name is a dollar
    "text.usetex": False,
    "svg.hashsalt": "codesign",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}
"""Settings of matplotlib for our figures only; those of the user are left alone."""
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
FORMATS = tuple(_METADATA)
"""Kinds of files that figures are written as."""


@contextmanager
def ruled(**changes: object) -> Iterator[None]:
    """Draws under our settings and no others.

    Args:
        changes: settings that differ this time, with ``_`` for dots.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        own = RULES | {name.replace("_", ".", 1): value for name, value in changes.items()}
        matplotlib.rcParams.update(cast("Any", own))  # its names are a long Literal
        yield


def write_figure(
    make: Callable[[], Figure], folder: Path, name: str, formats: Sequence[str]
) -> list[Path]:
    """Draws a figure and writes it; each file appears whole or not at all.

    Raises:
        OSError: a file cannot be written.
    """
    written = []
    with ruled():
        figure = make()
        for form in formats:
            path = folder / f"{name}.{form}"
            save = partial(figure.savefig, format=form, metadata=_METADATA[form], dpi=_DOTS)
            write_whole(path, save)
            written.append(path)
    return written


def set_scale(axes: Axes, which: str, scale: Scale, values: Floats) -> None:
    """Sets one axis to an objective: label, ticks and limits.

    Args:
        axes: to set.
        which: ``x`` or ``y``.
        scale: of the objective.
        values: what the axis has to show, in the unit of the objective.
    """
    axis: Axis = axes.xaxis if which == "x" else axes.yaxis
    drawn = scale.drawn(values)
    low, high = float(drawn.min()), float(drawn.max())
    axes.set(**{f"{which}label": scale.sense})
    if low == high:
        axes.set(**{f"{which}lim": (low - 1, high + 1)})
        axis.set_major_locator(FixedLocator([low]))
    elif scale.decades:
        axes.set(**{f"{which}scale": "log"})
        near = high < 100 * low
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if near else (1.0,)))
        axis.set_minor_locator(LogLocator(subs=tuple(np.arange(2.0, 10.0))))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def head(figure: Figure, text: str) -> None:
    """Writes the title of a figure, on as many lines as it needs.

    Args:
        figure: whose.
        text: what to write.
    """
    # where matplotlib wraps, it takes dollars for mathematics whatever it is told
    is_plain = "$" not in text
    lines = text if is_plain else textwrap.fill(text, round(_SIGNS * figure.get_figwidth()))
    figure.suptitle(lines, fontsize=9, wrap=is_plain)


def say(figure: Figure, text: str) -> Figure:
    """A figure of nothing, which says why."""
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure
