"""What an engine says of its fit: where it does not hold, and what has changed since."""

from __future__ import annotations

from typing import Any

import pytest
from gpu_runs import PRESET, STREAMS, chain, closed_form_s, gpu, of, run

from codesign import Hardware, Op, load_hardware
from codesign.calibration import budget_of
from codesign.errors import HardwareError
from codesign.result.ranges import Ranged, range_notes
from codesign.testing import elementwise, matmul, softmax


@pytest.fixture(scope="module")
def machine() -> Hardware:
    return load_hardware(PRESET)


def test_an_uncalibrated_device_says_so() -> None:
    assert "uncalibrated, e = 1" in gpu().notes[1]
    assert "fit no measurement" in gpu(memory_efficiency=0.5).notes[1]
    assert gpu(calibration="fitted somewhere").notes[1] == "gpu: fitted somewhere"
    assert any("e = 1" in note for note in run(load_hardware("h100"), STREAMS[0]).assumptions)


def test_a_result_repeats_how_well_the_device_was_fitted(machine: Hardware) -> None:
    notes = run(machine, STREAMS[0]).assumptions
    assert any("constants fitted to kernel times: mean error 7.2%" in note for note in notes)


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        (matmul(64, 4096, 4096, dtype="fp16"), ""),
        (matmul(64, 4096, 4096, dtype="int8"), "no contraction int8*int8 was measured"),
        (matmul(8192, 4096, 4096, dtype="fp16"), "m above 4,096"),
        (matmul(64, 4096, 64, dtype="fp16"), "bytes below 4,415,488"),
        (matmul(64, 16384, 4096, dtype="fp16"), "k above 11,008"),
        (softmax(64, 64, dtype="fp16"), "no softmax was measured"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_an_operator_outside_of_the_fit_is_named(machine: Hardware, op: Op, reason: str) -> None:
    engine = of(machine)
    assert engine.beyond(op) == reason
    note = engine.plan(op, budget_of(machine, engine)).note
    assert ("outside of what it was fitted on" in note) == bool(reason)
    assert note.endswith(reason)


def test_a_device_that_was_not_fitted_flags_nothing() -> None:
    assert gpu().beyond(softmax(64, 64)) == ""


def test_a_result_can_say_which_share_of_its_time_lies_outside(machine: Hardware) -> None:
    inside = matmul(64, 4096, 4096, dtype="fp16")
    assert isinstance(of(machine), Ranged)
    assert range_notes(run(machine, inside).placement, machine) == ()
    ops = chain([inside, softmax(4096, 4096, dtype="fp16")])
    result = run(machine, *ops)
    (note,) = range_notes(result.placement, machine)
    times = [closed_form_s(machine, op) for op in ops]
    assert f"{times[1] / sum(times):.1%} of its time" in note
    assert note.endswith("no softmax was measured")


def test_a_note_names_the_longest_reasons_and_counts_the_others(machine: Hardware) -> None:
    ops = chain([*STREAMS[1:5], matmul(64, 4096, 64, dtype="fp16")])
    (note,) = range_notes(run(machine, *ops).placement, machine)
    assert "100.0% of its time" in note
    assert note.endswith("and 3 more")


def test_engines_that_know_no_range_are_left_out() -> None:
    edge = load_hardware("edge-npu")
    result = run(edge, matmul(8, 8, 8))
    assert range_notes(result.placement, edge) == ()


def test_a_range_of_one_work_counts_for_that_alone() -> None:
    fitted = gpu(
        calibrated_work=("contraction fp16*fp16", "softmax"),
        calibrated_range={"bytes": (100, 1e9), "softmax bytes": (100, 1000)},
    )
    assert fitted.beyond(softmax(64, 64, dtype="fp16")) == "bytes above 1,000"
    assert fitted.beyond(matmul(64, 64, 64, dtype="fp16")) == ""


def test_an_operand_that_is_read_twice_counts_once() -> None:
    fitted = gpu(calibrated_work=("elementwise",), calibrated_range={"bytes": (1, 400)})
    op = elementwise((100,), ("mul",), inputs=2, dtype="fp16")
    same = Op(op.name, op.kind, (op.inputs[0],) * 2, op.outputs, None, op.functions)
    assert fitted.beyond(op) == "bytes above 400"
    assert fitted.beyond(same) == ""


@pytest.mark.parametrize("protocol", ["host", "queue"])
def test_times_of_another_protocol_than_the_constants_are_flagged(
    machine: Hardware, protocol: str
) -> None:
    other = machine.with_("gpu.protocol", protocol)
    (note,) = [n for n in run(other, STREAMS[0]).assumptions if "mean error 7.2%" in n]
    doubt = f"gpu: times are of protocol {protocol}, constants of protocol kernel; as it was fitted"
    assert note.startswith(doubt)
    assert "of protocol" not in of(machine).notes[1]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("compute_efficiency", 1.0, "compute_efficiency was 0.7634 and is 1"),
        ("memory_efficiency", 1.0, "memory_efficiency was 0.7939 and is 1"),
        ("t0", "1 us", "t0 was 4.272e-06 and is 1e-06"),
        ("clock", "1 GHz", "clock was 1.41e+09 and is 1e+09"),
        ("sparse_efficiency", 0.7, "sparse_efficiency was 0.569 and is 0.7"),
    ],
)
def test_a_constant_that_has_changed_since_the_fit_is_named(
    machine: Hardware, field: str, value: object, words: str
) -> None:
    note = of(machine.with_(f"gpu.{field}", value)).notes[1]
    assert note.startswith(f"gpu: changed since the fit: {words}; as it was fitted: constants")


