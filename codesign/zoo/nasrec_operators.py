"""The operators of NASRec's search space.

Source: Zhang et al., "NASRec: Weight Sharing Neural Architecture Search for Recommender Systems",
WWW 2023, section 3.1, in the detail of facebookresearch/NasRec. That code can put a layer norm
behind each linear layer; it trains and counts its best networks without, and so are they here.

Dense tensors are [batch, width], sparse ones [batch, vectors, 16].
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign.zoo.layers import SelfAttention, chain

EMBEDDING = 16
"""Width of an embedding and of every sparse vector."""

HEADS = 8
"""Of the attention in a transformer."""

CUT = 8
"""Vectors that a dense result is projected to and cut into when it joins the sparse ones."""


def fit(inputs: int, outputs: int) -> nn.Module:
    """A linear layer, or nothing where the width is right already."""
    return nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs)


def across(layer: nn.Module, vectors: Tensor) -> Tensor:
    """A layer over the vectors: [batch, n, 16] becomes [batch, m, 16] by a layer from n to m."""
    return layer(vectors.transpose(1, 2)).transpose(1, 2)


def padded(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Both at the width of the wider one, with zeros behind the other."""
    more = right.shape[1] - left.shape[1]
    if more < 0:
        return left, functional.pad(right, (0, -more))
    return (functional.pad(left, (0, more)) if more else left), right


class Linear(nn.Module):
    """A linear layer and a ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, dense: Tensor) -> Tensor:
        """Maps [batch, inputs] to [batch, outputs]."""
        return functional.relu(self.linear(dense))


class DotProduct(nn.Module):
    """Products of all pairs among the dense vector and mixtures of the sparse ones, projected.

    There are round(sqrt(2 outputs)) mixtures, which makes about as many pairs as outputs.
    """

    def __init__(self, inputs: int, vectors: int, outputs: int) -> None:
        super().__init__()
        mixtures = round(sqrt(2 * outputs))
        self.embed = fit(inputs, EMBEDDING)
        self.mix = fit(vectors, mixtures)
        self.project = fit(mixtures * (mixtures + 1) // 2, outputs)
        pairs = torch.tril_indices(mixtures + 1, mixtures + 1, -1)
        self.register_buffer("pairs", pairs, persistent=False)

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        """Maps [batch, inputs] and [batch, vectors, 16] to [batch, outputs]."""
        mixtures = across(self.mix, sparse)
        vectors = torch.cat([self.embed(dense).unsqueeze(1), mixtures], dim=1)
        products = torch.bmm(vectors, vectors.transpose(1, 2))
        return self.project(products[:, self.pairs[0], self.pairs[1]])


class Sum(nn.Module):
    """Left plus right, the narrower one padded, projected."""

    def __init__(self, left: int, right: int, outputs: int) -> None:
        super().__init__()
        self.project = fit(max(left, right), outputs)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Maps [batch, left] and [batch, right] to [batch, outputs]."""
        left, right = padded(left, right)
        return self.project(left + right)


class SigmoidGating(nn.Module):
    """Right times the sigmoid of a linear layer of left, the narrower one padded, projected."""

    def __init__(self, left: int, right: int, outputs: int) -> None:
        super().__init__()
        self.gate = nn.Linear(max(left, right), max(left, right))
        self.project = fit(max(left, right), outputs)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Maps [batch, left] and [batch, right] to [batch, outputs]."""
        left, right = padded(left, right)
        return self.project(torch.sigmoid(self.gate(left)) * right)


class LinearOverVectors(nn.Module):
    """A linear layer over the vectors and a ReLU."""

    def __init__(self, vectors: int, count: int) -> None:
        super().__init__()
        self.linear = nn.Linear(vectors, count)

    def forward(self, sparse: Tensor) -> Tensor:
        """Maps [batch, vectors, 16] to [batch, count, 16]."""
        return functional.relu(across(self.linear, sparse))


class Transformer(nn.Module):
    """A linear layer over the vectors, then a transformer layer that normalises behind itself."""

    def __init__(self, vectors: int, count: int) -> None:
        super().__init__()
        self.mix = nn.Linear(vectors, count)
        self.attention = SelfAttention(EMBEDDING, HEADS)
        self.attention_norm = nn.LayerNorm(EMBEDDING)
        self.feed_forward = chain(
            up=nn.Linear(EMBEDDING, EMBEDDING),
            activation=nn.ReLU(),
            down=nn.Linear(EMBEDDING, EMBEDDING),
        )
        self.feed_forward_norm = nn.LayerNorm(EMBEDDING)

    def forward(self, sparse: Tensor) -> Tensor:
        """Maps [batch, vectors, 16] to [batch, count, 16]."""
        mixed = across(self.mix, sparse)
        mixed = self.attention_norm(mixed + self.attention(mixed))
        return self.feed_forward_norm(mixed + self.feed_forward(mixed))


class FactorisationMachine(nn.Module):
    """The sum of the products of all pairs of vectors, twice each, projected."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.project = fit(EMBEDDING, outputs)

    def forward(self, sparse: Tensor) -> Tensor:
        """Maps [batch, vectors, 16] to [batch, outputs]."""
        return self.project(sparse.sum(1).square() - sparse.square().sum(1))


class Cut(nn.Module):
    """A dense result as vectors."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.project = fit(inputs, CUT * EMBEDDING)

    def forward(self, dense: Tensor) -> Tensor:
        """Maps [batch, inputs] to [batch, 8, 16]."""
        return self.project(dense).unflatten(1, (CUT, EMBEDDING))
