"""Operators of translation networks run one by one, in closed form and for many networks at once.

One sentence is encoded; then each decoding step puts one more token of 5 hypotheses through the
decoder, whose past keys and values are kept. Every operator that reaches the device is listed as
an eager framework calls it: a linear layer is a product and the addition of its bias, a transpose
that has to be stored is a copy, dropout is left on. Views are free.

Source of what is called: Hardware-Aware Transformers (70e5a27, MIT), multihead_attention_super.py
and transformer_super.py, measured by latency_dataset.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from .hat_networks import Array, Networks

BEAM = 5
"""Hypotheses decoded side by side."""
ATTENTION = 512
"""Width of queries, keys and values, whatever the number of heads."""
FP32 = 4


@dataclass(frozen=True)
class Operators:
    """Operators of many networks.

    Attributes:
        calls: how often each operator is called, [operators, networks].
        moved_bytes: what one call reads and writes, each operand once, [operators, networks].
        runs: runs of the encoder and of the decoder, [networks].
    """

    calls: Array
    moved_bytes: Array
    runs: Array

    @classmethod
    def joined(cls, parts: Sequence[Operators]) -> Operators:
        """Networks of several tasks side by side: all have the same list of operators."""
        columns = zip(*((one.calls, one.moved_bytes, one.runs) for one in parts), strict=True)
        return cls(*(np.concatenate(column, axis=-1) for column in columns))


@dataclass
class _List:
    """Operators in the making; every figure is a number or an array over the networks."""

    networks: int
    calls: list[Array] = field(default_factory=list)
    moved_bytes: list[Array] = field(default_factory=list)

    def moves(self, calls: ArrayLike, elements: ArrayLike) -> None:
        """An operator that reads and writes so many elements altogether."""
        self.calls.append(np.broadcast_to(np.asarray(calls, float), self.networks))
        wide = np.asarray(elements, float) * FP32
        self.moved_bytes.append(np.broadcast_to(wide, self.networks))

    def matmul(
        self, calls: ArrayLike, rows: ArrayLike, inner: ArrayLike, columns: ArrayLike
    ) -> None:
        """A product of [rows, inner] by [inner, columns]."""
        rows, inner, columns = (np.asarray(value, float) for value in (rows, inner, columns))
        self.moves(calls, rows * inner + inner * columns + rows * columns)

    def linear(self, calls: ArrayLike, rows: ArrayLike, inner: ArrayLike, out: ArrayLike) -> None:
        """A linear layer of a batch of sequences: the product, then its bias added in place."""
        self.matmul(calls, rows, inner, out)
        self.moves(calls, (2 * np.asarray(rows, float) + 1) * np.asarray(out, float))

    def attend(self, calls: ArrayLike, queries: float, keys: ArrayLike, heads: Array) -> None:
        """Scores, softmax and mix of ``BEAM`` or one sequence: rows of queries, of keys."""
        keys = np.asarray(keys, float)
        width, scores = ATTENTION * (queries + keys), heads * queries * keys
        beam = BEAM if queries == 1 else 1
        self.moves(calls, beam * (width + scores))
        self.moves(calls, beam * 2 * scores)
        self.moves(calls, beam * (width + scores))

    def residual(self, calls: ArrayLike, rows: float, width: Array) -> None:
        """Dropout (with its mask), addition of the shortcut, layer normalisation."""
        self.moves(calls, 2.25 * rows * width)
        self.moves(calls, 3 * rows * width)
        self.moves(calls, 2 * rows * width)

    def feed_forward(self, calls: ArrayLike, rows: float, width: Array, hidden: Array) -> None:
        """Two linear layers with a rectifier between them, and the shortcut."""
        self.linear(calls, rows, width, hidden)
        self.moves(calls, 2 * rows * hidden)
        self.linear(calls, rows, hidden, width)
        self.residual(calls, rows, width)

    def finish(self, runs: int) -> Operators:
        return Operators(
            np.stack(self.calls), np.stack(self.moved_bytes), np.full(self.networks, float(runs))
        )


def operators(networks: Networks) -> Operators:
    """All operators of one translation by each of the networks."""
    found = _List(len(networks.width))
    _encoder(found, networks)
    _decoder_layers(found, networks)
    _decoder_ends(found, networks)
    return found.finish(runs=1 + networks.task.tokens)


def _encoder(found: _List, networks: Networks) -> None:
    tokens, width, layers = networks.task.tokens, networks.encoder_width, networks.encoder_layers
    rows = float(tokens)
    # lookup, scale, positions looked up and added, dropout
    for _ in range(5):
        found.moves(1, 2 * rows * width)
    # token numbers to positions, and the search for padding
    for _ in range(8):
        found.moves(1, 2 * rows)
    found.linear(layers, rows, width, 3 * ATTENTION)
    # scale of the queries; queries, keys, values and the mix are stored anew
    for _ in range(5):
        found.moves(layers, 2 * rows * ATTENTION)
    found.attend(layers, rows, rows, networks.encoder_heads)
    found.linear(layers, rows, ATTENTION, width)
    # the mean of the weights over the heads; the sum with the shortcut is written back
    found.moves(layers, (networks.encoder_heads + 1) * rows * rows)
    found.moves(layers, 2 * rows * rows)
    found.moves(layers, 2 * rows * width)
    found.residual(layers, rows, width)
    found.feed_forward(layers, rows, width, networks.encoder_hidden)


def _decoder_layers(found: _List, networks: Networks) -> None:
    tokens, width, layers = networks.task.tokens, networks.width, networks.layers
    calls, source = tokens * layers, tokens * networks.sources
    past = (tokens + 1) / 2
    found.linear(calls, BEAM, width, 3 * ATTENTION)
    for _ in range(4):
        found.moves(calls, 2 * BEAM * ATTENTION)
    # keys and values of the past are copied to make room for the new ones
    for _ in range(2):
        found.moves(calls, 2 * BEAM * past * ATTENTION)
    found.attend(calls, 1, past, networks.heads)
    found.linear(calls, BEAM, ATTENTION, width)
    found.residual(calls, BEAM, width)

    # several encoder layers are put one behind the other again at every step
    joined = joined_share(layers, networks.sources)
    copied = networks.sources - 1 + joined
    copied = np.divide(copied, joined, out=np.zeros_like(copied), where=joined > 0)
    found.moves(calls * joined, 2 * BEAM * tokens * networks.encoder_width * copied)
    found.linear(calls, BEAM, width, ATTENTION)
    found.moves(calls, 2 * BEAM * ATTENTION)
    found.attend(calls, 1, source, networks.cross_heads)
    found.linear(calls, BEAM, ATTENTION, width)
    found.residual(calls, BEAM, width)
    # keys and values of the source, in the first step only
    found.linear(2 * layers, BEAM * source, networks.encoder_width, ATTENTION)
    found.feed_forward(calls, BEAM, width, networks.hidden)


def _decoder_ends(found: _List, networks: Networks) -> None:
    task, width = networks.task, networks.width
    # lookup, scale, position looked up and added, dropout
    for _ in range(5):
        found.moves(task.tokens, 2 * BEAM * width)
    found.matmul(task.tokens, BEAM, width, task.vocabulary)


def joined_share(layers: Array, sources: Array) -> Array:
    """Share of the decoder layers that attend to more than one encoder layer.

    Only the mean over the layers is published; this is the expected share among all choices of 1,
    2 or 3 for each layer that have that mean.

    Args:
        layers: decoder layers, [networks].
        sources: mean number of encoder layers, 1 to 3, [networks].
    """
    totals = np.rint(layers * sources)
    pairs = zip(layers.astype(int).tolist(), totals.astype(int).tolist(), strict=True)
    return np.array([_expected_share(*pair) for pair in pairs])


@cache
def _expected_share(layers: int, total: int) -> float:
    choices = [choice for choice in product((1, 2, 3), repeat=layers) if sum(choice) == total]
    return float(np.mean([np.mean(np.array(choice) > 1) for choice in choices]))
