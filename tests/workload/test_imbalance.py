"""The slowest lane against the mean: exact figures, other derivations, and known zeros."""

from __future__ import annotations

import csv
import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from density_case import masks
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.imbalance import imbalance, measured_imbalance, scope
from codesign.workload.mask import Mask

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references" / "sparse"
FILE = DATA / "imbalance.csv"
needs_rows = pytest.mark.skipif(not FILE.exists(), reason="the computed figures are not here")

LANES, SLOTS = st.integers(1, 2000), st.integers(1, 300)
SHARE = st.floats(0.001, 1)


@needs_rows
def test_every_computed_figure_is_met_within_half_a_percent() -> None:
    with FILE.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 48
    for row in rows:
        lanes, slots = int(row["processing_elements"]), int(row["operations_per_sync"])
        found = imbalance(lanes, slots, float(row["density"]))
        assert found == pytest.approx(float(row["max_over_mean_exact"]), rel=0.005), row


@pytest.mark.parametrize(
    ("lanes", "slots", "share", "factor"),
    [
        (256, 16, 0.3, 2.134),
        (256, 64, 0.3, 1.559),
        (256, 256, 0.3, 1.275),
        (256, 1024, 0.3, 1.136),
        (16, 16, 0.1, 2.473),
        (1024, 1024, 0.5, 1.101),
    ],
)
def test_typed_figures_are_met_to_the_digits_given(
    lanes: int, slots: int, share: float, factor: float
) -> None:
    assert imbalance(lanes, slots, share) == pytest.approx(factor, abs=0.0006)


def test_seventy_percent_zeros_on_256_lanes_gain_far_less_than_they_leave_out() -> None:
    # 3.3 times less work, of which barriers every 64 multiply-accumulates leave 2.1
    assert 1 / (0.3 * imbalance(256, 64, 0.3)) == pytest.approx(2.14, abs=0.01)


@given(st.integers(1, 4), st.integers(1, 5), st.sampled_from([Fraction(1, 4), Fraction(1, 2)]))
def test_the_largest_of_a_few_lanes_is_that_of_every_outcome(
    lanes: int, slots: int, share: Fraction
) -> None:
    chance = [math.comb(slots, k) * share**k * (1 - share) ** (slots - k) for k in range(slots + 1)]
    mean = sum(
        (
            max(outcome) * math.prod(chance[k] for k in outcome)
            for outcome in itertools.product(range(slots + 1), repeat=lanes)
        ),
        Fraction(0),
    )
    exact = float(mean / (slots * share))
    assert imbalance(lanes, slots, float(share)) == pytest.approx(exact, rel=1e-12)


@given(SLOTS, SHARE)
def test_one_lane_waits_for_nobody(slots: int, share: float) -> None:
    assert imbalance(1, slots, share) == pytest.approx(1, rel=1e-9)


@given(LANES, SLOTS, SHARE)
def test_the_slowest_is_neither_below_the_mean_nor_above_all_slots(
    lanes: int, slots: int, share: float
) -> None:
    assert 1 <= imbalance(lanes, slots, share) <= 1 / share * (1 + 1e-9)


@given(st.integers(1, 500), SLOTS, SHARE)
def test_more_lanes_wait_longer(lanes: int, slots: int, share: float) -> None:
    # one millionth of slack for the roundings of sums of either
    assert imbalance(2 * lanes, slots, share) >= imbalance(lanes, slots, share) * (1 - 1e-6)


@given(st.integers(2, 500), st.integers(1, 150), st.floats(0.01, 0.99))
def test_rarer_barriers_cost_less(lanes: int, slots: int, share: float) -> None:
    assert imbalance(lanes, 2 * slots, share) <= imbalance(lanes, slots, share) * (1 + 1e-6)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_nothing_is_in_balance_exactly(share: float) -> None:
    assert imbalance(256, 64, share) == 1


