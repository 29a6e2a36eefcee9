"""Zeros that are known element by element: exact products, and chance where they are random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from codesign_plugins.sparse_array.factors import Factors
from codesign_plugins.sparse_array.masks import per_step
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from zeros_case import ROOM, actions, known, lanes, random_mask, slots, zeros

from codesign.testing import convolution, matmul
from codesign.workload.imbalance import measured_imbalance
from codesign.workload.mask import Mask
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access, Op

LAW = settings(max_examples=40, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10**6)


def linear(rows: int, inner: int, columns: int) -> Op:
    """A product with weights ``[columns, inner]``, as a linear layer has them."""
    op = matmul(rows, inner, columns)
    tensor = replace(op.inputs[1].tensor, shape=(columns, inner))
    weight = Access(tensor, (inner, columns), (1, inner))
    return replace(op, inputs=(op.inputs[0], weight))


def pointwise(channels: int, filters: int, size: int) -> Op:
    return convolution(channels, filters, size, 1)


def correlated(shape: tuple[int, int], seed: int) -> NDArray[np.bool_]:
    """Columns of quite different densities."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.random(shape) < rng.random(shape[1]) ** 2)


@LAW
@given(SEEDS, st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))
def test_products_of_two_masks_are_counted_exactly(seed: int, m: int, k: int, n: int) -> None:
    first, second = correlated((m, k), seed), correlated((n, k), seed + 1).T
    op = zeros(matmul(m, k, n), known(first), known(second))
    exact = int((first.astype(int) @ second.astype(int)).sum())
    assert Factors.of(op).both * op.macs == pytest.approx(exact)
    plan = lanes(cols=1, activation="skip").plan(op, ROOM)
    assert slots(plan).get("effective", 0) == exact
    assert actions(plan).get("mac int8*int8", 0) == exact


@LAW
@given(SEEDS)
def test_weights_of_a_linear_layer_are_read_along_their_rows(seed: int) -> None:
    first, second = correlated((6, 20), seed), correlated((5, 20), seed + 1)
    op = zeros(linear(6, 20, 5), known(first), known(second))
    assert Factors.of(op).both * op.macs == pytest.approx((first.astype(int) @ second.T).sum())


@LAW
@given(SEEDS)
def test_pixels_of_a_pointwise_convolution_meet_the_weights_of_their_channel(seed: int) -> None:
    image = correlated((25, 7), seed).T.reshape(1, 7, 5, 5)
    weight = correlated((6, 7), seed + 1).reshape(1, 6, 7, 1, 1)
    op = zeros(pointwise(7, 6, 5), known(image), known(weight))
    exact = sum(int(image[0, c].sum()) * int(weight[0, :, c].sum()) for c in range(7))
    assert Factors.of(op).both * op.macs == pytest.approx(exact)


def test_groups_count_as_steps_of_both_factors() -> None:
    image = np.zeros((4, 1, 6, 6), dtype=bool)
    image[:2] = True
    weight = np.zeros((4, 1, 1, 3, 3), dtype=bool)
    weight[1:3] = True
    op = zeros(convolution(4, 4, 6, 3, padding=1, groups=4), known(image), known(weight))
    assert Factors.of(op).both == pytest.approx(0.25)  # of group 1 alone
    op = zeros(convolution(4, 4, 6, 3, padding=1, groups=4), known(image), 0.5)
    assert Factors.of(op).both == pytest.approx(0.25)  # by chance


def test_taps_of_a_window_are_independent_of_the_pixels() -> None:
    image = random_mask((1, 8, 10, 10), 0.4)
    weight = random_mask((1, 6, 8, 3, 3), 0.5)
    op = zeros(convolution(8, 6, 10, 3), known(image), known(weight))
    shares = image[0].mean(axis=(1, 2)) * weight[0].mean(axis=(0, 2, 3))
    assert Factors.of(op).both == pytest.approx(shares.mean())


@pytest.mark.parametrize(("first", "second"), [(0.2, 0.3), (0.6, 0.6), (0.9, 0.1)])
def test_random_masks_agree_with_chance(first: float, second: float) -> None:
    op = matmul(64, 2048, 256)
    masks = random_mask((64, 2048), first), random_mask((2048, 256), second, 2)
    actual = zeros(op, *map(known, masks))
    declared = zeros(op, *(float(mask.mean()) for mask in masks))
    for features in ({"activation": "skip"}, {}, {"activation": "skip", "weight": "none"}):
        engine = lanes(rows=4, cols=64, **features)
        found, chance = (engine.plan(x, ROOM) for x in (actual, declared))
        assert found.cycles == pytest.approx(chance.cycles, rel=0.02)
        effective = slots(chance)["effective"]
        assert slots(found)["effective"] == pytest.approx(effective, rel=0.02)


