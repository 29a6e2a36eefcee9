"""Lanes that gate, skip, intersect and balance: cycles, slots, energies and refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zeros_case import ROOM, actions, core, lanes, slots, zeros

from codesign import Trace, annotate, simulate
from codesign.errors import MappingError
from codesign.hardware.plan import Budget
from codesign.hardware.spec import load_hardware
from codesign.testing import matmul
from codesign.workload.imbalance import imbalance
from codesign.workload.record import Op, Tensor

LAW = settings(max_examples=40, deadline=None, derandomize=True)


FEATURES = st.sampled_from(["none", "gate", "skip"])


SAID = st.sampled_from([None, "0.3", "0.7", "2:4", "channel 0.5", "block 2x2 0.4"])


def macs(x: Any, w: Any, **fields: Any) -> tuple[dict[str, int], dict[str, int], int]:
    """Slots, actions and cycles of 64 x 640 x 256, on 256 lanes along its columns."""
    plan = lanes(**fields).plan(zeros(matmul(64, 640, 256), x, w), ROOM)
    return slots(plan), actions(plan), plan.cycles


ALL = 64 * 640 * 256


def tensors(op: Op) -> tuple[Tensor, ...]:
    return tuple(access.tensor for access in op.operands)


# -- the law ---------------------------------------------------------------------------------------


@LAW
@given(st.data())
def test_every_slot_has_a_cause_and_none_has_two(data: st.DataObject) -> None:
    extent = st.integers(1, 70)
    op = matmul(
        data.draw(extent), data.draw(extent), data.draw(extent), data.draw(st.integers(1, 2))
    )
    said = [data.draw(SAID) for _ in range(2)]
    if min(op.gemm[1:]) >= 4:
        op = zeros(op, *said)
    engine = lanes(
        rows=data.draw(st.integers(1, 5)),
        cols=data.draw(st.integers(1, 9)),
        activation=data.draw(FEATURES),
        weight=data.draw(FEATURES),
        sync=data.draw(st.sampled_from([1, 16, 64])),
        macs_per_lane={"int8*int8": data.draw(st.sampled_from([0.5, 1.0, 4.0]))},
        decode_rate=data.draw(st.sampled_from([2, 16])),
        intersection=data.draw(st.sampled_from(["bitmap", "two_finger", "skip"])),
        intersection_rate=data.draw(st.sampled_from([1, 64])),
        accumulator=data.draw(st.sampled_from([400, 1 << 20])),
        tile_overhead=data.draw(st.integers(0, 3)),
    )
    budget = Budget(data.draw(st.sampled_from([3000, 1 << 20])), 1e9, 1e9, port_bytes_per_s=8e9)
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    found = slots(plan)
    rate = engine.macs_per_lane["int8*int8"]
    assert sum(found.values()) == math.floor(plan.cycles * engine.rows * engine.cols * rate)
    assert min(found.values()) > 0
    assert found["effective"] == round(op.macs * engine.work(op).factors.both)


def test_a_dense_operator_is_effective_and_nothing_else() -> None:
    for features in ({}, {"activation": "skip"}, {"activation": "gate", "weight": "gate"}):
        found, done, cycles = macs(None, None, **features)
        assert found == {"effective": ALL}
        assert cycles == ALL // 256
        assert done["mac int8*int8"] == ALL
        assert "metadata bit" not in done


# -- features --------------------------------------------------------------------------------------


def test_without_a_feature_zeros_are_multiplied_like_all_else() -> None:
    found, done, cycles = macs("0.5", "0.3", weight="none")
    assert found == {"effective": round(ALL * 0.15), "zero operands": ALL - round(ALL * 0.15)}
    assert cycles == ALL // 256
    assert done["mac int8*int8"] == ALL


def test_a_gate_saves_energy_and_no_time() -> None:
    found, done, cycles = macs("0.5", "0.3", activation="gate", weight="gate")
    assert cycles == ALL // 256
    assert found == {"effective": round(ALL * 0.15), "gated": ALL - round(ALL * 0.15)}
    assert done["mac int8*int8"] == round(ALL * 0.15)
    assert done["gated mac"] == ALL - round(ALL * 0.15)
    table = lanes().energies_j()
    assert 0 < table["gated mac"] < table["mac int8*int8"] / 5


def test_a_gate_on_one_factor_leaves_the_zeros_of_the_other() -> None:
    found, done, _ = macs("0.5", "0.3", activation="gate", weight="none")
    assert found["gated"] == ALL // 2
    assert found["zero operands"] == pytest.approx(ALL * 0.35, abs=1)
    assert done["mac int8*int8"] == ALL // 2


def test_a_skip_saves_time_and_energy_and_waits_for_the_slowest_lane() -> None:
    found, done, cycles = macs("0.5", "0.3")
    assert cycles == pytest.approx(ALL // 256 * 0.3 * imbalance(256, 64, 0.3), abs=1)
    assert ALL / 256 / cycles == pytest.approx(2.14, abs=0.01)
    assert found["imbalance"] == pytest.approx(0.559 * 0.3 * ALL, rel=0.001)
    assert found["zero operands"] == pytest.approx(0.15 * ALL, abs=1)
    assert done["mac int8*int8"] == round(0.3 * ALL)


def test_skipping_one_factor_and_gating_the_other_keeps_the_slots_of_the_other() -> None:
    found, done, cycles = macs("0.5", "0.3", activation="gate")
    assert cycles == macs("0.5", "0.3")[2]
    assert found["gated"] == pytest.approx(0.15 * ALL, abs=1)
    assert "zero operands" not in found
    assert done["gated mac"] == found["gated"]


def test_skipping_both_factors_leaves_products_and_waiting() -> None:
    found, done, cycles = macs("0.5", "0.3", activation="skip")
    assert set(found) == {"effective", "imbalance", "quantisation"}
    assert done["mac int8*int8"] == found["effective"] == round(0.15 * ALL)
    assert cycles == pytest.approx(ALL // 256 * 0.15 * imbalance(256, 64, 0.15), abs=1)


def test_lanes_of_a_row_meet_the_same_activations_and_need_not_wait_for_each_other() -> None:
    column = lanes(rows=1, cols=16, activation="skip", weight="none")
    square = lanes(rows=4, cols=16, activation="skip", weight="none")
    op = zeros(matmul(64, 640, 256), "0.3")
    assert "imbalance" not in slots(column.plan(op, ROOM))
    steps = 64 * 640 * 256 // 64
    expected = steps * 0.3 * imbalance(4, 64, 0.3)
    assert square.plan(op, ROOM).cycles == pytest.approx(expected, rel=1e-4)


# -- patterns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["2:4 axis 0", "channel 0.5 axis 0", "channel 0.5 axis 1"])
def test_structured_zeros_have_no_imbalance(pattern: str) -> None:
    found, _, cycles = macs(None, pattern)
    assert cycles == ALL // 256 // 2
    assert found == {"effective": ALL // 2}


def test_groups_across_the_reduction_do_wait() -> None:
    assert "imbalance" in macs(None, "2:4 axis 1")[0]
    assert macs(None, "2:4 axis 1")[2] == macs(None, "0.5")[2]


def test_longer_scopes_wait_less_in_proportion() -> None:
    cycles = {sync: macs(None, "0.3", sync=sync)[2] for sync in (16, 64, 640)}
    assert cycles[16] > cycles[64] > cycles[640] > 0.3 * ALL / 256


@pytest.mark.parametrize("how", ["sort", "steal"])
def test_balancing_widens_the_scope(how: str) -> None:
    assert macs(None, "0.3", balance=how, balance_group=10)[2] == macs(None, "0.3", sync=640)[2]


def test_activations_cannot_be_sorted_before_the_run() -> None:
    for how, evens in (("sort", False), ("steal", True)):
        fields = {"activation": "skip", "balance": how, "balance_group": 10}
        found = macs("0.5", "0.3", **fields)[2]
        assert (found < macs("0.5", "0.3", activation="skip")[2]) == evens


def test_edges_leave_lanes_without_work() -> None:
    plan = lanes(rows=4, cols=16).plan(matmul(6, 32, 20), ROOM)
    # blocks of 4 x 16, 4 x 4, 2 x 16 and 2 x 4 results, 32 steps each
    assert plan.cycles == 4 * 32
    assert slots(plan) == {"effective": 6 * 32 * 20, "edge": 4 * 32 * 64 - 6 * 32 * 20}


def test_wider_lanes_round_up() -> None:
    wide = {"macs_per_lane": {"int8*int8": 4.0}}
    found, _, cycles = macs(None, "0.3", **wide)
    # of 19.2 products 1.5 are missing to whole cycles of four, in the mean
    assert found["quantisation"] == pytest.approx(1.5 / 19.2 * 0.3 * ALL, rel=0.01)
    assert cycles > macs(None, "0.3")[2] / 4


# -- finding products ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "rate", "cycles"),
    [
        ("bitmap", 2, 32.0),  # 64 bits of both masks
        ("two_finger", 1, 64 * 0.8),  # all places of both lists
        ("skip", 1, 64 * 0.5),  # non-zeros of the activations
    ],
)
def test_lanes_wait_until_pairs_are_found(how: str, rate: int, cycles: float) -> None:
    fields = {"rows": 1, "cols": 1, "activation": "skip"}
    op = zeros(matmul(8, 64, 8), "0.5", "0.3")
    plan = lanes(intersection=how, intersection_rate=rate, **fields).plan(op, ROOM)
    assert plan.cycles == pytest.approx(64 * cycles, rel=0.02)
    assert slots(plan)["intersection"] > 0.3 * sum(slots(plan).values())
    assert actions(plan)["intersection cycle"] == pytest.approx(64 * cycles, abs=1)


def test_one_sparse_factor_is_decoded_and_not_intersected() -> None:
    plan = lanes(decode_rate=2, intersection_rate=1).plan(
        zeros(matmul(8, 64, 256), None, "0.1"), ROOM
    )
    assert plan.cycles == pytest.approx(8 * 32, abs=1)
    assert slots(plan)["decode"] > 0
    assert "intersection cycle" not in actions(plan)


def test_a_dense_factor_needs_no_places() -> None:
    _, done, cycles = macs(None, "0.3", activation="skip", intersection_rate=1, decode_rate=64)
    assert cycles == pytest.approx(macs(None, "0.3")[2], abs=1)
    assert done["metadata bit"] == 64 * 640 * 256  # of the weights, once for each row of results


# -- metadata and operands -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "how", "bits"),
    [
        ("0.3", "bitmap", 1.0),
        ("0.3", "two_finger", 0.3 * 10),
        ("0.3", "skip", 0.3 * 10),
        ("2:4 axis 0", "bitmap", 0.5 * 2),
        ("1:8 axis 0", "skip", 3 / 8),
        ("channel 0.5 axis 0", "bitmap", 0.0),
    ],
)
def test_metadata_is_a_mask_or_places(said: str, how: str, bits: float) -> None:
    done = macs(None, said, intersection=how)[1]
    assert done.get("metadata bit", 0) == pytest.approx(bits * ALL)


def test_a_skipped_factor_is_read_as_non_zeros_and_places() -> None:
    engine, op = lanes(), zeros(matmul(1, 640, 256), None, "0.25")
    read = {part: n for part, action, n in engine.plan(op, ROOM).actions if action == "read"}
    assert read["buffer"] == 640 + 640 * 256 // 4 + 640 * 256 // 8
    gating = lanes(weight="gate")
    read = {part: n for part, action, n in gating.plan(op, ROOM).actions if action == "read"}
    assert read["buffer"] == 640 + 640 * 256


def test_a_gate_at_the_store_keeps_operands_from_being_read() -> None:
    fields = {"activation": "gate", "weight": "gate"}
    at_mac, at_store = (macs("0.5", "0.3", gate_at=at, **fields)[1] for at in ("mac", "store"))
    assert at_mac["operand byte"] == 2 * ALL
    assert at_store["operand byte"] == 2 * round(0.15 * ALL)


def test_a_lane_reads_the_operands_of_what_it_issues() -> None:
    assert macs("0.5", "0.3")[1]["operand byte"] == round(2 * 0.3 * ALL)
    assert macs("0.5", "0.3", activation="skip")[1]["operand byte"] == round(2 * 0.15 * ALL)


def test_lanes_that_skip_by_masks_take_weights_that_are_stored_so() -> None:
    trace = Trace("one", (op := matmul(64, 256, 64, dtype="fp16"),), tensors(op))
    packed = annotate(trace, "*", sparsity="0.3", codec="bitmap")
    found = next(op for op, _ in packed.ops())
    assert lanes().decodes(found, 1) == core().decodes(found, 1) == ("bitmap",)
    for engine in (lanes(weight="gate"), lanes(intersection="skip")):
        assert engine.decodes(found, 1) == ()
    assert lanes().decodes(found, 0) == lanes().decodes(op, 1) == ()  # not skipped; no zeros
    machine = load_hardware("dual-side-sparse")
    plain = simulate(annotate(trace, "*", sparsity="0.3"), machine).offchip_bytes["weight"]
    small = simulate(packed, machine).offchip_bytes["weight"]
    assert small == pytest.approx((0.3 + 1 / 16) * plain, rel=0.02)
