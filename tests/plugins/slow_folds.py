"""Arrays of every dataflow and convention as an obvious loop over folds, one tile at a time."""

from __future__ import annotations

from typing import Any, TypeAlias

from codesign_plugins.systolic import Systolic
from hypothesis import strategies as st
from slow_array import Sizes, cut

Fold: TypeAlias = tuple[int, int, int]
"""Steps that stream, cells r along a column, cells c along a row."""

SCALE_SIM: dict[str, Any] = {
    "weight_preload": "serial",
    "output_drain": "hidden",
    "edge_tiles": "full",
    "fold_overlap": False,
}
"""Fields of the convention of SCALE-Sim."""

CONVENTIONS = st.fixed_dictionaries(
    {
        "dataflow": st.sampled_from(["ws", "os", "is"]),
        "weight_preload": st.sampled_from(["shadow", "skewed", "serial"]),
        "output_drain": st.sampled_from(["shift", "hidden"]),
        "edge_tiles": st.sampled_from(["exact", "full"]),
        "fold_overlap": st.booleans(),
    }
)
"""Every combination of dataflow and convention."""


def folds(engine: Systolic, tile: Sizes, taps: int = 1) -> list[Fold]:
    """Folds of one array that works on all of a tile, in order.

    Args:
        engine: the array.
        tile: sizes (g, m, k, n).
        taps: so many equal parts of k have folds of their own.
    """
    g, m, k, n = tile
    stream, down, across = {
        "ws": (m, k // taps, n),
        "is": (n, k // taps, m),
        "os": (k, m, n),
    }[engine.dataflow]
    together = min(engine.rows // down, engine.cols // across) if engine.pack_groups else 1
    found: list[Fold] = []
    for groups in cut(g, max(1, together)):
        blocks = [
            [(stream, r, c) for r in cut(groups * down, engine.rows)]
            for c in cut(groups * across, engine.cols)
        ]
        for block in blocks:
            found += block * (1 if engine.dataflow == "os" else taps)
    if engine.dataflow == "os":
        found.sort(key=lambda fold: (-fold[1], -fold[2]))
    if engine.edge_tiles == "full":
        return [(steps, engine.rows, engine.cols) for steps, _, _ in found]
    return found


def cycles(engine: Systolic, sequence: list[Fold]) -> int:
    """Cycles from the first load to the last useful step (or sum shifted out) of folds in order."""
    alone = [stream + r + c - 2 for stream, r, c in sequence]
    nexts = [*sequence[1:], (0, 0, 0)]
    if engine.dataflow == "os":
        return _sums_stay(engine, sequence, alone)
    if engine.weight_preload == "serial":
        return sum(r for _, r, _ in sequence) + sum(alone)
    late = (engine.cols - 1) * (engine.weight_preload == "skewed")
    total: int = sequence[0][1] + late
    for (stream, r, c), time, (_, load, _) in zip(sequence, alone, nexts, strict=True):
        busy = stream if engine.fold_overlap else time
        # loads that are skewed alike follow each other without a gap
        total += max(busy, load + late * (load > 0 and not engine.fold_overlap))
        if load == 0 and engine.fold_overlap:
            total += r + c - 2
    return total


def _sums_stay(engine: Systolic, sequence: list[Fold], alone: list[int]) -> int:
    shift: bool = engine.output_drain == "shift"
    if not engine.fold_overlap:
        return sum(alone) + shift * sum(r for _, r, _ in sequence)
    total = 0
    for stream, r, _ in sequence[:-1]:
        total += stream + r if shift else max(stream, r)
    total += alone[-1] + sequence[-1][1] * shift
    return total


def dealt(engine: Systolic, tile: Sizes) -> int:
    """Cycles of the first of the arrays, which take the folds of an ``os`` tile in turn."""
    return cycles(engine, folds(engine, tile)[:: engine.arrays])
