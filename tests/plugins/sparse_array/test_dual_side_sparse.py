"""Outer products of what is not zero: published times, orientation, known zeros, slots."""

from __future__ import annotations

import math

import numpy as np
import pytest
from codesign_plugins.sparse_array.outer import groups
from codesign_plugins.sparse_array.traffic import one
from hypothesis import given, settings
from hypothesis import strategies as st
from zeros_case import ROOM, actions, core, known, random_mask, slots, zeros

from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget
from codesign.testing import convolution, matmul

LAW = settings(max_examples=25, deadline=None, derandomize=True)
PUBLISHED = {
    (1.0, 0.4): 0.543,
    (0.9, 1.0): 0.904,
    (0.9, 0.4): 0.5,
    (0.7, 1.0): 0.717,
    (0.7, 0.4): 0.396,
    (0.5, 1.0): 0.585,
    (0.5, 0.4): 0.322,
    (0.3, 1.0): 0.42,
    (0.3, 0.4): 0.239,
}
"""Times of 4096^3 over dense by densities; Wang et al., ISCA 2021, as Sparseloop quotes them."""


def ratio(first: float, second: float, **fields: int) -> float:
    """Cycles over those of a dense product, in one tile."""
    op, engine = matmul(4096, 4096, 4096), core(**fields)
    size = one(op.gemm)
    sparse, dense = (engine.work(x).cycles(size)[0] for x in (zeros(op, first, second), op))
    return float(sparse / dense)


def errors(**fields: int) -> list[float]:
    return [abs(ratio(*pair, **fields) / time - 1) for pair, time in PUBLISHED.items()]


def test_published_times_are_met_within_eight_per_cent_in_the_mean_and_fifteen_each() -> None:
    found = errors()
    assert np.mean(found) == pytest.approx(0.0604, abs=0.001)
    assert max(found) < 0.12


def test_the_product_of_densities_is_four_times_worse() -> None:
    naive = [abs(a * b / time - 1) for (a, b), time in PUBLISHED.items()]
    assert np.mean(naive) > 4 * 0.0604 - 0.001


def test_the_other_orientation_is_much_worse() -> None:
    assert np.mean(errors(lane_rows=16, lane_cols=8)) == pytest.approx(0.163, abs=0.001)


def test_a_dense_product_uses_every_multiplier() -> None:
    plan = core().plan(matmul(128, 64, 96), ROOM)
    assert plan.cycles == 128 * 64 * 96 // 128
    assert slots(plan) == {"effective": 128 * 64 * 96}


def test_the_steps_of_a_tile_are_groups_of_eight_by_groups_of_sixteen() -> None:
    # exactly 8 of 32 rows, and 16 of 32 columns, at every step
    first = np.zeros((32, 64), dtype=bool)
    first[:8] = True
    second = np.zeros((64, 32), dtype=bool)
    second[:, ::2] = True
    plan = core().plan(zeros(matmul(32, 64, 32), known(first), known(second)), ROOM)
    assert plan.cycles == 64
    assert slots(plan) == {"effective": 64 * 128}
    first[8] = True
    plan = core().plan(zeros(matmul(32, 64, 32), known(first), known(second)), ROOM)
    assert plan.cycles == 128
    assert slots(plan) == {"effective": 64 * 9 * 16, "quantisation": 64 * 7 * 16}


def test_steps_without_a_non_zero_take_no_time() -> None:
    first = np.zeros((32, 64), dtype=bool)
    first[:, :16] = True
    plan = core().plan(zeros(matmul(32, 64, 32), known(first)), ROOM)
    assert plan.cycles == 16 * 8


def test_factors_that_are_dense_at_the_same_steps_take_longer() -> None:
    mask = np.zeros((32, 64), dtype=bool)
    mask[:, :32] = True
    op = matmul(32, 64, 32)
    alike = core().plan(zeros(op, known(mask), known(mask.T)), ROOM)
    apart = core().plan(zeros(op, known(mask), known(~mask.T)), ROOM)
    assert alike.cycles == 32 * 8
    assert slots(alike)["effective"] == 32 * 32 * 32
    assert "effective" not in slots(apart)
    assert apart.cycles <= 2


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_known_zeros_by_chance_take_the_time_of_chance(share: float) -> None:
    op = matmul(512, 256, 512)
    masks = known(random_mask((512, 256), share)), known(random_mask((256, 512), 0.4, 2))
    found = core().plan(zeros(op, *masks), ROOM).cycles
    assert found == pytest.approx(core().plan(zeros(op, share, 0.4), ROOM).cycles, rel=0.01)


