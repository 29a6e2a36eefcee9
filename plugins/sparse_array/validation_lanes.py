"""Lanes that wait for each other beside the exact statistics of their slowest one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign.validation import Case, TableRow, Validation, parse_table, read_table
from codesign.workload.density import Bernoulli
from codesign.workload.sparsity import Sparsity

from .array import SparseArray
from .planned import alone, with_zeros

FILE = "sparse/imbalance.csv"
COLUMNS = ("processing_elements", "operations_per_sync", "density", "max_over_mean_exact")
TYPED = """\
processing_elements,operations_per_sync,density,max_over_mean_exact
16,16,0.5,1.434
256,64,0.3,1.559
1024,1024,0.1,1.317
"""
"""Some of the points, for those who do not have the file."""
BARRIERS = 1000
"""Barriers of a run: rounding to whole cycles at its end is far below the last digit."""


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """A point.

    Attributes:
        lanes: that wait for each other.
        steps: of a lane between two barriers.
        density: of the weights.
        factor: slowest lane over the mean one.
    """

    lanes: int
    steps: int
    density: float
    factor: float


def rows(data: Path | None) -> Sequence[Lanes]:
    """The points in the file, or the typed ones.

    Raises:
        ValidationError: a file that breaks a rule.
    """
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    return [_lanes(row) for row in found]


def compare(point: Lanes) -> Iterator[Case]:
    """Cycles of a product, a column of the result in each lane, over those of its non-zeros."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import matmul

    engine = SparseArray(
        name="lanes", buffer="buffer", cols=point.lanes, sync=point.steps, decode_rate=point.steps
    )
    op = matmul(1, point.steps * BARRIERS, point.lanes)
    plan = alone(engine, with_zeros(op, None, Sparsity("element", Bernoulli(point.density))))
    yield Case(
        name=f"{point.lanes} lanes, {point.steps} steps, density {point.density:g}",
        quantity="slowest lane over the mean",
        ours=plan.cycles / (op.gemm[2] * point.density),
        theirs=point.factor,
    )


FACTORS = Validation(
    title="slowest of many lanes between barriers, over the mean of them",
    source="computed: order statistics of binomial distributions, printed to three decimals",
    note="nothing is fitted; ours are cycles of whole plans",
    rows=rows,
    compare=compare,
    files=(FILE,),
)


def _lanes(row: TableRow) -> Lanes:
    density = row.number("density")
    if not 0 < density <= 1:
        raise row.fault("density", "above 0 and up to 1")
    for column in COLUMNS[:2]:
        if row.whole(column) < 1:
            raise row.fault(column, "at least 1")
    return Lanes(
        lanes=row.whole(COLUMNS[0]),
        steps=row.whole(COLUMNS[1]),
        density=density,
        factor=row.number("max_over_mean_exact"),
    )
