"""Overload: a queue that grows is told from one that does not, whatever chance brings."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_case import run

from codesign.replay.run import Invocation
from codesign.scenario.overload import (
    can_be_judged,
    describe_demand,
    describe_queue,
    falls_behind,
    queued_gaps,
)
from codesign.scenario.poisson import poisson_ticks

MEAN = 1000
"""Mean ticks between arrivals."""


def queue(asked: list[int], *services: int) -> list[Invocation]:
    """Runs in order, first come, first served, with services in turn."""
    found: list[Invocation] = []
    free = 0
    for number, tick in enumerate(asked):
        start = max(tick, free)
        free = start + services[number % len(services)]
        found.append(run(tick, start, free))
    return found


def even(number: int, period: int) -> list[int]:
    return [period * n for n in range(1, number + 1)]


def drawn(seed: int, number: int) -> list[int]:
    """Poisson arrivals in a window in which so many come on average."""
    arrivals = poisson_ticks(Fraction(MEAN), seed, "queue:0")
    return list(takewhile(lambda tick: tick <= number * MEAN, arrivals))


def is_flagged(runs: list[Invocation], interval: int) -> bool:
    return falls_behind(queued_gaps(runs), Fraction(interval))


@given(st.integers(3, 200), st.integers(1, 1000), st.integers(1, 1000))
def test_evenly_spaced_runs_fall_behind_exactly_if_they_take_longer_than_their_period(
    number: int, period: int, service: int
) -> None:
    assert is_flagged(queue(even(number, period), service), period) == (service > period)


@pytest.mark.parametrize("number", [4, 8, 20, 100, 400])
@pytest.mark.parametrize("load", [0.5, 0.8, 0.95])
def test_no_healthy_poisson_stream_is_flagged(load: float, number: int) -> None:
    flagged = [is_flagged(queue(drawn(s, number), int(load * MEAN)), MEAN) for s in range(300)]
    assert sum(flagged) == 0


@pytest.mark.parametrize(("number", "least"), [(8, 0.80), (20, 0.98), (100, 1.0), (400, 1.0)])
def test_an_overloaded_poisson_stream_is_found(number: int, least: float) -> None:
    flagged = [is_flagged(queue(drawn(s, number), 1200), MEAN) for s in range(300)]
    assert sum(flagged) >= least * 300


def scattered(seed: int, number: int, load: float) -> Iterator[int]:
    """Services between nothing and twice their mean, as contention makes them."""
    draw = random.Random(seed)
    return (1 + int(draw.random() * 2 * load * MEAN) for _ in range(number))


@pytest.mark.parametrize("number", [4, 20, 200])
@pytest.mark.parametrize(("load", "most"), [(0.5, 0.0), (0.8, 0.01), (1.0, 0.01)])
def test_services_that_scatter_raise_few_false_alarms(
    number: int, load: float, most: float
) -> None:
    flagged = 0
    for seed in range(300):
        asked = drawn(seed, number)
        runs = queue(asked, *scattered(seed, len(asked) or 1, load))
        flagged += is_flagged(runs, MEAN)
    assert flagged <= most * 300


def test_scattered_services_that_are_too_long_are_found_with_enough_runs() -> None:
    flagged = 0
    for seed in range(100):
        asked = drawn(seed, 1000)
        flagged += is_flagged(queue(asked, *scattered(seed, len(asked), 1.2)), MEAN)
    assert flagged >= 95


@given(st.integers(3, 100), st.integers(2, 1000), st.integers(1, 4), st.integers(0, 10**6))
def test_a_pipeline_of_long_latency_is_no_overload(
    number: int, period: int, deep: int, latency: int
) -> None:
    runs = [run(t, t, t + deep * period + latency) for t in even(number, period)]
    assert not is_flagged(runs, period)


def test_a_neighbour_that_holds_the_engine_for_a_while_is_no_overload() -> None:
    """20 runs queue up behind somebody else's long run, and are then done in no time."""
    asked = even(100, MEAN)
    waiting = [max(tick, 40 * MEAN) if tick > 20 * MEAN else tick for tick in asked]
    runs: list[Invocation] = []
    free = 0
    for tick, ready in zip(asked, waiting, strict=True):
        start = max(ready, free)
        free = start + 100
        runs.append(run(tick, start, free))
    assert max(one.end - one.asked for one in runs) > 19 * MEAN
    assert not is_flagged(runs, MEAN)


def test_gaps_are_those_of_runs_that_waited_for_an_earlier_one() -> None:
    runs = [run(0, 0, 10), run(5, 10, 20), run(30, 35, 45), run(40, 40, 55)]
    # the third waited for somebody else, and the fourth did not wait at all
    assert queued_gaps(runs) == [10]
    assert queued_gaps([]) == queued_gaps(runs[:1]) == []


def test_runs_asked_for_at_once_cost_what_the_queue_takes_for_each() -> None:
    burst = queue([10] * 50, 100)
    assert queued_gaps(burst) == [100] * 49
    assert not is_flagged(burst, 101)
    assert is_flagged(burst, 99)


def test_two_runs_are_no_queue_to_judge() -> None:
    assert not is_flagged(queue([10, 20], 1000), 10)
    assert is_flagged(queue([10, 20, 30], 1000), 10)


def test_runs_of_different_utterances_are_no_queue_to_judge() -> None:
    one, two, three = (queue(even(number, 10), 1000) for number in (1, 2, 3))
    few: list[list[list[Invocation]]] = [[], [[]], [one], [two], [one] * 5, [one, two, one]]
    enough = [[three], [two, two], [one, three]]
    assert not any(can_be_judged(windows) for windows in few)
    assert all(can_be_judged(windows) for windows in enough)
    assert len([gap for window in (two, two) for gap in queued_gaps(window)]) == 2


def test_a_silence_after_the_overload_hides_nothing() -> None:
    bad = queue(even(9, 10), 30)
    later = [replace(one, asked=one.asked + 10**6, start=one.start + 10**6, end=one.end + 10**6)
             for one in bad]  # fmt: skip
    assert not queued_gaps([bad[-1], later[0]])
    (line,) = describe_queue("encoder", [bad, later], Fraction(10), 6)
    assert "encoder is overloaded" in line


def test_a_stream_that_falls_behind_is_told_with_its_numbers() -> None:
    runs = queue([10**12 * n for n in range(1, 6)], 3 * 10**12)
    (line,) = describe_queue("encoder", [runs], Fraction(10**12), 4)
    assert line == (
        "encoder is overloaded: a run is asked for every 1 s and ends every 3 s; the longest "
        "response is 11 s, and 4 runs are left when the input ends"
    )
    assert list(describe_queue("encoder", [queue(even(9, 10), 5)], Fraction(10), 0)) == []


def test_a_component_that_is_offered_a_second_of_work_per_second_is_named() -> None:
    lines = list(describe_demand({"npu": 0.999, "bus": 1.0, "dram": 2.5}))
    assert lines == [
        "bus is overloaded: each second of input brings 1 s of work for it",
        "dram is overloaded: each second of input brings 2.5 s of work for it",
    ]
