"""Views and copies: views re-bind an affine access for nothing, what must move is one ``move``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access

View = Callable[[Access, Node], Access]


def _viewed(node: Node, builder: Builder, *, make: View) -> None:
    builder.bind(node.outputs[0], make(builder.access(node.args[0]), node))


def _permute(access: Access, node: Node) -> Access:
    return view.permute(access, [axis % len(access.shape) for axis in node.args[1]])


def _transpose(access: Access, node: Node) -> Access:
    return view.transpose(access, node.args[1], node.args[2])


def _transpose_matrix(access: Access, _: Node) -> Access:
    return view.permute(access, list(reversed(range(len(access.shape)))))


def _swap_last(access: Access, _: Node) -> Access:
    return view.transpose(access, -2, -1)


def _unsqueeze(access: Access, node: Node) -> Access:
    return view.unsqueeze(access, node.args[1])


def _squeeze(access: Access, node: Node) -> Access:
    axes = node.argument(1, "dim")
    return view.squeeze(access, [axes] if isinstance(axes, int) else axes)


def _slice(access: Access, node: Node) -> Access:
    start, end = node.argument(2, "start"), node.argument(3, "end")
    axis, step = node.argument(1, "dim", 0), node.argument(4, "step", 1)
    return view.slice_axis(access, axis, start, end, step)


def _narrow(access: Access, node: Node) -> Access:
    _, axis, start, length = node.args
    return view.slice_axis(access, axis, start, start + length, 1)


def _select(access: Access, node: Node) -> Access:
    return view.select(access, node.args[1], node.args[2])


def _expand(access: Access, node: Node) -> Access:
    return view.expand(access, node.outputs[0].shape)


def _diagonal(access: Access, node: Node) -> Access:
    first, second = node.argument(2, "dim1", 0), node.argument(3, "dim2", 1)
    return view.diagonal(access, node.argument(1, "offset", 0), first, second)


def _unfold(access: Access, node: Node) -> Access:
    _, axis, size, step = node.args
    return view.unfold(access, axis, size, step)


def _move_axis(access: Access, node: Node) -> Access:
    rank = len(access.shape)
    sources, targets = (
        [axis % rank for axis in ([axes] if isinstance(axes, int) else axes)]
        for axes in node.args[1:3]
    )
    placed = dict(zip(targets, sources, strict=True))
    rest = iter([axis for axis in range(rank) if axis not in sources])
    return view.permute(access, [placed[i] if i in placed else next(rest) for i in range(rank)])


def _flip(access: Access, node: Node) -> Access:
    return view.flip(access, [axis % len(access.shape) for axis in node.args[1]])


def _same(access: Access, _: Node) -> Access:
    return access


def _nothing(_: Node, __: Builder) -> None:
    """A check that costs nothing and makes nothing."""


def _reshape(node: Node, builder: Builder) -> None:
    access = builder.access(node.args[0])
    builder.bind(node.outputs[0], builder.reshape(access, node.outputs[0].shape))


def _view(node: Node, builder: Builder) -> None:
    """A view in another shape is free; one of another element size is a copy of the same bytes.

    An access counts in elements of its tensor, so bytes cannot be re-read in another size in place.
    """
    source, output = node.args[0], node.outputs[0]
    if source.dtype.bits == output.dtype.bits:
        _reshape(node, builder)
        return
    builder.note(
        f"a view of {source.dtype} as {output.dtype} is counted as a copy of its bytes; "
        "torch makes none"
    )
    builder.move([builder.access(source)], builder.new(output), "reinterpret")


def _parts(node: Node, builder: Builder, *, drop_axis: bool = False) -> None:
    """chunk, split, split_with_sizes and unbind: consecutive slices of one axis."""
    access = builder.access(node.args[0])
    axis = node.argument(1 if drop_axis else 2, "dim", 0) % len(access.shape)
    start = 0
    for output in node.outputs:
        if drop_axis:
            part, length = view.select(access, axis, start), 1
        else:
            length = output.shape[axis]
            part = view.slice_axis(access, axis, start, start + length, 1)
        builder.bind(output, part)
        start += length


def _clone(node: Node, builder: Builder) -> None:
    """A copy is free unless its source is overwritten while the copy is still in use."""
    access = builder.access(node.args[0])
    if builder.is_overwritten(node.args[0], node.outputs[0]):
        target = builder.new(node.outputs[0])
        builder.move([access], target)
    else:
        builder.bind(node.outputs[0], access)


def _copy(node: Node, builder: Builder) -> None:
    """A functional ``copy(target, source)`` is its source; an update that follows writes it."""
    source = view.expand(builder.access(node.args[1]), node.outputs[0].shape)
    if node.target.startswith("aten.copy_"):
        target = builder.access(node.args[0])
        builder.move([source], target)
        builder.bind(node.outputs[0], target)
    elif node.args[1].dtype == node.outputs[0].dtype:
        builder.bind(node.outputs[0], source)
    else:
        target = builder.new(node.outputs[0], overlap=True)
        builder.emit("elementwise", [source], [target], what="cast", functions=("cast",))


def _joined(node: Node, builder: Builder) -> None:
    """Cat and stack: every source is read and the result written, once."""
    sources = [builder.access(value) for value in node.args[0]]
    _rewrite(node, builder, [source for source in sources if source.elements])


def _moved(node: Node, builder: Builder) -> None:
    """pad, roll and repeat: the source is read and the result written."""
    _rewrite(node, builder, [builder.access(node.args[0])])


def _rewrite(node: Node, builder: Builder, sources: Sequence[Access]) -> None:
    target = builder.new(node.outputs[0], overlap=True)
    builder.move(sources, target)


def _repeat(node: Node, builder: Builder) -> None:
    """A repeat of axes of extent 1 is a broadcast and free; any other copies."""
    access, output = builder.access(node.args[0]), node.outputs[0]
    lead = len(output.shape) - len(access.shape)
    grown = zip(access.shape, output.shape[lead:], strict=True)
    if all(old in (1, new) for old, new in grown):
        builder.bind(output, view.expand(access, output.shape))
    else:
        _moved(node, builder)


def _updated(node: Node, builder: Builder, *, make: View) -> None:
    """slice_scatter and its kin: only the replaced elements are written, where that is allowed."""
    whole = builder.updatable(node.args[0])
    region = make(whole, Node(node.target, (node.args[0], *node.args[2:]), node.kwargs, ()))
    source = view.expand(builder.access(node.args[1]), region.shape)
    if source != region:
        builder.move([source], region, "update")
    builder.bind(node.outputs[0], whole)


def _as_strided(access: Access, node: Node) -> Access:
    """Strides over the storage, from where the source begins unless the call says where."""
    shape, strides = tuple(node.args[1]), tuple(node.args[2])
    offset = node.argument(3, "storage_offset")
    if math.prod(access.tensor.shape) == 1:  # a constant that is one number throughout
        return Access(access.tensor, shape, (0,) * len(shape), 0, access.advance)
    start = access.offset if offset is None else offset
    return Access(access.tensor, shape, strides, start, access.advance)


_VIEWS: Mapping[str, View] = {
    "permute": _permute,
    "transpose": _transpose,
    "swapaxes": _transpose,
    "t": _transpose_matrix,
    "numpy_T": _transpose_matrix,
    "mT": _swap_last,
    "adjoint": _swap_last,
    "movedim": _move_axis,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "slice": _slice,
    "narrow": _narrow,
    "select": _select,
    "expand": _expand,
    "expand_as": _expand,
    "broadcast_to": _expand,
    "diagonal": _diagonal,
    "unfold": _unfold,
    "as_strided": _as_strided,
    "flip": _flip,
}
_FREE = (
    "alias detach dropout feature_dropout alpha_dropout native_dropout positive conj "
    "resolve_conj resolve_neg real lift contiguous"
)
_RESHAPES = ("reshape", "_unsafe_view", "flatten", "unflatten", "view_as", "reshape_as")
_GUARDS = ("_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_size")
_UPDATES: Mapping[str, View] = {
    "slice_scatter": _slice,
    "select_scatter": _select,
    "diagonal_scatter": _diagonal,
    "as_strided_scatter": _as_strided,
}


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Views, copies and no-ops of aten."""
    found: dict[str, Any] = {name: partial(_viewed, make=make) for name, make in _VIEWS.items()}
    found |= {name: partial(_viewed, make=_same) for name in _FREE.split()}
    found |= {name: partial(_updated, make=make) for name, make in _UPDATES.items()}
    found |= dict.fromkeys(_RESHAPES, _reshape)
    found["view"] = _view
    found |= dict.fromkeys(_GUARDS, _nothing)
    found |= dict.fromkeys(("chunk", "split", "split_with_sizes", "tensor_split"), _parts)
    found["unbind"] = partial(_parts, drop_axis=True)
    found |= dict.fromkeys(("clone", "lift_fresh_copy"), _clone)
    found |= dict.fromkeys(("copy", "copy_"), _copy)
    found |= dict.fromkeys(("cat", "stack", "concat", "hstack", "vstack"), _joined)
    found |= dict.fromkeys(("pad", "constant_pad_nd", "roll", "pixel_shuffle"), _moved)
    found |= dict.fromkeys(("pixel_unshuffle", "channel_shuffle", "repeat_interleave"), _moved)
    found["repeat"] = _repeat
    return {f"aten.{name}": lowering for name, lowering in found.items()}
