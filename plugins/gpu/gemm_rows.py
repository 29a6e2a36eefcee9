"""The measured products that ``validate_gemm`` compares, read from reference files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from codesign.validation import NotRun, TableRow, read_table

if TYPE_CHECKING:
    from codesign.calibration import Measurements

PROFILES = "gpu_ops/vidur_gemm_a100.csv"
OPERATORS = "gpu_ops/measured_ops.csv"
BASELINES = "gpu_ops/roofline_baselines.csv"
FILES = (PROFILES, OPERATORS, BASELINES)
COLUMNS = ("hardware", "dtype", "op", "M", "N", "K", "latency_us", "protocol")
FITTED_MODEL = "Llama-2-7b-hf"
SEED = 0
TYPED = """\
hardware,dtype,op,M,N,K,latency_us,protocol
A40,fp16,gemm,1,4096,4096,64.0,kernel time
A40,fp16,gemm,64,4096,4096,73.0,kernel time
A40,fp16,gemm,512,4096,4096,185.0,kernel time
A100-80GB-SXM,fp16,gelu,536870912,,,1375.44,host-timed
A100-80GB-SXM,fp16,layernorm,32768,4096,,347.85,host-timed
A100-80GB-SXM,fp16,softmax,32768,4096,,481.37,host-timed
"""
"""Some operators, for those who do not have the files."""

_PROFILE_COLUMNS = ("M", "N", "K", "dtype", "median_us", "model", "tp", "op")
_BASELINE_COLUMNS = (
    "set",
    "range",
    "naive_roofline_MAPE_pct",
    "tiled_three_parameter_MAPE_pct",
)
_RANGES = ("all", "M<=64", "64<M<=512", "M>512")
_KINDS = {"gelu": "elementwise", "layernorm": "normalize", "softmax": "softmax"}


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelSet:
    """Profiles of some models.

    Attributes:
        name: of the models.
        fitted: the points that constants are fitted to.
        tested: the points of this set.
        is_fitted: whether they are the same.
        tiled: errors in % of another model with tiles and three constants, by rows.
        naive: errors in % of a roofline, by rows.
    """

    name: str
    fitted: Measurements
    tested: Measurements
    is_fitted: bool
    tiled: tuple[float, ...]
    naive: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Operator:
    """One measured operator.

    Attributes:
        name: device, operator and sizes.
        device: as the file calls it.
        op: as the file calls it.
        protocol: ``kernel`` or ``host``.
        table: the operator alone.
        alike: all products of its device and protocol.
        halves: every second of these: those without it first.
    """

    name: str
    device: str
    op: str
    protocol: str
    table: Measurements
    alike: Measurements
    halves: tuple[Measurements, Measurements]

    @property
    def microseconds(self) -> float:
        """As measured."""
        return float(self.table.seconds[0]) * 1e6


Row: TypeAlias = ModelSet | Operator | NotRun


def model_sets(data: Path) -> list[Row]:
    """Products of the model that is fitted, and of the seven others.

    Args:
        data: the folder of references.
    """
    import numpy as np

    from codesign.calibration import stratified

    profiles = read_table(data / PROFILES, _PROFILE_COLUMNS)
    ours = [row for row in profiles if row.text("model") == FITTED_MODEL]
    others = [row for row in profiles if row.text("model") != FITTED_MODEL]
    models = {row.text("model") for row in others}
    one, rest = (_products(part, "median_us", "kernel") for part in (ours, others))
    chosen = stratified(one, SEED)
    held = np.setdiff1d(np.arange(len(one)), chosen)
    fitted = one.where(chosen)
    errors = _baselines(data)
    first, second = (errors[word] for word in ("Llama-2-7b", "other models"))
    return [
        _set("the points of the fit", fitted, fitted, first),
        _set("the same model, held back", fitted, one.where(held), first),
        _set(f"{len(models)} other models", fitted, rest, second),
    ]


def _set(name: str, fitted: Measurements, tested: Measurements, theirs: _Errors) -> ModelSet:
    return ModelSet(
        name=name,
        fitted=fitted,
        tested=tested,
        is_fitted=tested is fitted,
        tiled=theirs[0],
        naive=theirs[1],
    )


def operators(rows: Sequence[TableRow]) -> list[Row]:
    """Single operators: products of the A40, of the host, and the largest of each other kind."""
    products = [row for row in rows if row.text("op") == "gemm"]
    others = [row for row in rows if row.text("op") != "gemm"]
    found: list[Row] = []
    for device, protocol in (("A40", "kernel"), ("A100", "host")):
        mine = [r for r in products if r.text("hardware").startswith(device)]
        mine = [row for row in mine if _protocol(row) == protocol]
        found += _alike(mine, protocol) if mine else []
    for op in sorted({row.text("op") for row in others}):
        found.append(_largest([row for row in others if row.text("op") == op]))
    left = len(products) - sum(isinstance(row, Operator) and row.op == "gemm" for row in found)
    if left:
        reason = "of the same profiles as the sets of models"
        found.append(NotRun(name=f"{left} kernel times of the A100", reason=reason))
    return found


_Errors: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]


def _baselines(data: Path) -> Mapping[str, _Errors]:
    """Errors of tiles and of the roofline by set, in the order of the ranges of rows."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for row in read_table(data / BASELINES, _BASELINE_COLUMNS):
        name = row.text("set").partition(" (")[0]
        errors = (row.number(_BASELINE_COLUMNS[3]), row.number(_BASELINE_COLUMNS[2]))
        found.setdefault(name, {})[row.text("range")] = errors
    return {
        name: (
            tuple(errors[part][0] for part in _RANGES),
            tuple(errors[part][1] for part in _RANGES),
        )
        for name, errors in found.items()
    }


