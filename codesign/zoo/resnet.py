"""ResNet: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.

Version 1.5 of ResNet-50: the 3x3 convolution of a bottleneck carries the stride, not the first 1x1.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from codesign.zoo.layers import ConvNorm, chain, classifier, image

WIDTHS = (64, 128, 256, 512)
"""Of the stages; all but the first halve the image."""
EXPANSION = 4


class Residual(nn.Module):
    """Layers beside a shortcut."""

    def __init__(self, layers: nn.Module, channels: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = layers
        same = stride == 1 and channels == outputs
        self.shortcut = nn.Identity() if same else ConvNorm(channels, outputs, stride=stride)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, channels, h, w] to [batch, outputs, h / stride, w / stride]."""
        return self.activation(self.residual(x) + self.shortcut(x))


def bottleneck(channels: int, width: int, stride: int) -> nn.Module:
    """1x1 reduction, 3x3 convolution and 1x1 expansion to four times the width."""
    layers = chain(
        reduce=ConvNorm(channels, width, activation=nn.ReLU),
        convolve=ConvNorm(width, width, 3, stride=stride, activation=nn.ReLU),
        expand=ConvNorm(width, EXPANSION * width),
    )
    return Residual(layers, channels, EXPANSION * width, stride)


def basic(channels: int, width: int, stride: int) -> nn.Module:
    """Two 3x3 convolutions."""
    layers = chain(
        first=ConvNorm(channels, width, 3, stride=stride, activation=nn.ReLU),
        second=ConvNorm(width, width, 3),
    )
    return Residual(layers, channels, width, stride)


def resnet50(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """ResNet-50 with 1,000 classes and a batch of images."""
    return _resnet(batch, bottleneck, (3, 4, 6, 3), EXPANSION)


def resnet18(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """ResNet-18 with 1,000 classes and a batch of images."""
    return _resnet(batch, basic, (2, 2, 2, 2), 1)


def _resnet(
    batch: int,
    block: Callable[[int, int, int], nn.Module],
    depths: tuple[int, ...],
    expansion: int,
) -> tuple[nn.Module, tuple[Tensor]]:
    stages: dict[str, nn.Module] = {}
    channels = 64
    for number, (width, blocks) in enumerate(zip(WIDTHS, depths, strict=True), start=1):
        outputs = expansion * width
        first = block(channels, width, 1 if number == 1 else 2)
        rest = (block(outputs, width, 1) for _ in range(blocks - 1))
        stages[f"stage{number}"] = nn.Sequential(first, *rest)
        channels = outputs
    stem = ConvNorm(3, 64, 7, stride=2, activation=nn.ReLU)
    pool = nn.MaxPool2d(3, 2, 1)
    model = chain(stem=stem, pool=pool, **stages, classifier=classifier(channels))
    return model, (image(batch),)
