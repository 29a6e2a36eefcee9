"""The AlexNet for CIFAR-10 that MNSIM 2.0 ships, layer by layer and as a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from codesign import Access, DType, Op, Tensor, Trace
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.tensor import Role

Kind: TypeAlias = Literal["conv", "pool", "linear"]
ACTIVATION_BITS = 9
WEIGHT_BITS = 8
"""Nine bits with the sign, which MNSIM's chip keeps as the choice of a cell in its pair."""
_ACTIVATION = DType.parse(f"int{ACTIVATION_BITS}")
_WEIGHT = DType.parse(f"int{WEIGHT_BITS}")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a chain of square images.

    Attributes:
        kind: a convolution with its rectifier, a largest-of window, or a product.
        channels: of the input; of a product its inputs.
        filters: channels of the output; of a product its outputs.
        size: height and width of the input.
        kernel: taps along each axis.
        stride: of both axes.
        padding: pixels on every side.
    """

    kind: Kind
    channels: int
    filters: int
    size: int = 1
    kernel: int = 1
    stride: int = 1
    padding: int = 0

    @property
    def results(self) -> int:
        """Height and width of the output."""
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def pixels(self) -> int:
        """Pixels of the output."""
        return self.results**2

    @property
    def taps(self) -> int:
        """Positions of the kernel."""
        return self.kernel**2


LAYERS = (
    Layer("conv", 3, 64, 32, 3, 2, 1),
    Layer("pool", 64, 64, 16, 2, 2),
    Layer("conv", 64, 192, 8, 3, 1, 1),
    Layer("pool", 192, 192, 8, 2, 2),
    Layer("conv", 192, 384, 4, 3, 1, 1),
    Layer("conv", 384, 256, 4, 3, 1, 1),
    Layer("conv", 256, 256, 4, 3, 1, 1),
    Layer("pool", 256, 256, 4, 2, 2),
    Layer("linear", 1024, 512),
    Layer("linear", 512, 10),
)
"""Shapes of the network ``alexnet`` of MNSIM 2.0 (ca39ccb): the layers of Krizhevsky et al., NIPS
2012, made smaller for images of 32 x 32."""


def alexnet() -> Trace:
    """The trace of one image."""
    first = LAYERS[0]
    source = Tensor("image", (first.channels, first.size, first.size), _ACTIVATION, "input")
    operators = []
    for place, layer in enumerate(LAYERS):
        role: Role = "output" if layer is LAYERS[-1] else "activation"
        target = Tensor(f"layer{place}.output", _shape(layer), _ACTIVATION, role)
        operators.append(operator(place, source, target))
        source = target
    tensors = {access.tensor.name: access.tensor for op in operators for access in op.operands}
    return Trace("alexnet-cifar", tuple(operators), tuple(tensors.values()))


def operator(place: int, source: Tensor, target: Tensor) -> Op:
    """One layer of the network.

    Args:
        place: in ``LAYERS``.
        source: what it reads.
        target: what it writes.
    """
    layer = LAYERS[place]
    name = f"layer{place}"
    if layer.kind == "pool":
        inputs, nest, functions = (source.access(),), _windows(layer), ("max",)
        width = (("width", layer.taps),)
        return Op(name, "reduce", inputs, (target.access(),), nest, functions, width)
    if layer.kind == "linear":
        weight = Tensor(f"{name}.weight", (layer.channels, layer.filters), _WEIGHT, "weight")
        flat = Access(source, (1, layer.channels), (layer.channels, 1))
        nest = matmul_nest(1, 1, layer.filters, layer.channels)
        return Op(name, "contraction", (flat, weight.access()), (target.access(),), nest)
    shape = (layer.filters, layer.channels, layer.kernel, layer.kernel)
    weight = Tensor(f"{name}.weight", shape, _WEIGHT, "weight")
    factors = source.access(), weight.access()
    return Op(name, "contraction", factors, (target.access(),), _convolution(layer), ("relu",))


def _shape(layer: Layer) -> tuple[int, ...]:
    is_flat = layer.kind == "linear"
    return (1, layer.filters) if is_flat else (layer.filters, layer.results, layer.results)


def _convolution(layer: Layer) -> LoopNest:
    extents = (layer.filters, *[layer.results] * 2, layer.channels, *[layer.kernel] * 2)
    plain = [Axis(((dim, 1),)) for dim in range(len(extents))]
    window = [Axis(((1 + i, layer.stride), (4 + i, 1)), -layer.padding) for i in (0, 1)]
    axes = ((plain[3], *window), (plain[0], *plain[3:]), tuple(plain[:3]))
    return LoopNest(("co", "oy", "ox", "ci", "ky", "kx"), extents, axes)


def _windows(layer: Layer) -> LoopNest:
    extents = (layer.channels, *[layer.results] * 2, *[layer.kernel] * 2)
    plain = [Axis(((dim, 1),)) for dim in range(len(extents))]
    window = [Axis(((1 + i, layer.stride), (3 + i, 1)), -layer.padding) for i in (0, 1)]
    return LoopNest(("c", "oy", "ox", "ky", "kx"), extents, ((plain[0], *window), tuple(plain[:3])))
