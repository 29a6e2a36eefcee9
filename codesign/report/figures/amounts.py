"""Energy and bytes by component, by role and by operator, as stacked bars."""

from __future__ import annotations

from codesign.quantities import quantity
from codesign.report.figures.kit import (
    Drawn,
    bars,
    colours_of,
    legend,
    legend_above,
    new_figure,
    title,
)
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
_CAUSES = {"dynamic", "leakage", "background"}


def draw_energy(saved: Saved) -> Drawn:
    """Joules by component and cause, by role and component, by operator and component."""
    panels = [
        ("by component and cause", energy_by_component(saved)),
        ("by role of the tensor and component", energy_by_role(saved)),
        ("by operator and component", energy_by_operator(saved)),
    ]
    return _panels("Energy", panels, "J")


def draw_traffic(saved: Saved) -> Drawn:
    """Bytes by component and role, and those off the chip by operator and role."""
    panels = [("by component and role", bytes_by_component(saved))]
    names = frozenset(part.name for part in saved.off_chip)
    if names:
        panels.append(("off the chip, by operator and role", bytes_by_operator(saved, names)))
    return _panels("Bytes of tensors", panels, "B")


def _panels(what: str, panels: list[tuple[str, Stack]], unit: str) -> Drawn:
    panels = [(name, stack.largest(MOST_OPERATORS)) for name, stack in panels if stack.rows]
    heights = [0.23 * len(stack.rows) + 0.75 for _, stack in panels]
    drawn = new_figure(max(1.5, sum(heights) + 0.4), _said(what, panels, unit))
    if not panels:
        drawn.figure.text(0.5, 0.5, f"{what}: none", ha="center", va="center")
        return drawn
    grid = drawn.figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    # parts of one kind have one colour, and a legend of their own where the kinds differ
    everything: dict[str, str] = {}
    for axes, (name, stack) in zip(grid, panels, strict=True):
        colours = colours_of(stack.parts)
        if set(stack.parts) & _CAUSES:
            bars(drawn, axes, stack, unit, colours)
        else:
            everything |= {part: c for part, c in colours.items() if part not in everything}
            bars(drawn, axes, stack, unit, {part: everything[part] for part in stack.parts})
        title(axes, f"{what} {name}", stack, unit)
        if set(stack.parts) & _CAUSES:
            legend_above(axes)
    legend(drawn, everything)
    return drawn


def _said(what: str, panels: list[tuple[str, Stack]], unit: str) -> str:
    told = []
    for name, stack in panels:
        first = stack.rows[0]
        told.append(f"{what} {name}: most {first} with {quantity(stack.row(first), unit)}.")
    return " ".join(told) or f"{what}: none."
