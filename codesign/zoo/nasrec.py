"""NASRec: networks for recommending that were searched, as a module and by name.

Source: Zhang et al., "NASRec: Weight Sharing Neural Architecture Search for Recommender Systems",
WWW 2023, and facebookresearch/NasRec. What never reaches the score is left out: neither the
published cost counts it nor does a compiler keep it. The published "FLOPs" are multiply-
accumulates of linear layers and matrix products, those of the attention included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from codesign.zoo import nasrec_networks
from codesign.zoo.nasrec_choice import Block, Dense, Network, live
from codesign.zoo.nasrec_operators import (
    CUT,
    EMBEDDING,
    Cut,
    DotProduct,
    FactorisationMachine,
    Linear,
    LinearOverVectors,
    SigmoidGating,
    Sum,
    Transformer,
)

DENSE: dict[str, type[nn.Module]] = {
    "linear": Linear,
    "dot-product": DotProduct,
    "sum": Sum,
    "sigmoid-gating": SigmoidGating,
}
SPARSE: dict[str, type[nn.Module]] = {"linear": LinearOverVectors, "transformer": Transformer}

Item = TypeVar("Item")


def _join(tensors: list[Tensor]) -> Tensor:
    """The tensors side by side."""
    return torch.cat(tensors, dim=1) if len(tensors) > 1 else tensors[0]


def _inputs(
    choice: Dense, dense: Sequence[Item], vectors: Item, join: Callable[[list[Item]], Item]
) -> list[Item]:
    """What a dense operator reads: tensors, or their sizes."""
    read = [dense[source] for source in choice.sources]
    if choice.operator in ("sum", "sigmoid-gating"):
        return read
    return [join(read), vectors] if choice.operator == "dot-product" else [join(read)]


class SearchedBlock(nn.Module):
    """A dense and a sparse operator, and what each result gives to the other.

    Args:
        block: what was chosen.
        widths: of the dense results so far, the features first.
        counts: of the vectors of the sparse results so far, the embeddings first.
    """

    def __init__(self, block: Block, widths: Sequence[int], counts: Sequence[int]) -> None:
        super().__init__()
        self.block = block
        self.width = block.dense.width if block.dense else 0
        self.count = block.sparse.count if block.sparse else 0
        vectors = sum(counts[source] for source in block.sources)
        if block.dense:
            sizes = _inputs(block.dense, widths, vectors, sum)
            self.dense = DENSE[block.dense.operator](*sizes, self.width)
        if block.sparse:
            self.sparse = SPARSE[block.sparse.operator](vectors, self.count)
        if block.to_sparse:
            self.cut = Cut(self.width)
            self.count += CUT
        if block.to_dense:
            self.machine = FactorisationMachine(self.width)

    def forward(
        self, dense: Sequence[Tensor | None], sparse: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, Tensor | None]:
        """The dense and the sparse result, None for what the block does not make.

        Args:
            dense: the results so far, each [batch, width].
            sparse: the results so far, each [batch, count, 16].
        """
        block, vector, vectors = self.block, None, None
        joined = _join([sparse[source] for source in block.sources]) if block.sources else None
        if block.dense:
            vector = self.dense(*_inputs(block.dense, dense, joined, _join))
        if block.sparse:
            vectors = self.sparse(joined)
        result = _join([vectors, self.cut(vector)]) if block.to_sparse else vectors
        return vector + self.machine(vectors) if block.to_dense else vector, result


class NASRec(nn.Module):
    """Embedding tables, searched blocks and a score.

    Args:
        network: what was found; operators that do not reach the score are not built.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        rows = network.dataset.rows
        self.tables = nn.ModuleList(nn.Embedding(count, EMBEDDING) for count in rows)
        self.blocks = nn.ModuleList()
        widths, counts = [network.dataset.features], [len(rows)]
        for choice in live(network.blocks):
            block = SearchedBlock(choice, widths, counts)
            widths.append(block.width)
            counts.append(block.count)
            self.blocks.append(block)
        self.score = nn.Linear(widths[-1] + EMBEDDING * counts[-1], 1)

    def forward(self, features: Tensor, rows: Tensor) -> Tensor:
        """Predicts the logit of a click per sample, [batch, 1].

        Args:
            features: [batch, features].
            rows: [tables, batch] row numbers, one line per table.
        """
        embedded = [table(line) for table, line in zip(self.tables, rows, strict=True)]
        dense, sparse = [features], [torch.stack(embedded, dim=1)]
        for block in self.blocks:
            vector, vectors = block(dense, sparse)
            dense.append(vector)
            sparse.append(vectors)
        return self.score(torch.cat([dense[-1], sparse[-1].flatten(1)], dim=1))


def _example(network: Network, batch: int) -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    """A network and a batch of samples."""
    features = torch.empty(batch, network.dataset.features)
    rows = torch.zeros(len(network.dataset.rows), batch, dtype=torch.int64)
    return NASRec(network), (features, rows)


criteo_small = partial(_example, nasrec_networks.CRITEO_SMALL)
criteo_full = partial(_example, nasrec_networks.CRITEO_FULL)
avazu_small = partial(_example, nasrec_networks.AVAZU_SMALL)
avazu_full = partial(_example, nasrec_networks.AVAZU_FULL)
kdd_small = partial(_example, nasrec_networks.KDD_SMALL)
kdd_full = partial(_example, nasrec_networks.KDD_FULL)
