"""What a merged block is made of: three convolutions in a row, and what follows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codesign.errors import TraceError
from codesign.workload.affine import covers
from codesign.workload.nest import Axis
from codesign.workload.record import Access, Op, Tensor
from codesign.workload.rewrites.blocks import Block
from codesign.workload.rewrites.edit import dense, listed

_AROUND = ("elementwise", "normalize")
"""Kinds that a merge may remove beside the three convolutions."""
_AT_REST = ("weight", "constant")
_SHIFTS = {"add", "sub", "batch_norm", "layer_norm", "group_norm"}
"""Functions whose stored vectors add to the bias of the merged convolution."""
_NORMS = {"batch_norm", "layer_norm", "rms_norm", "group_norm"}
_ARITHMETIC = {"add", "sub", "mul", "div"}


@dataclass(frozen=True)
class Chain:
    """The three convolutions of a block, what it writes, and what else it does.

    Attributes:
        path: of the module.
        expand: the 1x1 convolution that the block begins with.
        depthwise: the one behind it.
        project: the 1x1 convolution behind that.
        output: what the block writes.
        rest: functions behind the last convolution but for bias, scale, norm and shortcut.
        bias: a stored vector that becomes part of the new bias; None without any.
    """

    path: str
    expand: Op
    depthwise: Op
    project: Op
    output: Access
    rest: tuple[str, ...]
    bias: Tensor | None

    @classmethod
    def of(cls, block: Block) -> Chain:
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
        is_last = output.tensor.name == block.writes[0].name
        if not is_last or output.shape != project.outputs[0].shape or not covers(output):
            raise _refusal(block.path, "must write what its last convolution gives, whole")
        _Walk(block).check(expand, depthwise, project)
        after = [op for op in others if block.ops.index(op) > block.ops.index(project)]
        vectors = [tensor for op in block.ops for tensor in _shifts(op)]
        last = [tensor for op in (project, *after) for tensor in _shifts(op)]
        rest = tuple(function for op in (project, *after) for function in _rest(block.path, op))
        bias = next(reversed(last or vectors), None)
        return cls(block.path, expand, depthwise, project, output, rest, bias)


class _Walk:
    """From the output of a block back to what it reads, with nothing but the chain on the way."""

    def __init__(self, block: Block) -> None:
        self._path, self._source = block.path, block.reads[0].name
        self._output = block.writes[0]
        self._makers: Mapping[str, Op] = {a.tensor.name: op for op in block.ops for a in op.outputs}

    def check(self, expand: Op, depthwise: Op, project: Op) -> None:
        """Refuses what is no chain.

        Raises:
            TraceError: a branch beside the convolutions, or a product of two activations.
        """
        tensor = self._output
        for op, wants in ((project, "project"), (depthwise, "convolve"), (expand, "expand")):
            if self._back(tensor, is_end=wants == "project") is not op:
                raise self._no_chain(op.name)
            if self._moving(op, is_end=wants == "project") != [op.inputs[0].tensor.name]:
                raise self._no_chain(op.name)
            tensor = op.inputs[0].tensor
        if tensor.name != self._source:
            raise self._no_chain(expand.name)

    def _back(self, tensor: Tensor, *, is_end: bool) -> Op | None:
        """The convolution that a tensor comes from, through what a merge removes or puts behind."""
        op = self._makers.get(tensor.name)
        while op is not None and op.kind in _AROUND:
            moving = self._moving(op, is_end=is_end)
            if len(moving) != 1:
                return None
            op = self._makers.get(moving[0])
        return op

    def _moving(self, op: Op, *, is_end: bool) -> list[str]:
        """Names of the activations that an operator reads, but for a shortcut that it adds."""
        moving = [a.tensor.name for a in op.inputs if a.tensor.role not in _AT_REST]
        extra = len(op.inputs) - (2 if op.kind == "contraction" else 1)
        adds_all = op.functions.count("add") >= extra
        if is_end and adds_all and len(moving) == 2 and self._source in moving:
            moving.remove(self._source)
        return moving

    def _no_chain(self, name: str) -> TraceError:
        return _refusal(
            self._path,
            f"must be a 1x1, a depthwise and a 1x1 convolution in a row, {name} is in none (beside "
            "another, or multiplied by what the model computes)",
        )


def windows(op: Op) -> list[Axis]:
    """Axes of the input along which a window slides."""
    return [axis for axis in op.loops.operands[0] if len(axis.terms) == 2]


def _refusal(path: str, rule: str) -> TraceError:
    return TraceError(
        f"merge_block: {path} {rule}; only inverted residuals with an expansion merge"
    )


def _is_pointwise(op: Op) -> bool:
    groups, _, inner, columns = op.loops.classes(len(op.inputs))
    extents = op.loops.extents
    wide = [sum(extents[dim] > 1 for dim in dims) for dims in (groups, inner, columns)]
    steps = [axis.terms[0][1] for axis in windows(op)]
    stored = op.inputs[1].tensor.role == "weight"
    return stored and len(windows(op)) > 0 and wide == [0, 1, 1] and set(steps) == {1}


def _is_depthwise(op: Op) -> bool:
    groups, _, inner, columns = op.loops.classes(len(op.inputs))
    extents = op.loops.extents
    taps = {axis.terms[1][0] for axis in windows(op)}
    channels = [dim for dim in (*inner, *columns) if dim not in taps and extents[dim] > 1]
    return bool(taps) and any(extents[dim] > 1 for dim in groups) and not channels


def _stored(op: Op) -> list[Tensor]:
    """Stored operands beside the factors of a product."""
    first = 2 if op.kind == "contraction" else 0
    return [a.tensor for a in op.inputs[first:] if a.tensor.role in _AT_REST]


def _shifts(op: Op) -> list[Tensor]:
    return _stored(op) if _SHIFTS & set(op.functions) else []


def _rest(path: str, op: Op) -> list[str]:
    """Functions that a merge keeps: neither a norm nor arithmetic with a further operand.

    Raises:
        TraceError: another function has an operand of its own, which the merge would lose.
    """
    functions = [] if op.kind == "normalize" else list(op.functions)
    if op.kind == "normalize" or _NORMS & set(functions):
        return [function for function in functions if function not in _NORMS]
    operands = len(op.inputs) - (2 if op.kind == "contraction" else 1)
    meant = [function for function in functions if function in _ARITHMETIC][:operands]
    if len(meant) < operands:
        raise _refusal(path, f"has an activation with weights of its own ({op.name}) at its end")
    for function in meant:
        functions.remove(function)
    return functions
