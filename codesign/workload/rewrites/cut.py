"""Tensors with shorter axes, and the views of them that operators keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from codesign.workload.record import Access, Attribute, Op, Tensor
from codesign.workload.rewrites.scales import rescaled
from codesign.workload.tensor import contiguous_strides


@dataclass
class Cuts:
    """New extents, found one after the other.

    Attributes:
        tensors: by name of a tensor, the new extent of each of its axes that is cut.
        loops: by name of an operator, the new extent of each of its loops that is cut.
        views: by name of an operator, the new extent of each axis (operand, axis) of its views.
        widths: by name of an operator, the new number of elements that it normalises over.
    """

    tensors: dict[str, dict[int, int]] = field(default_factory=dict)
    loops: dict[str, dict[int, int]] = field(default_factory=dict)
    views: dict[str, dict[tuple[int, int], int]] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)

    def tensor(self, tensor: Tensor) -> Tensor:
        """The tensor with its new shape, and the blocks of its format as long as that asks.

        Raises:
            TraceError: its blocks do not fit the new shape.
        """
        cut = self.tensors.get(tensor.name, {})
        if not cut:
            return tensor
        shape = tuple(cut.get(axis, extent) for axis, extent in enumerate(tensor.shape))
        dtype = rescaled(tensor.dtype, tensor.shape, shape, tensor.name, "shrink_widths")
        return replace(tensor, shape=shape, dtype=dtype)

    def op(self, op: Op) -> Op:
        """The operator on the new tensors."""
        views = self.views.get(op.name)
        if views is None:
            return op
        made = [self._access(access, number, views) for number, access in enumerate(op.operands)]
        split = len(op.inputs)
        loops = self.loops.get(op.name, {})
        nest = op.nest and replace(
            op.nest,
            extents=tuple(loops.get(dim, extent) for dim, extent in enumerate(op.nest.extents)),
        )
        facts = tuple((name, self._fact(op, name, value, made)) for name, value in op.attributes)
        inputs, outputs = tuple(made[:split]), tuple(made[split:])
        return replace(op, inputs=inputs, outputs=outputs, nest=nest, attributes=facts)

    def _access(self, access: Access, number: int, views: Mapping[tuple[int, int], int]) -> Access:
        tensor = self.tensor(access.tensor)
        shape = tuple(views.get((number, axis), n) for axis, n in enumerate(access.shape))
        if tensor is access.tensor:
            return replace(access, shape=shape)
        old, new = (contiguous_strides(one.shape) for one in (access.tensor, tensor))
        return replace(
            access,
            tensor=tensor,
            shape=shape,
            strides=tuple(_moved(stride, old, new) for stride in access.strides),
            offset=_moved(access.offset, old, new),
            advance=tuple(_moved(step, old, new) for step in access.advance),
        )

    def _fact(self, op: Op, name: str, value: Attribute, made: list[Access]) -> Attribute:
        if name == "width":
            return self.widths.get(op.name, value)
        if name == "row_bytes" and op.kind == "gather":
            return made[0].tensor.dtype.storage_bytes(made[0].shape[-1])
        return value


def axis_of_tensor(access: Access, axis: int) -> int | None:
    """Axis of the tensor that an axis of a view runs over from end to end, or None."""
    tensor, stride, extent = access.tensor, access.strides[axis], access.shape[axis]
    pairs = zip(contiguous_strides(tensor.shape), tensor.shape, strict=True)
    return next((n for n, pair in enumerate(pairs) if pair == (stride, extent)), None)


def axis_of_view(access: Access, axis: int) -> int | None:
    """Axis of a view that runs over an axis of its tensor from end to end, or None."""
    stride = contiguous_strides(access.tensor.shape)[axis]
    pairs = zip(access.strides, access.shape, strict=True)
    wanted = stride, access.tensor.shape[axis]
    return next((number for number, pair in enumerate(pairs) if pair == wanted), None)


def _moved(value: int, old: tuple[int, ...], new: tuple[int, ...]) -> int:
    """A distance in elements, taken apart into steps along the axes and put together again."""
    rest, total = abs(value), 0
    for before, after in zip(old, new, strict=True):
        steps, rest = divmod(rest, before)
        total += steps * after
    return total if value >= 0 else -total
