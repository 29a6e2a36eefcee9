"""Products with zeros in both factors beside the dual-side sparse tensor core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codesign import load_hardware
from codesign.errors import ValidationError
from codesign.validation import Case, TableRow, Validation, parse_table, read_table
from codesign.workload.sparsity import Sparsity

from .outer import DualSideSparse
from .planned import alone, with_zeros

FILE = "sparse/dstc_4096.csv"
COLUMNS = ("M", "N", "K", "A_density", "B_density", "normalised_to_dense")
TYPED = """\
M,N,K,A_density,B_density,normalised_to_dense
4096,4096,4096,1,0.4,0.543
4096,4096,4096,0.7,1,0.717
4096,4096,4096,0.3,0.4,0.239
"""
"""Some of the points, for those who do not have the file."""
HARDWARE = "dual-side-sparse"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A published point.

    Attributes:
        rows: of the first factor.
        inner: length of the reduction.
        columns: of the second factor.
        first: density of the first factor.
        second: density of the second factor.
        time: of the product, over that of a dense one.
    """

    rows: int
    inner: int
    columns: int
    first: float
    second: float
    time: float

    @property
    def name(self) -> str:
        """Sizes and densities."""
        return f"{self.rows}x{self.inner}x{self.columns} A {self.first:g} B {self.second:g}"


def rows(data: Path | None) -> Sequence[Pair]:
    """The points that are not dense, which are what the others are normalised to.

    Raises:
        ValidationError: a file that breaks a rule.
    """
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    pairs = [_pair(row) for row in found]
    return [pair for pair in pairs if (pair.first, pair.second) != (1.0, 1.0)]


def compare(pair: Pair) -> Iterator[Case]:
    """The time over that of a dense product, and beside it the product of the densities."""
    yield Case(
        name=pair.name,
        quantity="time over dense",
        ours=cycles(pair, pair.first, pair.second) / cycles(pair, 1.0, 1.0),
        theirs=pair.time,
    )
    yield Case(
        name=pair.name,
        quantity="product of the densities over dense",
        ours=pair.first * pair.second,
        theirs=pair.time,
        note="not our model: the rule of thumb that it replaces",
    )


@cache
def cycles(pair: Pair, first: float, second: float) -> int:
    """Cycles of the product with these densities."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import matmul

    op = matmul(pair.rows, pair.inner, pair.columns, dtype="fp16")
    zeros = [Sparsity.parse(density) if density < 1 else None for density in (first, second)]
    return alone(core(), with_zeros(op, *zeros)).cycles


@cache
def core() -> DualSideSparse:
    """The core of the preset."""
    engine = load_hardware(HARDWARE).engine("core")
    if not isinstance(engine, DualSideSparse):  # pragma: no cover
        raise ValidationError(f"{HARDWARE} must have a core of kind dual_side_sparse")
    return engine


PAIRS = Validation(
    title="time of 4096x4096x4096 with zeros in both factors, over that of a dense one",
    source="Wang et al., Dual-side sparse tensor core, ISCA 2021, as quoted in the artifact of "
    "Sparseloop (MICRO 2022, commit de0374a)",
    note="nothing is fitted: non-zeros are taken in groups of 8 and 16 of a tile of 32 x 32; most "
    "is missing where the first factor has 70 to 90 % non-zeros, which the groups hardly notice",
    rows=rows,
    compare=compare,
    files=(FILE,),
)


def _pair(row: TableRow) -> Pair:
    densities = {name: row.number(name) for name in ("A_density", "B_density")}
    for name, density in densities.items():
        if not 0 < density <= 1:
            raise row.fault(name, "a density above 0 and up to 1")
    return Pair(
        rows=row.whole("M"),
        inner=row.whole("K"),
        columns=row.whole("N"),
        first=densities["A_density"],
        second=densities["B_density"],
        time=row.number("normalised_to_dense"),
    )