def test_groups_are_those_of_the_tile_the_tensor_is_cut_in() -> None:
    access = zeros(matmul(64, 32, 64), known(np.eye(64, 32, dtype=bool))).inputs[0]
    # a column of a block of 32 rows has one non-zero in the upper half of the rows, none below
    assert groups(access, False, 32, 8) == pytest.approx(0.5)
    assert groups(access, True, 32, 8) == pytest.approx(0.5)
    assert groups(matmul(4, 4, 4).inputs[0], False, 20, 8) == 3.0


def test_two_to_four_across_the_results_halves_the_groups_of_every_step() -> None:
    plan = core().plan(zeros(matmul(64, 64, 64), None, "2:4 axis 1"), ROOM)
    assert plan.cycles == 64 * 64 * 64 // 256
    assert slots(plan) == {"effective": 64**3 // 2}


def test_cores_take_tiles_in_turn_and_wait_for_the_last() -> None:
    op = matmul(96, 64, 32)
    one, two = core().plan(op, ROOM), core(cores=2).plan(op, ROOM)
    assert one.cycles == 3 * 64 * 8
    assert two.cycles == 2 * 64 * 8
    assert slots(two) == {"effective": 96 * 64 * 32, "idle cores": 64 * 8 * 128}


def test_the_longest_tiles_go_first() -> None:
    # tiles of 32 x 32, 32 x 16, 8 x 32 and 8 x 16 take 8, 4, 2 and 1 cycles a step
    assert core(cores=2).plan(matmul(40, 64, 48), ROOM).cycles == 64 * (8 + 2)
    assert core(cores=4).plan(matmul(40, 64, 48), ROOM).cycles == 64 * 8


def test_masks_come_as_a_bit_for_every_element() -> None:
    plan = core().plan(zeros(matmul(32, 64, 32), "0.5", "0.25"), ROOM)
    assert actions(plan)["metadata bit"] == 2 * 32 * 64
    assert actions(plan)["mac int8*int8"] == 32 * 64 * 32 // 8
    read = sum(n for part, action, n in plan.actions if (part, action) == ("buffer", "read"))
    assert read == 32 * 64 * (1 / 8 + 0.5) + 32 * 64 * (1 / 8 + 0.25)
    assert "metadata bit" not in actions(core().plan(matmul(32, 64, 32), ROOM))


@LAW
@given(st.data())
def test_every_slot_of_a_core_has_one_cause(data: st.DataObject) -> None:
    extent = st.integers(1, 80)
    op = matmul(
        data.draw(extent), data.draw(extent), data.draw(extent), data.draw(st.integers(1, 2))
    )
    densities = [data.draw(st.sampled_from([None, 0.05, 0.4, 0.9, 1.0])) for _ in range(2)]
    engine = core(
        cores=data.draw(st.integers(1, 3)),
        accumulator=data.draw(st.sampled_from([400, 1 << 20])),
        macs_per_lane={"int8*int8": data.draw(st.sampled_from([0.5, 1.0, 2.0]))},
        tile_overhead=data.draw(st.integers(0, 2)),
    )
    budget = Budget(data.draw(st.sampled_from([3000, 1 << 20])), 1e9, 1e9, port_bytes_per_s=64e9)
    try:
        plan = engine.plan(zeros(op, *densities), budget)
    except MappingError:
        return
    found = slots(plan)
    rate = engine.macs_per_lane["int8*int8"]
    assert sum(found.values()) == math.floor(plan.cycles * 128 * engine.cores * rate)
    assert min(found.values()) > 0
    share = math.prod(density or 1.0 for density in densities)
    assert found.get("effective", 0) == round(op.macs * share)


@LAW
@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0), st.floats(0.5, 0.99))
def test_fewer_non_zeros_never_take_longer(first: float, second: float, less: float) -> None:
    assert ratio(first * less, second) <= ratio(first, second) <= 1.0


def test_a_convolution_runs_with_known_weights() -> None:
    op = convolution(8, 32, 12, 3)
    weight = known(random_mask((1, 32, 8, 3, 3), 0.5))
    plan = core().plan(zeros(op, "0.6", weight), ROOM)
    assert slots(plan)["effective"] == pytest.approx(0.3 * op.macs, rel=0.05)


def test_a_pair_of_formats_without_an_energy_is_one_line() -> None:
    with pytest.raises(HardwareError, match=r"core.mac_energy\['fp16\*fp16'\] must name two"):
        core(mac_energy={"int8*int8": 1e-13, "fp16*fp16": 1e-12})
