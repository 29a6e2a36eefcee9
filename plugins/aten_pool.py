"""Pooling and resizing: windowed reductions and interpolation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node
from codesign.workload.lowering import Lowering
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access


def _pool(node: Node, builder: Builder, *, function: str, rank: int, dilated: bool) -> None:
    """``pool(input, kernel, stride, padding, dilation)``: the stride is the kernel by default."""
    kernel = _spread(node.args[1], rank)
    stride = _spread(node.argument(2, "stride") or kernel, rank)
    padding = _spread(node.argument(3, "padding", 0), rank)
    dilation = _spread(node.argument(4, "dilation", 1), rank) if dilated else (1,) * rank
    _emit(node, builder, function, kernel, stride, dilation, padding)


def _adaptive(node: Node, builder: Builder, *, function: str, rank: int) -> None:
    """Windows of the smallest uniform size that reach the last pixel.

    Where the input is no multiple of the output, torch's windows differ by a pixel in size and
    place; these have the same number and cover the same input.
    """
    source = node.args[0].shape[-rank:]
    result = node.outputs[0].shape[-rank:]
    stride = tuple(i // o for i, o in zip(source, result, strict=True))
    kernel = tuple(i - (o - 1) * s for i, o, s in zip(source, result, stride, strict=True))
    _emit(node, builder, function, kernel, stride, (1,) * rank, (0,) * rank)


def _spread(value: Any, rank: int) -> tuple[int, ...]:
    numbers = [value] if isinstance(value, int) else list(value)
    return tuple(numbers * rank if len(numbers) == 1 else numbers)


def _emit(
    node: Node,
    builder: Builder,
    function: str,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
) -> None:
    rank = len(kernel)
    source = _batched(builder.access(node.args[0]), rank)
    results = [builder.new(v) for v in node.outputs if builder.is_used(v)]
    outputs = [_batched(result, rank) for result in results]
    letters = "zyx"[3 - rank :]
    pixels = zip([f"o{c}" for c in letters], outputs[0].shape[2:], strict=True)
    taps = zip([f"k{c}" for c in letters], kernel, strict=True)
    loops = dict(zip("bc", source.shape, strict=False)) | dict(pixels) | dict(taps)
    plain = tuple(Axis(((dim, 1),)) for dim in range(2 + rank))
    steps = enumerate(zip(stride, dilation, padding, strict=True))
    window = tuple(Axis(((2 + i, s), (2 + rank + i, d)), -p) for i, (s, d, p) in steps)
    nest = LoopNest(
        tuple(loops), tuple(loops.values()), ((*plain[:2], *window), *[plain] * len(outputs))
    )
    width = 1
    for taps_of_axis in kernel:
        width *= taps_of_axis
    builder.emit("reduce", [source], outputs, nest=nest, functions=(function,), width=width)


def _batched(access: Access, rank: int) -> Access:
    """With a batch axis, which torch lets the caller leave out."""
    return view.unsqueeze(access, 0) if len(access.shape) == rank + 1 else access


def _resize(node: Node, builder: Builder, *, function: str) -> None:
    """Every output element is worked out from its neighbours in the input, which is read once."""
    source, output = builder.access(node.args[0]), builder.new(node.outputs[0])
    builder.emit("elementwise", [source], [output], functions=(function,))


_RESIZES = {
    "upsample_nearest1d": "nearest",
    "upsample_nearest2d": "nearest",
    "upsample_nearest3d": "nearest",
    "_upsample_nearest_exact1d": "nearest",
    "_upsample_nearest_exact2d": "nearest",
    "upsample_linear1d": "linear",
    "upsample_bilinear2d": "bilinear",
    "_upsample_bilinear2d_aa": "bilinear",
    "upsample_trilinear3d": "trilinear",
    "upsample_bicubic2d": "bicubic",
    "_upsample_bicubic2d_aa": "bicubic",
}


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Pooling and resizing of aten."""
    found: dict[str, Lowering] = {n: partial(_resize, function=f) for n, f in _RESIZES.items()}
    for rank in (1, 2, 3):
        largest = partial(_pool, function="max", rank=rank, dilated=True)
        found[f"max_pool{rank}d"] = largest
        found[f"max_pool{rank}d_with_indices"] = largest
        found[f"avg_pool{rank}d"] = partial(_pool, function="mean", rank=rank, dilated=False)
        mean = partial(_adaptive, function="mean", rank=rank)
        found |= dict.fromkeys((f"adaptive_avg_pool{rank}d", f"_adaptive_avg_pool{rank}d"), mean)
        found[f"adaptive_max_pool{rank}d"] = partial(_adaptive, function="max", rank=rank)
    return {f"aten.{name}": lowering for name, lowering in found.items()}
