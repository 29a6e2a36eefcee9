"""EfficientNet-B0: Tan and Le, "EfficientNet", ICML 2019, table 1."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from codesign.zoo.layers import ConvNorm, chain, classifier, image

STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
"""Expansion, kernel, output channels, blocks and stride of each stage."""

Activated = partial(ConvNorm, activation=nn.SiLU, eps=1e-3)
Linear = partial(ConvNorm, eps=1e-3)


class SqueezeExcite(nn.Module):
    """Channel gates from the mean image: Hu et al., "Squeeze-and-Excitation", CVPR 2018."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.gate = chain(
            pool=nn.AdaptiveAvgPool2d(1),
            squeeze=nn.Conv2d(channels, squeezed, 1),
            activation=nn.SiLU(),
            excite=nn.Conv2d(squeezed, channels, 1),
            sigmoid=nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scales the channels of [batch, channels, h, w]."""
        return x * self.gate(x)


class MBConv(nn.Module):
    """An inverted residual whose gates squeeze to a quarter of the block's input channels."""

    def __init__(
        self, channels: int, outputs: int, *, expansion: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        hidden = channels * expansion
        parts: dict[str, nn.Module] = {
            "convolve": Activated(hidden, hidden, kernel, stride=stride, groups=hidden),
            "gates": SqueezeExcite(hidden, channels // 4),
            "project": Linear(hidden, outputs),
        }
        if expansion > 1:
            parts = {"expand": Activated(channels, hidden), **parts}
        self.residual = chain(**parts)
        self.shortcut = stride == 1 and channels == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, channels, h, w] to [batch, outputs, h / stride, w / stride]."""
        return x + self.residual(x) if self.shortcut else self.residual(x)


def efficientnet_b0(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """EfficientNet-B0 with 1,000 classes and a batch of images."""
    stages: dict[str, nn.Module] = {}
    channels = 32
    for number, (expansion, kernel, outputs, blocks, stride) in enumerate(STAGES, start=1):
        block = partial(MBConv, outputs=outputs, expansion=expansion, kernel=kernel)
        rest = (block(outputs, stride=1) for _ in range(blocks - 1))
        stages[f"stage{number}"] = nn.Sequential(block(channels, stride=stride), *rest)
        channels = outputs
    stem = Activated(3, 32, 3, stride=2)
    widen = Activated(channels, 1280)
    model = chain(stem=stem, **stages, widen=widen, classifier=classifier(1280))
    return model, (image(batch),)
