"""The work fused behind a product: what may leave a region with it and what has to stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codesign.workload import view
from codesign.workload.affine import broadcast, project, traversal
from codesign.workload.nest import Axis
from codesign.workload.record import Access, Op
from codesign.workload.rewrite import with_operands


def split_at(op: Op, leaves: Sequence[bool]) -> int:
    """How many of the fused functions of a contraction may leave with its product.

    Args:
        op: a contraction; each ``add`` among its functions takes one more input, in order.
        leaves: for each input behind the factors, whether it may leave.

    Returns:
        A number up to ``len(op.functions)``; 0 where it is not plain which input goes where.
    """
    if leaves and op.functions.count("add") != len(leaves):
        return 0
    further = iter(leaves)
    for number, function in enumerate(op.functions):
        if function == "add" and not next(further, True):
            return number
    return len(op.functions)


def product_inputs(op: Op, functions: int) -> int:
    """Inputs of a contraction that its product takes with its first functions."""
    return 2 + op.functions[:functions].count("add")


def split(op: Op, functions: int, product: Access, name: str) -> tuple[Op, Op] | None:
    """A contraction as a product with its first functions, and an elementwise with the others.

    Args:
        op: the contraction, with one output.
        functions: how many functions stay with the product.
        product: where that is written, a view of the shape of the output.
        name: name of the elementwise operator.

    Returns:
        Both, or None where an input of the others does not line up with the output.
    """
    nest = op.loops
    inputs = product_inputs(op, functions)
    target, axes = op.outputs[0], nest.operands[-1]
    rest = [
        _spread(access, own, target, axes)
        for access, own in zip(op.inputs[inputs:], nest.operands[inputs:-1], strict=True)
    ]
    placed = [access for access in rest if access]
    if len(placed) != len(rest):
        return None
    first = replace(
        op,
        inputs=op.inputs[:inputs],
        outputs=(product,),
        nest=replace(nest, operands=(*nest.operands[:inputs], axes)),
        functions=op.functions[:functions],
    )
    second = Op(
        name,
        "elementwise",
        (product, *placed),
        op.outputs,
        functions=op.functions[functions:],
        module=op.module,
        source=op.source,
    )
    return first, second


def _spread(
    access: Access, own: Sequence[Axis], target: Access, axes: Sequence[Axis]
) -> Access | None:
    """A view with the axes of the output, broadcast along those that it lacks."""
    if any(axis not in axes for axis in own):
        return None
    strides = (access.strides[own.index(axis)] if axis in own else 0 for axis in axes)
    return replace(access, shape=target.shape, strides=tuple(strides))


def behind(product: Op, rest: Op) -> Op | None:
    """A contraction that does what an elementwise operator does with its result.

    The first function has to add that result to the first input of ``rest``; a sum of two numbers
    is the same in either order, so what comes out is exactly the same.

    Args:
        product: a contraction without functions, with one output.
        rest: what reads the whole of that output, and nothing else does.

    Returns:
        The contraction in the place of ``rest``, or None where their elements do not line up.
    """
    written, target = product.outputs[0], rest.outputs[0]
    if rest.functions[:1] != ("add",) or product.functions or len(rest.inputs) < 2:
        return None
    first, second, *further = rest.inputs
    if second.shape != target.shape or traversal(second) != traversal(written):
        return None
    output = view.reshape(target, written.shape)
    placed = [_reshaped(access, target.shape, written.shape) for access in (first, *further)]
    axes = product.loops.operands[-1]
    extra = [project(access, axes) for access in placed if access]
    if output is None or len(extra) != len(placed):
        return None
    return replace(with_operands(product, extra, output), functions=rest.functions)


def _reshaped(access: Access, shape: tuple[int, ...], target: tuple[int, ...]) -> Access | None:
    wide = broadcast(access, shape)
    return view.reshape(wide, target) if wide else None
