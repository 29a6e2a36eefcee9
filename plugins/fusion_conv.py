"""Batch normalisation with stored statistics disappears into the contraction before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.affine import project, traversal, without_broadcast
from codesign.workload.pattern import label
from codesign.workload.record import Access, Op, Trace
from codesign.workload.rewrite import Editor, with_operands

_NOTE = "batch norms behind a contraction are folded into its weight and bias"


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """Before activations join the contraction: nothing may stand between it and the norm."""
    return {"40-conv-batch-norm": fold_batch_norms}


def fold_batch_norms(trace: Trace) -> Trace:
    """Folds scale and shift of a batch norm into the weight and bias of a convolution or linear.

    ``w' = w g / sqrt(v + eps)`` and ``b' = (b - m) g / sqrt(v + eps) + beta`` (Ioffe and Szegedy,
    "Batch normalization", 2015, section 3.1) are worked out once. The bias of the norm stands for
    ``b'`` where the contraction has none; the other vectors of the norm are not read any more but
    stay in the trace, since they are stored with the model. A contraction with a bias of its own
    names all of them in its attribute ``folded``: nothing else says that they belong together.
    """
    editor = Editor(trace)
    for op in editor.ops():
        if label(op) != "batch_norm" or op.kind != "elementwise":
            continue
        product = editor.maker(op.inputs[0].tensor)
        fused = _folded(editor, product, op) if product else None
        alone = product and editor.only_read_by(product.outputs[0].tensor, op)
        if product and fused and alone and editor.may_merge((product, op), op):
            editor.merge((product, op), op, fused)
    changed = editor.finish()
    if changed is trace or _NOTE in trace.notes:
        return changed
    return changed.replace(notes=(*changed.notes, _NOTE))


def _folded(editor: Editor, product: Op, norm: Op) -> Op | None:
    """The contraction with the norm inside, or None where the norm is not one of its columns."""
    if product.attribute("taps") is not None:
        return _folded_columns(editor, product, norm)
    if product.kind != "contraction" or not _is_linear_in_weight(product):
        return None
    source, written = norm.inputs[0], product.outputs[0]
    output = view.reshape(norm.outputs[0], written.shape)
    shift = view.reshape(_shift(norm), written.shape)
    if output is None or shift is None or traversal(source) != traversal(written):
        return None
    operand, axes = project(shift, product.loops.operands[-1])
    columns = {dim for axis in axes for dim, _ in axis.terms}
    if not columns <= product.loops.uses(1):
        return None
    if product.functions:
        return _naming(replace(product, outputs=(output,)), norm)
    return replace(with_operands(product, [(operand, axes)], output), functions=("add",))


def _folded_columns(editor: Editor, sums: Op, norm: Op) -> Op | None:
    """The sum of a transposed convolution's columns, whose weight takes the scale of the norm."""
    product = editor.maker(sums.inputs[0].tensor)
    bias = sums.inputs[1:] or (without_broadcast(_shift(norm)),)
    output = view.reshape(norm.outputs[0], sums.outputs[0].shape)
    if product is None or product.kind != "contraction" or product.functions or output is None:
        return None
    stored = all(access.tensor.role == "weight" for access in sums.inputs[1:])
    if not stored or not _is_linear_in_weight(product):
        return None
    if traversal(norm.inputs[0]) != traversal(sums.outputs[0]):
        return None
    folded = replace(sums, inputs=(sums.inputs[0], *bias), outputs=(output,))
    return _naming(folded, norm) if sums.inputs[1:] else folded


def _naming(folded: Op, norm: Op) -> Op:
    """The operator with the names of the vectors of the norm."""
    known = folded.attribute("folded", ())
    names = (*map(str, known if isinstance(known, tuple) else ()), *_vectors(norm))
    facts = {**dict(folded.attributes), "folded": names}
    return replace(folded, attributes=tuple(sorted(facts.items())))


def _vectors(norm: Op) -> Iterator[str]:
    return (access.tensor.name for access in norm.inputs[1:])


def _is_linear_in_weight(product: Op) -> bool:
    """Whether the second factor is stored and at most a stored bias follows."""
    others = product.inputs[1:]
    return product.functions in ((), ("add",)) and all(a.tensor.role == "weight" for a in others)


def _shift(norm: Op) -> Access:
    """The vector that takes the place of the folded bias: that of the norm, else its mean."""
    learned = [access for access in norm.inputs[1:] if access.tensor.role == "weight"]
    return learned[1] if len(learned) == 2 else norm.inputs[-2]
