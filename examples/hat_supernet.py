"""Which sub-network of a translation supernet suits an NPU? Sub-networks of HAT's space, drawn.

The space is that of WMT'14 En-De in Wang et al., "HAT: Hardware-Aware Transformers for Efficient
Natural Language Processing", ACL 2020 (mit-han-lab/hardware-aware-transformers, space0.yml): two
widths, hidden widths and heads layer by layer, 1 to 6 decoder layers, and for each of them how many
of the last encoder layers it attends to. A block is captured once, however many sub-networks it is
in. Run ``python examples/hat_supernet.py``.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

import codesign
from codesign.workload.supernet import Block, Supernet

WIDTHS, HIDDEN, HEADS, SOURCES = (640, 512), (3072, 2048, 1024), (8, 4), (1, 2, 3)
LAYERS = 6
PROJECTED = 512
"""Width of queries, keys and values of every sub-network."""
TOKENS, VOCABULARY = 30, 32768
BLEU = {1: 25.8, 2: 27.6, 3: 28.1, 4: 28.2, 5: 28.5, 6: 28.5}
"""Of the best sub-network with so many decoder layers that the authors publish, as the names of
their files say (configs/wmt14.en-de/subtransformer). It stands in for training or looking up."""

SUPERNET = Supernet()


@dataclass(frozen=True)
class Layer:
    """Choices of a layer; the last two are of the decoder."""

    hidden: int
    heads: int
    cross_heads: int = 0
    sources: int = 0


@dataclass(frozen=True)
class SubNetwork:
    """Choices of a sub-network."""

    encoder_width: int
    encoder: tuple[Layer, ...]
    decoder_width: int
    decoder: tuple[Layer, ...]

    def __str__(self) -> str:
        hidden = "/".join(str(layer.hidden) for layer in self.decoder)
        return f"{self.encoder_width} to {self.decoder_width}, {hidden}"


class Embed(nn.Module):
    """Words as the first columns of the table, and where they stand."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("places", torch.empty(TOKENS, width))

    def forward(self, tokens: Tensor, table: Tensor) -> Tensor:
        """Maps [batch, length] to [batch, length, width]."""
        return functional.embedding(tokens, table[:, : self.width]) * sqrt(self.width) + self.places


class Attention(nn.Module):
    """Attention of a sentence to sources, which lie one behind the other, or to itself."""

    def __init__(self, width: int, heads: int, source: int, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.query, self.output = nn.Linear(width, PROJECTED), nn.Linear(PROJECTED, width)
        self.key, self.value = nn.Linear(source, PROJECTED), nn.Linear(source, PROJECTED)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, *sources: Tensor) -> Tensor:
        """Maps [batch, length, width] to the same shape."""
        source = torch.cat(sources, dim=1) if sources else x
        query, key, value = (
            projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projected in (self.query(x), self.key(source), self.value(source))
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.norm(x + self.output(mixed.transpose(1, 2).flatten(2)))


class FeedForward(nn.Module):
    """Two linear layers beside a shortcut."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [batch, length, width] to the same shape."""
        return self.norm(x + self.down(functional.relu(self.up(x))))


class Score(nn.Module):
    """How likely each word is, by the same table."""

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        """Maps [batch, length, width] to [batch, length, words]."""
        return functional.linear(x, table[:, : x.shape[-1]])


def drawn(seed: int) -> SubNetwork:
    """A sub-network drawn from the space."""
    draw = random.Random(seed)
    encoder = tuple(Layer(draw.choice(HIDDEN), draw.choice(HEADS)) for _ in range(LAYERS))
    decoder = tuple(
        Layer(draw.choice(HIDDEN), draw.choice(HEADS), draw.choice(HEADS), draw.choice(SOURCES))
        for _ in range(draw.randint(1, LAYERS))
    )
    return SubNetwork(draw.choice(WIDTHS), encoder, draw.choice(WIDTHS), decoder)


def blocks(network: SubNetwork) -> list[Block]:
    """The blocks of a sub-network; cut where choices meet, so that few of them differ."""
    found = [Block("encoder.words", Embed, {"width": network.encoder_width}, ("source", "table"))]
    for number, layer in enumerate(network.encoder):
        found += [
            _attention(
                f"encoder.{number}.attention", found[-1], network.encoder_width, layer.heads
            ),
            _feed_forward(f"encoder.{number}", network.encoder_width, layer),
        ]
    outputs = [f"encoder.{number}.feed_forward" for number in reversed(range(LAYERS))]
    found.append(
        Block("decoder.words", Embed, {"width": network.decoder_width}, ("target", "table"))
    )
    width = network.decoder_width
    for number, layer in enumerate(network.decoder):
        name = f"decoder.{number}"
        found.append(_attention(f"{name}.attention", found[-1], width, layer.heads, causal=True))
        options = {"width": width, "heads": layer.cross_heads, "source": network.encoder_width}
        reads = (f"{name}.attention", *outputs[: layer.sources])
        found.append(Block(f"{name}.cross", Attention, options, reads))
        found.append(_feed_forward(name, width, layer))
    return [*found, Block("score", Score, reads=(found[-1].name, "table"))]


def _attention(name: str, before: Block, width: int, heads: int, causal: bool = False) -> Block:
    options = {"width": width, "heads": heads, "source": width, "causal": causal}
    return Block(name, Attention, options, before.name)


def _feed_forward(name: str, width: int, layer: Layer) -> Block:
    return Block(f"{name}.feed_forward", FeedForward, {"width": width, "hidden": layer.hidden})


def inputs() -> dict[str, Tensor]:
    """A pair of sentences, and the table that both languages and the scores share."""
    source, target = (torch.zeros(1, TOKENS, dtype=torch.int64, device="meta") for _ in range(2))
    table = torch.empty(VOCABULARY, max(WIDTHS), device="meta")
    return {"source": source, "target": target, "table": table}


def translator(seed: int) -> codesign.Trace:
    """The trace of a drawn sub-network that scores a pair of sentences."""
    made = blocks(drawn(seed))
    return SUPERNET.trace(made, inputs(), roles={"table": "weight"}, name="translator")


def bleu(seed: int) -> float:
    """What a drawn sub-network may reach; known before it is replayed."""
    return BLEU[len(drawn(seed).decoder)]


def study(seeds: Sequence[int]) -> codesign.Study:
    """Sub-networks drawn from the space, and what is wanted of them."""
    return codesign.Study(
        model=translator,
        model_space={"seed": seeds},
        hardware="edge-npu",
        dtype="int8",
        objectives=["latency_s", "energy_j", ("max:bleu", bleu)],
    )


def main(count: int = 32) -> None:
    """Measures sub-networks and prints those that no other beats."""
    with tempfile.TemporaryDirectory() as folder:
        found = study(range(count)).run(Path(folder) / "study")
    cut = sum(len(blocks(drawn(seed))) for seed in range(count))
    print(f"{count} sub-networks of {cut} blocks, {SUPERNET.captures} of them captured")
    print("seed  latency   energy  BLEU up to  widths and hidden widths of the decoder")
    for row in sorted(found.pareto(), key=lambda row: float(row["latency_s"])):
        figures = f"{row['latency_s'] * 1e3:5.2f} ms  {row['energy_j'] * 1e3:.2f} mJ"
        print(f"{row['seed']:4}  {figures}  {row['bleu']:10}  {drawn(row['seed'])}")


if __name__ == "__main__":
    main()
