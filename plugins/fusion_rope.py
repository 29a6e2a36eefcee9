"""Rotary position embedding: ten slices, negations and products become one operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from codesign.hookspecs import hookimpl
from codesign.workload.pattern import Match, Pattern, find
from codesign.workload.record import Trace
from codesign.workload.rewrite import Editor

ROTATED: Pattern = ("add", ("mul", "x", "cos"), ("mul", ("move", ("neg", "high"), "low"), "sin"))
"""``x cos + cat(-high, low) sin``, by halves or interleaved (Su et al., "RoFormer", 2021)."""
HALVES: Pattern = (
    "move",
    ("sub", ("mul", "low", "cos"), ("mul", "high", "sin")),
    ("add", ("mul", "high", "cos2"), ("mul", "low", "sin2")),
)
"""``cat(low cos - high sin, high cos + low sin)``."""


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """Before anything else takes the products."""
    return {"25-rope": fuse_rotations}


def fuse_rotations(trace: Trace) -> Trace:
    """Makes each rotation one elementwise operator that reads its vector and the two tables."""
    editor = Editor(trace)
    for op in editor.ops():
        match = find(editor, op, ROTATED, _rotates_itself) or find(editor, op, HALVES, _has_halves)
        if match is None:
            continue
        names = ("x",) if "x" in match.bound else ("low", "high")
        inputs = tuple(match.bound[name] for name in (*names, "cos", "sin"))
        fused = replace(op, kind="elementwise", inputs=inputs, functions=("rope",), attributes=())
        editor.merge(tuple(match.members.values()), op, fused)
    return editor.finish()


def _rotates_itself(match: Match) -> bool:
    """Whether what is rotated are two halves of what is scaled by the cosine."""
    source, low, high = (match.bound[name] for name in ("x", "low", "high"))
    return (
        low.tensor == high.tensor == source.tensor
        and low.elements == high.elements
        and low.elements * 2 == source.elements
        and low.offset != high.offset
        and source.shape == match.root.outputs[0].shape
    )


def _has_halves(match: Match) -> bool:
    low, high = match.bound["low"], match.bound["high"]
    tables = [match.bound[name].tensor for name in ("cos", "cos2", "sin", "sin2")]
    return (
        low.tensor == high.tensor
        and low.shape == high.shape
        and low.elements * 2 == match.root.outputs[0].elements
        and tables[0] == tables[1] != tables[2] == tables[3]
    )
