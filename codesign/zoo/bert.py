"""BERT base: Devlin et al., "BERT", NAACL 2019, section 3, with the pooler on the first token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.errors import ModelError
from codesign.zoo.layers import FeedForward, SelfAttention, token_ids

WIDTH, HEADS, LAYERS, HIDDEN, VOCABULARY, POSITIONS = 768, 12, 12, 3072, 30522, 512
EPS = 1e-12


class EncoderBlock(nn.Module):
    """A transformer block that normalises after each residual sum."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = SelfAttention(WIDTH, HEADS)
        self.attention_norm = nn.LayerNorm(WIDTH, eps=EPS)
        self.feed_forward = FeedForward(WIDTH, HIDDEN)
        self.feed_forward_norm = nn.LayerNorm(WIDTH, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, length, width] to the same shape."""
        x = self.attention_norm(x + self.attention(x))
        return self.feed_forward_norm(x + self.feed_forward(x))


class Bert(nn.Module):
    """Embeddings of word, position and segment, encoder blocks and the pooler; no padding mask."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.segments = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=EPS)
        self.blocks = nn.Sequential(*(EncoderBlock() for _ in range(LAYERS)))
        self.pooler = nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Maps two [batch, length] integer tensors to all states and the pooled first one."""
        positions = self.positions.weight[: tokens.shape[1]]
        embedded = self.words(tokens) + self.segments(segments) + positions
        states = self.blocks(self.norm(embedded))
        return states, torch.tanh(self.pooler(states[:, 0]))


def bert_base(batch: int, seq_len: int) -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    """BERT base with ``seq_len`` tokens, at most 512."""
    if seq_len > POSITIONS:
        raise ModelError(f"seq_len of bert_base must be at most {POSITIONS}, got {seq_len}")
    return Bert(), (token_ids(batch, seq_len), token_ids(batch, seq_len))
