"""Energy and bytes by component, by role and by operator, as stacked bars."""

from __future__ import annotations

from codesign.quantities import quantity
from codesign.report.figures.colours import ENERGY_COLOURS, ROLE_COLOURS, ordered, part_colours
from codesign.report.figures.kit import Drawn, bars, legend_above, new_figure, title
from codesign.report.saved import Saved
from codesign.report.sums import (
    Stack,
    bytes_by_component,
    bytes_by_operator,
    energy_by_component,
    energy_by_operator,
    energy_by_role,
)

MOST_OPERATORS = 20
"""Rows of operators (assumed): of what is below them the sum is told."""
_Panel = tuple[str, Stack, dict[str, str]]
"""Title, amounts, and colours of their parts."""


def draw_energy(saved: Saved) -> Drawn:
    """Joules by component and cause, by role and component, by operator and component."""
    parts = part_colours(saved)
    panels = [
        ("Energy by component and cause", energy_by_component(saved), ENERGY_COLOURS),
        ("Energy by role of the tensor and component", energy_by_role(saved), parts),
        ("Energy by operator and component", energy_by_operator(saved), parts),
    ]
    return _panels("Energy", panels, "J")


def draw_traffic(saved: Saved) -> Drawn:
    """Bytes by component and role, and those off the chip by operator and role."""
    stack = bytes_by_component(saved)
    panels = [("Bytes of tensors by component and role", stack, ROLE_COLOURS)]
    names = frozenset(part.name for part in saved.off_chip)
    if names:
        stack = bytes_by_operator(saved, names)
        panels.append(("Bytes off the chip by operator and role", stack, ROLE_COLOURS))
    return _panels("Bytes of tensors", panels, "B")


def _panels(what: str, panels: list[_Panel], unit: str) -> Drawn:
    panels = [
        (name, stack.largest(MOST_OPERATORS), colours)
        for name, stack, colours in panels
        if stack.rows
    ]
    heights = [0.23 * len(stack.rows) + 0.85 for _, stack, _ in panels]
    drawn = new_figure(max(1.5, sum(heights) + 0.2), _said(panels, unit) or f"{what}: none.")
    if not panels:
        drawn.figure.text(0.5, 0.5, f"{what}: none", ha="center", va="center")
        return drawn
    grid = drawn.figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (name, stack, colours) in zip(grid, panels, strict=True):
        bars(drawn, axes, stack, unit, colours)
        title(axes, name, stack, unit)
        legend_above(axes, ordered(stack.parts, colours))
    return drawn


def _said(panels: list[_Panel], unit: str) -> str:
    firsts = ((name, stack, stack.rows[0]) for name, stack, _ in panels)
    return " ".join(
        f"{name}: the largest is {first} with {quantity(stack.row(first), unit)}."
        for name, stack, first in firsts
    )
