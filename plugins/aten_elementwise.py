"""Elementwise operators: one function per element, operands broadcast, numbers free."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node
from codesign.workload.liveness import operands
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access

# targets of other names, or of more than one function, than the plain ones below
_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "addcmul": ("mul", "add"),
    "addcdiv": ("div", "add"),
    "lerp": ("sub", "mul", "add"),
    "threshold": ("relu",),
    "relu6": ("hardtanh",),
    "clamp": ("clamp",),
    "clip": ("clamp",),
    "multiply": ("mul",),
    "divide": ("div",),
    "true_divide": ("div",),
    "subtract": ("sub",),
    "rsub": ("sub",),
    "floor_divide": ("div", "floor"),
    "remainder": ("div", "floor", "mul", "sub"),
    "fmod": ("div", "floor", "mul", "sub"),
    "negative": ("neg",),
    "absolute": ("abs",),
    "square": ("mul",),
    "__and__": ("and",),
    "__or__": ("or",),
    "__xor__": ("xor",),
    "bitwise_and": ("and",),
    "bitwise_or": ("or",),
    "bitwise_xor": ("xor",),
    "bitwise_not": ("not",),
    "logical_and": ("and",),
    "logical_or": ("or",),
    "logical_xor": ("xor",),
    "logical_not": ("not",),
    "masked_fill": ("where",),
    "tril": ("where",),
    "triu": ("where",),
    "isin": ("eq",),
    "outer": ("mul",),
    "_prelu_kernel": ("prelu",),
    "xlogy": ("log", "mul"),
}
_PLAIN = (
    "add sub mul div pow neg abs sign reciprocal rsqrt sqrt exp expm1 exp2 log log2 log10 log1p "
    "sin cos tan asin acos atan atan2 sinh cosh tanh sigmoid logit log_sigmoid erf erfc erfinv "
    "floor ceil round trunc frac relu gelu silu mish elu celu selu leaky_relu hardtanh hardswish "
    "hardsigmoid hardshrink softshrink softplus softsign maximum minimum fmax fmin where eq ne lt "
    "le gt ge isnan isinf isfinite isneginf isposinf nan_to_num copysign hypot bitwise_left_shift "
    "bitwise_right_shift lgamma digamma special_erf angle bernoulli "
)


def _elementwise(
    node: Node, builder: Builder, *, functions: Sequence[str], count: int | None = None
) -> None:
    """Reads every tensor operand broadcast to the result; uniform constants count as numbers."""
    values = operands(node)[:count]
    output = builder.new(node.outputs[0], overlap=True)
    inputs = [_broadcast(builder.access(value), output.shape) for value in values]
    inputs = [access for access in inputs if builder.fill(access) is None]
    builder.emit("elementwise", inputs, [output], functions=functions)


def _broadcast(access: Access, shape: Sequence[int]) -> Access:
    return view.expand(access, shape)


def _scaled(node: Node, builder: Builder, *, functions: Sequence[str]) -> None:
    """Add and sub: ``alpha`` scales the second operand."""
    scale = node.kwargs.get("alpha", 1)
    _elementwise(node, builder, functions=functions if scale == 1 else ("mul", *functions))


def _divide(node: Node, builder: Builder) -> None:
    """Div with a rounding mode takes one more function."""
    mode = node.kwargs.get("rounding_mode")
    _elementwise(node, builder, functions=("div", str(mode)) if mode else ("div",))


def _prelu(node: Node, builder: Builder) -> None:
    """One slope for all, or one for each channel: these lie along axis 1 (torch.nn.PReLU)."""
    access, slopes = (builder.access(value) for value in node.args[:2])
    output = builder.new(node.outputs[0], overlap=True)
    if math.prod(slopes.shape) > 1:
        for _ in access.shape[2:]:
            slopes = view.unsqueeze(slopes, -1)
    inputs = [_broadcast(one, output.shape) for one in (access, slopes)]
    inputs = [one for one in inputs if builder.fill(one) is None]
    builder.emit("elementwise", inputs, [output], functions=("prelu",))


def _clamp_or_pair(node: Node, builder: Builder, *, function: str) -> None:
    """min.other and max.other are elementwise; their other overloads reduce."""
    _elementwise(node, builder, functions=(function,))


def _cast(node: Node, builder: Builder) -> None:
    """A conversion costs one function per element; to the same format it is free."""
    source, output = node.args[0], node.outputs[0]
    if source.dtype == output.dtype:
        builder.bind(output, builder.access(source))
        return
    _elementwise(node, builder, functions=("cast",), count=1)


def _glu(node: Node, builder: Builder) -> None:
    """``a * sigmoid(b)`` of the two halves of an axis."""
    access = builder.access(node.args[0])
    axis = node.argument(1, "dim", -1)
    half = access.shape[axis] // 2
    output = builder.new(node.outputs[0])
    first = view.slice_axis(access, axis, 0, half, 1)
    second = view.slice_axis(access, axis, half, 2 * half, 1)
    builder.emit("elementwise", [first, second], [output], functions=("sigmoid", "mul"))


def _diff(node: Node, builder: Builder) -> None:
    """First differences along an axis; what is put before or after is read too."""
    access = builder.access(node.args[0])
    axis = node.argument(2, "dim", -1)
    output = builder.new(node.outputs[0])
    length = access.shape[axis]
    views = [view.slice_axis(access, axis, start, length - 1 + start, 1) for start in (1, 0)]
    ends = [
        builder.access(v) for v in (node.argument(3, "prepend"), node.argument(4, "append")) if v
    ]
    builder.emit("elementwise", [*views, *ends], [output], functions=("sub",))


def _running(node: Node, builder: Builder, *, function: str) -> None:
    """Cumsum and its kin: each element is combined once with the running value."""
    access = builder.access(node.args[0])
    outputs = [builder.new(value) for value in node.outputs if builder.is_used(value)]
    builder.emit("elementwise", [access], outputs, functions=(function,))


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Elementwise operators of aten."""
    found: dict[str, Lowering] = {
        name: partial(_elementwise, functions=(name,)) for name in _PLAIN.split()
    }
    found |= {name: partial(_elementwise, functions=f) for name, f in _FUNCTIONS.items()}
    found |= {name: partial(_scaled, functions=(name,)) for name in ("add", "sub")}
    found |= dict.fromkeys(("to", "_to_copy", "type_as", "_autocast_to_reduced_precision"), _cast)
    found |= {"div": _divide, "glu": _glu, "diff": _diff, "prelu": _prelu}
    found |= {"min.other": partial(_clamp_or_pair, function="minimum")}
    found |= {"max.other": partial(_clamp_or_pair, function="maximum")}
    found |= {
        name: partial(_running, function=name)
        for name in ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp")
    }
    return {f"aten.{name}": lowering for name, lowering in found.items()}
