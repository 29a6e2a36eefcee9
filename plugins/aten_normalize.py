"""Normalisations and softmax: whole operators with the width they normalise over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access


def _emit(
    builder: Builder, node: Node, inputs: Sequence[Access], function: str, width: int
) -> None:
    """One normalisation; statistics are written only if something reads them."""
    outputs = [builder.new(node.outputs[0])]
    outputs += [builder.new(value) for value in node.outputs[1:] if builder.is_used(value)]
    builder.emit("normalize", inputs, outputs, functions=(function,), width=width)


def _layer_norm(node: Node, builder: Builder, *, function: str, vectors: slice) -> None:
    """Layer norm and RMS norm over the trailing axes of ``normalized_shape``."""
    shape = node.args[1]
    inputs = [builder.access(node.args[0])]
    inputs += [builder.access(v) for v in node.args[vectors] if isinstance(v, Value)]
    _emit(builder, node, inputs, function, math.prod(shape))


def _group_norm(node: Node, builder: Builder) -> None:
    """``group_norm(input, groups, weight, bias)``."""
    source, groups = builder.access(node.args[0]), node.args[1]
    vectors = [node.argument(2, "weight"), node.argument(3, "bias")]
    _grouped(node, builder, source, vectors, groups)


def _native_group_norm(node: Node, builder: Builder) -> None:
    """``native_group_norm(input, weight, bias, N, C, HxW, groups, eps)``."""
    _grouped(node, builder, builder.access(node.args[0]), node.args[1:3], node.args[6])


def _grouped(
    node: Node, builder: Builder, source: Access, vectors: Sequence[object], groups: int
) -> None:
    width = math.prod(source.shape[1:]) // groups
    inputs = [source, *(builder.access(v) for v in vectors if isinstance(v, Value))]
    _emit(builder, node, inputs, "group_norm", width)


def _instance_norm(node: Node, builder: Builder) -> None:
    """``instance_norm(input, weight, bias, ...)``: every channel by its own statistics."""
    source = builder.access(node.args[0])
    _grouped(node, builder, source, node.args[1:3], source.shape[1])


def _batch_norm(node: Node, builder: Builder) -> None:
    """With stored statistics a scale and a shift per channel; else a normalisation."""
    if node.argument(5, "training", False):
        _batch_statistics(node, builder)
    else:
        _channelwise(node, builder)


def _batch_statistics(node: Node, builder: Builder) -> None:
    source = builder.access(node.args[0])
    vectors = [builder.access(v) for v in node.args[1:3] if isinstance(v, Value)]
    width = math.prod(source.shape) // max(1, source.shape[1])
    _emit(builder, node, [source, *vectors], "batch_norm", width)


def _channelwise(node: Node, builder: Builder) -> None:
    """Weight, bias, mean and variance are vectors, one element per channel of axis 1."""
    source = builder.access(node.args[0])
    output = builder.new(node.outputs[0], overlap=True)
    ones = [1] * (len(source.shape) - 2)
    vectors = [builder.access(v) for v in node.args[1:5] if isinstance(v, Value)]
    spread = [view.expand(builder.reshape(v, [-1, *ones]), source.shape) for v in vectors]
    builder.emit("elementwise", [source, *spread], [output], functions=("batch_norm",))


def _weight_norm(node: Node, builder: Builder) -> None:
    """``_weight_norm(v, g, dim)``: the direction ``v`` scaled to the length ``g``."""
    direction, length = (builder.access(v) for v in node.args[:2])
    width = math.prod(direction.shape) // max(1, math.prod(length.shape))
    _emit(builder, node, [direction, length], "weight_norm", width)


def _softmax(node: Node, builder: Builder, *, function: str) -> None:
    """The axis is moved last in both accesses, so that a row is what is normalised."""
    source = builder.access(node.args[0])
    output = builder.new(node.outputs[0])
    rank = len(source.shape)
    axis = node.args[1] % rank if rank else 0
    order = [i for i in range(rank) if i != axis] + [axis] * bool(rank)
    builder.emit(
        "softmax",
        [view.permute(source, order)],
        [view.permute(output, order)],
        functions=(function,),
        width=source.shape[axis] if rank else 1,
    )


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Normalisations of aten."""
    layer = partial(_layer_norm, function="layer_norm", vectors=slice(2, 4))
    rms = partial(_layer_norm, function="rms_norm", vectors=slice(2, 3))
    soft, log_soft = (partial(_softmax, function=f) for f in ("softmax", "log_softmax"))
    found: dict[str, Lowering] = {
        "layer_norm": layer,
        "native_layer_norm": layer,
        "rms_norm": rms,
        "_fused_rms_norm": rms,
        "group_norm": _group_norm,
        "native_group_norm": _native_group_norm,
        "instance_norm": _instance_norm,
        "batch_norm": _batch_norm,
        "native_batch_norm": _batch_norm,
        "_native_batch_norm_legit": _batch_statistics,
        "_native_batch_norm_legit_no_training": _channelwise,
        "_weight_norm": _weight_norm,
        "_weight_norm_interface": _weight_norm,
        "softmax": soft,
        "_softmax": soft,
        "_safe_softmax": soft,
        "log_softmax": log_soft,
        "_log_softmax": log_soft,
    }
    return {f"aten.{name}": lowering for name, lowering in found.items()}
