"""Putting an operator behind the contraction whose result it reads."""

from __future__ import annotations

from dataclasses import replace

from codesign.workload import view
from codesign.workload.affine import broadcast, project, traversal
from codesign.workload.record import Access, Op
from codesign.workload.rewrite import with_operands


def behind(product: Op, op: Op) -> Op | None:
    """The contraction with ``op`` done on its results, or None if that cannot be.

    Args:
        product: what makes an input of ``op``.
        op: one function for each element; its other inputs are repeated where they are smaller.
    """
    if product.kind != "contraction" or product.nest is None:
        return None
    written, target = product.outputs[0], op.outputs[0]
    read = [a for a in op.inputs if a.tensor.name == written.tensor.name]
    others = [a for a in op.inputs if a.tensor.name != written.tensor.name]
    if len(read) != 1 or read[0].shape != target.shape or traversal(read[0]) != traversal(written):
        return None
    output = view.reshape(target, written.shape)
    if output is None:
        return None
    placed = [_placed(access, target.shape, written.shape) for access in others]
    axes = product.nest.operands[-1]
    extra = [project(access, axes) for access in placed if access]
    if len(extra) != len(others):
        return None
    fused = with_operands(product, extra, output)
    return replace(fused, functions=product.functions + op.functions)


def _placed(access: Access, shape: tuple[int, ...], target: tuple[int, ...]) -> Access | None:
    wide = broadcast(access, shape)
    return view.reshape(wide, target) if wide else None
