"""The critical path: what every picosecond of the run was spent on."""

from __future__ import annotations

from codesign.explore.figures.style import say
from codesign.quantities import quantity, share
from codesign.report.figures.colours import TIME_COLOURS, ordered, part_colours
from codesign.report.figures.kit import Drawn, bars, legend_above, new_figure, title
from codesign.report.saved import Saved
from codesign.report.sums import Stack

MOST_ROWS = 15
"""Rows of operators (assumed)."""


def path_stacks(saved: Saved) -> tuple[Stack, Stack]:
    """Seconds by cause and component, and by operator and cause."""
    parts = saved.why.parts if saved.why else []
    by_cause: dict[tuple[str, str], int] = {}
    by_operator: dict[tuple[str, str], int] = {}
    for part in parts:
        where = part.component or "none"
        for found, key in (
            (by_cause, (part.cause, where)),
            (by_operator, (part.op or "none", part.cause)),
        ):
            found[key] = found.get(key, 0) + part.ps
    return _stack(by_cause), _stack(by_operator)


def draw_path(saved: Saved) -> Drawn:
    """Draws time by cause, then by operator."""
    causes, operators = (stack.largest(MOST_ROWS) for stack in path_stacks(saved))
    heights = [0.25 * len(stack.rows) + 0.9 for stack in (causes, operators)]
    drawn = new_figure(max(1.5, sum(heights) + 0.5), _said(causes, operators))
    if not causes.rows:
        say(drawn.figure, "the folder has no critical path")
        return drawn
    grid = drawn.figure.subplots(2, 1, height_ratios=heights)
    panels = (
        ("cause and component", causes, part_colours(saved)),
        ("operator and cause", operators, TIME_COLOURS),
    )
    for axes, (name, stack, colours) in zip(grid, panels, strict=True):
        bars(drawn, axes, stack, "s", colours)
        title(axes, f"Critical path by {name}", stack, "s")
        legend_above(axes, ordered(stack.parts, colours))
    return drawn


def _stack(values: dict[tuple[str, str], int]) -> Stack:
    # divided once, so that a sum is rounded as codesign why rounds it
    kept = {key: value / 1e12 for key, value in values.items() if value}
    rows, parts = (tuple(dict.fromkeys(key[place] for key in kept)) for place in (0, 1))
    return Stack(rows, parts, kept)


def _said(causes: Stack, operators: Stack) -> str:
    if not causes.rows:
        return "The folder has no critical path."
    first, longest = causes.rows[0], operators.rows[0]
    return (
        f"Of {quantity(causes.total, 's')} on the critical path "
        f"{share(causes.row(first), causes.total)} are {first}; the operator with most of it is "
        f"{longest} with {quantity(operators.row(longest), 's')}."
    )
