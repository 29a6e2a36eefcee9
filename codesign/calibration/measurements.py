"""Measured operators as columns: what a fit reads, and when there are enough of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from codesign.calibration.operators import PRODUCT, Point, element_bytes, moved_bytes, operator
from codesign.errors import CalibrationError
from codesign.workload.record import Op
from codesign.workload.work import format_pair

FEWEST = 20
"""Different operators below which nothing is fitted."""
FEWEST_OF_WORK = 5
"""Different operators of a kind and format: four to fit, and one to hold back."""
_DIGESTED = ("kind", "formats", "batch", "m", "k", "n", "moved_bytes", "element_bytes", "seconds")

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Measurements:
    """Operators as columns. All arrays have one length.

    Attributes:
        kind: kind of each operator.
        formats: ``fp16*fp16`` of a contraction, else one format.
        batch: products beside each other; 1 if it is no contraction.
        m: rows of results of a contraction; else rows of the operand.
        k: products added up for one result; 1 if it is no contraction.
        n: columns of results; else the length of a row.
        loaded_bytes: of inputs, once each, at their true bits.
        stored_bytes: of outputs.
        element_bytes: bytes of an element of each of the first two operands, shape [2, points].
        seconds: measured.
        protocol: how; one for all.
        sources: where from, each once.
        left_out: points that were left out as their times are at the resolution of the clock.
    """

    kind: Texts
    formats: Texts
    batch: Floats
    m: Floats
    k: Floats
    n: Floats
    loaded_bytes: Floats
    stored_bytes: Floats
    element_bytes: Floats
    seconds: Floats
    protocol: str
    sources: tuple[str, ...]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def rows(self) -> Floats:
        """Rows of all products of an operator."""
        return self.batch * self.m

    @property
    def moved_bytes(self) -> Floats:
        """Bytes of inputs and outputs."""
        return self.loaded_bytes + self.stored_bytes

    @cached_property
    def work(self) -> Texts:
        """Kind and formats of each operator, as ``softmax fp16``."""
        pairs = zip(self.kind.tolist(), self.formats.tolist(), strict=True)
        return np.array([" ".join(pair) for pair in pairs], np.str_)

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Of each point the first one with the same operator: repeats are one operator."""
        sizes = (self.batch, self.m, self.k, self.n, self.moved_bytes)
        rows = zip(self.work.tolist(), *(size.tolist() for size in sizes), strict=True)
        seen: dict[object, int] = {}
        return np.array([seen.setdefault(row, place) for place, row in enumerate(rows)], np.int64)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Measurements:
        """Some of the points, by a mask or by numbers."""
        columns = {
            field.name: value[..., chosen]
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        return Measurements(
            **columns, protocol=self.protocol, sources=self.sources, left_out=self.left_out
        )

    @property
    def digest(self) -> str:
        """SHA-256 of all points in their order."""
        content = hashlib.sha256(self.protocol.encode())
        for name in _DIGESTED:
            content.update("\n".join(map(str, getattr(self, name).ravel().tolist())).encode())
        return content.hexdigest()


def tabulate(
    points: Sequence[Point], protocol: str, sources: tuple[str, ...], left_out: int = 0
) -> Measurements:
    """Points as columns.

    Args:
        points: the operators.
        protocol: how they were measured.
        sources: where from.
        left_out: further points that were left out.
    """
    ops = [operator(point) for point in points]
    batch, m, k, n = np.array([point.sizes for point in points], float).reshape(-1, 4).T
    loaded, stored = np.array([moved_bytes(op) for op in ops], float).reshape(-1, 2).T
    elements = [[element_bytes(one.formats[place]) for place in (0, -1)] for one in points]
    return Measurements(
        np.array([point.kind for point in points], np.str_),
        np.array([_formats(op) for op in ops], np.str_),
        batch,
        m,
        k,
        n,
        loaded,
        stored,
        np.array(elements, float).reshape(-1, 2).T,
        np.array([point.seconds for point in points], float),
        protocol=protocol,
        sources=sources,
        left_out=left_out,
    )


def check_enough(table: Measurements, place: str) -> None:
    """Checks that there are operators enough to fit some and to predict others.

    Args:
        table: the measurements.
        place: what messages call them.

    Raises:
        CalibrationError: too few different operators, in all or of a kind and format.
    """
    different = table.where(np.unique(table.first))
    if len(different) < FEWEST:
        dropped = f", {table.left_out} at the resolution of the clock left out"
        raise CalibrationError(
            f"{place}: a fit needs at least {FEWEST} different operators, got {len(different)} in "
            f"{len(table)} points{dropped if table.left_out else ''}; measure more"
        )
    for work, count in zip(*np.unique(different.work, return_counts=True), strict=True):
        if count < FEWEST_OF_WORK:
            raise CalibrationError(
                f"{place}: a fit needs at least {FEWEST_OF_WORK} different operators of each kind "
                f"and format, got {count} of {work}; measure more, or take its rows out"
            )


def _formats(op: Op) -> str:
    return format_pair(op) if op.kind == PRODUCT else str(op.inputs[0].tensor.dtype)
