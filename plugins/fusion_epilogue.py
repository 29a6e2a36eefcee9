"""Bias, residual sum and activation behind a contraction: done on its results as they come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from codesign.hookspecs import hookimpl
from codesign.workload.epilogue import behind
from codesign.workload.pattern import label
from codesign.workload.record import Op, Trace
from codesign.workload.rewrite import Editor

ACTIVATIONS = frozenset(
    {
        "clamp",
        "gelu",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "relu",
        "relu6",
        "sigmoid",
        "silu",
        "tanh",
    }
)
"""Functions of one element that a post-processing unit applies."""


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """After batch normalisation is folded and activations have their names."""
    return {"60-contraction-epilogue": fuse_epilogues}


def fuse_epilogues(trace: Trace) -> Trace:
    """Moves sums and activations into the contraction whose result they alone read.

    Where both terms of a sum are contractions, the later one takes the other as its residual, so
    that only one result waits.
    """
    editor = Editor(trace)
    for op in editor.ops():
        if op.kind != "elementwise" or len(op.outputs) != 1 or not _fusible(op):
            continue
        makers = {maker.name: maker for a in op.inputs if (maker := editor.maker(a.tensor))}
        for maker in sorted(makers.values(), key=editor.place, reverse=True):
            fused = behind(maker, op)
            alone = editor.only_read_by(maker.outputs[0].tensor, op)
            if fused and alone and editor.may_merge((maker, op), op):
                editor.merge((maker, op), op, fused)
                break
    return editor.finish()


def _fusible(op: Op) -> bool:
    name = label(op)
    return (name in ACTIVATIONS and len(op.inputs) == 1) or (name == "add" and len(op.inputs) == 2)
