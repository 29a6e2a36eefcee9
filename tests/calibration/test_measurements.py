"""Tables of measurements: what is read, and what is refused in one line before any fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from measured import HEAD, lines, synthetic, written

from codesign.calibration import Point, read_measurements, tabulate
from codesign.calibration.measurements import FEWEST
from codesign.calibration.operators import OPERANDS
from codesign.calibration.read import MOST_INPUTS, resolved
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
    rows = [f"contraction,{m}x64x64,fp16,90.5,kernel,x" for m in range(1, FEWEST + 1)]
    assert len(read_measurements(written(tmp_path, rows))) == FEWEST
    message = refused(written(tmp_path, rows[1:]))
    assert "a fit needs at least 20 different operators, got 19 in 19 points; measure" in message


def test_repeats_of_one_operator_are_one_operator(tmp_path: Path) -> None:
    """25 times of one product tell nothing but that product, and predict themselves."""
    message = refused(written(tmp_path, [ROWS[0]] * 25))
    assert "got 1 in 25 points; measure more" in message
    repeated = written(tmp_path, [row for row in ROWS for _ in range(3)])
    assert len(read_measurements(repeated)) == 90


def test_few_operators_of_a_kind_or_a_format_are_refused_and_not_lost(tmp_path: Path) -> None:
    stray = [f"softmax,{m}x4096,fp16,40.5,kernel,x" for m in (100, 200, 300)]
    message = refused(written(tmp_path, [*ROWS, *stray]))
    assert (
        "at least 5 different operators of each kind and format, got 3 of softmax fp16;" in message
    )
    stray = [row.replace("fp16", "int8") for row in ROWS[:4]]
    assert "got 4 of contraction int8*int8; measure more, or take its rows out" in refused(
        written(tmp_path, [*ROWS, *stray])
    )


def test_points_at_the_resolution_of_the_clock_are_left_out(tmp_path: Path) -> None:
    rows = [f"contraction,{m}x64x64,fp16,{m},kernel,x" for m in range(1, 40)]
    table = read_measurements(written(tmp_path, rows))
    assert table.seconds.min() == pytest.approx(10e-6)
    assert (len(table), table.left_out) == (30, 9)
    message = refused(written(tmp_path, rows[:25]))
    assert "got 16 in 16 points, 9 at the resolution of the clock left out;" in message


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
        ("matmul,1x2x3,fp16,10.1,kernel,x", "kind must be one whose bytes its shape tells (contr"),
        ("attention,1x2x3,fp16,10.1,kernel,x", "kind must be one whose bytes its shape tells"),
        ("gather,32000x4096,fp16,10.1,kernel,x", "kind must be one whose bytes its shape tells"),
        ("sort,32000x4096,fp16,10.1,kernel,x", "kind must be one whose bytes its shape tells"),
        ("contraction,1x2,fp16,10.1,kernel,x", "dims must be sizes of at least 1: MxKxN"),
        ("contraction,1x0x3,fp16,10.1,kernel,x", "dims must be sizes of at least 1"),
        ("contraction,1 2 3,fp16,10.1,kernel,x", "dims must be 1 to 8 whole numbers joined by x"),
        ("contraction,-1x2x3,fp16,10.1,kernel,x", "dims must be 1 to 8 whole numbers joined by x"),
        ("contraction,٣x2x3,fp16,10.1,kernel,x", "dims must be 1 to 8 whole numbers joined by x"),
        ("softmax,1x1x1x1x1x1x1x1x1,fp16,10.1,kernel,x", "dims must be 1 to 8 whole numbers"),
        (f"contraction,{'9' * 70}x2x3,fp16,10.1,kernel,x", "dims must be 1 to 8 whole numbers"),
        ("contraction,1000000x1000000x1000000,fp16,9.1,kernel,x", "dims must be at most 9,007,"),
        ("contraction,1x2x3,float,10.1,kernel,x", "dtype must be a format such as fp16"),
        ("softmax,8x8,fp16*fp16,10.1,kernel,x", "dtype must be one format"),
        ("contraction,1x2x3,fp16*fp16*fp16,10.1,kernel,x", "dtype must be one format, or the two"),
        ("contraction,1x2x3,fp16,-3,kernel,x", "latency_us must be above 0"),
        ("contraction,1x2x3,fp16,1e300,kernel,x", "latency_us must be above 0 and at most 3,600 s"),
        ("contraction,1x2x3,fp16,10.1,kernel,", "source must be a line of 1 to 200 letters"),
        ('contraction,1x2x3,fp16,10.1,kernel,"a\nb"', "source must be a line of 1 to 200"),
        (f"contraction,1x2x3,fp16,10.1,kernel,{'x' * 201}", "source must be a line of 1 to 200"),
        ("contraction,1x2x3,fp16,fast,kernel,x", "latency_us must be a finite number"),
        ("contraction,1x2x3,fp16,nan,kernel,x", "latency_us must be a finite number"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_refused_with_its_line(
    tmp_path: Path, row: str, rule: str
) -> None:
    message = refused(written(tmp_path, [*ROWS[:3], row, *ROWS[3:]]))
    assert f"measured.csv:{6 if chr(10) in row else 5}: {rule}" in message


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
        ("move", (2, 4, 5), (FP16,), 2 * 2 * 40),
        ("normalize", (4, 5), (FP16,), 2 * (20 + 5 + 5 + 20)),
        ("reduce", (4, 5), (FP16,), 2 * (20 + 4)),
        ("reduce", (5,), (FP16,), 2 * (5 + 1)),
    ],
)
def test_bytes_are_inputs_weights_and_outputs_at_their_bits(
    kind: str, dims: tuple[int, ...], formats: tuple[DType, ...], moved: int
) -> None:
    table = tabulate([Point(kind, dims, formats, 1.0)], "kernel", ())
    assert table.moved_bytes.tolist() == [moved]


def elementwise_rows(*inputs: str) -> list[str]:
    return [
        f"elementwise,{m}x4096,fp16,10.1,kernel,x,{inputs[m % len(inputs)]}" for m in range(1, 31)
    ]


def test_an_elementwise_operator_reads_as_many_tensors_as_its_row_says(tmp_path: Path) -> None:
    path = written(tmp_path, elementwise_rows("2", "", "1"), f"{HEAD},inputs")
    table = read_measurements(path)
    tensor = 2 * 4096 * table.m
    assert table.stored_bytes.tolist() == tensor.tolist()
    assert (table.loaded_bytes / tensor).tolist()[:6] == [1.0, 1.0, 2.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("inputs", ["0", "-1", "1.5", "two", str(MOST_INPUTS + 1)])
def test_a_count_of_inputs_that_is_none_is_refused(tmp_path: Path, inputs: str) -> None:
    message = refused(written(tmp_path, elementwise_rows("1", inputs), f"{HEAD},inputs"))
    assert "inputs must be" in message


def test_only_elementwise_operators_have_several_inputs(tmp_path: Path) -> None:
    rows = [row.replace("elementwise", "softmax") for row in elementwise_rows("1", "2")]
    message = refused(written(tmp_path, rows, f"{HEAD},inputs"))
    assert "inputs must be 1 to 16 of an elementwise operator, and 1 or empty of any" in message


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_measurements(path)) == 30


def test_every_kind_of_a_table_is_described(tmp_path: Path) -> None:
    for kind in OPERANDS:
        dims = (4, 8, 16) if kind == "contraction" else (4, 8)
        table = tabulate([Point(kind, dims, (FP16,) * (len(dims) - 1), 1.0)], "kernel", ())
        assert table.loaded_bytes[0] > 0
        assert table.stored_bytes[0] > 0


def test_a_scale_of_a_block_is_no_part_of_the_formats_of_a_product() -> None:
    """An engine has a rate for a pair of formats, however their scales are stored."""
    block = DType.parse("fp8[32x8]")
    table = tabulate([Point("contraction", (64, 64, 64), (block, block), 1.0)], "kernel", ())
    assert table.formats.tolist() == ["fp8*fp8"]
    assert table.element_bytes.ravel().tolist() == [1.03125, 1.03125]


def test_a_part_of_a_table_keeps_all_columns() -> None:
    table = synthetic(30)
    part = table.where(np.array([3, 5]))
    assert len(part) == 2
    assert part.element_bytes.shape == (2, 2)
    assert part.seconds.tolist() == table.seconds[[3, 5]].tolist()
    assert part.protocol == table.protocol
    assert (part.work.tolist(), part.first.tolist()) == (["contraction fp16*fp16"] * 2, [0, 1])


def test_a_digest_is_of_the_points() -> None:
    table = synthetic(30)
    assert table.digest == synthetic(30).digest
    assert table.digest != synthetic(31).digest
    assert table.digest != synthetic(30, protocol="host").digest
    assert table.digest != synthetic(30, {"t0": 1e-6}).digest