def test_one_mask_meets_chance_with_its_true_share() -> None:
    mask = random_mask((512, 256), 0.3)
    found = Factors.of(zeros(matmul(8, 512, 256), "0.5", known(mask)))
    assert found.both == pytest.approx(0.5 * mask.mean())
    assert found.share((1,)) == mask.mean()
    assert found.share(()) == 1.0


def test_filters_of_unequal_density_make_lanes_wait_longer_than_chance() -> None:
    mask = random_mask((64, 512), 0.1)
    mask[::4] = random_mask((16, 512), 0.9, 3)
    op, engine = linear(16, 512, 64), lanes(cols=64)
    found = engine.plan(zeros(op, None, known(mask)), ROOM)
    chance = engine.plan(zeros(op, None, float(mask.mean())), ROOM)
    assert found.cycles > 1.5 * chance.cycles
    # all 64 columns are lanes at the same time: every barrier has a dense one
    measured = measured_imbalance(Mask.of(mask), 64, 64)
    assert found.cycles == pytest.approx(16 * 512 * mask.mean() * measured, rel=0.03)


def test_lanes_of_random_masks_wait_as_long_as_measured() -> None:
    mask = random_mask((256, 2048), 0.3)
    op = zeros(linear(4, 2048, 256), None, known(mask))
    cycles = lanes(cols=256).plan(op, ROOM).cycles
    measured = measured_imbalance(Mask.of(mask), 256, 64)
    assert cycles / (4 * 2048 * mask.mean()) == pytest.approx(measured, rel=0.01)


def test_a_mask_that_is_full_or_empty_is_even() -> None:
    op = matmul(8, 64, 16)
    full = lanes(cols=16).plan(zeros(op, None, known(np.ones((64, 16)))), ROOM)
    assert full.cycles == 8 * 64
    empty = lanes(cols=16).plan(zeros(op, None, known(np.zeros((64, 16)))), ROOM)
    assert empty.cycles <= empty.tiles
    assert "effective" not in slots(empty)


def test_two_masks_that_never_meet_leave_nothing_to_multiply() -> None:
    first = np.zeros((8, 64), dtype=bool)
    first[:, ::2] = True
    op = zeros(matmul(8, 64, 16), known(first), known(~first[:1].T.repeat(16, axis=1)))
    plan = lanes(rows=2, cols=16, activation="skip").plan(op, ROOM)
    assert "effective" not in slots(plan)
    assert "mac int8*int8" not in actions(plan)


def test_without_masks_steps_are_not_known() -> None:
    op = matmul(8, 64, 16)
    assert per_step(op, 0) is None
    assert per_step(zeros(op, "0.5"), 0) is None
    assert per_step(zeros(op, known(random_mask((8, 64), 0.5))), 0) is not None


def test_an_access_that_moves_over_time_is_taken_by_chance() -> None:
    op = zeros(matmul(8, 64, 16), known(random_mask((8, 64), 0.5)))
    moving = replace(op.inputs[0], advance=(64,))
    assert per_step(replace(op, inputs=(moving, op.inputs[1])), 0) is None


def test_blocks_are_counted_in_groups_of_lanes() -> None:
    mask = np.zeros((40, 3), dtype=bool)
    mask[:9, 0] = True
    mask[:, 1] = True
    found = per_step(zeros(matmul(40, 3, 4), known(mask)), 0, 32, 8)
    assert found is not None
    # blocks of 32 and 8 rows: 9 + 0, 32 + 8 and no non-zeros in groups of 8
    assert found == pytest.approx([(2 + 0) / 2, (4 + 1) / 2, 0.0])


def test_a_loop_that_reads_part_of_an_axis_is_not_shared() -> None:
    op = matmul(8, 64, 16)
    part = LoopNest(
        op.loops.dims,
        (1, 8, 16, 32),
        (op.loops.operands[0], (Axis(((3, 1),)), Axis(((2, 1),))), op.loops.operands[2]),
    )
    halved = zeros(replace(op, nest=part), known(random_mask((8, 64), 0.5)))
    found = per_step(halved, 0)
    assert found is not None
    assert found.shape == ()
