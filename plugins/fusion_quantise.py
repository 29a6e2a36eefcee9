"""Integer operators: conversions around a contraction become part of it.

A quantised graph computes in floating point between conversions. A machine multiplies the integers
and applies scales to the sums, so the conversion before a product costs nothing of its own, and the
one behind it is the rounding of its results (Jacob et al., "Quantization and training of neural
networks for efficient integer-arithmetic-only inference", CVPR 2018, section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from codesign.hookspecs import hookimpl
from codesign.workload.affine import covers, project
from codesign.workload.epilogue import behind
from codesign.workload.liveness import base_name
from codesign.workload.pattern import label
from codesign.workload.quantised_targets import DEQUANTISE, QUANTISE
from codesign.workload.record import Access, Op, Trace
from codesign.workload.rewrite import Editor

_READERS = ("contraction", "attention", "reduce")
"""Kinds that work on integers as they do on what these stand for; scales follow on the results."""
_NARROW = 8


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """Reading right after loops are found; scales before a bias; rounding after all functions."""
    return {
        "15-read-quantised": read_integers,
        "45-rescale": fuse_scales,
        "65-requantise": fuse_rounding,
    }


def read_integers(trace: Trace) -> Trace:
    """Lets contractions, attentions and reductions read integers before they are converted.

    Scales that are known only as the model runs stay operands: what was one for each row of a
    factor is one for each row of the results. Scales that change along the sum need the conversion.
    """
    editor = Editor(trace)
    for op in editor.ops():
        if base_name(op.source) in DEQUANTISE and covers(op.outputs[0]) and covers(op.inputs[0]):
            _read_before(editor, op)
    return editor.finish()


def _read_before(editor: Editor, op: Op) -> None:
    """Moves the readers of a conversion that can do without it in front of it."""
    written = op.outputs[0].tensor
    if written.role != "activation":
        return
    for reader in editor.readers(written):
        changed = _reading_integers(reader, op)
        if changed is None or not editor.may_merge((op, reader), reader):
            continue
        members = (op, reader) if editor.only_read_by(written, reader) else (reader,)
        editor.merge(members, reader, changed)


def _reading_integers(reader: Op, op: Op) -> Op | None:
    """The reader with the integers as its operand, and their scales behind it."""
    if reader.kind not in _READERS:
        return None
    integers, written = op.inputs[0].tensor, op.outputs[0].tensor.name
    places = [n for n, access in enumerate(reader.inputs) if access.tensor.name == written]
    inputs = [
        replace(access, tensor=integers) if n in places else access
        for n, access in enumerate(reader.inputs)
    ]
    if len(op.inputs) == 1:
        return replace(reader, inputs=tuple(inputs))
    if reader.kind != "contraction" or len(places) != 1 or places[0] > 1:
        return None
    return _scaled(reader, inputs, op, places[0])


def _scaled(reader: Op, inputs: list[Access], op: Op, place: int) -> Op | None:
    """A contraction of integers with the scales and zero points of one factor behind it."""
    if op.outputs[0].shape != reader.inputs[place].shape:
        return None
    axes = reader.loops.operands
    extra = [project(access, axes[place]) for access in op.inputs[1:]]
    dims = {dim for _, parts in extra for axis in parts for dim, _ in axis.terms}
    if not dims <= reader.loops.uses(len(inputs)):
        return None
    functions = ("mul", "sub")[: len(extra)] + reader.functions
    nest = replace(reader.loops, operands=(*axes[:2], *(a for _, a in extra), *axes[2:]))
    placed = (*inputs[:2], *(access for access, _ in extra), *inputs[2:])
    return replace(reader, inputs=placed, nest=nest, functions=functions)


def fuse_scales(trace: Trace) -> Trace:
    """Moves casts and scales of rows or columns into the contraction of narrow numbers they follow.

    A scale is a product with fewer numbers than results.
    """
    return _fused(trace, lambda product, op: _has_narrow_factor(product) and _is_scale(op))


def fuse_rounding(trace: Trace) -> Trace:
    """Moves the conversion to integers into the contraction whose results it rounds."""
    return _fused(trace, lambda _, op: base_name(op.source) in QUANTISE and len(op.inputs) == 1)


def _fused(trace: Trace, is_meant: Callable[[Op, Op], bool]) -> Trace:
    editor = Editor(trace)
    for op in editor.ops():
        if op.kind != "elementwise" or len(op.outputs) != 1:
            continue
        for access in op.inputs:
            product = editor.maker(access.tensor)
            fused = behind(product, op) if product and is_meant(product, op) else None
            if product is None or fused is None or not editor.may_merge((product, op), op):
                continue
            if editor.only_read_by(product.outputs[0].tensor, op):
                editor.merge((product, op), op, fused)
                break
    return editor.finish()


def _has_narrow_factor(product: Op) -> bool:
    formats = [access.tensor.dtype for access in product.inputs[:2]]
    return any(dtype.bits <= _NARROW and dtype.kind != "bool" for dtype in formats)


def _is_scale(op: Op) -> bool:
    if label(op) == "cast":
        return base_name(op.source) not in (*QUANTISE, *DEQUANTISE)
    small = [a for a in op.inputs if a.tensor.elements < op.outputs[0].elements]
    return label(op) == "mul" and len(op.inputs) == 2 and len(small) == 1
