"""Bytes of embeddings and of dense weights against the batch, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

from codesign import DType, Trace
from recommender_study.cases import capture, lookups

BURST = 64
"""Bytes that a DRAM with 64 data lines moves at least (DDR4, burst length 8)."""
FORMATS = ("fp32", "fp16", "int8")


@dataclass(frozen=True)
class Table:
    """An embedding table.

    Attributes:
        rows: that it has.
        width: numbers of a row.
        lookups: rows that a sample reads.
    """

    rows: int
    width: int
    lookups: int

    def read_rows(self, batch: int) -> int:
        """Distinct rows that a batch reads at most: every lookup another one, while there are."""
        return min(batch * self.lookups, self.rows)


@dataclass(frozen=True)
class Traffic:
    """What a model reads of its weights.

    Attributes:
        tables: its embedding tables.
        weights: numbers in all other weights.
    """

    tables: tuple[Table, ...]
    weights: int

    def dense_bytes(self, dtype: str) -> int:
        """Bytes of the dense weights, read once for a batch."""
        return DType.parse(dtype).storage_bytes(self.weights)

    def embedding_bytes(self, batch: int, dtype: str, burst: int = 1) -> int:
        """Bytes of the rows that a batch reads.

        Args:
            batch: samples.
            dtype: format of a row.
            burst: bytes that each row fills up to; 1 for useful bytes.
        """
        return (
            sum(
                table.read_rows(batch) * -(-DType.parse(dtype).storage_bytes(table.width) // burst)
                for table in self.tables
            )
            * burst
        )

    def uncapped(self) -> int:
        """The same with useful bytes, if no table ever ran out of rows; for any format."""
        numbers = sum(table.lookups * table.width for table in self.tables)
        return -(-self.weights // numbers)

    def crossover(self, dtype: str, burst: int = 1) -> int | None:
        """The least batch whose embeddings are as many bytes as the dense weights, if there is."""
        dense, most = self.dense_bytes(dtype), max(table.rows for table in self.tables)
        if self.embedding_bytes(most, dtype, burst) < dense:
            return None
        low, high = 1, most
        while low < high:
            middle = (low + high) // 2
            if self.embedding_bytes(middle, dtype, burst) < dense:
                low = middle + 1
            else:
                high = middle
        return low


def traffic_of(model: str) -> Traffic:
    """What one of the models reads."""
    return read_traffic(capture(model, 1))


def read_traffic(trace: Trace) -> Traffic:
    """What a trace of one sample reads."""
    found = {op.inputs[0].tensor.name: op for op in lookups(trace)}
    tables = []
    for op in found.values():
        rows, width = op.inputs[0].tensor.shape
        tables.append(Table(rows, width, op.inputs[0].elements // width))
    dense = {
        access.tensor.name: access.tensor.elements
        for op, _ in trace.ops()
        for access in op.inputs
        if access.tensor.role == "weight" and access.tensor.name not in found
    }
    return Traffic(tuple(tables), sum(dense.values()))
