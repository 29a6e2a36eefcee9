"""Weight rounds: the tiles that lie in the cells together, in the order in which they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .layout import Layout, Tiles


@dataclass(frozen=True, slots=True)
class Round:
    """Weight tiles that lie in the cells together.

    Attributes:
        tiles: how many.
        weight_bytes: of their weights, without the zeros between packed blocks.
        finished: columns of outputs, of all groups, the sums of which are complete with it.
        spilled: columns the sums of which the next round goes on with.
        rows: of all its tiles, that are written.
    """

    tiles: int
    weight_bytes: int
    finished: int
    spilled: int
    rows: int


def weight_rounds(layout: Layout, most: int, weight_bytes: int) -> tuple[Round, ...]:
    """Cuts the tiles of an operator into rounds, each as full as it can be.

    Args:
        layout: its tiles, in order.
        most: tiles that the cells hold at once, at least 1.
        weight_bytes: of all weights; each round has its share by used cells, and all rounds
            together have exactly these.
    """
    total = sum(tiles.count * tiles.rows * tiles.columns for tiles in layout.tiles)
    found: list[Round] = []
    cells = given = 0
    for group in _groups(layout, most):
        cells += sum(tiles.count * tiles.rows * tiles.columns for tiles in group)
        reached = weight_bytes * cells // total
        finished = sum(tiles.count * tiles.columns for tiles in group if tiles.last)
        spilled = 0 if group[-1].last else group[-1].columns
        count = sum(tiles.count for tiles in group)
        rows = sum(tiles.count * tiles.rows for tiles in group)
        found.append(Round(count, reached - given, finished, spilled, rows))
        given = reached
    return tuple(found)


def _groups(layout: Layout, most: int) -> Iterator[list[Tiles]]:
    """Tiles of each round."""
    group: list[Tiles] = []
    room = most
    for tiles in layout.tiles:
        left = tiles.count
        while left:
            taken = min(left, room)
            group.append(replace(tiles, count=taken))
            left, room = left - taken, room - taken
            if not room:
                yield group
                group, room = [], most
    if group:
        yield group
