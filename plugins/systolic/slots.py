"""Where the multiply-accumulate slots of an array go: every one is booked under one cause."""

from __future__ import annotations

from collections import Counter

from codesign.mapping.emit import Emitted

from .folds import Folds
from .layout import one
from .pace import Ends
from .ports import Ports


def book(
    folds: Folds, ports: Ports, tiles: Emitted, ends: Ends, cycles: int
) -> tuple[tuple[str, int], ...]:
    """MAC slots of an operator by cause; the sum is what all cells issued in its cycles.

    ``effective`` multiply-accumulates are the operator's own. ``fill and drain`` is the skew of
    folds that overlap no others, ``weight load`` (of ``is`` the load of inputs) and ``output
    drain`` the time in which nothing streams for their sake. What a port holds up counts under
    that port, the slowest one of a tile. ``edge`` is the rest: cells without work while the others
    stream, at the edges of blocks or in arrays that have none.

    Args:
        folds: cycles of the tiles.
        ports: of the same operator.
        tiles: all of them.
        ends: cycles beside theirs.
        cycles: of the operator.
    """
    engine = folds.engine
    load = {"ws": "weight load", "is": "input load", "os": "output drain"}[engine.dataflow]
    spent = Counter({"fill and drain": ends.skew, load: ends.cycles - ends.skew})
    for key, times in tiles.sizes.items():
        sizes = one(key[:4])
        parts = folds.parts(sizes)
        spent["fill and drain"] += times * parts.skew
        spent[load] += times * parts.shift
        spent["tile start"] += times * engine.tile_overhead
        limits = {name: int(limit[0]) for name, limit in ports.cycles(sizes).items()}
        if limits:
            slowest = max(limits, key=lambda name: limits[name])
            spent[slowest] += times * max(0, limits[slowest] - sum(parts) - engine.tile_overhead)
    per_cycle = engine.rows * engine.cols * engine.arrays * folds.layout.rate
    wasted = {cause: int(count * per_cycle) for cause, count in spent.items()}
    edge = int(cycles * per_cycle) - ports.op.macs - sum(wasted.values())
    every = {"effective": ports.op.macs, "edge": edge} | wasted
    return tuple((cause, count) for cause, count in every.items() if count)