def _alike(rows: Sequence[TableRow], protocol: str) -> list[Row]:
    every = _products(rows, "latency_us", protocol)
    halves = [_products(rows[start::2] or rows, "latency_us", protocol) for start in (0, 1)]
    return [
        Operator(
            name=f"{row.text('hardware')} {'x'.join(row.text(size) for size in 'MKN')}",
            device=row.text("hardware"),
            op="gemm",
            protocol=protocol,
            table=_products([row], "latency_us", protocol),
            alike=every,
            halves=(halves[1 - place % 2], halves[place % 2]),
        )
        for place, row in enumerate(rows)
    ]


def _largest(rows: Sequence[TableRow]) -> Operator:
    """The operator that moves most bytes a second."""
    tables = [_stream(row) for row in rows]
    best = max(range(len(rows)), key=lambda i: tables[i].moved_bytes[0] / tables[i].seconds[0])
    table, op = tables[best], rows[best].text("op")
    return Operator(
        name=f"{rows[best].text('hardware')} {op}",
        device=rows[best].text("hardware"),
        op=op,
        protocol="host",
        table=table,
        alike=table,
        halves=(table, table),
    )


def _protocol(row: TableRow) -> str:
    word = row.text("protocol").partition(",")[0].partition(" ")[0]
    return "kernel" if word == "kernel" else "host"


def _stream(row: TableRow) -> Measurements:
    from codesign import DType
    from codesign.calibration import Point, tabulate

    columns = row.whole("N") if row.text("N") else 1
    dims, dtype = (row.whole("M"), columns), DType.parse(row.text("dtype"))
    point = Point(_KINDS[row.text("op")], dims, (dtype,), row.number("latency_us") * 1e-6)
    return tabulate([point], "host", ())


def _products(rows: Sequence[TableRow], column: str, protocol: str) -> Measurements:
    from codesign import DType
    from codesign.calibration import Point, tabulate

    points = [
        Point(
            "contraction",
            (row.whole("M"), row.whole("K"), row.whole("N")),
            (DType.parse(row.text("dtype")),) * 2,
            row.number(column) * 1e-6,
        )
        for row in rows
    ]
    return tabulate(points, protocol, ("profiles of matrix products",))
