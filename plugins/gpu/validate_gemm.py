"""Validation: matrix products on two GPUs, fitted on one model and tested on seven others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codesign import Budget, hookimpl, load_hardware
from codesign.validation import Case, NotRun, Validation, parse_table, read_table

from .engine import Gpu
from .gemm_rows import (
    COLUMNS,
    FILES,
    OPERATORS,
    TYPED,
    ModelSet,
    Operator,
    Row,
    model_sets,
    operators,
)
from .times import Times

if TYPE_CHECKING:
    from codesign.calibration import Measurements

A100, A40 = "a100-80gb", "a40"
TILED = "mean error, tiles and three constants"
NAIVE = "mean error, naive roofline"


def rows(data: Path | None) -> Sequence[Row]:
    """The sets of profiles, and single operators; a few typed ones without the files."""
    if data is None:
        return operators(parse_table(TYPED, COLUMNS, "typed rows"))
    return [*model_sets(data), *operators(read_table(data / OPERATORS, COLUMNS))]


def compare(row: Row) -> Iterator[Case | NotRun]:
    """Errors over a set by rows, or the time of an operator."""
    if isinstance(row, NotRun):
        yield row
    elif isinstance(row, ModelSet):
        yield from _errors(row)
    elif row.op != "gemm":
        yield _rate(row)
    elif row.protocol == "kernel":
        ours = predicted(A40, {}, row.table)
        yield _time(row, "time, constants of the A100", ours, is_fitted=False)
    else:
        every, half = (fitted(table) for table in (row.alike, row.halves[0]))
        ours = predicted(A100, every, row.table)
        yield _time(row, "host time, refitted", ours, is_fitted=True)
        ours = predicted(A100, half, row.table)
        yield _time(row, "host time, refitted to the other half", ours, is_fitted=False)


@cache
def fitted(table: Measurements) -> Mapping[str, float]:
    """The constants of the A100 that fit some points best."""
    from codesign.calibration.run import best_constants

    engine, budget = _device(A100)
    return best_constants(engine, engine.constants_of(table), table, budget)


def predicted(preset: str, constants: Mapping[str, float], table: Measurements) -> Times:
    """Seconds of every operator of a table.

    Args:
        preset: name of the hardware.
        constants: that differ from those of the preset.
        table: the operators.
    """
    from codesign.calibration import with_constants

    engine, budget = _device(preset)
    return with_constants(engine, constants).predict_s(table, budget)


def roofline(table: Measurements) -> Times:
    """Seconds of every product at the peaks of the data sheet: no tiles, no start."""
    engine, budget = _device(A100)
    peak = engine.units * engine.macs[str(table.formats[0])] * engine.clock
    macs = table.batch * table.m * table.k * table.n
    seconds: Times = np.maximum(macs / peak, table.moved_bytes / budget.load_bytes_per_s)
    return seconds


def _errors(row: ModelSet) -> Iterator[Case]:
    """Errors by rows of the fit, and of the roofline beside it."""
    from codesign.calibration import BANDS, errors_by_band

    table = row.tested
    tiled = predicted(A100, fitted(row.fitted), table)
    for quantity, seconds, theirs in (
        (TILED, tiled, row.tiled),
        (NAIVE, roofline(table), row.naive),
    ):
        reference = dict(zip((band for band, *_ in BANDS), theirs, strict=True))
        for one in errors_by_band(seconds, table.seconds, table.rows):
            yield Case(
                name=f"{row.name}, {one.band}",
                quantity=quantity,
                unit="%",
                ours=100 * one.mean,
                theirs=reference[one.band],
                calibrated=row.is_fitted and quantity == TILED,
                note=f"{one.points:,} points, bias {one.bias:+.1%}, {one.within:.0%} within 10 %",
            )


def _time(row: Operator, quantity: str, ours: Times, *, is_fitted: bool) -> Case:
    return Case(
        name=row.name,
        quantity=quantity,
        unit="us",
        ours=float(ours[0]) * 1e6,
        theirs=row.microseconds,
        calibrated=is_fitted,
    )


def _rate(row: Operator) -> Case:
    """Bytes a second of the largest operator of a kind, by the device alone."""
    moved = float(row.table.moved_bytes[0])
    return Case(
        name=row.name,
        quantity="best rate",
        unit="GB/s",
        ours=moved / float(predicted(A100, {"launch_overhead": 0.0}, row.table)[0]) / 1e9,
        theirs=moved / row.microseconds / 1e3,
        calibrated=True,
        note="the share of the bandwidth is read off this point",
    )


@cache
def _device(preset: str) -> tuple[Gpu, Budget]:
    from codesign.calibration import budget_of

    machine = load_hardware(preset)
    engine = next(engine for engine in machine.engines if isinstance(engine, Gpu))
    return engine, budget_of(machine, engine)


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Row]]:
    """Matrix products beside measured ones."""
    validation = Validation(
        title="matrix products on an A100 and an A40, three constants fitted on one model",
        source="Vidur profiles (microsoft/vidur 7d47513) and the LLMCompass artifact, as measured",
        note="of a set, ours and theirs are mean errors in %: theirs are those of another model "
        "with tiles and three constants, and of the same roofline, over a slightly other sample; "
        "the two public sets of the A100 differ by 20 %, so their constants do",
        rows=rows,
        compare=compare,
        files=FILES,
    )
    return {"gpu-gemm": validation}
