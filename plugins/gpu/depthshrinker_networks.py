"""MobileNetV2 at any width, and with inverted residuals merged into one convolution, as layers.

Sources: Sandler et al., "MobileNetV2", CVPR 2018, table 2, with the widths of timm's
mobilenetv2_140; Fu et al., "DepthShrinker", ICML 2022, for the merge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

IMAGE = 224
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels at width 1, blocks and stride of the first block of each stage."""
BLOCKS = sum(blocks for _, _, blocks, _ in STAGES)
STEM, HEAD, CLASSES = 32, 1280, 1000

KEPT = {
    "MBV2-1.4-orig": "1" * BLOCKS,
    "MBV2-1.4-DS-A": "10011010101101111",
    "MBV2-1.4-DS-B": "00011000001101111",
    "MBV2-1.4-DS-C": "10010000001101111",
    "MBV2-1.4-DS-D": "00011000000001111",
    "MBV2-1.4-DS-E": "10010000000001111",
    "MBV2-1.4-DS-F": "0" * BLOCKS,
}
"""Blocks that keep their activations (1); of the others (0) all but the first, which has no
expansion, are merged. Source: the authors' repository (a97f5d6, MIT)."""
WIDTHS = {"Uniform-0.65x": 0.65, "Uniform-0.35x": 0.35}


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution of an image, or the final linear layer (an image of one pixel).

    Attributes:
        inputs: input channels.
        outputs: output channels.
        kernel: height and width of the kernel.
        stride: of the kernel.
        groups: groups of channels.
        size: height and width of the output.
        activation: whether a function follows on every output.
        normalised: whether a normalisation follows.
        shortcut: whether the input of the block is added to the output.
    """

    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    size: int = 1
    activation: bool = False
    normalised: bool = True
    shortcut: bool = False

    @property
    def weights(self) -> int:
        """Weights without biases."""
        return self.inputs // self.groups * self.outputs * self.kernel**2

    @property
    def activations(self) -> int:
        """Output elements of one image."""
        return self.outputs * self.size**2

    @property
    def read(self) -> int:
        """Input elements of one image."""
        return self.inputs * (self.size * self.stride) ** 2

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image."""
        return self.weights * self.size**2


def mobilenet(width: float, kept: str = "1" * BLOCKS) -> tuple[Layer, ...]:
    """Layers of MobileNetV2.

    Args:
        width: factor on the channels; those of the head grow with it and never shrink.
        kept: for each block 1, or 0 if its activations are removed and it is merged.
    """
    channels, head = rounded(STEM * width), rounded(HEAD * max(1.0, width))
    size = IMAGE // 2
    layers = [Layer(3, channels, 3, stride=2, size=size, activation=True)]
    marks = iter(kept)
    for expansion, base, blocks, stride in STAGES:
        outputs = rounded(base * width)
        for number in range(blocks):
            step = 1 if number else stride
            size //= step
            is_kept = next(marks) == "1"
            layers += _block(channels, outputs, expansion, step, size, is_kept)
            channels = outputs
    layers.append(Layer(channels, head, size=size, activation=True))
    return (*layers, Layer(head, CLASSES, normalised=False))


def rounded(channels: float) -> int:
    """The nearest multiple of 8 channels, at least 8 and not under nine tenths of what is asked."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8


def _block(
    channels: int, outputs: int, expansion: int, stride: int, size: int, is_kept: bool
) -> Iterator[Layer]:
    hidden, shortcut = channels * expansion, stride == 1 and channels == outputs
    if expansion > 1 and not is_kept:
        # the shortcut of a merged block is a one in the middle of its kernels
        yield Layer(channels, outputs, 3, stride=stride, size=size)
        return
    if expansion > 1:
        yield Layer(channels, hidden, size=size * stride, activation=True)
    yield Layer(hidden, hidden, 3, stride, hidden, size, activation=is_kept)
    yield Layer(hidden, outputs, size=size, shortcut=shortcut)


def sums(layers: Sequence[Layer]) -> dict[str, int]:
    """Totals of one image under the names of the published table."""
    return {
        "macs": sum(layer.macs for layer in layers),
        "activation elements": sum(layer.activations for layer in layers),
        "weights": sum(layer.weights for layer in layers),
        "layers": len(layers),
    }
