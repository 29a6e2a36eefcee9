"""A convolutional network with transformer layers behind it, in the manner of H4H.

Source of the idea: Zhao et al., "H4H: Hybrid Convolution-Transformer Architecture Search for
NPU-CIM Heterogeneous Systems for AR/VR Applications", ASP-DAC 2025. The network is not one of
theirs but a stand-in of ours: MobileNetV2 up to its 96 channels of 14x14, a 1x1 convolution to 192
channels and six transformer layers over the 196 positions, without positions and class head.
"""

from __future__ import annotations

from torch import Tensor, nn

from codesign.zoo.layers import ConvNorm, chain, image
from codesign.zoo.mobilenet import STAGES, inverted_residuals

WIDTH, HEADS, HIDDEN, LAYERS = 192, 3, 768, 6
CONVOLUTIONS = STAGES[:5]
"""The stages of MobileNetV2 up to its 96 channels of 14x14."""


class Tokens(nn.Module):
    """An image as one token per position."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, channels, h, w] to [batch, h * w, channels]."""
        return x.flatten(2).transpose(1, 2)


def encoder_layer() -> nn.Module:
    """A transformer layer that normalises behind itself, with a ReLU."""
    return nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, batch_first=True)


def hybrid_cnn_vit(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """The network, which maps images to [batch, 196, 192], and a batch of images."""
    residuals: list[nn.Module] = []
    channels = 32
    for stage in CONVOLUTIONS:
        residuals += inverted_residuals(channels, stage)
        channels = stage[1]
    model = chain(
        stem=ConvNorm(3, 32, 3, stride=2, activation=nn.ReLU6),
        convolutions=nn.Sequential(*residuals),
        widen=nn.Conv2d(channels, WIDTH, 1),
        tokens=Tokens(),
        transformer=nn.Sequential(*(encoder_layer() for _ in range(LAYERS))),
    )
    return model, (image(batch),)
