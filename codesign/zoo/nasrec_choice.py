"""What NASRec's search chooses for a network, and what of a choice reaches the score.

Source: Zhang et al., "NASRec: Weight Sharing Neural Architecture Search for Recommender Systems",
WWW 2023, section 3, and facebookresearch/NasRec. Every operator reads the results of any blocks
before its own, so that a search may leave results that nobody reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

DenseOperator: TypeAlias = Literal["linear", "dot-product", "sum", "sigmoid-gating"]
SparseOperator: TypeAlias = Literal["linear", "transformer"]


@dataclass(frozen=True)
class Dense:
    """A dense operator: it makes one vector per sample.

    Attributes:
        operator: ``linear`` is the paper's fully connected layer.
        width: of the vector.
        sources: numbers of the blocks whose dense results it reads, 0 being the features of the
            sample. ``sum`` and ``sigmoid-gating`` read a left and a right one, the others join all.
    """

    operator: DenseOperator
    width: int
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Sparse:
    """A sparse operator: it makes several vectors of the embedding's width per sample.

    Attributes:
        operator: ``linear`` is the paper's embedded fully connected layer, over the vectors.
        count: of the vectors that it makes.
    """

    operator: SparseOperator
    count: int


@dataclass(frozen=True)
class Block:
    """One block of a network.

    Attributes:
        dense: the dense operator, None where nothing needs it.
        sparse: the sparse operator, None where nothing needs it.
        sources: numbers of the blocks whose sparse results the block joins, 0 being the embeddings
            of the sample, for its sparse operator and for a ``dot-product``.
        to_sparse: the dense vector, projected and cut into vectors, joins the sparse result.
        to_dense: a factorisation machine over the sparse vectors is added to the dense result.
    """

    dense: Dense | None
    sparse: Sparse | None
    sources: tuple[int, ...]
    to_sparse: bool = False
    to_dense: bool = False


@dataclass(frozen=True)
class Dataset:
    """What a sample is made of.

    Attributes:
        features: how many numbers. Avazu and KDD have none, and the authors put in zeros.
        rows: of each embedding table. A sample reads one row of each.
    """

    features: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A network for the samples of a data set.

    Attributes:
        dataset: the samples.
        blocks: in order; both results of the last one make the score.
    """

    dataset: Dataset
    blocks: tuple[Block, ...]


def live(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks without the operators and merges that do not reach the results of the last one.

    Args:
        blocks: in order.
    """
    dense_read, sparse_read = {len(blocks)}, {len(blocks)}
    found: list[Block] = []
    for number in range(len(blocks), 0, -1):
        block = _needed(blocks[number - 1], number in dense_read, number in sparse_read)
        dense_read.update(block.dense.sources if block.dense else ())
        sparse_read.update(block.sources)
        found.insert(0, block)
    return tuple(found)


def _needed(block: Block, dense_read: bool, sparse_read: bool) -> Block:
    """What of a block is needed where its dense or its sparse result is read, or both."""
    to_sparse, to_dense = block.to_sparse and sparse_read, block.to_dense and dense_read
    dense = block.dense if dense_read or to_sparse else None
    sparse = block.sparse if sparse_read or to_dense else None
    joins = sparse or (dense and dense.operator == "dot-product")
    return Block(dense, sparse, block.sources if joins else (), to_sparse, to_dense)
