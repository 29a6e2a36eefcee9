"""Which neighbour of a published recommender suits an NPU better? Networks of NASRec's space.

The space is that of Zhang et al., "NASRec: Weight Sharing Neural Architecture Search for
Recommender Systems", WWW 2023 (facebookresearch/NasRec, the choices ``xlarge``). As in their search
a network is another one with a choice of one of its seven blocks drawn anew; the first is the
NASRec-Small that they publish for Criteo. A block that a change does not reach is not captured
again. Run ``python examples/nasrec_supernet.py``.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor, nn

import codesign
from codesign.workload.supernet import Block, Supernet
from codesign.zoo import nasrec_choice as choice
from codesign.zoo.nasrec import SearchedBlock
from codesign.zoo.nasrec_networks import CRITEO, CRITEO_SMALL
from codesign.zoo.nasrec_operators import EMBEDDING

WIDTHS, COUNTS = (16, 32, 64, 128, 256, 512, 768, 1024), (16, 32, 48, 64)
MOST_SOURCES = 4
BATCH = 64
CHANGES = ("dense", "width", "dense sources", "sparse", "count", "sources", "to_sparse", "to_dense")

SUPERNET = Supernet()


class Tables(nn.Module):
    """The embedding tables."""

    def __init__(self, rows: tuple[int, ...]) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(count, EMBEDDING) for count in rows)

    def forward(self, rows: Tensor) -> Tensor:
        """Maps [tables, batch] row numbers to [batch, tables, 16]."""
        return torch.stack([table(line) for table, line in zip(self.tables, rows, strict=True)], 1)


class Score(nn.Module):
    """The logit of a click."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width + EMBEDDING * count, 1)

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        """Maps [batch, width] and [batch, count, 16] to [batch, 1]."""
        return self.linear(torch.cat([dense, sparse.flatten(1)], dim=1))


def blocks(network: choice.Network) -> list[Block]:
    """The blocks of a network; each names what it reads and knows nothing of the rest."""
    found = [Block("tables", Tables, {"rows": network.dataset.rows}, "rows")]
    dense, sparse = ["features"], ["tables"]
    widths, counts = [network.dataset.features], [len(network.dataset.rows)]
    for number, chosen in enumerate(choice.live(network.blocks), start=1):
        left = sorted(set(chosen.dense.sources)) if chosen.dense else []
        right = sorted(set(chosen.sources))
        options = {
            "block": _renumbered(chosen, left, right),
            "widths": [widths[source] for source in left],
            "counts": [counts[source] for source in right],
        }
        reads = tuple(dense[source] for source in left), tuple(sparse[source] for source in right)
        found.append(Block(f"block.{number}", SearchedBlock, options, reads))
        dense.append(f"block.{number}.0")
        sparse.append(f"block.{number}.1")
        widths.append(chosen.dense.width if chosen.dense else 0)
        counts.append((chosen.sparse.count if chosen.sparse else 0) + 8 * chosen.to_sparse)
    options = {"width": widths[-1], "count": counts[-1]}
    return [*found, Block("score", Score, options, (dense[-1], sparse[-1]))]


def _renumbered(chosen: choice.Block, left: list[int], right: list[int]) -> choice.Block:
    """A choice in terms of what the block is given, wherever it stands."""
    dense = chosen.dense and replace(
        chosen.dense, sources=tuple(left.index(source) for source in chosen.dense.sources)
    )
    return replace(chosen, dense=dense, sources=tuple(right.index(one) for one in chosen.sources))


@cache
def found_by(seed: int) -> choice.Network:
    """The network of a seed: that of a smaller one with a change, the published one for 0."""
    if not seed:
        return CRITEO_SMALL
    draw = random.Random(seed)
    parent = found_by(draw.randrange(seed))
    network = parent
    while choice.live(network.blocks) == choice.live(parent.blocks):  # what reaches the score
        number = draw.randrange(len(parent.blocks))
        changed = _changed(parent.blocks[number], number + 1, draw)
        made = (*parent.blocks[:number], changed, *parent.blocks[number + 1 :])
        network = replace(parent, blocks=made)
    return network


def _changed(block: choice.Block, before: int, draw: random.Random) -> choice.Block:
    """A block with one choice drawn anew; ``before`` is how many results it may read."""
    sources = tuple(draw.sample(range(before), draw.randint(1, min(MOST_SOURCES, before))))
    dense, sparse, what = block.dense, block.sparse, draw.choice(CHANGES)
    if what in ("to_sparse", "to_dense"):
        return replace(block, **{what: not getattr(block, what)})
    if what == "sources":
        return replace(block, sources=sources)
    if what == "sparse":
        drawn = draw.choice(get_args(choice.SparseOperator))
        return replace(block, sparse=replace(sparse, operator=drawn))
    if what == "count":
        return replace(block, sparse=replace(sparse, count=draw.choice(COUNTS)))
    if what == "width":
        return replace(block, dense=replace(dense, width=draw.choice(WIDTHS)))
    operator = draw.choice(get_args(choice.DenseOperator)) if what == "dense" else dense.operator
    if operator in ("sum", "sigmoid-gating"):
        sources = draw.randrange(before), draw.randrange(before)
    return replace(block, dense=choice.Dense(operator, dense.width, sources))


def inputs(batch: int = BATCH) -> dict[str, Tensor]:
    """Samples of Criteo: numbers, and a row number of each table."""
    features = torch.empty(batch, CRITEO.features, device="meta")
    rows = torch.zeros(len(CRITEO.rows), batch, dtype=torch.int64, device="meta")
    return {"features": features, "rows": rows}


def recommender(seed: int) -> codesign.Trace:
    """The trace of a network that scores a batch."""
    return SUPERNET.trace(blocks(found_by(seed)), inputs(), name="recommender")


def study(seeds: Sequence[int]) -> codesign.Study:
    """Networks of the space; the work that they do stands in for how well they predict."""
    return codesign.Study(
        model=recommender,
        model_space={"seed": seeds},
        hardware="edge-npu",
        dtype="int8",
        objectives=["latency_s", "energy_j", "max:macs"],
    )


def main(count: int = 32) -> None:
    """Measures networks and prints those that no other beats."""
    with tempfile.TemporaryDirectory() as folder:
        found = study(range(count)).run(Path(folder) / "study")
    cut = sum(len(blocks(found_by(seed))) for seed in range(count))
    print(f"{count} networks of {cut} blocks, {SUPERNET.captures} of them captured")
    rows = {row["seed"]: row for row in found.done}
    front = sorted(found.pareto(), key=lambda row: float(row["latency_s"]))
    print("seed  latency   energy   MACs      (0 is the published one)")
    for row in [rows[0], *front]:
        figures = f"{row['latency_s'] * 1e6:5.1f} us  {row['energy_j'] * 1e6:5.2f} uJ"
        print(f"{row['seed']:4}  {figures}  {row['macs'] / 1e6:.2f} M")


if __name__ == "__main__":
    main()
