"""Normalisation over the last axis spelled out: RMS norm and softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from codesign.hookspecs import hookimpl
from codesign.workload.affine import without_broadcast
from codesign.workload.pattern import Match, Pattern, find
from codesign.workload.record import Op, Trace
from codesign.workload.rewrite import Editor

# the mean is a reduction; epsilon and the exponent are numbers, not operands
_MEANS: tuple[Pattern, ...] = (
    ("add", ("mean", ("pow|mul", "x"))),
    ("add", ("mean", ("mul", "x", "x"))),
)
_SCALED: tuple[Pattern, ...] = tuple(
    scaled
    for mean in _MEANS
    for scaled in (
        ("mul", "x", ("rsqrt", mean)),
        ("mul", "x", ("reciprocal", ("sqrt", mean))),
        ("div", "x", ("sqrt", mean)),
    )
)
WEIGHTED: tuple[Pattern, ...] = tuple(("mul", "weight", scaled) for scaled in _SCALED)
"""Zhang and Sennrich, "Root mean square layer normalization", 2019, equation 4."""

_SHIFTED: Pattern = ("exp", ("sub", "x", ("amax|max", "x")))
SOFTMAX: tuple[Pattern, ...] = (
    ("div", _SHIFTED, ("sum", _SHIFTED)),
    ("div", ("exp", "x"), ("sum", ("exp", "x"))),
)
"""With the maximum subtracted first, and without."""


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """Softmax comes before attention, which is built around it."""
    return {"20-rms-norm": fuse_rms_norms, "30-softmax": fuse_softmaxes}


def fuse_rms_norms(trace: Trace) -> Trace:
    """``x / sqrt(mean(x^2) + eps) * w`` becomes one normalisation; casts in between go.

    Those with a weight come first: each has one without inside.
    """
    weighted = _fuse(trace, WEIGHTED, "normalize", "rms_norm")
    return _fuse(weighted, _SCALED, "normalize", "rms_norm")


def fuse_softmaxes(trace: Trace) -> Trace:
    """``exp(x - max x) / sum`` becomes one softmax."""
    return _fuse(trace, SOFTMAX, "softmax", "softmax")


def _fuse(trace: Trace, patterns: tuple[Pattern, ...], kind: str, function: str) -> Trace:
    editor = Editor(trace)
    for op in editor.ops():
        found = (find(editor, op, pattern, _is_last_axis) for pattern in patterns)
        match = next((match for match in found if match), None)
        if match is None:
            continue
        weight = match.bound.get("weight")
        source = match.bound["x"]
        fused = replace(
            op,
            kind=kind,
            inputs=(source, without_broadcast(weight)) if weight else (source,),
            functions=(function,),
            attributes=(("width", source.shape[-1]),),
        )
        editor.merge(tuple(match.members.values()), op, fused)
    return editor.finish()


def _is_last_axis(match: Match) -> bool:
    """Whether the statistics run over the last axis and nothing is broadcast up."""
    source = match.bound["x"]
    statistics = [op for op in match.members.values() if op.kind == "reduce"]
    return source.shape == match.root.outputs[0].shape and all(
        _reduces_last(op) for op in statistics
    )


def _reduces_last(op: Op) -> bool:
    before, after = op.inputs[0].shape, op.outputs[0].shape
    return len(before) > 0 and after in (before[:-1], (*before[:-1], 1))
