"""Scaled dot-product attention, kept whole: an engine that cannot take it gets its parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access


def _attention(node: Node, builder: Builder, *, mask: int | None, causal: int) -> None:
    """Query, key, value and mask as ``[batch, heads, length, width]``.

    The result is stored by position, then head, as torch does: joining the heads is then free.

    Args:
        node: the call.
        builder: what it is lowered with.
        mask: position of the mask among the arguments, if the call can have one.
        causal: position of the flag ``is_causal``.
    """
    output, rank = node.outputs[0], len(node.outputs[0].shape)
    order = (*range(rank - 3), rank - 2, rank - 3, rank - 1) if rank > 2 else ()
    target = _ranked(builder.new(output, order=order))
    query, key, value = (_ranked(builder.access(v)) for v in node.args[:3])
    inputs = [query, key, value]
    given = node.argument(mask, "attn_mask") if mask is not None else None
    if isinstance(given, Value):
        shape = (query.shape[0], query.shape[1], query.shape[2], key.shape[2])
        inputs.append(view.expand(builder.access(given), shape))
    builder.emit(
        "attention",
        inputs,
        [target],
        causal=bool(node.argument(causal, "is_causal", False)),
        gqa=query.shape[1] != key.shape[1],
    )


def _ranked(access: Access) -> Access:
    """With four axes: missing ones in front, several batch axes become one if strides allow."""
    while len(access.shape) < 4:
        access = view.unsqueeze(access, 0)
    if len(access.shape) == 4:
        return access
    merged = view.reshape(access, (-1, *access.shape[-3:]))
    return merged if merged is not None else access


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Attention of aten, in the forms that torch's kernels give it."""
    names = {
        "scaled_dot_product_attention": partial(_attention, mask=3, causal=5),
        "_scaled_dot_product_flash_attention": partial(_attention, mask=None, causal=4),
        "_scaled_dot_product_flash_attention_for_cpu": partial(_attention, mask=5, causal=4),
        "_scaled_dot_product_efficient_attention": partial(_attention, mask=3, causal=6),
        "_scaled_dot_product_cudnn_attention": partial(_attention, mask=3, causal=6),
        "_scaled_dot_product_attention_math": partial(_attention, mask=3, causal=5),
    }
    return {f"aten.{name}": lowering for name, lowering in names.items()}
