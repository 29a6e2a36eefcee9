"""The figure of a search or sweep over its evaluations: how much of the space is dominated."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.style import BLUE, say
from codesign.explore.hypervolume import MOST_OBJECTIVES, growth
from codesign.explore.pareto import Floats

_BEYOND = 0.1
"""How far behind the worst point the reference lies, in the range of the points (assumed): the ends
of a front count too, and less than its middle."""
_COUNTS = 100
"""Most numbers of points that the volume is worked out for (assumed)."""
_FEW = 30
"""The same for four objectives, whose volume takes longest (measured)."""


def draw_growth(cloud: Cloud) -> Figure:
    """Draws the hypervolume after each measured point, in percent of the last one."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    figure.suptitle(cloud.title, fontsize=9)
    if not cloud.feasible.any():
        return say(figure, "no point keeps to all constraints, so there is no hypervolume")
    if len(cloud.scales) > MOST_OBJECTIVES:
        return say(figure, f"hypervolume: for at most {MOST_OBJECTIVES} objectives")
    reference = worst_corner(cloud.scores[cloud.feasible])
    counts = _counts(len(cloud.order), _FEW if len(reference) == MOST_OBJECTIVES else _COUNTS)
    volumes = growth(_ordered(cloud, reference), reference, counts)
    axes = figure.subplots()
    share = 100 * volumes / volumes[-1]
    if counts[-1] > _COUNTS:
        axes.step(counts, share, where="post", color=BLUE, linewidth=1.2)
        axes.set(xscale="log", xlim=(1, 1.1 * counts[-1]))
    else:
        axes.step([0, *counts], [0.0, *share], where="post", color=BLUE, linewidth=1.2)
        axes.set_xlim(0, 1.02 * counts[-1])
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set(xlabel="points measured", ylabel="hypervolume (% of the last)", ylim=(0, 104))
    told = [
        f"{scale.name} {scale.text(value)}"
        for scale, value in zip(cloud.scales, reference * cloud.signs, strict=True)
    ]
    axes.set_title(f"reference: {', '.join(told)}", fontsize=8)
    axes.grid()
    return figure


def worst_corner(scores: Floats) -> Floats:
    """A reference point behind all points: the worst of each objective and a tenth of its range.

    It stops at zero, so that nobody has to read of an accuracy below it.

    Args:
        scores: of shape ``(points, objectives)``, all to be small.
    """
    worst = scores.max(axis=0)
    ranges = worst - scores.min(axis=0)
    flat = np.where(worst != 0, np.abs(worst), 1.0)
    corner: Floats = worst + _BEYOND * np.where(ranges > 0, ranges, flat)
    return np.where((worst < 0) & (corner > 0), 0.0, corner)


def _counts(points: int, most: int) -> list[int]:
    """Numbers of points from one to all: every one, or by equal ratios."""
    if points <= most:
        return list(range(1, points + 1))
    return sorted({round(count) for count in np.geomspace(1, points, most)})


def _ordered(cloud: Cloud, reference: Floats) -> Floats:
    """Scores in order of measurement; a point that breaks a constraint adds nothing."""
    order = list(cloud.order)
    scores: Floats = np.where(cloud.feasible[order, None], cloud.scores[order], reference)
    return scores
