"""The slowest of many lanes: exact order statistics, whatever the zeros look like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codesign_plugins.sparse_array.lanes import Skipped, wait
from codesign_plugins.sparse_array.spread import Spread
from hypothesis import given, settings
from hypothesis import strategies as st
from zeros_case import known, random_mask, zeros

from codesign.testing import convolution, matmul
from codesign.workload.imbalance import imbalance
from codesign.workload.sparsity import Sparsity

LAW = settings(max_examples=60, deadline=None, derandomize=True)
DENSITIES = st.floats(0.02, 0.98)


def chance(share: float, fibre: int = 10**6) -> Spread:
    return Spread(Sparsity.parse(share), fibre, 1, False)


def one(share: float, rate: float = 1.0, **more: Any) -> Skipped:
    return Skipped((chance(share),), share, rate, **more)


@LAW
@given(st.integers(1, 300), st.integers(1, 200), DENSITIES)
def test_one_factor_by_chance_waits_as_the_published_order_statistic_says(
    lanes: int, steps: int, share: float
) -> None:
    found = wait(one(share), lanes, steps)
    assert found.mean == pytest.approx(steps * share)
    assert found.longest == pytest.approx(steps * share * imbalance(lanes, steps, share))


@LAW
@given(st.integers(1, 64), st.integers(1, 100), DENSITIES, st.sampled_from([0.5, 1.0, 2.0, 4.0]))
def test_lanes_wait_longer_the_more_there_are_and_never_for_less_than_the_mean(
    lanes: int, steps: int, share: float, rate: float
) -> None:
    few, more = (wait(one(share, rate), count, steps) for count in (lanes, 2 * lanes))
    assert few.mean == more.mean
    assert few.mean - 1e-9 <= few.longest <= more.longest + 1e-9
    assert few.mean >= steps * share / rate - 1e-9
    assert more.longest <= -(-steps // rate) + 1e-9


def test_seventy_per_cent_zeros_on_256_lanes_give_2_1_and_not_3_3() -> None:
    found = wait(one(0.3), 256, 64)
    assert 64 / found.mean == pytest.approx(1 / 0.3)
    assert 64 / found.longest == pytest.approx(2.138, abs=0.001)


def test_a_lone_lane_waits_for_nobody() -> None:
    found = wait(one(0.3), 1, 64)
    assert found.longest == pytest.approx(found.mean)


def test_two_products_a_cycle_leave_half_a_cycle_of_every_odd_number() -> None:
    found = wait(one(0.5, rate=2.0), 1, 2)
    # none, one or two products with 1/4, 1/2, 1/4: 0, 1 or 1 cycles
    assert found.mean == pytest.approx(0.75)
    assert wait(one(0.5, rate=2.0), 10**6, 2).longest == pytest.approx(1.0)


def test_simulated_lanes_take_as_long() -> None:
    rng = np.random.default_rng(7)
    products = (rng.random((4000, 32, 48)) < 0.25).sum(axis=2)
    cycles = -(-products // 2)
    found = wait(one(0.25, rate=2.0), 32, 48)
    assert found.mean == pytest.approx(cycles.mean(), rel=0.01)
    assert found.longest == pytest.approx(cycles.max(axis=1).mean(), rel=0.01)


@LAW
@given(st.integers(1, 100), DENSITIES, DENSITIES)
def test_two_factors_by_chance_are_one_whose_density_is_the_product(
    steps: int, first: float, second: float
) -> None:
    both = Skipped((chance(first), chance(second)), first * second, 1.0)
    assert wait(both, 20, steps) == pytest.approx(wait(one(first * second), 20, steps))


@pytest.mark.parametrize(("steps", "first", "second"), [(16, 0.3, 0.3), (64, 0.5, 0.5)])
def test_lanes_that_share_rows_and_columns_wait_one_to_four_per_cent_less(
    steps: int, first: float, second: float
) -> None:
    rng = np.random.default_rng(3)
    slowest = []
    for _ in range(500):
        rows = (rng.random((16, steps)) < first).astype(int)
        columns = (rng.random((steps, 16)) < second).astype(int)
        slowest.append((rows @ columns).max())
    both = Skipped((chance(first), chance(second)), first * second, 1.0)
    assert 1.01 < wait(both, 256, steps).longest / np.mean(slowest) < 1.05


def test_an_even_pattern_and_one_by_chance_leave_only_the_chance_of_what_is_kept() -> None:
    pattern = Spread(Sparsity.parse("2:4"), 4096, 4096, True)
    both = Skipped((chance(0.3), pattern), 0.15, 1.0)
    # 64 steps keep 32 places, each of which meets a non-zero with 0.3
    assert wait(both, 50, 64) == pytest.approx(wait(one(0.3), 50, 32))


def test_a_known_pattern_meets_the_other_factor_by_chance() -> None:
    rows = np.repeat([[True] * 8, [False] * 8], 2, axis=0)
    op = zeros(matmul(4, 8, 4), known(rows))
    spread = Spread.of(op, 0)
    assert spread.law(8) == pytest.approx([0.5, *[0] * 7, 0.5])
    both = Skipped((spread, chance(0.5)), 0.25, 1.0)
    assert both.law(8)[0] == pytest.approx(0.5 + 0.5 * 2**-8)
    assert both.law(8) @ np.arange(9) == pytest.approx(2.0)


def test_what_finds_products_bounds_every_barrier() -> None:
    quick = wait(one(0.1, scan=32), 8, 64)
    assert quick.found == pytest.approx(quick.longest, abs=1e-3)
    assert wait(one(0.1, scan=2), 8, 64).found == pytest.approx(32.0, abs=1e-3)
    assert wait(one(0.5, search=0.75), 1, 64).found == pytest.approx(48.0, abs=0.01)


def test_finding_and_multiplying_overlap_barrier_by_barrier() -> None:
    """Where they take alike, the mean of the larger is above the larger of the means."""
    found = wait(one(0.5, scan=2), 1, 64)
    assert found.longest == pytest.approx(32.0)
    assert found.found > 33.0


# -- spreads ---------------------------------------------------------------------------------------


def test_a_reduction_along_the_last_axis_and_one_across_rows_see_their_own_neighbours() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[:, :4] = True
    op = zeros(matmul(8, 8, 8), known(mask), known(mask))
    assert Spread.of(op, 0).law(4) == pytest.approx([0.5, 0, 0, 0, 0.5])  # in halves of rows
    assert Spread.of(op, 1).law(4) == pytest.approx([0.5, 0, 0, 0, 0.5])  # in whole columns
    assert Spread.of(op, 0).law(8) == pytest.approx([*[0] * 4, 1, *[0] * 4])
    assert Spread.of(op, 1).law(8) == pytest.approx([0.5, *[0] * 7, 0.5])


def test_steps_beyond_a_fibre_are_of_further_ones() -> None:
    mask = np.array([[True] * 4, [False] * 4])
    spread = Spread.of(zeros(matmul(2, 4, 3), known(mask)), 0)
    assert spread.law(8) == pytest.approx([0.25, 0, 0, 0, 0.5, 0, 0, 0, 0.25])
    assert len(spread.law(6)) == 7
    assert spread.law(6) @ np.arange(7) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("said", "even"),
    [("2:4 axis 0", True), ("2:4 axis 1", False), ("channel 0.5 axis 0", True), ("0.5", False)],
)
def test_groups_along_the_reduction_and_channels_are_even(said: str, even: bool) -> None:
    spread = Spread.of(zeros(matmul(8, 64, 32), weight=said), 1)
    assert spread.is_even == even
    assert spread.share == 0.5


def test_groups_along_the_channels_of_a_pointwise_convolution_are_even() -> None:
    op = convolution(16, 8, 6, 1)
    assert Spread.of(zeros(op, weight="2:4 axis 2"), 1).is_even
    assert not Spread.of(zeros(op, weight="2:4 axis 1"), 1).is_even
    assert Spread.of(op, 1).adjacent == 16


def test_groups_across_the_reduction_are_chance_for_one_lane() -> None:
    spread = Spread.of(zeros(matmul(8, 64, 32), weight="2:4 axis 1"), 1)
    alike = Spread.of(zeros(matmul(8, 64, 32), weight="0.5"), 1)
    assert spread.law(20) == pytest.approx(alike.law(20))


def test_blocks_make_lanes_wait_longer_than_single_elements() -> None:
    blocks = Spread.of(zeros(matmul(8, 64, 32), weight="block 8x1 0.3"), 1)
    found = wait(Skipped((blocks,), 0.3, 1.0), 32, 64)
    assert found.mean == pytest.approx(0.3 * 64)
    assert found.longest > 1.3 * wait(one(0.3), 32, 64).longest


def test_the_window_of_a_convolution_is_a_tile_of_so_many_elements() -> None:
    op = zeros(convolution(8, 16, 12, 3), "0.4", known(random_mask((1, 16, 8, 3, 3), 0.5)))
    assert Spread.of(op, 0).fibre == Spread.of(op, 1).fibre == 72
    assert len(Spread.of(op, 1).law(60)) == 61
    assert Spread.of(op, 1).law(72) @ np.arange(73) == pytest.approx(36, rel=0.05)
