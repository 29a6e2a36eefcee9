"""Operators that only move tensors: what residency costs before, between and after the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, Loop, Tile, TilePlan
from codesign.mapping.emit import make_move
from codesign.mapping.placement import Assignment
from codesign.mapping.streaming import Stream, stream
from codesign.workload.record import Access, Op

_CLOCK_HZ = 1e9
"""Clock of tiles that compute nothing, so any would do."""


@dataclass(frozen=True, slots=True)
class Move:
    """A view that goes from one memory to another.

    Attributes:
        view: what is read.
        source: where from.
        target: where to.
        becomes: what is written, if it is another tensor.
    """

    view: Access
    source: str
    target: str
    becomes: Access | None = None


def fetch(
    name: str, moves: Sequence[Move], engine: Engine, budget_bytes: int, reuses: Sequence[str] = ()
) -> Assignment:
    """One tile that loads views into an engine's buffer or stages, where they stay.

    What goes to a stage waits until the engine has computed all before: it may have one port.
    """
    views = tuple(move.view for move in moves)
    tile = Tile(0, loads=tuple(make_move(n, view, view.shape) for n, view in enumerate(views)))
    homes = tuple(move.source for move in moves)
    op = Op(name, "move", views, (), functions=("move",))
    stages = tuple(move.target for move in moves)
    exclusive = tuple(n for n, stage in enumerate(stages) if stage != engine.buffer)
    plan = TilePlan(Loop((tile,)), _CLOCK_HZ, exclusive=exclusive)
    known = (op, engine.name, plan, homes, budget_bytes, tuple(reuses))
    return Assignment(*known, stages=stages if exclusive else ())


def write_back(name: str, moves: Sequence[Move], engine: Engine, budget_bytes: int) -> Assignment:
    """One tile that stores views from an engine's buffer."""
    views = tuple(move.view for move in moves)
    stores = tuple(make_move(len(views) + n, view, view.shape) for n, view in enumerate(views))
    op = Op(name, "move", views, views, functions=("move",))
    homes = (engine.buffer,) * len(views) + tuple(move.target for move in moves)
    plan = TilePlan(Loop((Tile(0, stores=stores),)), _CLOCK_HZ)
    return Assignment(op, engine.name, plan, homes, budget_bytes)


def copy(
    name: str, moves: Sequence[Move], engine: Engine, budget: Budget, reuses: Sequence[str] = ()
) -> Assignment:
    """Views that flow through an engine's buffer to other memories, or end in it.

    Raises:
        MappingError: not even a byte of each fits the budget twice.
    """
    inputs = tuple(move.view for move in moves)
    outputs = tuple(move.becomes or move.view for move in moves)
    homes = tuple(move.source for move in moves) + tuple(move.target for move in moves)
    op = Op(name, "move", inputs, outputs, functions=("move",))
    largest = max(view.elements for view in inputs)
    flow = stream(op, budget, Stream(largest, lambda _: 0))
    plan = TilePlan(
        flow.loop,
        _CLOCK_HZ,
        held_bytes=flow.held_bytes,
        slot_in_bytes=flow.slot_in_bytes,
        slot_out_bytes=flow.slot_out_bytes,
    )
    return Assignment(op, engine.name, plan, homes, budget.buffer_bytes, tuple(reuses))
