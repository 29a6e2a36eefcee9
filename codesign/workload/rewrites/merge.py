"""Merged blocks: an inverted residual without its activations is one dense convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Op, Tensor, Trace
from codesign.workload.rewrite import every_op
from codesign.workload.rewrites.blocks import Block, block_at, matching_paths
from codesign.workload.rewrites.edit import finished, known, listed, replaced
from codesign.workload.rewrites.merge_chain import Chain, windows
from codesign.workload.rewrites.scales import rescaled


def merge_block(trace: Trace, patterns: str | Sequence[str]) -> Trace:
    """Makes one dense k x k convolution of a 1x1, a depthwise k x k and a 1x1 convolution.

    All activations between them and normalisations are left out; the shortcut, if there is one,
    becomes a one in the middle of the kernels. An activation behind the last convolution stays.
    The weights have the format of those of the last convolution, the bias that of the one that it
    replaces. Source: Fu et al., "DepthShrinker", ICML 2022, section 3.

    Args:
        trace: of the whole model.
        patterns: of module paths such as ``stage[23].*``; the outermost modules that match.

    Raises:
        TraceError: nothing matches, a module that is no inverted residual with an expansion, or a
            quantised one whose shortcut is added outside of it in a scale of its own.
    """
    paths = matching_paths(known(trace, "merge_block"), patterns, "merge_block")
    made = trace
    for path in paths:
        made = _merged(made, block_at(made, path))
    note = f"blocks merged into one dense convolution each ({listed(paths)})"
    return finished(made, made.items, made.tensors, note, before=trace)


def _merged(trace: Trace, block: Block) -> Trace:
    chain = Chain.of(block)
    _refuse_converted_shortcut(trace, block)
    merged, tensors = _convolution(chain)
    at = block.ops[-1].name
    by = {op.name: (merged,) if op.name == at else () for op in block.ops}
    kept = tuple(tensor for tensor in trace.tensors if tensor.name not in block.stored)
    return trace.replace(items=replaced(trace.items, by), tensors=(*kept, *tensors))


def _refuse_converted_shortcut(trace: Trace, block: Block) -> None:
    """Quantised export adds the shortcut behind the block, where both terms change their scales.

    A kernel of whole numbers in one scale has no exact one in its middle, and a sum left outside
    would not be what the published merge deploys.
    """
    ends = {block.reads[0].name, block.writes[0].name}
    for op in every_op(trace.items):
        read = {access.tensor.name for access in op.inputs}
        if op.name not in block.names and {"add", "cast"} <= set(op.functions) and ends <= read:
            raise TraceError(
                f"merge_block: {block.path} is quantised, and {op.name!r} adds its shortcut in "
                "another scale, which no merged kernel of whole numbers can hold; merge the float "
                "model, and set the format with dtype or annotate"
            )


def _convolution(chain: Chain) -> tuple[Op, tuple[Tensor, ...]]:
    """The dense convolution and its new parameters."""
    nest, weight = _nest(chain), chain.project.inputs[1].tensor
    sizes = tuple(nest.extents[axis.terms[0][0]] for axis in nest.operands[1])
    name = f"{chain.path}.merged"
    dtype = rescaled(weight.dtype, weight.shape, sizes, f"{name}.weight", "merge_block")
    factors = [replace(weight, name=f"{name}.weight", shape=sizes, dtype=dtype)]
    if chain.bias is not None:
        channels, form = (sizes[_channel(chain.project)],), chain.bias.dtype
        factors.append(Tensor(f"{name}.bias", channels, DType(form.kind, form.bits), "weight"))
    views = tuple(tensor.access() for tensor in factors)
    added = ("add",) if len(views) > 1 else ()
    merged = Op(
        name=name,
        kind="contraction",
        inputs=(chain.expand.inputs[0], *views),
        outputs=(chain.output,),
        nest=nest,
        functions=added + chain.rest,
        module=chain.path,
        source=chain.project.source,
    )
    return merged, tuple(factors)


def _nest(chain: Chain) -> LoopNest:
    """The loops of the last convolution over the channels of the first and taps between."""
    nest, before = chain.project.loops, chain.depthwise.loops
    (channels,) = [d for d in nest.classes(len(chain.project.inputs))[2] if nest.extents[d] > 1]
    extents = list(nest.extents)
    extents[channels] = _summed(chain.expand)
    middles, firsts = iter(windows(chain.depthwise)), iter(windows(chain.expand))
    read: list[Axis] = []
    for axis in nest.operands[0]:
        if len(axis.terms) < 2:
            read.append(axis)
            continue
        (pixel, _), (tap, _) = axis.terms
        middle, first = next(middles), next(firsts)
        (_, stride), (taps, dilation) = middle.terms
        extents[tap] = before.extents[taps]
        padding = stride * axis.offset + middle.offset + first.offset  # of all three
        read.append(Axis(((pixel, stride), (tap, dilation)), padding))
    channel = nest.operands[1][_channel(chain.project)]
    bias = ((channel,),) if chain.bias is not None else ()
    operands = (tuple(read), nest.operands[1], *bias, nest.operands[-1])
    return LoopNest(nest.dims, tuple(extents), operands)


def _summed(op: Op) -> int:
    inner = op.loops.classes(len(op.inputs))[2]
    return max(op.loops.extents[dim] for dim in inner)


def _channel(op: Op) -> int:
    """Axis of the weight that runs over the output channels."""
    columns = op.loops.classes(len(op.inputs))[3]
    wide = max(columns, key=lambda dim: op.loops.extents[dim])
    return next(n for n, axis in enumerate(op.loops.operands[1]) if axis.terms == ((wide, 1),))
