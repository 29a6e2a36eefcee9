"""The networks that were given to Vela, as traces: shapes by name, MobileNet v1 and DS-CNN."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codesign import Access, DType, Op, Tensor, Trace
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.tensor import Role

RECORD = DType.parse("int80")
"""Bias and scale of a channel as the NPU reads them: ten bytes."""
_INT8 = DType.parse("int8")


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of a chain.

    Attributes:
        name: as Vela prints it.
        kind: ``conv``, ``depthwise``, ``linear`` or ``add``.
        channels: of the input.
        filters: channels of the output.
        size: height and width of the input; of a linear layer 1 and its rows.
        kernel: taps along each axis.
        stride: of both axes; the padding is that of TensorFlow's ``SAME``.
    """

    name: str
    kind: str
    channels: int
    filters: int
    size: tuple[int, int]
    kernel: int = 1
    stride: int = 1

    @property
    def results(self) -> tuple[int, int]:
        """Height and width of the output."""
        height, width = (-(-size // self.stride) for size in self.size)
        return height, width


def _single(kind: str, channels: int, filters: int, size: tuple[int, int], *more: int) -> Step:
    return Step("t1" if kind == "add" else "t3", kind, channels, filters, size, *more)


def _separable(first: Step, layers: Sequence[tuple[int, int]], channels: int) -> tuple[Step, ...]:
    """A convolution, then for each (filters, stride) a depthwise one and a 1x1 one."""
    steps, size = [first], first.results
    for filters, stride in layers:
        number = 3 * len(steps) + 3
        steps.append(Step(f"t{number}", "depthwise", channels, channels, size, 3, stride))
        size = steps[-1].results
        steps.append(Step(f"t{number + 3}", "conv", channels, filters, size))
        channels = filters
    return tuple(steps)


_MOBILENET = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5)
NETWORKS: Mapping[str, tuple[Step, ...]] = {
    "add_56x56x64": (_single("add", 64, 64, (56, 56)),),
    "conv1x1_56x56x64_256": (_single("conv", 64, 256, (56, 56)),),
    "conv3x3_56x56x64_64": (_single("conv", 64, 64, (56, 56), 3),),
    "conv7x7s2_224x224x3_64": (_single("conv", 3, 64, (224, 224), 7, 2),),
    "dw3x3_56x56x128": (_single("depthwise", 128, 128, (56, 56), 3),),
    "fc_1x1024_1024": (_single("linear", 1024, 1024, (1, 1)),),
    "fc_64x512_512": (_single("linear", 512, 512, (1, 64)),),
    "ds_cnn_like_49x10x1": _separable(
        Step("t3", "conv", 1, 64, (49, 10), 3, 2), [(64, 1)] * 4, channels=64
    ),
    "mobilenet_v1_1.0_224_body": _separable(
        Step("t3", "conv", 3, 32, (224, 224), 3, 2),
        (*_MOBILENET, (1024, 2), (1024, 1)),
        channels=32,
    ),
}
"""Operators by the name of the model; MobileNet v1 (Howard et al., 2017) without its classifier,
and a small keyword network after DS-CNN (Zhang et al., 2017)."""


def trace_of(model: str, outside: tuple[Role, Role]) -> Trace:
    """The trace of a model.

    Args:
        model: one of ``NETWORKS``.
        outside: roles of its input and of its output.
    """
    steps = NETWORKS[model]
    source = Tensor("input", _image(steps[0], steps[0].size, steps[0].channels), _INT8, outside[0])
    operators = []
    for place, step in enumerate(steps):
        role: Role = outside[1] if place == len(steps) - 1 else "activation"
        shape = _image(step, step.results, step.filters)
        target = Tensor(f"{step.name}.output", shape, _INT8, role)
        operators.append(_operator(step, source, target))
        source = target
    tensors = {a.tensor.name: a.tensor for op in operators for a in op.operands}
    return Trace(model, tuple(operators), tuple(tensors.values()))


def _image(step: Step, size: tuple[int, int], channels: int) -> tuple[int, ...]:
    return (size[1], channels) if step.kind == "linear" else (channels, *size)


def _operator(step: Step, source: Tensor, target: Tensor) -> Op:
    if step.kind == "add":
        other = Tensor("other", source.shape, source.dtype, source.role)
        inputs = source.access(), other.access()
        return Op(step.name, "elementwise", inputs, (target.access(),), functions=("add",))
    records = Tensor(f"{step.name}.records", (step.filters,), RECORD, "weight")
    if step.kind == "linear":
        weight = Tensor(f"{step.name}.weight", (step.channels, step.filters), _INT8, "weight")
        nest = matmul_nest(1, step.size[1], step.filters, step.channels, extra=("n",))
        factors = source.access(), weight.access(), records.access()
        return Op(step.name, "contraction", factors, (target.access(),), nest, ("add",))
    return _convolution(step, source, target, records)


def _convolution(step: Step, source: Tensor, target: Tensor, records: Tensor) -> Op:
    groups = step.channels if step.kind == "depthwise" else 1
    inner, filters = step.channels // groups, step.filters // groups
    dims = ("g", "co", "oy", "ox", "ci", "ky", "kx")
    extents = (groups, filters, *step.results, inner, step.kernel, step.kernel)
    plain = [Axis(((dim, 1),)) for dim in range(len(dims))]
    windows = tuple(
        Axis(((2 + axis, step.stride), (5 + axis, 1)), -_padding(step, axis)) for axis in (0, 1)
    )
    axes = (
        (plain[0], plain[4], *windows),
        (plain[0], plain[1], *plain[4:]),
        (plain[0], plain[1]),
        tuple(plain[:4]),
    )
    shape = (groups, filters, inner, step.kernel, step.kernel)
    weight = Tensor(f"{step.name}.weight", shape, _INT8, "weight")
    inputs = (
        _split(source, (groups, inner, *step.size)),
        weight.access(),
        _split(records, (groups, filters)),
    )
    output = _split(target, (groups, filters, *step.results))
    nest = LoopNest(dims, extents, axes)
    return Op(step.name, "contraction", inputs, (output,), nest, ("add", "relu"))


def _padding(step: Step, axis: int) -> int:
    """Inputs before the first one along an axis."""
    size, results = step.size[axis], step.results[axis]
    return max(0, (results - 1) * step.stride + step.kernel - size) // 2


def _split(tensor: Tensor, shape: Sequence[int]) -> Access:
    """A tensor read in another shape of as many elements."""
    strides = tuple(math.prod(shape[place + 1 :]) for place in range(len(shape)))
    return Access(tensor, tuple(shape), strides)
