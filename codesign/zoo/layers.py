"""Layers that several models of the zoo share."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional


def chain(**parts: nn.Module) -> nn.Sequential:
    """Modules one after the other, each under its name."""
    return nn.Sequential(OrderedDict(parts))


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch normalisation and optionally an activation.

    Padding keeps the image size at stride 1.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] | None = None,
        eps: float = 1e-5,
    ) -> None:
        convolution = nn.Conv2d(
            channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False
        )
        parts = OrderedDict(conv=convolution, norm=nn.BatchNorm2d(outputs, eps=eps))
        if activation:
            parts["activation"] = activation()
        super().__init__(parts)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one projection for query, key and value.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.
    """

    def __init__(self, width: int, heads: int, *, causal: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.project_in = nn.Linear(width, 3 * width)
        self.project_out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Attends over ``x`` of shape [batch, length, width]."""
        packed = self.project_in(x).unflatten(-1, (3, self.heads, -1))
        query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.project_out(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Sequential):
    """Two linear layers with a GELU between; ``approximate`` as in ``torch.nn.GELU``."""

    def __init__(self, width: int, hidden: int, approximate: str = "none") -> None:
        parts = OrderedDict(
            up=nn.Linear(width, hidden),
            activation=nn.GELU(approximate),
            down=nn.Linear(hidden, width),
        )
        super().__init__(parts)


class PreNormBlock(nn.Module):
    """A transformer block that normalises before attention and before the feed-forward part."""

    def __init__(
        self, width: int, heads: int, eps: float, *, causal: bool = False, approximate: str = "none"
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=eps)
        self.attention = SelfAttention(width, heads, causal=causal)
        self.feed_forward_norm = nn.LayerNorm(width, eps=eps)
        self.feed_forward = FeedForward(width, 4 * width, approximate)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, length, width] to the same shape."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


def classifier(channels: int) -> nn.Sequential:
    """The mean image and scores of 1,000 classes."""
    return chain(
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), linear=nn.Linear(channels, 1000)
    )


def image(batch: int, size: int = 224) -> Tensor:
    """A batch of RGB images of shape [batch, 3, size, size]."""
    return torch.empty(batch, 3, size, size)


def token_ids(batch: int, length: int) -> Tensor:
    """A batch of token numbers of shape [batch, length]."""
    return torch.zeros(batch, length, dtype=torch.int64)
