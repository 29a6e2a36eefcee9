"""Attention spelled out, scores, softmax and values, becomes one operator: scores stay on chip."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.affine import broadcast
from codesign.workload.pattern import Match, Pattern, find
from codesign.workload.record import Access, Op, Tensor, Trace
from codesign.workload.rewrite import Editor

_SCORES: Pattern = ("contraction", "query", "key")
_SCALED: tuple[Pattern, ...] = (("mul|div", _SCORES), _SCORES)
PATTERNS: tuple[Pattern, ...] = tuple(
    ("contraction", ("softmax", masked), "value")
    for scaled in _SCALED
    for masked in (("add", scaled, "mask"), scaled)
)
"""Scale and mask are optional; a scale is a number (Vaswani et al., 2017, equation 1)."""


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """After softmax has its name, before contractions take the scale or the mask."""
    return {
        "35-attention": fuse_attentions,
        "36-grouped-query": share_keys,
        "37-attention-layout": store_in_place,
    }


def fuse_attentions(trace: Trace) -> Trace:
    """Merges both products, scale, mask and softmax where the scores serve nothing else.

    The whole has the MACs of its parts. Products with more row loops than queries, as when
    several heads share a key by broadcasting, are left as they are.
    """
    editor = Editor(trace)
    for op in editor.ops():
        found = (find(editor, op, pattern) for pattern in PATTERNS if op.kind == "contraction")
        match = next((match for match in found if match), None)
        fused = _whole(match) if match else None
        if match and fused:
            editor.merge(tuple(match.members.values()), op, fused)
    return editor.finish()


def share_keys(trace: Trace) -> Trace:
    """Lets query heads read the key head that they share, instead of copies of it.

    Grouped-query attention (Ainslie et al., 2023) is often written by repeating keys and values;
    the operator reads them once per group.
    """
    editor = Editor(trace)
    for op in editor.ops():
        if op.kind != "attention":
            continue
        copies = [editor.maker(access.tensor) for access in op.inputs[1:3]]
        members = [copy for copy in copies if copy and editor.only_read_by(_result(copy), op)]
        if len(members) != 2 or not editor.may_merge([*members, op], op):
            continue
        pairs = zip(members, op.inputs[1:3], strict=True)
        heads = [found for copy, access in pairs if (found := _before_repeat(copy, access))]
        if len(heads) != 2 or heads[0].shape[1] != heads[1].shape[1]:
            continue
        facts = tuple(sorted({**dict(op.attributes), "gqa": True}.items()))
        inputs = (op.inputs[0], *heads, *op.inputs[3:])
        editor.merge([*members, op], op, replace(op, inputs=inputs, attributes=facts))
    return editor.finish()


def store_in_place(trace: Trace) -> Trace:
    """Lets an attention write its heads side by side where a copy would put them afterwards."""
    editor = Editor(trace)
    for op in editor.ops():
        source = editor.maker(op.inputs[0].tensor) if len(op.inputs) == 1 else None
        if op.kind != "move" or source is None or source.kind != "attention":
            continue
        order = _permutation(source.outputs[0], op.inputs[0])
        alone = editor.only_read_by(op.inputs[0].tensor, op)
        if order and alone and len(op.outputs) == 1 and editor.may_merge((source, op), op):
            output = view.permute(op.outputs[0], order)
            editor.merge((source, op), op, replace(source, outputs=(output,)))
    return editor.finish()


def _result(op: Op) -> Tensor:
    return op.outputs[0].tensor


def _before_repeat(copy: Op, access: Access) -> Access | None:
    """What a copy repeats, as ``[batch, heads, length, width]``; None if it does anything else."""
    if copy.kind != "move" or len(copy.inputs) != 1:
        return None
    source = copy.inputs[0]
    repeated = [i for i, n in enumerate(source.shape) if n > 1 and source.strides[i] == 0]
    if len(repeated) != 1 or source.shape != copy.outputs[0].shape or len(source.shape) != 5:
        return None
    batch, heads, count, length, width = source.shape
    if repeated != [2] or access.shape != (batch, heads * count, length, width):
        return None
    whole = view.reshape(copy.outputs[0], access.shape)
    return view.select(source, 2, 0) if whole == access else None


def _permutation(written: Access, read: Access) -> list[int]:
    """Axes of ``read`` in the order of the axes of ``written``; empty if it is no permutation."""
    axes = list(zip(read.shape, read.strides, strict=True))
    wanted = list(zip(written.shape, written.strides, strict=True))
    if (
        read.offset != written.offset
        or sorted(axes) != sorted(wanted)
        or len(set(axes)) < len(axes)
    ):
        return []
    return [axes.index(axis) for axis in wanted]


def _whole(match: Match) -> Op | None:
    members = match.members.values()
    scores = next(op for op in members if op.kind == "contraction" and op.name != match.root.name)
    softmax = next(op for op in members if op.kind == "softmax")
    values, shape = match.root, softmax.inputs[0].shape
    lead = (*[1] * (4 - len(shape)), *shape[:-2])
    if len(lead) != 2:
        return None
    query, key = _matrix(scores, 0, "mk", lead), _matrix(scores, 1, "nk", lead)
    value, output = _matrix(values, 1, "kn", lead), _matrix(values, 2, "mn", lead)
    if query is None or key is None or value is None or output is None:
        return None
    inputs = [query, key, value]
    if "mask" in match.bound:
        wide = broadcast(match.bound["mask"], (*lead, query.shape[2], key.shape[2]))
        if wide is None:
            return None
        inputs.append(wide)
    whole = replace(
        values,
        kind="attention",
        inputs=tuple(inputs),
        outputs=(output,),
        nest=None,
        functions=(),
        attributes=(("causal", False), ("gqa", False)),
    )
    return whole if whole.macs == scores.macs + values.macs else None


def _matrix(product: Op, operand: int, order: str, lead: tuple[int, ...]) -> Access | None:
    """An operand of a product as ``[batch, heads, *order]``; None where it has other loops."""
    access, axes = product.operands[operand], product.loops.operands[operand]
    groups, rows, inner, columns = product.loops.classes(2)
    if any(len(dims) > 1 for dims in (rows, inner, columns)):
        return None
    loops = {"m": rows, "k": inner, "n": columns}
    wanted = [*groups, *(dim for letter in order for dim in loops[letter])]
    held = [axis.terms[0][0] if len(axis.terms) == 1 else -1 for axis in axes]
    if sorted(held) != sorted(wanted):
        return None
    ordered = view.permute(access, [held.index(dim) for dim in wanted])
    extents = [math.prod(product.loops.extents[dim] for dim in loops[letter]) for letter in order]
    if math.prod(product.loops.extents[dim] for dim in groups) != math.prod(lead):
        return None
    return view.reshape(ordered, (*lead, *extents))
