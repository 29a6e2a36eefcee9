"""The map of memories: which tensor lies where from when to when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from codesign.explore.figures.scale import shortened
from codesign.explore.figures.style import say
from codesign.quantities import quantity
from codesign.report.figures.colours import ROLE_COLOURS, ink_on, ordered
from codesign.report.figures.kit import Drawn, legend, new_figure, prefix_axis
from codesign.report.names import shown
from codesign.report.saved import Saved

MOST_TENSORS = 150
"""Tensors of a memory that are drawn (assumed): the largest."""
_NAMED = 0.052
"""Height from which on a box is named, in the height of its panel (measured)."""
_EDGED = 0.01
"""Height from which on it has an edge (measured): thinner ones would be all edge."""
_LONG = 0.22
"""Length from which on it is, in the length of the run (measured)."""


@dataclass(frozen=True)
class Stayed:
    """A tensor in a memory.

    Attributes:
        tensor: its name.
        role: of the tensor.
        why: ``kept`` or ``home``.
        bytes: that it takes.
        start: picoseconds.
        end: picoseconds.
        floor: bytes below it in the drawing, which is no address.
    """

    tensor: str
    role: str
    why: str
    bytes: int
    start: int
    end: int
    floor: int = 0


def stayed_in(saved: Saved) -> dict[str, tuple[Stayed, ...]]:
    """What lay in each memory, largest first, in the order of the components."""
    table = saved.residency or {}
    names = ("memory", "tensor", "role", "why", "bytes", "start_ps", "end_ps")
    found: dict[str, list[Stayed]] = {part.name: [] for part in saved.parts}
    for memory, *rest in zip(*(table.get(name, []) for name in names), strict=True):
        if rest[3]:
            found.setdefault(memory, []).append(Stayed(*rest))
    return {
        memory: tuple(sorted(rows, key=lambda one: (-one.bytes, one.start, one.tensor)))
        for memory, rows in found.items()
        if rows
    }


def stacked(rows: tuple[Stayed, ...]) -> list[Stayed]:
    """Lays tensors over each other so that none covers another at any time, and low at that."""
    orders: tuple[Callable[[Stayed], tuple[int, ...]], ...] = (
        lambda one: (one.start - one.end, -one.bytes, one.start),
        lambda one: (-one.bytes, one.start),
        lambda one: (one.start, one.start - one.end, -one.bytes),
    )
    drawings = [_in_order(sorted(rows, key=order)) for order in orders]
    return min(drawings, key=lambda found: max(one.floor + one.bytes for one in found))


def _in_order(rows: list[Stayed]) -> list[Stayed]:
    """Puts each tensor as low as those before it let it be."""
    placed: list[Stayed] = []
    for row in rows:
        meets = sorted(
            (one.floor, one.floor + one.bytes)
            for one in placed
            if one.start < row.end and row.start < one.end
        )
        floor = 0
        for low, high in meets:
            if low - floor >= row.bytes:
                break
            floor = max(floor, high)
        fields = (row.tensor, row.role, row.why, row.bytes, row.start, row.end)
        placed.append(Stayed(*fields, floor))
    return placed


def draw_residency(saved: Saved) -> Drawn:
    """Draws a panel for each memory, its height bytes and its length the run."""
    memories = stayed_in(saved)
    drawn = new_figure(max(1.5, 2.9 * len(memories) + 0.5), _said(memories))
    if not memories:
        say(drawn.figure, "the folder does not say which tensor lies where")
        return drawn
    roles = (row.role for rows in memories.values() for row in rows)
    colours = ordered(roles, ROLE_COLOURS)
    grid = drawn.figure.subplots(len(memories), 1, squeeze=False, sharex=True)[:, 0]
    along = 1e12 * prefix_axis(grid[-1], "x", saved.makespan / 1e12, "s")
    for axes, (memory, rows) in zip(grid, memories.items(), strict=True):
        boxes = stacked(rows[:MOST_TENSORS])
        top = max(box.floor + box.bytes for box in boxes)
        up = prefix_axis(axes, "y", top, "B")
        axes.set(xlim=(0, saved.makespan / along), ylim=(0, 1.04 * top / up))
        for box in boxes:
            edge = 0.4 if box.bytes > _EDGED * top else 0.0
            _box(drawn, axes, box, (along, up), colours[box.role], edge)
            if box.bytes > _NAMED * top and box.end - box.start > _LONG * saved.makespan:
                _label(axes, box, (along, up), ink_on(colours[box.role]))
        axes.set_title(_title(saved, memory, rows), loc="left", fontweight="bold")
    legend(drawn, colours)
    return drawn


def _box(
    drawn: Drawn, axes: Axes, box: Stayed, units: tuple[float, float], colour: str, edge: float
) -> None:
    along, up = units
    patch = Rectangle(
        (box.start / along, box.floor / up),
        (box.end - box.start) / along,
        box.bytes / up,
        facecolor=colour,
        edgecolor="#ffffff",
        linewidth=edge,
    )
    axes.add_patch(patch)
    drawn.name(
        patch,
        f"{box.tensor} ({box.role}, {box.why}): {quantity(box.bytes, 'B')}, from "
        f"{quantity(box.start / 1e12, 's')} to {quantity(box.end / 1e12, 's')}",
    )


def _label(axes: Axes, box: Stayed, units: tuple[float, float], ink: str) -> None:
    along, up = units
    axes.text(
        (box.start + box.end) / 2 / along,
        (box.floor + box.bytes / 2) / up,
        shortened(shown(box.tensor), 34),
        ha="center",
        va="center",
        fontsize=7,
        color=ink,
        clip_on=True,
    )


def _title(saved: Saved, memory: str, rows: tuple[Stayed, ...]) -> str:
    part = saved.by_name.get(memory)
    size = part.size_bytes if part else None
    told = shown(memory, 24)
    if size:
        told += f" of {quantity(size, 'B')}"
    most = most_at_once(rows)
    # runs overlap where loads are fetched ahead, so what takes turns may seem to be there together
    if size and most <= size:
        told += f": at most {quantity(most, 'B')} at once"
    if len(rows) > MOST_TENSORS:
        rest = sum(row.bytes for row in rows[MOST_TENSORS:])
        told += f"; {len(rows) - MOST_TENSORS:,} smaller ones, {quantity(rest, 'B')}, not drawn"
    return told


def most_at_once(rows: tuple[Stayed, ...]) -> int:
    """The most bytes at any time."""
    changes: dict[int, int] = {}
    for row in rows:
        changes[row.start] = changes.get(row.start, 0) + row.bytes
        changes[row.end] = changes.get(row.end, 0) - row.bytes
    return max(accumulate(changes[time] for time in sorted(changes)), default=0)


def _said(memories: dict[str, tuple[Stayed, ...]]) -> str:
    told = [
        f"{memory}: {len(rows):,} tensors, the largest {rows[0].tensor} "
        f"with {quantity(rows[0].bytes, 'B')}."
        for memory, rows in memories.items()
    ]
    return " ".join(told) or "The folder does not say which tensor lies where."
