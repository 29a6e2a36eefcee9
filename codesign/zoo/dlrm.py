"""DLRM: Naumov et al., "Deep Learning Recommendation Model", 2019, in the shape of MLPerf's.

13 dense features; 26 tables of 100,000 rows of 64, each summing 4 rows per sample; bottom layers
13-512-256-64; all pairwise products of the 27 vectors; top layers 415-512-1. MLPerf keeps the 26
tables and the 13 features, with up to 40 million rows of 128.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from codesign.zoo.layers import chain

DENSE, TABLES, ROWS, WIDTH, LOOKUPS = 13, 26, 100_000, 64, 4
VECTORS = TABLES + 1
PAIRS = VECTORS * (VECTORS - 1) // 2


def perceptron(*widths: int) -> nn.Sequential:
    """Linear layers of these widths, each with a ReLU behind."""
    pairs = pairwise(widths)
    return nn.Sequential(*(nn.Sequential(nn.Linear(i, o), nn.ReLU()) for i, o in pairs))


class DLRM(nn.Module):
    """Embedding bags beside a bottom network, pairwise products and a top network."""

    def __init__(self) -> None:
        super().__init__()
        self.bags = nn.ModuleList(nn.EmbeddingBag(ROWS, WIDTH, mode="sum") for _ in range(TABLES))
        self.bottom = perceptron(DENSE, 512, 256, WIDTH)
        self.top = chain(
            hidden=perceptron(PAIRS + WIDTH, 512), score=nn.Linear(512, 1), sigmoid=nn.Sigmoid()
        )
        self.register_buffer("pairs", torch.zeros(2, PAIRS, dtype=torch.int64), persistent=False)

    def forward(self, dense: Tensor, rows: Tensor, offsets: Tensor) -> Tensor:
        """Predicts a click rate per sample.

        Args:
            dense: [batch, 13] features.
            rows: [26, batch * 4] row numbers, one line per table.
            offsets: [batch] where each sample's rows start.
        """
        bottom = self.bottom(dense)
        embedded = [bag(line, offsets) for bag, line in zip(self.bags, rows, strict=True)]
        vectors = torch.stack([bottom, *embedded], dim=1)
        products = torch.bmm(vectors, vectors.transpose(1, 2))
        interactions = products[:, self.pairs[0], self.pairs[1]]
        return self.top(torch.cat([bottom, interactions], dim=1))


def dlrm(batch: int) -> tuple[nn.Module, tuple[Tensor, Tensor, Tensor]]:
    """The model and a batch of samples."""
    rows = torch.zeros(TABLES, batch * LOOKUPS, dtype=torch.int64)
    offsets = torch.zeros(batch, dtype=torch.int64)
    return DLRM(), (torch.empty(batch, DENSE), rows, offsets)
