"""Llama 3.1 8B: Grattafiori et al., "The Llama 3 Herd of Models", 2024, table 3; bfloat16.

The context extension of version 3.1 rescales the rotary frequencies, which costs nothing at run
time and is left out of the tables: on the meta device they hold no values anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign.zoo.layers import token_ids

THETA = 500_000.0


@dataclass(frozen=True)
class LlamaConfig:
    """Dimensions; the defaults are those of the 8B model."""

    layers: int = 32
    width: int = 4096
    hidden: int = 14336
    heads: int = 32
    cache_heads: int = 8
    vocabulary: int = 128256

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads


def rotary_table(width: int, first: int, count: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine, each [count, width], for positions from ``first`` on.

    Source: Su et al., "RoFormer", 2021, equation 15; the two halves of a head form the pairs.
    """
    frequency = THETA ** (-torch.arange(0, width, 2) / width)
    angle = torch.outer(torch.arange(first, first + count), frequency).repeat(1, 2)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Applies the rotary embedding to heads [batch, heads, length, width]."""
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-high, low], dim=-1) * sin


class Attention(nn.Module):
    """Grouped-query attention, with or without a cache of past keys and values."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.head_width = config.head_width
        cached = config.cache_heads * config.head_width
        self.query = nn.Linear(config.width, config.width, bias=False)
        self.key = nn.Linear(config.width, cached, bias=False)
        self.value = nn.Linear(config.width, cached, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)

    def forward(
        self, x: Tensor, table: tuple[Tensor, Tensor], cache: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        """Attends over ``x`` of shape [batch, length, width], causally or against the cache."""
        query, key, value = (
            project(x).unflatten(-1, (-1, self.head_width)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        query, key = rotate(query, *table), rotate(key, *table)
        if cache is not None:
            key, value = append(cache[0], key), append(cache[1], value)
        mixed = functional.scaled_dot_product_attention(
            query, key, value, is_causal=cache is None, enable_gqa=True
        )
        return self.output(mixed.transpose(1, 2).flatten(2))


def append(cache: Tensor, new: Tensor) -> Tensor:
    """Writes ``new`` into the last rows of ``cache`` [batch, heads, length, width], in place."""
    cache[:, :, cache.shape[2] - new.shape[2] :].copy_(new)
    return cache


class FeedForward(nn.Module):
    """SwiGLU: Shazeer, "GLU Variants Improve Transformer", 2020, equation 6."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.hidden, bias=False)
        self.up = nn.Linear(config.width, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, length, width] to the same shape."""
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    """Attention and feed-forward part, each behind an RMS normalisation and beside a shortcut."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(config.width, eps=1e-5)
        self.attention = Attention(config)
        self.feed_forward_norm = nn.RMSNorm(config.width, eps=1e-5)
        self.feed_forward = FeedForward(config)

    def forward(
        self, x: Tensor, table: tuple[Tensor, Tensor], cache: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        """Maps [batch, length, width] to the same shape."""
        x = x + self.attention(self.attention_norm(x), table, cache)
        return x + self.feed_forward(self.feed_forward_norm(x))


class Llama(nn.Module):
    """Embedding, blocks, final normalisation and an untied head.

    The rotary tables cover ``length`` positions from ``first`` on; positions are constants.
    """

    def __init__(self, config: LlamaConfig, first: int, length: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=1e-5)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        cos, sin = rotary_table(config.head_width, first, length)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens: Tensor, caches: list[tuple[Tensor, Tensor]] | None = None) -> Tensor:
        """Maps token numbers [batch, length] to scores [batch, length, vocabulary]."""
        x = self.tokens(tokens)
        for index, block in enumerate(self.blocks):
            x = block(x, (self.cos, self.sin), caches[index] if caches else None)
        return self.head(self.norm(x))


def prefill(
    batch: int, seq_len: int, config: LlamaConfig = LlamaConfig()
) -> tuple[nn.Module, tuple[Tensor]]:
    """The model reading a prompt of ``seq_len`` tokens; scores for every token."""
    return Llama(config, 0, seq_len).bfloat16(), (token_ids(batch, seq_len),)


def decode(
    batch: int, seq_len: int, config: LlamaConfig = LlamaConfig()
) -> tuple[nn.Module, tuple[Tensor, list[tuple[Tensor, Tensor]]]]:
    """The model generating one token: the last of the ``seq_len`` tokens that its cache holds."""
    shape = (batch, config.cache_heads, seq_len, config.head_width)
    caches = [
        (torch.zeros(shape, dtype=torch.bfloat16), torch.zeros(shape, dtype=torch.bfloat16))
        for _ in range(config.layers)
    ]
    return Llama(config, seq_len - 1, 1).bfloat16(), (token_ids(batch, 1), caches)
