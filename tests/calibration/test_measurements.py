"""Tables of measurements: what is read, and what is refused in one line before any fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from measured import HEAD, lines, synthetic, written

from codesign.calibration import read_measurements
from codesign.calibration.measurements import FEWEST, Point, resolved, tabulate
from codesign.errors import CalibrationError
from codesign.workload.dtype import DType

ROWS = lines(synthetic(30))
FP16, INT8, INT4 = (DType.parse(word) for word in ("fp16", "int8", "int4"))


def refused(path: Path) -> str:
    with pytest.raises(CalibrationError) as caught:
        read_measurements(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_file_is_read_column_by_column(tmp_path: Path) -> None:
    table = read_measurements(written(tmp_path, ROWS))
    made = synthetic(30)
    assert len(table) == 30
    assert table.protocol == "kernel"
    assert table.sources == ("made up",)
    assert set(table.formats) == {"fp16*fp16"}
    for column in ("batch", "m", "k", "n", "moved_bytes"):
        assert getattr(table, column).tolist() == getattr(made, column).tolist()
    assert table.seconds == pytest.approx(made.seconds, abs=1e-9)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)])
def test_the_unit_stands_in_the_name_of_the_column(
    tmp_path: Path, unit: str, factor: float
) -> None:
    rows = [f"contraction,{m}x64x64,fp16,{m + 0.5},kernel,x" for m in range(100, 130)]
    path = written(tmp_path, rows, HEAD.replace("_us", f"_{unit}"))
    assert read_measurements(path).seconds[0] == pytest.approx(100.5 * factor)


@pytest.mark.parametrize("column", ["kind", "dims", "dtype", "protocol", "source"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    path = written(tmp_path, ROWS, HEAD.replace(column, "other"))
    assert f"no column '{column}'" in refused(path)


@pytest.mark.parametrize("name", ["latency", "time", "median"])
def test_a_latency_without_a_unit_is_refused(tmp_path: Path, name: str) -> None:
    message = refused(written(tmp_path, ROWS, HEAD.replace("latency_us", name)))
    assert "one column must give the latency with its unit (latency_s, latency_ms" in message
    assert message.endswith(f"got {'none' if name == 'median' else repr(name)}; rename it")


def test_two_latencies_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [f"{row},1" for row in ROWS], f"{HEAD},latency_ms")
    assert "got 2 of them" in refused(path)


def test_mixed_protocols_are_refused_with_both_names(tmp_path: Path) -> None:
    mixed = [*ROWS[1:], ROWS[0].replace("kernel", "host")]
    message = refused(written(tmp_path, mixed))
    assert "must have one protocol, got 'host' and 'kernel'" in message
    assert message.endswith("split the file")


def test_too_few_points_are_refused(tmp_path: Path) -> None:
    message = refused(written(tmp_path, ROWS[: FEWEST - 1]))
    assert "a fit needs at least 20 points, got 19; measure more" in message


def test_points_at_the_resolution_of_the_clock_are_left_out(tmp_path: Path) -> None:
    rows = [f"contraction,{m}x64x64,fp16,{m},kernel,x" for m in range(1, 40)]
    table = read_measurements(written(tmp_path, rows))
    assert table.seconds.min() == pytest.approx(10e-6)
    assert len(table) == 30
    message = refused(written(tmp_path, rows[:25]))
    assert "got 16 (9 at the resolution of the clock left out)" in message


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ([5e-6, 12e-6, 30e-6], 2),
        ([0.5e-6, 12e-6, 30e-6], 2),
        ([1.5e-6, 12e-6, 30e-6], 3),
        ([1.23456789012e-6, 1e-6], 2),
        ([1e-3, 2e-3, 50e-3], 1),
    ],
)
def test_the_step_of_a_clock_is_the_power_of_ten_of_all_times(
    times: list[float], kept: int
) -> None:
    points = [Point("contraction", (1, 1, 1), (FP16, FP16), time) for time in times]
    assert len(resolved(points)) == kept


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("matmul,1x2x3,fp16,10.1,kernel,x", "kind must be a kind of operator"),
        ("attention,1x2x3,fp16,10.1,kernel,x", "kind must be a kind of operator other than"),
        ("contraction,1x2,fp16,10.1,kernel,x", "dims must be sizes of at least 1: MxKxN"),
        ("contraction,1x0x3,fp16,10.1,kernel,x", "dims must be sizes of at least 1"),
        ("contraction,1 2 3,fp16,10.1,kernel,x", "dims must be whole numbers joined by x"),
        ("contraction,-1x2x3,fp16,10.1,kernel,x", "dims must be whole numbers joined by x"),
        ("contraction,1x2x3,float,10.1,kernel,x", "dtype must be a format such as fp16"),
        ("softmax,8x8,fp16*fp16,10.1,kernel,x", "dtype must be one format"),
        ("contraction,1x2x3,fp16*fp16*fp16,10.1,kernel,x", "dtype must be one format, or the two"),
        ("contraction,1x2x3,fp16,-3,kernel,x", "latency_us must be above 0"),
        ("contraction,1x2x3,fp16,fast,kernel,x", "latency_us must be a finite number"),
        ("contraction,1x2x3,fp16,nan,kernel,x", "latency_us must be a finite number"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_refused_with_its_line(
    tmp_path: Path, row: str, rule: str
) -> None:
    message = refused(written(tmp_path, [*ROWS[:3], row, *ROWS[3:]]))
    assert f"measured.csv:5: {rule}" in message


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("kind", "dims", "formats", "moved"),
    [
        ("contraction", (2, 3, 5), (FP16, FP16), 2 * (6 + 15 + 10)),
        ("contraction", (7, 2, 3, 5), (FP16, FP16), 2 * 7 * (6 + 15 + 10)),
        ("contraction", (2, 4, 6), (INT8, INT4), 8 + 12 + 12),
        ("elementwise", (4, 5), (FP16,), 2 * 2 * 20),
        ("softmax", (2, 4, 5), (FP16,), 2 * 2 * 40),
        ("reduce", (4, 5), (FP16,), 2 * (20 + 4)),
    ],
)
def test_bytes_are_inputs_weights_and_outputs_at_their_bits(
    kind: str, dims: tuple[int, ...], formats: tuple[DType, ...], moved: int
) -> None:
    table = tabulate([Point(kind, dims, formats, 1.0)], "kernel", ())
    assert table.moved_bytes.tolist() == [moved]


def test_a_part_of_a_table_keeps_all_columns() -> None:
    table = synthetic(30)
    part = table.where(np.array([3, 5]))
    assert len(part) == 2
    assert part.element_bytes.shape == (2, 2)
    assert part.seconds.tolist() == table.seconds[[3, 5]].tolist()
    assert part.protocol == table.protocol


def test_a_digest_is_of_the_points() -> None:
    table = synthetic(30)
    assert table.digest == synthetic(30).digest
    assert table.digest != synthetic(31).digest
    assert table.digest != synthetic(30, protocol="host").digest
    assert table.digest != synthetic(30, {"t0": 1e-6}).digest
