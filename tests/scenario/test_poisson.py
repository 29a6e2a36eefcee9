"""Poisson arrivals: exponential intervals, from integers, the same on every machine."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.scenario.poisson import WORD, exponential, poisson_ticks, words

DRAWN = 20_000


def drawn(seed: int, number: int = DRAWN) -> list[float]:
    """Exponential variables as floats."""
    uniform = words(seed, "a:0")
    return [exponential(uniform) / WORD for _ in range(number)]


def arrivals(mean: Fraction, seed: int, number: int, substream: object = "a:0") -> list[int]:
    return list(islice(poisson_ticks(mean, seed, str(substream)), number))


def test_the_arrivals_of_a_seed_are_these_forever() -> None:
    assert list(islice(words(7, "a:0"), 2)) == [1904687403438342399, 2073860875469700369]
    frozen = [103253311036, 1850105787119, 1880800780392, 2156036089136]
    assert arrivals(Fraction(10**12), 7, 4) == frozen


@pytest.mark.parametrize("x", [0.1, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_interval_exceeds_x_with_probability_exp_minus_x(seed: int, x: float) -> None:
    chance = math.exp(-x)
    share = sum(value > x for value in drawn(seed)) / DRAWN
    assert abs(share - chance) < 4 * math.sqrt(chance * (1 - chance) / DRAWN)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mean_and_variance_are_one(seed: int) -> None:
    values = drawn(seed)
    mean = sum(values) / DRAWN
    variance = sum((value - mean) ** 2 for value in values) / DRAWN
    assert abs(mean - 1) < 4 / math.sqrt(DRAWN)
    assert abs(variance - 1) < 4 * math.sqrt(8 / DRAWN)  # the fourth central moment is 9


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_interval_tells_nothing_of_the_next(seed: int) -> None:
    values = [value - 1 for value in drawn(seed)]
    product = sum(a * b for a, b in pairwise(values)) / (DRAWN - 1)
    assert abs(product) < 4 / math.sqrt(DRAWN)


def test_the_number_of_arrivals_in_a_second_has_its_mean_as_variance() -> None:
    times = arrivals(Fraction(10**12, 5), 11, 20_000)
    seconds = times[-1] // 10**12
    counts = [0] * seconds
    for time in times:
        if time < seconds * 10**12:
            counts[time // 10**12] += 1
    mean = sum(counts) / seconds
    variance = sum((count - mean) ** 2 for count in counts) / seconds
    assert abs(mean - 5) < 4 * math.sqrt(5 / seconds)
    assert abs(variance / mean - 1) < 4 * math.sqrt(2 / seconds)


def test_a_run_of_odd_length_gives_the_fraction_and_one_of_even_length_a_whole_step() -> None:
    assert exponential(iter([5, 9])) == 5  # falls not at all: length 1
    assert exponential(iter([5, 5])) == 5  # an equal word ends the run too
    assert exponential(iter([7, 3, 1, 4])) == 7  # length 3
    assert exponential(iter([7, 3, 4, 6, 8])) == WORD + 6  # length 2, then length 1
    assert exponential(iter([9, 2, 3, 8, 4, 4, 1, 2])) == 2 * WORD + 1


@given(st.integers(0, 2**70), st.integers(0, 99), st.fractions(1, 10**13, max_denominator=999))
def test_arrivals_never_go_back_and_depend_on_nothing_but_the_arguments(
    seed: int, substream: int, mean: Fraction
) -> None:
    found = arrivals(mean, seed, 20, substream)
    assert found == sorted(found)
    assert found[0] >= 0
    assert found == arrivals(mean, seed, 20, substream)
    assert found[:10] == arrivals(mean, seed, 10, substream)


def test_seeds_and_substreams_are_apart() -> None:
    mean = Fraction(10**12)
    drawn_of = {tuple(arrivals(mean, seed, 3, sub)) for seed in range(20) for sub in range(20)}
    assert len(drawn_of) == 400


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_a_mean_c_times_as_long_stretches_every_arrival(seed: int, factor: int) -> None:
    short, long = (arrivals(Fraction(10**6 * c), seed, 10) for c in (1, factor))
    # each interval is rounded once, by half a tick at most
    for place, (a, b) in enumerate(zip(short, long, strict=True), start=1):
        assert abs(a * factor - b) <= (factor + 1) * place / 2