@pytest.mark.parametrize(("lanes", "slots"), [(10**9, 64), (2, 10**6), (65_536, 4096)])
def test_extremes_stay_finite(lanes: int, slots: int) -> None:
    found = imbalance(lanes, slots, 0.3)
    assert math.isfinite(found)
    assert 1 <= found <= 1 / 0.3


def test_so_many_lanes_that_one_of_them_skips_nothing() -> None:
    # 0.5 ** 8 of them have no zero, and there are 2 ** 20
    assert imbalance(2**20, 8, 0.5) == pytest.approx(2)


def test_simulated_lanes_agree() -> None:
    lanes = np.random.default_rng(11).binomial(64, 0.3, size=(20_000, 256))
    assert imbalance(256, 64, 0.3) == pytest.approx(lanes.max(axis=1).mean() / 19.2, rel=0.002)


@pytest.mark.parametrize(("lanes", "slots"), [(0, 64), (256, 0), (-1, 64)])
def test_no_lanes_or_no_slots_are_refused_in_one_line(lanes: int, slots: int) -> None:
    with pytest.raises(TraceError, match=rf"must be at least 1, got {lanes} and {slots}; ") as one:
        imbalance(lanes, slots, 0.3)
    with pytest.raises(TraceError) as two:
        measured_imbalance(Mask.of(np.ones((2, 2))), lanes, slots)
    assert str(one.value) == str(two.value)


def test_a_density_outside_nought_to_one_is_refused() -> None:
    with pytest.raises(TraceError, match=r"density must be 0 to 1, got 1.5"):
        imbalance(256, 64, 1.5)


def test_sorting_and_stealing_even_out_over_a_group_of_barriers() -> None:
    assert scope(64) == 64
    assert scope(64, "sort", 4) == scope(64, "steal", 4) == 256
    assert imbalance(256, scope(64, "steal", 4), 0.3) == pytest.approx(1.275, abs=0.0006)


@pytest.mark.parametrize(("balance", "group"), [("none", 2), ("sort", 0), ("steal", -1)])
def test_a_group_that_nothing_balances_is_refused(balance: str, group: int) -> None:
    with pytest.raises(TraceError, match=rf"got {group} with '{balance}'; leave it out"):
        scope(64, balance, group)  # type: ignore[arg-type]  # a name from a hardware file


@given(masks((6, 8)), st.integers(1, 7), st.integers(1, 9))
def test_known_zeros_are_counted_lane_by_lane(mask: Mask, lanes: int, slots: int) -> None:
    matrix, slowest, mean = mask.array(), 0, 0.0
    for row in range(0, 6, lanes):
        for column in range(0, 8, slots):
            work = matrix[row : row + lanes, column : column + slots].sum(axis=1)
            slowest += int(work.max())
            mean += float(work.mean())
    expected = slowest / mean if slowest else 1.0
    assert measured_imbalance(mask, lanes, slots) == pytest.approx(expected)


def test_known_random_zeros_agree_with_the_order_statistic() -> None:
    mask = Mask.of(np.random.default_rng(2).random((4096, 1024)) < 0.3)
    # 256 barriers of 256 lanes
    assert measured_imbalance(mask, 256, 64) == pytest.approx(imbalance(256, 64, 0.3), rel=0.01)


def test_zeros_that_lie_alike_in_every_row_are_in_balance() -> None:
    kept = np.zeros((16, 64), dtype=bool)
    kept[:, ::3] = True
    assert measured_imbalance(Mask.of(kept), 16, 8) == 1


def test_one_full_row_among_empty_ones_holds_all_lanes_up() -> None:
    kept = np.zeros((16, 64), dtype=bool)
    kept[5] = True
    assert measured_imbalance(Mask.of(kept), 16, 8) == 16
    assert measured_imbalance(Mask.of(kept), 1, 8) == 1


def test_rows_left_over_keep_fewer_lanes_busy_and_the_mean_is_theirs() -> None:
    assert measured_imbalance(Mask.of(np.ones((5, 8))), 4, 8) == 1
    assert measured_imbalance(Mask.of(np.zeros((5, 8))), 4, 8) == 1
