"""Elementwise work that belongs together: spelled-out activations, gates, and whole chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.affine import broadcast, traversal
from codesign.workload.pattern import Pattern, find
from codesign.workload.record import Access, Op, Trace
from codesign.workload.rewrite import Editor

_CUBE: Pattern = ("add", "x", ("mul", ("pow", "x")))
_TANH: Pattern = ("add", ("tanh", ("mul", _CUBE)))
_ERF: Pattern = ("add", ("erf", ("mul|div", "x")))
ACTIVATIONS: tuple[tuple[str, Pattern], ...] = (
    # Hendrycks and Gimpel, "Gaussian error linear units", 2016: the tanh form and the exact one,
    # each with the half taken first or last
    ("gelu", ("mul", ("mul", "x"), _TANH)),
    ("gelu", ("mul", ("mul", "x", _TANH))),
    ("gelu", ("mul", ("mul", "x"), _ERF)),
    ("gelu", ("mul", ("mul", "x", _ERF))),
    ("silu", ("mul", "x", ("sigmoid", "x"))),
    ("hardswish", ("mul|div", ("mul", "x", ("hardtanh|relu6|clamp", ("add", "x"))))),
    ("hardswish", ("mul", "x", ("hardsigmoid", "x"))),
    ("hardswish", ("mul", "x", ("mul|div", ("hardtanh|relu6|clamp", ("add", "x"))))),
)
"""Activations and how models spell them out; scalar operands are not inputs."""

_GATE: Pattern = ("mul", ("silu|gelu|sigmoid|relu|tanh", "gate"), "value")


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """Activations first, so that gates and chains see them by name."""
    return {
        "50-activation": fuse_activations,
        "55-gate": fuse_gates,
        "80-elementwise-chain": fuse_chains,
    }


def fuse_activations(trace: Trace) -> Trace:
    """Recognises GELU, SiLU and hard swish written as products, powers and sigmoids."""
    editor = Editor(trace)
    for op in editor.ops():
        for name, pattern in ACTIVATIONS:
            match = find(editor, op, pattern)
            if match is None or match.bound["x"].shape != op.outputs[0].shape:
                continue
            fused = replace(op, inputs=(match.bound["x"],), functions=(name,), attributes=())
            editor.merge(tuple(match.members.values()), op, fused)
            break
    return editor.finish()


def fuse_gates(trace: Trace) -> Trace:
    """SwiGLU and its kin, ``silu(a) * b`` (Shazeer, "GLU variants improve transformer", 2020)."""
    editor = Editor(trace)
    for op in editor.ops():
        match = find(editor, op, _GATE)
        if match is None or len(match.members) != 2:
            continue
        inner = next(m for m in match.members.values() if m.name != op.name)
        inputs = (match.bound["gate"], match.bound["value"])
        if any(access.shape != op.outputs[0].shape or 0 in access.strides for access in inputs):
            continue
        functions = inner.functions + op.functions
        editor.merge((inner, op), op, replace(op, inputs=inputs, functions=functions))
    return editor.finish()


def fuse_chains(trace: Trace) -> Trace:
    """Merges elementwise operators whose result one other elementwise operator alone reads."""
    editor = Editor(trace)
    for op in editor.ops():
        fused: Op | None = op
        while fused is not None:
            fused = _absorb_producer(editor, fused)
    return editor.finish()


def _absorb_producer(editor: Editor, op: Op) -> Op | None:
    """The operator merged with the latest of its producers that allows it, or None."""
    if op.kind != "elementwise" or len(op.outputs) != 1:
        return None
    makers = {maker.name: maker for a in op.inputs if (maker := editor.maker(a.tensor))}
    for maker in sorted(makers.values(), key=editor.place, reverse=True):
        fused = _chained(maker, op)
        written = maker.outputs[0].tensor
        if fused and editor.only_read_by(written, op) and editor.may_merge((maker, op), op):
            editor.merge((maker, op), op, fused)
            return fused
    return None


def _chained(first: Op, second: Op) -> Op | None:
    """Both as one operator over the elements of the second; None if their elements differ."""
    if first.kind != "elementwise":
        return None
    written, shape = first.outputs[0], second.outputs[0].shape
    inputs: dict[Access, None] = {}
    for access in second.inputs:
        if access.tensor.name != written.tensor.name:
            inputs.setdefault(access)
            continue
        if access.shape != shape or traversal(access) != traversal(written):
            return None
        for source in first.inputs:
            wide = broadcast(source, written.shape)
            placed = view.reshape(wide, shape) if wide else None
            if placed is None:
                return None
            inputs.setdefault(placed)
    return replace(
        second, inputs=tuple(inputs), functions=first.functions + second.functions, attributes=()
    )
