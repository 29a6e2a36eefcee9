"""ResNet-50: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.

Version 1.5: the 3x3 convolution of a bottleneck carries the stride, not the first 1x1.
"""

from __future__ import annotations

from torch import Tensor, nn

from codesign.zoo.layers import ConvNorm, chain, classifier, image

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Width, blocks and stride of each stage."""
EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1 reduction, 3x3 convolution and 1x1 expansion beside a shortcut."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.residual = chain(
            reduce=ConvNorm(channels, width, activation=nn.ReLU),
            convolve=ConvNorm(width, width, 3, stride=stride, activation=nn.ReLU),
            expand=ConvNorm(width, outputs),
        )
        same = stride == 1 and channels == outputs
        self.shortcut = nn.Identity() if same else ConvNorm(channels, outputs, stride=stride)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, channels, h, w] to [batch, 4 * width, h / stride, w / stride]."""
        return self.activation(self.residual(x) + self.shortcut(x))


def resnet50(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """ResNet-50 with 1,000 classes and a batch of images."""
    stages: dict[str, nn.Module] = {}
    channels = 64
    for number, (width, blocks, stride) in enumerate(STAGES, start=1):
        outputs = EXPANSION * width
        first = Bottleneck(channels, width, stride)
        rest = (Bottleneck(outputs, width, 1) for _ in range(blocks - 1))
        stages[f"stage{number}"] = nn.Sequential(first, *rest)
        channels = outputs
    stem = ConvNorm(3, 64, 7, stride=2, activation=nn.ReLU)
    pool = nn.MaxPool2d(3, 2, 1)
    model = chain(stem=stem, pool=pool, **stages, classifier=classifier(channels))
    return model, (image(batch),)
