"""Distributions against their definition in fractions, and where factorials would overflow."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from density_case import as_array, drawn, summed
from hypothesis import given
from hypothesis import strategies as st

from codesign.workload.distributions import binomial, certain, hypergeometric, spread, total

SHARE = st.floats(0, 1)


@given(st.integers(0, 60), st.fractions(0, 1))
def test_binomial_is_its_definition(trials: int, share: Fraction) -> None:
    exact = {
        k: math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(trials + 1)
    }
    assert binomial(trials, float(share)) == pytest.approx(as_array(exact, trials), abs=1e-13)


@given(st.integers(0, 5000), SHARE)
def test_binomial_sums_to_one_and_has_its_mean_and_variance(trials: int, share: float) -> None:
    pmf, k = binomial(trials, share), np.arange(trials + 1)
    mean = float(pmf @ k)
    assert len(pmf) == trials + 1
    assert pmf.sum() == pytest.approx(1, rel=1e-12)
    assert mean == pytest.approx(trials * share, rel=1e-9, abs=1e-9)
    assert float(pmf @ (k - mean) ** 2) == pytest.approx(
        trials * share * (1 - share), rel=1e-7, abs=1e-9
    )


@pytest.mark.parametrize(("share", "at"), [(0.0, 0), (1.0, 7)])
def test_a_share_of_none_or_all_is_certain(share: float, at: int) -> None:
    assert np.flatnonzero(binomial(7, share)).tolist() == [at]
    assert binomial(7, share)[at] == 1


def test_a_million_trials_neither_overflow_nor_lose_the_mean() -> None:
    pmf = binomial(1_000_000, 0.3)
    assert np.isfinite(pmf).all()
    assert float(pmf @ np.arange(len(pmf))) == pytest.approx(300_000, rel=1e-9)


@pytest.mark.parametrize("share", [5e-324, 1e-300, 1e-17, 1 - 1e-16])
def test_shares_at_the_ends_of_what_a_float_holds_stay_finite(share: float) -> None:
    pmf = binomial(100, share)
    assert np.isfinite(pmf).all()
    assert pmf.sum() == pytest.approx(1)


@given(st.data(), st.integers(1, 40))
def test_hypergeometric_is_its_definition(data: st.DataObject, size: int) -> None:
    kept, draws = data.draw(st.integers(0, size)), data.draw(st.integers(0, size))
    exact = drawn(size, kept, draws)
    assert hypergeometric(size, kept, draws) == pytest.approx(as_array(exact, draws), abs=1e-13)


@given(st.data(), st.integers(1, 100_000))
def test_hypergeometric_has_its_mean(data: st.DataObject, size: int) -> None:
    kept, draws = data.draw(st.integers(0, size)), data.draw(st.integers(0, min(size, 3000)))
    pmf = hypergeometric(size, kept, draws)
    assert pmf.sum() == pytest.approx(1, rel=1e-12)
    mean = float(pmf @ np.arange(draws + 1))
    assert mean == pytest.approx(draws * kept / size, rel=1e-9, abs=1e-9)


def test_what_cannot_be_drawn_has_no_probability() -> None:
    # of 10 with 8 kept, 5 drawn hold at least 3
    assert np.flatnonzero(hypergeometric(10, 8, 5)).tolist() == [3, 4, 5]
    assert hypergeometric(10, 0, 5).tolist() == [1, 0, 0, 0, 0, 0]
    assert hypergeometric(10, 10, 2).tolist() == [0, 0, 1]


def test_a_weight_spreads_the_numbers() -> None:
    assert spread(np.array([0.25, 0.75]), 3).tolist() == [0.25, 0, 0, 0.75]


def test_certain_is_certain() -> None:
    assert certain(2, 3).tolist() == [0, 0, 1, 0]
    assert certain(0, 0).tolist() == [1]


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6), st.integers(1, 4)), min_size=1)
    .filter(lambda parts: all(kept <= 6 for _, kept, _ in parts))
    .map(lambda parts: parts[:3])
)
def test_a_sum_of_draws_is_that_of_its_definition(parts: list[tuple[int, int, int]]) -> None:
    each = [(drawn(6, kept, draws), times) for draws, kept, times in parts]
    exact = summed(part for part, times in each for _ in range(times))
    found = total([(hypergeometric(6, kept, draws), times) for draws, kept, times in parts])
    most = sum(draws * times for draws, _, times in parts)
    assert found == pytest.approx(as_array(exact, most), abs=1e-13)


def test_a_sum_of_one_number_is_that_number_to_the_last_bit() -> None:
    pmf = binomial(9, 0.3)
    assert total([(pmf, 1)]) is pmf


def test_a_sum_has_exact_zeros_where_nothing_can_fall() -> None:
    found = total([(spread(binomial(3, 0.5), 4), 1), (spread(binomial(2, 0.5), 8), 1)])
    assert set(np.flatnonzero(found) % 4) == {0}
    assert len(found) == 4 * 3 + 8 * 2 + 1


def test_thousands_of_groups_sum_at_once() -> None:
    found = total([(hypergeometric(4, 2, 3), 20_000)])
    assert found.sum() == pytest.approx(1)
    assert float(found @ np.arange(len(found))) == pytest.approx(30_000, rel=1e-9)
