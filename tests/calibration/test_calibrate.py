"""``calibrate``: constants, the range that they hold for, and what is refused."""

from __future__ import annotations

from functools import cache

import pytest
from measured import FP16, machine, streams, synthetic, truly

import codesign
from codesign import Trace, load_hardware
from codesign.calibration import (
    Calibratable,
    Calibration,
    Measurements,
    Point,
    budget_of,
    calibrate,
    tabulate,
    with_constants,
)
from codesign.errors import CalibrationError
from codesign.testing import matmul, softmax
from codesign.workload.dtype import DType


def softmaxes(protocol: str = "kernel") -> Measurements:
    """At 60 % of the bandwidth of the preset, behind 3 us."""
    return truly(streams(), {"t0": 3e-6, "kind_efficiency.softmax": 0.6}, protocol=protocol)


@cache
def fitted() -> Calibration:
    return calibrate(synthetic(100), machine())


def test_a_hardware_comes_back_with_the_constants_and_where_they_hold() -> None:
    found = fitted()
    (engine,) = found.hardware.engines
    for field, value in found.fit.constants.items():
        assert getattr(engine, field) == value
    assert getattr(engine, "protocol", None) == "kernel"
    assert getattr(engine, "calibrated_protocol", None) == "kernel"
    assert getattr(engine, "calibrated_work", None) == ("contraction fp16*fp16",)
    assert "mean error" in engine.notes[1]
    assert found.fit.digest[:12] in engine.notes[1]


def test_the_range_is_that_of_the_points_of_the_fit() -> None:
    found = fitted()
    points = found.fit.fitted
    (engine,) = found.hardware.engines
    columns = {"m": points.rows, "k": points.k, "n": points.n, "bytes": points.moved_bytes}
    assert getattr(engine, "calibrated_range", None) == {
        f"contraction fp16*fp16 {name}": (values.min(), values.max())
        for name, values in columns.items()
    }


def test_other_kinds_have_a_share_of_their_own() -> None:
    found = calibrate(softmaxes(), machine())
    assert found.fit.constants == pytest.approx(
        {"t0": 3e-6, "kind_efficiency.softmax": 0.6}, rel=0.02
    )
    (engine,) = found.hardware.engines
    assert getattr(engine, "calibrated_work", None) == ("softmax",)
    assert set(getattr(engine, "calibrated_range", {})) == {"softmax bytes"}


def test_an_addition_of_two_tensors_gets_the_share_that_it_was_measured_at() -> None:
    """Taken for a function of one tensor, its share came out a third too low, without an error."""
    points = [Point("elementwise", (m, 4096), (FP16,), 1e-3, 2) for m in range(200, 5000, 160)]
    truth = {"t0": 3e-6, "kind_efficiency.elementwise": 0.6}
    found = calibrate(truly(points, truth), machine()).fit
    assert found.constants == pytest.approx(truth, rel=0.02)


def test_rates_that_are_not_fitted_stay_as_they_are() -> None:
    found = fitted()
    before, after = machine().engines[0], found.hardware.engines[0]
    for field in ("units", "clock", "macs", "mac_energy"):
        assert getattr(before, field) == getattr(after, field)


def test_a_plan_flags_what_was_not_measured() -> None:
    read = fitted().hardware
    (engine,) = read.engines
    budget = budget_of(read, engine)
    assert engine.plan(matmul(64, 4096, 4096, dtype="fp16"), budget).note.endswith("memory")
    note = engine.plan(softmax(64, 64, dtype="fp16"), budget).note
    assert note == "outside of what it was fitted on: no softmax was measured"


def test_a_simulation_of_a_point_takes_the_measured_time() -> None:
    table = synthetic(100)
    op = matmul(int(table.m[0]), int(table.k[0]), int(table.n[0]), dtype="fp16")
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    result = codesign.simulate(trace, fitted().hardware)
    assert result.latency_s == pytest.approx(table.seconds[0], rel=0.02)


def test_another_protocol_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"protocol 'kernal' is none of .*mean 'kernel'"):
        calibrate(softmaxes("kernal"), machine())


def test_a_format_without_a_rate_is_refused() -> None:
    points = [Point("contraction", (64, 64, 64), (DType.parse("int2"),) * 2, 1e-3)] * 30
    with pytest.raises(CalibrationError, match=r"predicts no contraction of int2\*int2: no MAC"):
        calibrate(tabulate(points, "kernel", ()), machine())


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
