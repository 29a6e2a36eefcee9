"""SVDF against linear layers of equal MACs on a DSP: a calibration of its table, not a proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

import pytest
from keyword_networks import liconet, svdf

import codesign
from codesign import Access, Hardware, Op, Residency, Trace, load_hardware
from codesign.hardware.plan import Budget
from codesign.workload.check import check_trace
from codesign.workload.work import movement, product

MACS = 352_256
TEMPORAL = 13_824
RESIDENT = Residency("pinned", pins=("role:*",), across_runs=True)


def dsp(**rates: float) -> Hardware:
    """The preset, with some of its rates changed."""
    tables = {"state_shift": "bytes_per_cycle.state_shift int8"}
    found = load_hardware("hifi4-dsp")
    for word, rate in rates.items():
        path = tables.get(word, f"macs_per_cycle.{word} int8*int8")
        found = found.with_(f"dsp.{path}", rate)
    return found


def cycles(trace: Trace, hardware: Hardware) -> Counter[str]:
    """Cycles of a frame by sort of work, with everything in the data RAM."""
    engine, found = hardware.engine("dsp"), Counter[str]()
    for op, _ in trace.ops():
        budget = Budget(1 << 20, 1e9, 1e9, resident=(True,) * len(op.operands))
        word = product(op) if op.kind == "contraction" else movement(op)
        found[word] += engine.plan(op, budget).cycles
    return found


def per_frame(make: Callable[[int], Trace], frames: int = 20) -> float:
    """Cycles of one more frame in a replay in which nothing but the work takes time."""
    runs = [
        codesign.simulate(make(count), "hifi4-dsp", residency=RESIDENT).latency_s
        for count in (frames, 2 * frames)
    ]
    return (runs[1] - runs[0]) / frames * 6e8


@pytest.mark.parametrize("make", [svdf, liconet])
def test_both_networks_do_the_same_multiply_accumulates_a_frame(
    make: Callable[[int], Trace],
) -> None:
    trace = make(1)
    check_trace(trace)
    assert trace.macs == MACS
    assert trace.parameters == MACS


def test_a_share_of_four_percent_filters_in_time_over_a_state_of_as_many_bytes() -> None:
    trace = svdf()
    temporal = [op for op, _ in trace.ops() if op.kind == "contraction"]
    assert sum(op.macs for op in temporal if product(op) == "temporal_filter") == TEMPORAL
    assert sum(tensor.bytes for tensor in trace.tensors if tensor.role == "state") == TEMPORAL
    assert round(TEMPORAL / MACS, 3) == 0.039


def test_the_linear_network_has_one_sort_of_work_only() -> None:
    assert {product(op) for op, _ in liconet().ops()} == {"linear"}


def test_the_table_of_the_preset_gives_the_cycles_that_it_was_calibrated_to() -> None:
    assert cycles(svdf(), dsp()) == {
        "linear": (MACS - TEMPORAL) // 8,
        "temporal_filter": TEMPORAL * 2,
        "state_shift": TEMPORAL // 4,
    }
    assert cycles(svdf(), dsp()).total() == 73_408
    assert cycles(liconet(), dsp()).total() == 44_032
    assert round(44_032 / 73_408 - 1, 3) == -0.400


@pytest.mark.parametrize(("make", "expected"), [(svdf, 73_408), (liconet, 44_032)])
def test_a_frame_takes_as_long_in_the_replay_once_everything_is_in_place(
    make: Callable[[int], Trace], expected: int
) -> None:
    assert per_frame(make) == pytest.approx(expected, abs=0.1)  # whole picoseconds an operator


@pytest.mark.parametrize(
    ("temporal_filter", "state_shift"), [(0.5, 4.0), (4.0, 0.5), (1.0, 0.8)], ids=str
)
def test_other_tables_fit_as_well_so_it_is_no_proof(
    temporal_filter: float, state_shift: float
) -> None:
    other = dsp(temporal_filter=temporal_filter, state_shift=state_shift)
    assert cycles(svdf(), other).total() == pytest.approx(73_408, abs=6)
    assert cycles(liconet(), other) == cycles(liconet(), dsp())


def test_with_one_rate_for_all_products_only_the_shift_is_left_of_the_difference() -> None:
    flat = cycles(svdf(), dsp(temporal_filter=8.0))
    assert flat.total() == 44_032 + TEMPORAL // 4


def test_every_rate_of_the_calibration_says_that_it_is_assumed_and_what_it_is() -> None:
    rows = {row.field: row for row in load_hardware("hifi4-dsp").provenance}
    for field in (
        "macs_per_cycle.linear int8*int8",
        "macs_per_cycle.temporal_filter int8*int8",
        "bytes_per_cycle.state_shift int8",
        "call_overhead",
    ):
        assert rows[field].status == "assumed"
        assert "calibration" in rows[field].source


@pytest.mark.parametrize("make", [svdf, liconet])
@pytest.mark.parametrize("residency", ["none", "region", RESIDENT], ids=["none", "region", "pins"])
def test_a_run_lies_between_its_bounds_whether_events_are_skipped_or_not(
    make: Callable[[int], Trace], residency: Residency | Literal["none", "region"]
) -> None:
    result, exact = (
        codesign.simulate(make(6), "hifi4-dsp", residency=residency, exact_events=each)
        for each in (False, True)
    )
    assert result.digest == exact.digest
    assert result.lower_bound_s <= result.latency_s <= result.serial_bound_s
    assert result.latency_s >= 6 * cycles(make(1), dsp()).total() / 6e8
    assert result.mac_slots["effective"] == 6 * MACS


def test_the_same_kernels_at_another_clock_take_the_same_cycles() -> None:
    slow = load_hardware("hifi4-dsp").with_("dsp.clock", "100 MHz")
    assert cycles(svdf(), slow) == cycles(svdf(), dsp())


def test_a_ring_buffer_in_the_place_of_the_shift_moves_a_ninth() -> None:
    columns = {
        op.name: sum(access.bytes for access in op.inputs[1:])
        for op, _ in svdf().ops()
        if op.kind == "move"
    }
    assert sum(columns.values()) == 6 * 256
    shifted, total = cycles(svdf(), dsp())["state_shift"], cycles(svdf(), dsp()).total()
    engine = load_hardware("hifi4-dsp").engine("dsp")
    assert shifted == 3456
    ring = sum(
        engine.plan(_appended(op), Budget(1 << 20, 1e9, 1e9, resident=(True, True))).cycles
        for op, _ in svdf().ops()
        if op.kind == "move"
    )
    assert ring == 6 * 256 // 8
    assert total - shifted + ring == 70_144


def _appended(op: Op) -> Op:
    """The same update, writing only what is new."""
    state, new = op.outputs[0], op.inputs[1]
    slot = Access(state.tensor, new.shape, (state.strides[0], 1))
    return Op(op.name, "move", (new,), (slot,), functions=op.functions)
