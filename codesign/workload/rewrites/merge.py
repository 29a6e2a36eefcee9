"""Merged blocks: an inverted residual without its activations is one dense convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codesign.errors import TraceError
from codesign.workload.affine import covers
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access, Op, Tensor, Trace
from codesign.workload.rewrites.blocks import Block, block_at, matching_paths
from codesign.workload.rewrites.edit import dense, finished, listed, replaced

_AROUND = ("elementwise", "normalize")
"""Kinds that a merge may remove beside the three convolutions."""


def merge_block(trace: Trace, patterns: str | Sequence[str]) -> Trace:
    """Makes one dense k x k convolution of a 1x1, a depthwise k x k and a 1x1 convolution.

    All activations between them and normalisations are left out; the shortcut, if there is one,
    becomes a one in the middle of the kernels. An activation behind the last convolution stays.
    Source: Fu et al., "DepthShrinker", ICML 2022, section 3.

    Args:
        trace: of the whole model.
        patterns: of module paths such as ``stage[23].*``; the outermost modules that match.

    Raises:
        TraceError: nothing matches, or a module that is no inverted residual with an expansion.
    """
    paths = matching_paths(trace, patterns, "merge_block")
    made = trace
    for path in paths:
        made = _merged(made, block_at(made, path))
    note = f"blocks merged into one dense convolution each ({listed(paths)})"
    return finished(made, made.items, made.tensors, note, before=trace)


def _merged(trace: Trace, block: Block) -> Trace:
    chain = _Chain.of(block)
    merged, tensors = chain.convolution()
    at = block.ops[-1].name
    by = {op.name: (merged,) if op.name == at else () for op in block.ops}
    kept = tuple(tensor for tensor in trace.tensors if tensor.name not in block.stored)
    return trace.replace(items=replaced(trace.items, by), tensors=(*kept, *tensors))


@dataclass(frozen=True)
class _Chain:
    """The three convolutions of a block, and what the block reads and writes."""

    path: str
    expand: Op
    depthwise: Op
    project: Op
    output: Access
    rest: tuple[str, ...]

    @classmethod
    def of(cls, block: Block) -> _Chain:
        """The parts of an inverted residual.

        Raises:
            TraceError: the block is none.
        """
        products = [op for op in block.ops if op.kind == "contraction"]
        others = [op for op in block.ops if op.kind != "contraction"]
        strange = [op.name for op in others if op.kind not in _AROUND]
        if len(products) != 3 or strange:
            what = f"{len(products)} products" + (f" and {listed(strange)}" if strange else "")
            raise _refusal(block.path, f"must hold three convolutions, holds {what}")
        expand, depthwise, project = products
        if not (_is_pointwise(expand) and _is_depthwise(depthwise) and _is_pointwise(project)):
            raise _refusal(block.path, "must be a 1x1, a depthwise and a 1x1 convolution in a row")
        if len(block.reads) != 1 or len(block.writes) != 1:
            raise _refusal(block.path, "must read one tensor and write one")
        for op in products:
            dense(op.inputs[1].tensor, "merge_block")
        output = block.ops[-1].outputs[0]
        if output.shape != project.outputs[0].shape or not covers(output):
            raise _refusal(block.path, "must write what its last convolution gives, whole")
        return cls(block.path, expand, depthwise, project, output, _behind(block, project))

    def convolution(self) -> tuple[Op, tuple[Tensor, ...]]:
        """The dense convolution and its new parameters."""
        nest, weight = self._nest(), self.project.inputs[1].tensor
        sizes = [nest.extents[axis.terms[0][0]] for axis in nest.operands[1]]
        factors = [replace(weight, name=f"{self.path}.merged.weight", shape=tuple(sizes))]
        if len(nest.operands) > 3:
            channels = (sizes[_channel(self.project)],)
            factors.append(replace(weight, name=f"{self.path}.merged.bias", shape=channels))
        views = tuple(tensor.access() for tensor in factors)
        added = ("add",) if len(views) > 1 else ()
        merged = Op(
            name=f"{self.path}.merged",
            kind="contraction",
            inputs=(self.expand.inputs[0], *views),
            outputs=(self.output,),
            nest=nest,
            functions=added + self.rest,
            module=self.path,
            source=self.project.source,
        )
        return merged, tuple(factors)

    def _nest(self) -> LoopNest:
        """The loops of the last convolution over the channels of the first and taps between."""
        nest, before = self.project.loops, self.depthwise.loops
        (channels,) = [d for d in nest.classes(len(self.project.inputs))[2] if nest.extents[d] > 1]
        extents = list(nest.extents)
        extents[channels] = _summed(self.expand)
        windows = iter([axis for axis in before.operands[0] if len(axis.terms) == 2])
        read: list[Axis] = []
        for axis in nest.operands[0]:
            if len(axis.terms) < 2:
                read.append(axis)
                continue
            (pixel, _), (tap, _) = axis.terms
            window = next(windows)
            (_, stride), (taps, dilation) = window.terms
            extents[tap] = before.extents[taps]
            read.append(Axis(((pixel, stride), (tap, dilation)), window.offset))
        channel = nest.operands[1][_channel(self.project)]
        biased = any(_biases(op) for op in (self.expand, self.depthwise, self.project))
        bias = ((channel,),) if biased else ()
        operands = (tuple(read), nest.operands[1], *bias, nest.operands[-1])
        return LoopNest(nest.dims, tuple(extents), operands)


def _refusal(path: str, rule: str) -> TraceError:
    return TraceError(
        f"merge_block: {path} {rule}; only inverted residuals with an expansion merge"
    )


def _windows(op: Op) -> list[Axis]:
    return [axis for axis in op.loops.operands[0] if len(axis.terms) == 2]


def _summed(op: Op) -> int:
    inner = op.loops.classes(len(op.inputs))[2]
    return max(op.loops.extents[dim] for dim in inner)


def _channel(op: Op) -> int:
    """Axis of the weight that runs over the output channels."""
    columns = op.loops.classes(len(op.inputs))[3]
    wide = max(columns, key=lambda dim: op.loops.extents[dim])
    return next(n for n, axis in enumerate(op.loops.operands[1]) if axis.terms == ((wide, 1),))


def _is_pointwise(op: Op) -> bool:
    groups, _, inner, columns = op.loops.classes(len(op.inputs))
    extents = op.loops.extents
    wide = [sum(extents[dim] > 1 for dim in dims) for dims in (groups, inner, columns)]
    steps = [axis.terms[0][1] for axis in _windows(op)]
    stored = op.inputs[1].tensor.role == "weight"
    return stored and len(_windows(op)) > 0 and wide == [0, 1, 1] and set(steps) == {1}


def _is_depthwise(op: Op) -> bool:
    groups, _, inner, columns = op.loops.classes(len(op.inputs))
    extents = op.loops.extents
    taps = {axis.terms[1][0] for axis in _windows(op)}
    channels = [dim for dim in (*inner, *columns) if dim not in taps and extents[dim] > 1]
    return bool(taps) and any(extents[dim] > 1 for dim in groups) and not channels


def _biases(op: Op) -> bool:
    return any(access.tensor.role in ("weight", "constant") for access in op.inputs[2:])


def _behind(block: Block, project: Op) -> tuple[str, ...]:
    """Functions behind the last convolution but for its bias and the shortcut."""
    after = [op for op in block.ops[block.ops.index(project) + 1 :] if op.kind == "elementwise"]
    functions = [function for op in (project, *after) for function in op.functions]
    added = len(project.inputs) - 2 + sum(len(op.inputs) - 1 for op in after)
    for _ in range(min(added, functions.count("add"))):
        functions.remove("add")
    return tuple(functions)
