"""GPT-2 small: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019."""

from __future__ import annotations

from torch import Tensor, nn

from codesign.errors import ModelError
from codesign.zoo.layers import PreNormBlock, token_ids

WIDTH, HEADS, LAYERS, VOCABULARY, POSITIONS = 768, 12, 12, 50257, 1024
EPS = 1e-5


class GPT2(nn.Module):
    """Token and learned position embeddings, causal blocks and a head tied to the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        blocks = (
            PreNormBlock(WIDTH, HEADS, EPS, causal=True, approximate="tanh") for _ in range(LAYERS)
        )
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(WIDTH, eps=EPS)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps token numbers [batch, length] to scores [batch, length, vocabulary]."""
        embedded = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        return self.head(self.norm(self.blocks(embedded)))


def gpt2(batch: int, seq_len: int) -> tuple[nn.Module, tuple[Tensor]]:
    """GPT-2 small reading ``seq_len`` tokens, at most 1,024."""
    if seq_len > POSITIONS:
        raise ModelError(f"seq_len of gpt2 must be at most {POSITIONS}, got {seq_len}")
    return GPT2(), (token_ids(batch, seq_len),)
