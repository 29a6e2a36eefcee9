"""Dimensions of a recurrent cell and what follows from them in closed form; torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codesign.errors import ModelError, did_you_mean

GATES: Mapping[str, int] = {"lstm": 4, "cifg": 3, "lstm_projected": 4}
"""Gate matrices by kind of cell: CIFG takes its input gate from the forget gate."""


def check_structure(inputs: int, outputs: int, blocks: int, rank: int | None) -> None:
    """Checks the structure of a recurrent matrix.

    Args:
        inputs: columns of the matrix of one gate, at least 1.
        outputs: rows of the matrix of one gate, at least 1.
        blocks: equal blocks on its diagonal; 1 for a dense matrix. Divides both sizes.
        rank: width between its two factors, or None if it is not factorised.

    Raises:
        ModelError: a size below 1, blocks that do not divide the sizes, or both structures.
    """
    sizes = {"inputs": inputs, "width": outputs, "blocks": blocks, "rank": rank}
    for name, size in sizes.items():
        if size is not None and size < 1:
            raise ModelError(f"{name} of a recurrent matrix must be at least 1, got {size}")
    if inputs % blocks or outputs % blocks:
        raise ModelError(
            f"blocks must divide the {outputs} rows and {inputs} columns of a recurrent matrix, "
            f"got {blocks}; take a divisor of both"
        )
    if rank is not None and blocks > 1:
        raise ModelError(
            "a recurrent matrix is either block diagonal or of low rank, "
            f"got blocks {blocks} and rank {rank}; set blocks to 1 or rank to None"
        )


@dataclass(frozen=True, slots=True)
class CellShape:
    """One recurrent cell of a transducer.

    ``lstm`` and ``cifg`` store one bias and one layer normalisation (gain and shift) per gate and
    none on the cell state; ``lstm_projected`` stores one bias per gate and no normalisation.

    Attributes:
        kind: one of ``GATES``.
        inputs: width of the input vector.
        width: width of the cell state.
        blocks: diagonal blocks of each recurrent matrix; 1 for dense ones.
        rank: rank of each recurrent matrix that is stored as two factors; None for one matrix.
        projection: width of the hidden state of ``lstm_projected``, None for the others.
    """

    kind: str
    inputs: int
    width: int
    blocks: int = 1
    rank: int | None = None
    projection: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in GATES:
            raise ModelError(f"unknown cell {self.kind!r}{did_you_mean(self.kind, GATES)}")
        if (self.projection is not None) != (self.kind == "lstm_projected"):
            raise ModelError(
                "projection is the hidden width of lstm_projected, which needs it and which no "
                f"other cell takes; got cell {self.kind!r} with projection {self.projection}"
            )
        if self.inputs < 1:
            raise ModelError(f"inputs of a cell must be at least 1, got {self.inputs}")
        check_structure(self.outputs, self.width, self.blocks, self.rank)

    @property
    def gates(self) -> int:
        """Gate matrices."""
        return GATES[self.kind]

    @property
    def is_normalised(self) -> bool:
        """Whether each gate has a layer normalisation."""
        return self.kind != "lstm_projected"

    @property
    def outputs(self) -> int:
        """Width of the hidden state, which is the output."""
        return self.width if self.projection is None else self.projection

    @property
    def input_elements(self) -> int:
        """Elements of the input matrices: the product with them does not recur."""
        return self.gates * self.width * self.inputs

    @property
    def loop_elements(self) -> int:
        """Elements of the matrices that every step needs in turn: recurrent and projection."""
        if self.rank is None:
            recurrent = self.gates * self.width * self.outputs // self.blocks
        else:
            recurrent = self.gates * self.rank * (self.outputs + self.width)
        return recurrent + (self.projection or 0) * self.width

    @property
    def recurrent_set(self) -> int:
        """Elements that stay on chip if the loop is to fetch nothing: matrices and vectors."""
        vectors = 3 if self.is_normalised else 1
        return self.loop_elements + vectors * self.gates * self.width

    @property
    def parameters(self) -> int:
        """Stored elements."""
        return self.input_elements + self.recurrent_set

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one step for one sequence: of the matrices only."""
        return self.input_elements + self.loop_elements
