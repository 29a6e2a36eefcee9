"""Validation: products with 2:4 sparse weights beside dense ones, on an A100 and an MI300X."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TypeAlias

from codesign import Budget, Op, Sparsity, Stored, hookimpl, load_hardware
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table

from .ranks import rank_correlation
from .sparse import SparseTensorCore

FILE = "sparse/sparse24_gemm.csv"
COLUMNS = ("hardware", "kernel", "M", "N", "K", "dense_us", "sparse_us", "scope", "source", "note")
TYPED = """\
hardware,kernel,M,N,K,dense_us,sparse_us,scope,source,note
A100-80GB,PyTorch CUTLASS,3072,3072,10240,870,630,one GEMM,pytorch/tutorials,
A100,PyTorch cuSPARSELt,1,4096,4096,22,196,one GEMM,pytorch/pytorch issue 111339,
MI300X,hipSPARSELt vs hipBLASLt,3072,3072,10240,351.82,299.05,one GEMM,pytorch/pytorch PR 150578,
"""
"""Some products, for those who do not have the file."""

PRESETS = {"A100": "a100-80gb", "MI300X": "mi300x"}
FAULTY = {
    "CUTLASS WIP": "an unfinished kernel, slower than the dense one at all sizes; replaced since",
    "CUTLASS profiler (user)": "built with the wrong tool chain, as its maintainers found",
}
"""Kernels whose times say nothing about the device."""
FITTED = {
    "A100": {
        (1, 4096, 4096),
        (4096, 4096, 4096),
        (3072, 10240, 3072),
        (16384, 16384, 16384),
    },
    "MI300X": {(8, 4096, 14336), (3072, 10240, 3072), (17664, 768, 3072), (24576, 768, 3072)},
}
"""Rows, sum and columns of the products that the constants of a device are fitted to."""
FEWEST = 3
"""Pairs of a device below which they have no order to speak of."""
_TRAINING = "forward + backward"
_CODEC = Stored("2:4", Fraction(8), Fraction(1))  # of 16 bits: half of the values, 2 bits for each


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A product measured with dense and with sparse weights.

    Attributes:
        device: a key of ``PRESETS``.
        sizes: rows of activations, sum, columns of weights.
        dense_us: with dense weights; None if it was not measured.
        sparse_us: with sparse ones.
        is_training: whether both are of the three products of a training step.
    """

    device: str
    sizes: tuple[int, int, int]
    dense_us: float | None
    sparse_us: float
    is_training: bool = False

    @property
    def name(self) -> str:
        """Device and sizes."""
        return f"{self.device} {'x'.join(map(str, self.sizes))}"

    @property
    def is_fitted(self) -> bool:
        """Whether constants are fitted to it."""
        return not self.is_training and self.sizes in FITTED[self.device]


@dataclass(frozen=True, kw_only=True)
class Gains:
    """All pairs of a device with both times.

    Attributes:
        device: a key of ``PRESETS``.
        pairs: at least three of them.
    """

    device: str
    pairs: tuple[Pair, ...]

    def order(self) -> Case | NotRun:
        """Whether what gains more in ours does so in theirs: 1 if in the same order."""
        ours = [_gain(pair) for pair in self.pairs]
        theirs = [pair.dense_us / pair.sparse_us for pair in self.pairs if pair.dense_us]
        found, name = rank_correlation(ours, theirs), f"{self.device}, {len(ours)} pairs"
        if found < 0:
            return NotRun(name=name, reason=f"ranks of the gains are against theirs: {found:.2f}")
        return Case(
            name=name,
            quantity="rank correlation of the gains",
            ours=found,
            theirs=1.0,
            calibrated=True,
            note=f"of 1 at best; ours are {len({round(gain, 3) for gain in ours})} gains; "
            f"{sum(pair.is_fitted for pair in self.pairs)} pairs are fitted",
        )


Row: TypeAlias = Pair | Gains | NotRun


def rows(data: Path | None) -> Sequence[Row]:
    """The pairs of the file or the typed ones, and their order; what is faulty says why."""
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed pairs")
    # a report may have its dense time in a row of its own, whose sparse kernel was at fault
    dense = {_report(row): row.number("dense_us") for row in found if row.text("dense_us")}
    rows = [_row(row, dense.get(_report(row))) for row in found]
    both = [row for row in rows if isinstance(row, Pair) and row.dense_us is not None]
    groups = [tuple(row for row in both if row.device == device) for device in PRESETS]
    orders = [Gains(device=rows[0].device, pairs=rows) for rows in groups if len(rows) >= FEWEST]
    return [*rows, *orders]


