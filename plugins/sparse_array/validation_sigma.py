"""Products with zeros in one factor beside a simulator of a flexible array, as a trend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codesign.errors import ValidationError
from codesign.validation import Case, TableRow, Validation, parse_table, read_table
from codesign.workload.density import Bernoulli
from codesign.workload.sparsity import Sparsity

from .array import SparseArray
from .planned import alone, with_zeros

FILE = "npus/cycle_simulators.csv"
COLUMNS = ("tool", "workload", "total_cycles")
TYPED = """\
tool,workload,total_cycles
STONNE 22634b8,SparseGEMM M64 N64 K256 MK sparsity 0%,18562
STONNE 22634b8,SparseGEMM 50%,11841
STONNE 22634b8,SparseGEMM 95%,847
"""
"""The runs, for those who do not have the file."""
PRODUCT = "SparseGEMM"
SIZES = (64, 256, 64)
"""M, K and N of all of them."""
GROUP = 16
"""Barriers that even out: any multiplier takes any product, so lanes hardly wait."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A recorded run.

    Attributes:
        zeros: share of zeros of the first factor, in percent.
        cycles: of the tool.
        dense: cycles of the tool without zeros.
    """

    zeros: int
    cycles: int
    dense: int


def rows(data: Path | None) -> Sequence[Run]:
    """The runs with zeros, in the file or the typed ones.

    Raises:
        ValidationError: a file that breaks a rule.
    """
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    cycles = {
        _percent(row): row.whole("total_cycles")
        for row in found
        if row.text("workload").startswith(PRODUCT)
    }
    if not cycles.get(0):
        raise ValidationError(
            f"{found[0].file} has no run of {PRODUCT} with 0 % zeros, which the others are "
            "compared with; add it"
        )
    return [Run(zeros=z, cycles=n, dense=cycles[0]) for z, n in cycles.items() if z]


def compare(run: Run) -> Iterator[Case]:
    """Cycles over those without zeros."""
    yield Case(
        name=f"64x256x64, {run.zeros} % zeros",
        quantity="cycles over dense",
        ours=cycles(run.zeros) / cycles(0),
        theirs=run.cycles / run.dense,
        note="trend",
    )


@cache
def cycles(zeros: int) -> int:
    """Cycles of 128 lanes for the product with such a share of zeros in the first factor."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import matmul

    engine = SparseArray(
        name="lanes",
        buffer="buffer",
        rows=2,
        cols=64,
        activation="skip",
        weight="none",
        balance="steal",
        balance_group=GROUP,
        decode_rate=1024,
    )
    sparsity = Sparsity("element", Bernoulli(1 - zeros / 100)) if zeros else None
    return alone(engine, with_zeros(matmul(*SIZES), sparsity, None)).cycles


PRODUCTS = Validation(
    title="cycles of a product with zeros in one factor on 128 flexible multipliers, a trend",
    source="own runs of STONNE 22634b8 (MIT), SIGMA-like: 128 multipliers, 64 words a cycle",
    note="nothing is fitted, and it is another machine: there a row of more non-zeros than "
    "multipliers takes another fill, so half of the zeros save a third of the cycles",
    rows=rows,
    compare=compare,
    files=(FILE,),
)


def _percent(row: TableRow) -> int:
    digits = row.text("workload").split()[-1].rstrip("%")
    if not digits.isdecimal() or int(digits) >= 100:
        raise row.fault("workload", f"{PRODUCT} and the percentage of zeros, as 'SparseGEMM 50%'")
    return int(digits)
