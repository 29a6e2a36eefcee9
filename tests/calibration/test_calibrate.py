"""``calibrate`` and the file it writes: constants, where they come from, and what is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from measured import PRESET, TRUTH, machine, synthetic

import codesign
from codesign import Hardware, Trace, load_hardware
from codesign.calibration import (
    Calibratable,
    Calibration,
    Measurements,
    budget_of,
    calibrate,
    with_constants,
    write_hardware,
)
from codesign.calibration.measurements import Point, tabulate
from codesign.errors import CalibrationError
from codesign.hardware.spec import list_hardware
from codesign.testing import matmul, softmax
from codesign.workload.dtype import DType


def streams(kind: str = "softmax", dtype: str = "fp16", protocol: str = "kernel") -> Measurements:
    """Operators that move bytes at 60 % of the bandwidth of the preset, behind 3 us."""
    number = DType.parse(dtype)
    points = []
    for rows in range(200, 5000, 160):
        moved = 2 * number.storage_bytes(rows * 4096)
        points.append(Point(kind, (rows, 4096), (number,), 3e-6 + moved / (0.6 * 3352e9)))
    return tabulate(points, protocol, ("made up",))


@cache
def fitted() -> Calibration:
    return calibrate(synthetic(100), machine())


@cache
def source() -> Path:
    return next(one.path for one in list_hardware() if one.name == PRESET)


def write(found: Calibration, folder: Path, name: str = "mine.yaml") -> Hardware:
    write_hardware(found, source(), folder / name)
    return load_hardware(folder / name)


def test_a_hardware_comes_back_with_the_constants_and_where_they_hold() -> None:
    found = fitted()
    (engine,) = found.hardware.engines
    for field, value in found.fit.constants.items():
        assert getattr(engine, field) == value
    assert getattr(engine, "protocol", None) == "kernel"
    assert getattr(engine, "calibrated_work", None) == ("contraction fp16*fp16",)
    assert "mean error" in engine.notes[1]
    assert found.fit.digest[:12] in engine.notes[1]


def test_the_range_is_that_of_the_points_of_the_fit() -> None:
    found = fitted()
    points = found.fit.fitted
    (engine,) = found.hardware.engines
    ranges = getattr(engine, "calibrated_range", {})
    for name, values in (("m", points.rows), ("k", points.k), ("bytes", points.moved_bytes)):
        assert ranges[name] == (values.min(), values.max())


def test_other_kinds_have_a_share_of_their_own() -> None:
    found = calibrate(streams(), machine())
    assert found.fit.constants == pytest.approx(
        {"t0": 3e-6, "kind_efficiency.softmax": 0.6}, rel=0.02
    )
    (engine,) = found.hardware.engines
    assert getattr(engine, "calibrated_work", None) == ("softmax",)
    assert "m" not in getattr(engine, "calibrated_range", {})


def test_rates_that_are_not_fitted_stay_as_they_are() -> None:
    found = fitted()
    before, after = machine().engines[0], found.hardware.engines[0]
    for field in ("units", "clock", "macs", "mac_energy"):
        assert getattr(before, field) == getattr(after, field)


def test_a_written_file_is_the_calibrated_hardware(tmp_path: Path) -> None:
    found = fitted()
    read = write(found, tmp_path)
    assert read.engines == found.hardware.engines
    assert read.name == "mine"
    assert read.memories == machine().memories


def test_each_new_value_says_what_it_was_fitted_to(tmp_path: Path) -> None:
    found = fitted()
    rows = {row.field: row for row in write(found, tmp_path).provenance if row.component == "gpu"}
    for field in (*TRUTH, "calibration", "calibrated_range.m", "protocol"):
        assert rows[field].status == "fitted"
        assert (
            rows[field].source
            == f"made up; {len(found.fit.fitted)} points, digest {found.fit.digest[:12]}"
        )
    assert rows["units"].status == "published"


def test_everything_else_stays_as_it_was_written(tmp_path: Path) -> None:
    write(fitted(), tmp_path)
    before = source().read_text().splitlines()
    after = (tmp_path / "mine.yaml").read_text().splitlines()
    gone = [line for line in before if line not in after]
    changed = {"t0", "compute_efficiency", "memory_efficiency", "protocol", "name"}
    assert {line.split(":")[0].strip() for line in gone} == changed
    comments = [line for line in before if line.startswith("#")]
    assert after[: len(comments)] == comments


def test_a_file_can_be_calibrated_again(tmp_path: Path) -> None:
    once = write(fitted(), tmp_path)
    found = calibrate(synthetic(100, {**TRUTH, "t0": 9e-6}), once)
    write_hardware(found, tmp_path / "mine.yaml", tmp_path / "again.yaml")
    again = load_hardware(tmp_path / "again.yaml")
    assert again.engines == found.hardware.engines
    assert getattr(again.engines[0], "t0", 0.0) == pytest.approx(9e-6, rel=0.05)


def test_an_entry_of_a_table_is_written_beside_the_others(tmp_path: Path) -> None:
    first = write(calibrate(streams(), machine()), tmp_path)
    found = calibrate(streams("normalize"), first)
    write_hardware(found, tmp_path / "mine.yaml", tmp_path / "both.yaml")
    (engine,) = load_hardware(tmp_path / "both.yaml").engines
    assert set(getattr(engine, "kind_efficiency", {})) == {"softmax", "normalize"}


def test_a_result_on_the_file_flags_what_was_not_measured(tmp_path: Path) -> None:
    read = write(fitted(), tmp_path)
    (engine,) = read.engines
    budget = budget_of(read, engine)
    assert engine.plan(matmul(64, 4096, 4096, dtype="fp16"), budget).note.endswith("memory")
    note = engine.plan(softmax(64, 64, dtype="fp16"), budget).note
    assert note == "outside of what it was fitted on: no softmax was measured"


def test_a_simulation_of_a_point_takes_the_predicted_time(tmp_path: Path) -> None:
    read = write(fitted(), tmp_path)
    table = synthetic(100)
    op = matmul(int(table.m[0]), int(table.k[0]), int(table.n[0]), dtype="fp16")
    result = codesign.simulate(
        Trace("one", (op,), tuple(access.tensor for access in op.operands)), read
    )
    assert result.latency_s == pytest.approx(table.seconds[0], rel=0.02)


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("mine.txt", r"a hardware file is called \*.yaml"),
        ("nowhere/mine.yaml", "does not exist; make it first"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, target: str, rule: str) -> None:
    found = fitted()
    with pytest.raises(CalibrationError, match=rule):
        write_hardware(found, source(), tmp_path / target)


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / f"{PRESET}.yaml"
    path.write_text(source().read_text())
    found = calibrate(synthetic(30), load_hardware(path))
    with pytest.raises(CalibrationError, match="is the file that is calibrated; name another one"):
        write_hardware(found, path, path)
    assert path.read_text() == source().read_text()


def test_an_engine_on_one_line_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    lines = source().read_text().split("\n\n")
    start = next(number for number, part in enumerate(lines) if part.startswith("components:"))
    body = "components:\n  gpu: {kind: gpu, buffer: l2}"
    path = tmp_path / "flow.yaml"
    text = "\n\n".join([*lines[:start], body, *lines[start + 1 :]])
    path.write_text(text.replace(f"name: {PRESET}", "name: flow"))
    found = calibrate(synthetic(30), load_hardware(path))
    with pytest.raises(CalibrationError, match="must stand in lines of its own"):
        write_hardware(found, path, tmp_path / "out.yaml")
    assert not (tmp_path / "out.yaml").exists()


def test_another_protocol_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"protocol 'kernal' is none of .*mean 'kernel'"):
        calibrate(streams(protocol="kernal"), machine())


def test_a_format_without_a_rate_is_refused() -> None:
    table = synthetic(30)
    points = [Point("contraction", (64, 64, 64), (DType.parse("int2"),) * 2, 1e-3)] * 30
    with pytest.raises(CalibrationError, match=r"predicts no contraction of int2\*int2: no MAC"):
        calibrate(tabulate(points, table.protocol, ()), machine())


def test_a_hardware_without_such_an_engine_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"edge-npu must have one engine .* has 0"):
        calibrate(synthetic(30), load_hardware("edge-npu"))
    with pytest.raises(CalibrationError, match=r"engine 'npu' of edge-npu is of kind 'systolic'"):
        calibrate(synthetic(30), load_hardware("edge-npu"), "npu")


def test_an_unknown_engine_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(CalibrationError, match=r"unknown engine 'gpv'; did you mean 'gpu'\?"):
        calibrate(synthetic(30), machine(), "gpv")


def test_a_constant_that_is_no_field_is_refused() -> None:
    with pytest.raises(CalibrationError, match="no field 'slope' to fit"):
        with_constants(machine().engines[0], {"slope": 1.0})


def test_an_engine_of_the_kind_is_calibratable_and_an_array_is_not() -> None:
    assert isinstance(machine().engines[0], Calibratable)
    assert not isinstance(load_hardware("edge-npu").engines[0], Calibratable)
