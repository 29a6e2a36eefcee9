"""Spearman's correlation, also where values are equal."""

from __future__ import annotations

import numpy as np
import pytest
from codesign_plugins.gpu.ranks import rank_correlation
from hypothesis import given
from hypothesis import strategies as st

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30)


def test_only_the_order_counts() -> None:
    rising, falling = np.array([1.0, 5.0, 7.0]), np.array([3.0, 2.0, 1.0])
    assert rank_correlation(rising, rising**3) == pytest.approx(1)
    assert rank_correlation(rising, falling) == pytest.approx(-1)


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    """Ranks 1, 2.5, 2.5, 4 beside 1, 2, 3, 4."""
    assert rank_correlation([1, 5, 5, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)


def test_values_that_are_all_equal_have_no_order() -> None:
    assert rank_correlation([2, 2, 2], [1, 2, 3]) == 0


@given(PAIRS)
def test_it_lies_between_minus_one_and_one_and_has_no_sides(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = rank_correlation(first, second)
    assert -1 - 1e-9 <= found <= 1 + 1e-9
    assert found == pytest.approx(rank_correlation(second, first))
    turned = [-value for value in second]
    assert rank_correlation(first, turned) == pytest.approx(-found)


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_does_not_matter(pairs: list[tuple[int, int]], dice: object) -> None:
    shuffled = list(pairs)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]  # of hypothesis
    one, two = (rank_correlation(*zip(*some, strict=True)) for some in (pairs, shuffled))
    assert one == pytest.approx(two)
