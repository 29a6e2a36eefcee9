"""Laws that every density model holds, and the models in which elements are alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from density_case import Case, cases
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density import (
    Bernoulli,
    Dense,
    Hypergeometric,
    as_matrix,
    rows_of_axis,
)

SHARE = st.floats(0, 1)


@given(cases())
def test_probabilities_cover_every_number_and_sum_to_one(case: Case) -> None:
    pmf = case.density.pmf(case.tile)
    assert len(pmf) == math.prod(case.tile) + 1
    assert (pmf >= 0).all()
    assert pmf.sum() == pytest.approx(1, rel=1e-12)


@given(cases())
def test_the_mean_of_the_probabilities_is_what_is_expected(case: Case) -> None:
    pmf = case.density.pmf(case.tile)
    mean = float(pmf @ np.arange(len(pmf)))
    assert mean == pytest.approx(case.density.expected(case.tile), rel=1e-9, abs=1e-9)


@given(cases())
def test_a_tile_is_empty_as_often_as_it_holds_no_non_zeros(case: Case) -> None:
    empty = case.density.prob_empty(case.tile)
    assert empty == pytest.approx(float(case.density.pmf(case.tile)[0]), abs=1e-12)


@given(cases(), SHARE, SHARE)
def test_quantiles_rise_with_the_share_of_tiles(case: Case, p: float, q: float) -> None:
    low, high = sorted((p, q))
    assert case.density.quantile(case.tile, low) <= case.density.quantile(case.tile, high)


@given(cases(), SHARE)
def test_a_quantile_occurs_and_that_share_does_not_exceed_it(case: Case, p: float) -> None:
    pmf, found = case.density.pmf(case.tile), case.density.quantile(case.tile, p)
    assert pmf[found] > 0
    assert pmf[: found + 1].sum() >= p - 1e-9
    assert pmf[:found].sum() <= p + 1e-9


@given(cases())
def test_the_quantiles_of_none_and_all_are_the_ends_of_what_occurs(case: Case) -> None:
    occurring = np.flatnonzero(case.density.pmf(case.tile))
    assert case.density.quantile(case.tile, 0) == occurring[0]
    assert case.density.quantile(case.tile, 1) == occurring[-1]


@given(cases(), st.integers(0, 2**32))
def test_a_sample_has_the_shape_and_repeats_with_its_seed(case: Case, seed: int) -> None:
    once = case.density.sample(case.shape, np.random.default_rng(seed))
    again = case.density.sample(case.shape, np.random.default_rng(seed))
    assert once.shape == case.shape
    assert once.dtype == bool
    assert (once == again).all()


@given(cases(), st.integers(0, 2**32))
def test_a_sample_holds_a_number_that_can_occur(case: Case, seed: int) -> None:
    sample = case.density.sample(case.shape, np.random.default_rng(seed))
    whole = case.density.pmf(as_matrix(case.shape))
    assert whole[int(sample.sum())] > 0


@given(cases())
def test_the_share_is_what_the_whole_tensor_holds(case: Case) -> None:
    expected = case.density.expected(as_matrix(case.shape))
    assert expected == pytest.approx(case.density.share * math.prod(case.shape), abs=1e-9)


@given(cases())
def test_a_density_is_a_key_and_equal_to_one_made_alike(case: Case) -> None:
    bound = case.density.on(case.shape, len(case.shape) - 1, "here")
    assert {bound: 1}[bound.on(case.shape, len(case.shape) - 1, "here")] == 1


@given(cases(by_chance=True))
def test_samples_hold_on_average_what_is_expected_of_the_first_tile(case: Case) -> None:
    rng, samples = np.random.default_rng(7), 400
    rows, columns = case.tile
    held = [
        int(
            case.density.sample(case.shape, rng)
            .reshape(as_matrix(case.shape))[:rows, :columns]
            .sum()
        )
        for _ in range(samples)
    ]
    pmf, expected = case.density.pmf(case.tile), case.density.expected(case.tile)
    variance = float(pmf @ (np.arange(len(pmf)) - expected) ** 2)
    assert np.mean(held) == pytest.approx(expected, abs=5 * math.sqrt(variance / samples) + 1e-9)


def test_a_tensor_is_a_matrix_of_its_last_axis() -> None:
    assert as_matrix((64, 32, 3, 5)) == (64 * 32 * 3, 5)
    assert as_matrix((7,)) == (1, 7)
    assert as_matrix(()) == (1, 1)


@pytest.mark.parametrize(
    ("axis", "stride", "extent"), [(0, 32 * 3, 64), (1, 3, 32), (2, 1, 3), (3, 0, 0)]
)
def test_an_axis_is_found_in_the_rows_of_the_matrix(axis: int, stride: int, extent: int) -> None:
    assert rows_of_axis((64, 32, 3, 5), axis) == (stride, extent)


def test_dense_holds_every_element() -> None:
    assert Dense().share == 1
    assert Dense().expected((3, 4)) == 12
    assert Dense().pmf((1, 2)).tolist() == [0, 0, 1]
    assert Dense().prob_empty((1, 2)) == 0
    assert Dense().sample((2, 2), np.random.default_rng(0)).all()


def test_bernoulli_is_binomial_in_the_elements() -> None:
    density = Bernoulli(0.3)
    assert density.expected((4, 8)) == pytest.approx(9.6)
    assert density.prob_empty((2, 2)) == pytest.approx(0.7**4)
    assert density.pmf((1, 2)) == pytest.approx([0.49, 0.42, 0.09])
    # P(X <= 8) = 0.338, P(X <= 9) = 0.489, P(X <= 10) = 0.639 of Binomial(32, 0.3)
    assert density.quantile((4, 8), 0.5) == 10
    assert density.quantile((4, 8), 0.338) in (8, 9)


def test_hypergeometric_counts_what_is_left() -> None:
    density = Hypergeometric(3, 10)
    assert density.share == 0.3
    assert density.expected((1, 5)) == 1.5
    assert density.prob_empty((1, 8)) == 0
    assert density.prob_empty((1, 7)) == pytest.approx(1 / 120)
    assert density.quantile((2, 5), 0.5) == 3


def test_a_tile_beyond_the_tensor_holds_what_the_tensor_does() -> None:
    density = Hypergeometric(3, 10)
    assert density.expected((4, 5)) == 3
    assert density.pmf((4, 5)).tolist() == [0, 0, 0, 1] + [0] * 17


def test_hypergeometric_varies_less_than_bernoulli() -> None:
    k = np.arange(33)
    variances = [
        float(pmf @ (k - 9.6) ** 2)
        for pmf in (Hypergeometric(30, 100).pmf((4, 8)), Bernoulli(0.3).pmf((4, 8)))
    ]
    # the correction for a finite population: (size - tile) / (size - 1)
    assert variances[0] / variances[1] == pytest.approx((100 - 32) / 99)


@pytest.mark.parametrize("share", [-0.1, 1.2, math.nan, math.inf, -math.inf])
def test_a_density_outside_nought_to_one_is_refused_in_one_line(share: float) -> None:
    with pytest.raises(TraceError, match=r"^density must be 0 to 1, got .*; write .*$") as refused:
        Bernoulli(share)
    assert str(share) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("nonzeros", "size"), [(5, 4), (-1, 4), (0, 0)])
def test_more_non_zeros_than_elements_are_refused(nonzeros: int, size: int) -> None:
    with pytest.raises(TraceError, match=rf"got {nonzeros} of {size}; write for example"):
        Hypergeometric(nonzeros, size)


def test_a_count_of_another_tensor_is_refused() -> None:
    with pytest.raises(TraceError, match=r"^tensor 'w' counts 10 elements, but \[3, 4\] has 12; "):
        Hypergeometric(3, 10).on((3, 4), 1, "tensor 'w'")
