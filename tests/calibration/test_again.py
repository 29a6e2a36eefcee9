"""A second calibration keeps what the first one has said, or is refused: nothing is spoilt."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from codesign_plugins.gpu import SparseTensorCore
from measured import FP16, PRESET, TRUTH, machine, streams, synthetic, truly

from codesign import Hardware, load_hardware
from codesign.calibration import Measurements, Point, budget_of, calibrate, write_hardware
from codesign.errors import CalibrationError
from codesign.hardware.spec import list_hardware
from codesign.testing import matmul, move, softmax
from codesign.workload.dtype import DType

SOFTMAX = {"t0": 3e-6, "kind_efficiency.softmax": 0.6}
"""A device that starts softmax faster than products."""


def softmaxes(protocol: str = "kernel") -> Measurements:
    return truly(streams(), SOFTMAX, protocol=protocol)


def products(dtype: str) -> Measurements:
    number = DType.parse(dtype)
    shapes = [(m, k, 4096) for m in (1, 64, 300, 900, 4000) for k in (512, 1000, 2048, 4096, 8192)]
    points = [Point("contraction", shape, (number, number), 1e-3) for shape in shapes]
    return truly(points, TRUTH)


@cache
def first() -> Hardware:
    """Calibrated on products."""
    return calibrate(synthetic(100), machine()).hardware


@cache
def both() -> Hardware:
    """Calibrated on products, then on softmax."""
    return calibrate(softmaxes(), first()).hardware


def core(hardware: Hardware) -> SparseTensorCore:
    (engine,) = hardware.engines
    assert isinstance(engine, SparseTensorCore)
    return engine


def test_what_was_fitted_before_is_predicted_as_before() -> None:
    for op in (matmul(1, 512, 512, dtype="fp16"), matmul(4096, 4096, 4096, dtype="fp16")):
        before, after = (core(one).plan(op, budget_of(one, core(one))) for one in (first(), both()))
        assert before == after
    for name in ("t0", "compute_efficiency", "memory_efficiency"):
        assert getattr(core(both()), name) == getattr(core(first()), name)


def test_the_new_kind_is_fitted_beside_the_start_that_is_there() -> None:
    found = calibrate(softmaxes(), first())
    assert set(found.fit.constants) == {"kind_efficiency.softmax"}
    # 2 us too many of the start are made up for by a larger share
    assert 0.6 < found.fit.constants["kind_efficiency.softmax"] < 0.75
    assert "t0" not in found.changes


def test_ranges_and_works_of_both_stand_side_by_side() -> None:
    before, after = core(first()), core(both())
    assert after.calibrated_work == ("contraction fp16*fp16", "softmax")
    kept = {key: span for key, span in after.calibrated_range.items() if "softmax" not in key}
    assert kept == before.calibrated_range
    rows = softmaxes().moved_bytes
    low, high = after.calibrated_range["softmax bytes"]
    assert rows.min() <= low < high <= rows.max()
    assert not after.beyond(matmul(64, 4096, 4096, dtype="fp16"))
    assert after.beyond(softmax(8, 64, dtype="fp16")).startswith("bytes below")
    assert after.beyond(move((64, 64), dtype="fp16")) == "no move was measured"


def test_a_range_is_that_of_its_kind_and_not_of_all() -> None:
    """Products of 300 MB say nothing about a softmax of that size."""
    after = core(both())
    large = softmax(16384, 4096, dtype="fp16")
    assert (
        sum(access.bytes for access in large.operands)
        < after.calibrated_range["contraction fp16*fp16 bytes"][1]
    )
    assert after.beyond(large).startswith("bytes above")


def test_the_sentence_has_both_errors() -> None:
    before, after = core(first()).calibration, core(both()).calibration
    assert after.startswith(f"{before}; beside them, t0 held: constants fitted to kernel times: ")
    assert after.endswith(f"digest {softmaxes().digest[:12]}")


def test_all_kinds_in_one_file_are_fitted_together() -> None:
    softmax_points = streams()
    sizes = [(m, k, 4096) for m in (1, 64, 300, 4000) for k in (512, 1000, 2048, 4096, 8192)]
    points = [Point("contraction", size, (FP16, FP16), 1e-3) for size in sizes]
    truth = {**TRUTH, "kind_efficiency.softmax": 0.6}
    found = calibrate(truly([*points, *softmax_points], truth), machine())
    assert found.fit.constants == pytest.approx(truth, rel=0.02)
    text = core(found.hardware).calibration
    assert "contraction fp16*fp16: mean error" in text
    assert "; softmax fp16: mean error" in text
    assert core(found.hardware).calibrated_work == ("contraction fp16*fp16", "softmax")
    again = calibrate(truly([*points, *softmax_points], truth), both()).hardware
    assert core(again) == core(found.hardware)


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (softmaxes("host"), "was fitted to times of protocol kernel, softmax has host;"),
        (products("int8"), r"fp16\*fp16 was fitted before and shares its constants with contrac"),
    ],
    ids=["protocol", "format"],
)
def test_what_cannot_stand_beside_the_first_is_refused(table: Measurements, rule: str) -> None:
    with pytest.raises(CalibrationError, match=rule) as caught:
        calibrate(table, first())
    assert "measure all of them into one file, or calibrate the hardware file from be" in str(
        caught.value
    )


def test_a_part_of_what_was_fitted_is_not_fitted_anew() -> None:
    with pytest.raises(CalibrationError, match=r"softmax was fitted together with works of contr"):
        calibrate(synthetic(100), both())


def test_the_same_kind_is_fitted_anew_under_any_protocol() -> None:
    truth = {"launch_overhead": 2e-5, "compute_efficiency": 0.9, "memory_efficiency": 0.8}
    host = calibrate(synthetic(100, {**truth, "t0": TRUTH["t0"]}, "host"), first())
    assert host.fit.constants == pytest.approx(truth, rel=0.02)
    engine = core(host.hardware)
    assert (engine.protocol, engine.calibrated_protocol) == ("host", "host")
    assert engine.t0 == core(first()).t0
    assert engine.calibrated_work == ("contraction fp16*fp16",)


def test_a_result_under_another_protocol_says_so() -> None:
    text = first().with_("gpu.protocol", "host").engines[0].notes[1]
    assert "times are of protocol host, constants of protocol kernel" in text
    assert "times are of protocol" not in first().engines[0].notes[1]


def test_a_constant_that_is_changed_after_the_fit_is_named() -> None:
    text = first().with_("gpu.compute_efficiency", 1.0).engines[0].notes[1]
    assert "changed since the fit: compute_efficiency was 0.7 and is 1" in text


def test_sparse_products_are_not_what_dense_ones_were_fitted_on() -> None:
    """No table measures them: a fit of dense products takes back what was said of them."""
    preset = load_hardware("a100-80gb")
    sparse = ("2:4 contraction fp16*fp16", "contraction fp16*fp16")
    told = preset.with_all({"gpu.calibrated_work": list(sparse)})
    anew = calibrate(
        truly(
            [
                Point("contraction", (m, 2048, 4096), (FP16, FP16), 1e-3)
                for m in range(1, 4000, 100)
            ],
            TRUTH,
            preset,
        ),
        told,
    )
    assert core(anew.hardware).calibrated_work == ("contraction fp16*fp16",)
    beside = calibrate(truly(streams(), {"kind_efficiency.softmax": 0.6}, told), told)
    assert core(beside.hardware).calibrated_work == (*sparse, "softmax")


def test_gains_of_sparse_weights_stay_within_two_after_a_fit_of_dense_products() -> None:
    """Uncalibrated units would reach their doubled peak beside dense ones that reach 60 %."""
    from codesign import Trace, annotate, simulate

    slow = calibrate(synthetic(100, {**TRUTH, "compute_efficiency": 0.6}), machine()).hardware
    op = matmul(8192, 8192, 8192, dtype="fp16")
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    packed = annotate(trace, "*", sparsity="2:4 axis 0", codec="2:4")
    dense, sparse = (simulate(one, slow).latency_s for one in (trace, packed))
    assert dense / sparse <= 2


def test_a_table_keeps_the_origin_of_what_it_had(tmp_path: Path) -> None:
    (source,) = [one.path for one in list_hardware() if one.name == PRESET]
    write_hardware(calibrate(synthetic(100), machine()), source, tmp_path / "a.yaml")
    once = load_hardware(tmp_path / "a.yaml")
    write_hardware(calibrate(softmaxes(), once), tmp_path / "a.yaml", tmp_path / "b.yaml")
    twice = load_hardware(tmp_path / "b.yaml")
    rows = {row.field: row for row in twice.provenance if row.component == "gpu"}
    old, new = synthetic(100).digest[:12], softmaxes().digest[:12]
    assert rows["calibrated_range.contraction fp16*fp16 m"].source.endswith(old)
    assert rows["calibrated_range.softmax bytes"].source.endswith(new)
    assert rows["t0"].source.endswith(old)
    for field in ("calibrated_work", "calibration"):
        assert old in rows[field].source
        assert new in rows[field].source


def test_an_entry_beside_a_published_one_leaves_it_published(tmp_path: Path) -> None:
    (source,) = [one.path for one in list_hardware() if one.name == "a100-80gb"]
    preset = load_hardware("a100-80gb")
    points = truly(streams("move"), {"kind_efficiency.move": 0.6}, preset)
    write_hardware(calibrate(points, preset), source, tmp_path / "a.yaml")
    rows = {row.field: row for row in load_hardware(tmp_path / "a.yaml").provenance}
    assert rows["kind_efficiency.move"].status == "fitted"
    assert rows["kind_efficiency.softmax"].status == "published"
    assert "LLMCompass" in rows["kind_efficiency.softmax"].source
