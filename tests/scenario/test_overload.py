"""Overload: a queue that grows is told from one that does not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_case import run

from codesign.replay.run import Invocation
from codesign.scenario.overload import describe_demand, describe_growth, grows
from codesign.scenario.poisson import poisson_ticks


def queue(asked: list[int], service: int) -> list[Invocation]:
    """Runs of equal service, first come, first served."""
    found: list[Invocation] = []
    free = 0
    for tick in asked:
        start = max(tick, free)
        free = start + service
        found.append(run(tick, start, free))
    return found


def even(number: int, period: int) -> list[int]:
    return [period * n for n in range(1, number + 1)]


@given(st.integers(3, 200), st.integers(1, 1000), st.integers(1, 1000))
def test_evenly_spaced_runs_queue_up_exactly_if_they_take_longer_than_their_period(
    number: int, period: int, service: int
) -> None:
    assert grows(queue(even(number, period), service)) == (service > period)


@given(st.integers(3, 100), st.integers(2, 1000), st.integers(1, 4), st.integers(0, 10**6))
def test_a_pipeline_of_long_latency_is_no_overload(
    number: int, period: int, deep: int, latency: int
) -> None:
    assert not grows([run(t, t, t + deep * period + latency) for t in even(number, period)])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("service", "heavy"), [(300, False), (700, False), (1500, True)])
def test_random_arrivals_are_judged_by_their_load(seed: int, service: int, heavy: bool) -> None:
    drawn = poisson_ticks(Fraction(1000), seed, 0)
    runs = queue([next(drawn) for _ in range(400)], service)
    assert grows(runs) == heavy


def test_runs_asked_for_at_once_are_one_moment() -> None:
    assert not grows(queue([10] * 50, 100))
    assert not grows(queue([10] * 50 + [10_000] * 50, 100))
    assert grows(queue([10] * 9 + [20] * 9 + [30] * 9 + [40] * 9, 100))


def test_two_moments_are_no_trend() -> None:
    assert not grows(queue([10, 20], 1000))


def test_growth_is_said_with_its_numbers() -> None:
    runs = queue([10**12 * n for n in range(1, 6)], 3 * 10**12)
    (line,) = describe_growth("encoder", [runs], 4)
    assert line == (
        "encoder is overloaded: its response grows from 3 s to 11 s, and 4 of its runs are left "
        "when the input ends"
    )


def test_the_utterances_that_fall_behind_are_counted() -> None:
    bad, good = queue(even(9, 10), 30), queue(even(9, 10), 5)
    (line,) = describe_growth("encoder", [good, bad, bad], 4)
    assert "overloaded in 2 of 3 utterances" in line
    assert list(describe_growth("encoder", [good, good], 0)) == []


def test_a_component_that_is_offered_a_second_of_work_per_second_is_named() -> None:
    lines = list(describe_demand({"npu": 0.999, "bus": 1.0, "dram": 2.5}))
    assert lines == [
        "bus is overloaded: each second of input brings 1 s of work for it",
        "dram is overloaded: each second of input brings 2.5 s of work for it",
    ]