def compare(row: Row) -> Iterator[Case | NotRun]:
    """The gain of sparse weights, and both times of a single product."""
    if isinstance(row, NotRun):
        yield row
        return
    if isinstance(row, Gains):
        yield row.order()
        return
    dense, sparse = (predicted_us(row, is_sparse=wanted) for wanted in (False, True))
    if row.dense_us is not None:
        yield Case(
            name=row.name,
            quantity="dense time over sparse time",
            ours=dense / sparse,
            theirs=row.dense_us / row.sparse_us,
            calibrated=row.is_fitted,
            note=_note(row, dense, sparse),
        )
    if row.is_training:
        return
    for quantity, ours, theirs in (
        ("time, dense weights", dense, row.dense_us),
        ("time, 2:4 weights", sparse, row.sparse_us),
    ):
        if theirs is not None:
            yield Case(
                name=row.name,
                quantity=quantity,
                unit="us",
                ours=ours,
                theirs=theirs,
                calibrated=row.is_fitted,
            )


def predicted_us(row: Pair, *, is_sparse: bool) -> float:
    """Microseconds of a product; in training the product of the weights' gradient stays dense.

    Args:
        row: what is predicted.
        is_sparse: whether with sparse weights.
    """
    m, k, n = row.sizes
    if not row.is_training:
        return _time_us(row.device, row.sizes, is_sparse)
    forward, back = ((m, k, n), (m, n, k))
    seconds = sum(_time_us(row.device, sizes, is_sparse) for sizes in (forward, back))
    return seconds + _time_us(row.device, (n, m, k), is_sparse=False)


def product(m: int, k: int, n: int) -> Op:
    """A product of fp16 whose weights are 2:4 along the sum and stored so."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import matmul

    op = matmul(m, k, n, dtype="fp16")
    weight = op.inputs[1]
    tensor = replace(weight.tensor, sparsity=Sparsity.parse("2:4 axis 0"), stored=_CODEC)
    return replace(op, inputs=(op.inputs[0], replace(weight, tensor=tensor)))


def _time_us(device: str, sizes: tuple[int, int, int], is_sparse: bool) -> float:
    """Of the sparse kernel also where the engine would take the dense one."""
    from codesign.testing import matmul

    engine, budget = device_of(device)
    if is_sparse:
        kernel = engine.sparse_kernel(product(*sizes), budget)
    else:
        kernel = engine.kernel(matmul(*sizes, dtype="fp16"), budget)
    return (engine.t0 + kernel.work_s) * 1e6


@cache
def device_of(device: str) -> tuple[SparseTensorCore, Budget]:
    """The engine of a device and the rates around it.

    Args:
        device: a key of ``PRESETS``.
    """
    from codesign.calibration import budget_of

    machine = load_hardware(PRESETS[device])
    engine = next(one for one in machine.engines if isinstance(one, SparseTensorCore))
    return engine, budget_of(machine, engine)


def _gain(row: Pair) -> float:
    return predicted_us(row, is_sparse=False) / predicted_us(row, is_sparse=True)


def _note(row: Pair, dense: float, sparse: float) -> str:
    if row.is_training:
        return "of three products, that of the weights' gradient is dense"
    return "the engine takes the dense kernel" if dense < sparse else ""


def _report(row: TableRow) -> tuple[str, ...]:
    """What tells the products of a report apart."""
    return tuple(row.text(column) for column in ("source", "scope", "M", "N", "K"))


def _row(row: TableRow, dense_us: float | None) -> Row:
    sizes = tuple(row.whole(column) for column in ("M", "K", "N"))
    device = next((name for name in PRESETS if row.text("hardware").startswith(name)), None)
    name = f"{row.text('hardware')} {'x'.join(map(str, sizes))}, {row.text('kernel')}"
    for word, reason in FAULTY.items():
        if word in row.text("kernel"):
            return NotRun(name=name, reason=reason)
    if device is None or min(sizes) < 1:
        raise row.fault("hardware", f"{' or '.join(PRESETS)}, with sizes of at least 1")
    # the library of the MI300X takes the sparse factor first: its M counts weights
    m, k, n = sizes if device == "A100" else sizes[::-1]
    return Pair(
        device=device,
        sizes=(m, k, n),
        dense_us=dense_us,
        sparse_us=row.number("sparse_us"),
        is_training=row.text("scope").startswith(_TRAINING),
    )


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Row]]:
    """The gain of 2:4 sparse weights."""
    validation = Validation(
        title="products with 2:4 sparse weights beside dense ones",
        source="reports of users and maintainers of cuSPARSELt, CUTLASS, hipSPARSELt and torchao",
        note="a sparse time is of the sparse kernel, faster or not; software and clocks differ "
        "from report to report; of the A100 two constants are fitted to four products, of the "
        "MI300X three to four, the rest is predicted; what gains more in theirs does so in ours in "
        "part only",
        rows=rows,
        compare=compare,
        files=(FILE,),
    )
    return {"sparse-2to4": validation}
