"""What a row of measurements describes: an operator of a trace, with its bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from codesign.workload.dtype import DType
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Access, Op, Role, Tensor

PRODUCT = "contraction"
OPERANDS: Mapping[str, str] = {
    PRODUCT: "two factors and the result, which has the format of the first",
    "elementwise": "as many tensors of one shape as it has inputs, and one result",
    "move": "a tensor and its copy",
    "normalize": "a tensor, a scale and a shift as long as its rows, and the result",
    "reduce": "a tensor, and one result for each of its rows",
    "softmax": "a tensor and the result",
}
"""Kinds whose bytes follow from a shape, and their operands. Those of ``gather``, ``scatter`` and
``sort`` hang on more than that, and a shape does not say what an ``attention`` is."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measured operator.

    Attributes:
        kind: of the operator, one of ``OPERANDS``.
        dims: ``(m, k, n)`` or ``(batch, m, k, n)`` of a contraction, else the shape of an input.
        formats: of its factors, or of its operands.
        seconds: measured.
        inputs: tensors of that shape that an elementwise operator reads; 1 for other kinds.
    """

    kind: str
    dims: tuple[int, ...]
    formats: tuple[DType, ...]
    seconds: float
    inputs: int = 1

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Batch, rows, sum and columns; of other kinds than contractions 1, rows, 1, row length."""
        if self.kind == PRODUCT:
            batch, m, k, n = (1, *self.dims)[-4:]
            return batch, m, k, n
        return 1, math.prod(self.dims[:-1]), 1, self.dims[-1]


def operator(point: Point) -> Op:
    """The operator as a trace has it, and so as an engine plans it.

    Args:
        point: of a kind in ``OPERANDS``.
    """
    if point.kind == PRODUCT:
        return _product(point)
    dtype, shape = point.formats[0], point.dims
    inputs = [_whole(f"x{number}", shape, dtype, "input") for number in range(point.inputs)]
    if point.kind == "normalize":
        inputs += [_whole(name, shape[-1:], dtype, "weight") for name in ("scale", "shift")]
    results = shape[:-1] if point.kind == "reduce" else shape
    output = _whole("y", results, dtype, "output")
    return Op(point.kind, point.kind, tuple(inputs), (output,))


def moved_bytes(op: Op) -> tuple[int, int]:
    """Bytes of what an operator reads and writes, each operand once."""
    loaded = sum(op.operands[place].bytes for place in op.distinct_inputs)
    return loaded, sum(access.bytes for access in op.outputs)


def element_bytes(dtype: DType) -> float:
    """Bytes of an element with its share of a scale."""
    return (dtype.bits + (dtype.scale_bits / dtype.block if dtype.block else 0)) / 8


def _product(point: Point) -> Op:
    batch, m, k, n = point.sizes
    first, second = point.formats[0], point.formats[-1]
    lead = (batch,) if batch != 1 else ()
    factors = (
        _whole("x", (*lead, m, k), first, "input"),
        _whole("w", (*lead, k, n), second, "weight"),
    )
    output = _whole("y", (*lead, m, n), first, "output")
    return Op(PRODUCT, PRODUCT, factors, (output,), matmul_nest(batch, m, n, k))


def _whole(name: str, shape: tuple[int, ...], dtype: DType, role: Role) -> Access:
    return Tensor(name, shape, dtype, role).access()
