"""MobileNetV2: Sandler et al., "Inverted Residuals and Linear Bottlenecks", CVPR 2018, table 2."""

from __future__ import annotations

from torch import Tensor, nn

from codesign.zoo.layers import ConvNorm, chain, classifier, image

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, output channels, blocks and stride of each stage."""


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution and linear 1x1 projection, a shortcut where it fits."""

    def __init__(self, channels: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = channels * expansion
        convolve = ConvNorm(hidden, hidden, 3, stride=stride, groups=hidden, activation=nn.ReLU6)
        parts: dict[str, nn.Module] = {"convolve": convolve, "project": ConvNorm(hidden, outputs)}
        if expansion > 1:
            parts = {"expand": ConvNorm(channels, hidden, activation=nn.ReLU6), **parts}
        self.residual = chain(**parts)
        self.shortcut = stride == 1 and channels == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, channels, h, w] to [batch, outputs, h / stride, w / stride]."""
        return x + self.residual(x) if self.shortcut else self.residual(x)


def inverted_residuals(channels: int, stage: tuple[int, int, int, int]) -> list[nn.Module]:
    """The blocks of a stage; the first of them widens and strides.

    Args:
        channels: of what comes in.
        stage: one of ``STAGES``.
    """
    expansion, outputs, blocks, stride = stage
    first = InvertedResidual(channels, outputs, expansion, stride)
    return [first, *(InvertedResidual(outputs, outputs, expansion, 1) for _ in range(blocks - 1))]


def mobilenet_v2(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """MobileNetV2 of width 1 with 1,000 classes and a batch of images."""
    stages: dict[str, nn.Module] = {}
    channels = 32
    for number, stage in enumerate(STAGES, start=1):
        stages[f"stage{number}"] = nn.Sequential(*inverted_residuals(channels, stage))
        channels = stage[1]
    stem = ConvNorm(3, 32, 3, stride=2, activation=nn.ReLU6)
    widen = ConvNorm(channels, 1280, activation=nn.ReLU6)
    model = chain(stem=stem, **stages, widen=widen, classifier=classifier(1280))
    return model, (image(batch),)