def test_what_was_not_fitted_may_change_in_silence(machine: Hardware) -> None:
    other = machine.with_all({"gpu.launch_overhead": 0.0, "gpu.min_rows": 16})
    assert of(other).notes == of(machine).notes


def test_an_entry_of_a_table_that_is_gone_is_named() -> None:
    fitted = gpu(calibration="fitted", calibrated_constants={"kind_efficiency.softmax": 0.5})
    assert fitted.notes[1] == "gpu: changed since the fit: kind_efficiency.softmax is gone; " + (
        "as it was fitted: fitted"
    )


@pytest.mark.parametrize(
    "shares",
    [{"kind_efficiency": {"softmax": 0.5}}, {"attention_efficiency": 0.5}],
    ids=lambda shares: next(iter(shares)),
)
def test_any_share_below_one_is_no_peak(shares: dict[str, Any]) -> None:
    assert "fit no measurement" in gpu(**shares).notes[1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind_efficiency": {"sofmax": 0.5}}, "kind_efficiency['sofmax'] stands for nothing"),
        ({"kind_efficiency": {"sofmax": 0.5}}, "did you mean 'softmax'"),
        ({"kind_efficiency": {"contraction": 0.1}}, "that of products is memory_efficiency"),
        ({"calibrated_work": ("product fp16",)}, "calibrated_work['product fp16'] stands for"),
        ({"calibrated_range": {"rows": (1, 2)}}, "calibrated_range['rows'] stands for nothing"),
        ({"calibrated_range": {"softmax m": (1, 2)}}, "behind an entry of calibrated_work"),
        ({"calibrated_constants": {"t1": 1.0}}, "calibrated_constants['t1'] stands for nothing"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused_in_one_line(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(HardwareError) as caught:
        gpu(**fields).check()
    assert message in str(caught.value)
    assert str(caught.value).startswith("gpu.")
    assert "\n" not in str(caught.value)


def test_a_typing_error_in_a_change_is_refused_before_anything_runs(machine: Hardware) -> None:
    with pytest.raises(HardwareError, match="stands for nothing: no kind of operator; did you"):
        machine.with_("gpu.kind_efficiency", {"sofmax": 0.5})
