"""Queueing figures as functions of finished runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_case import run

from codesign.replay.run import Invocation
from codesign.scenario.measure import (
    Distribution,
    busy_ticks,
    distribution,
    left_at,
    overtime,
    peak_backlog,
    responses,
    services,
    waits,
)

RUNS = st.lists(
    st.builds(
        lambda asked, waiting, service: run(asked, asked + waiting, asked + waiting + service),
        st.integers(0, 60),
        st.integers(0, 30),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=12,
)


def test_percentiles_are_nearest_ranks() -> None:
    seconds = 10**12
    found = distribution([seconds * n for n in range(100, 0, -1)])
    assert found == Distribution(mean_s=50.5, p50_s=50, p95_s=95, p99_s=99, max_s=100)
    assert distribution([3 * seconds]) == Distribution(3, 3, 3, 3, 3)
    assert distribution([seconds, 2 * seconds]) == Distribution(1.5, 1, 2, 2, 2)


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=30))
def test_percentiles_occurred_and_are_in_order(durations: list[int]) -> None:
    found = distribution(durations)
    ranks = (found.p50_s, found.p95_s, found.p99_s, found.max_s)
    assert sorted(ranks) == list(ranks)
    assert {rank * 10**12 for rank in ranks} <= {float(d) for d in durations} | {
        d / 10**12 * 10**12 for d in durations
    }
    assert min(durations) / 10**12 <= found.mean_s * (1 + 1e-12)
    assert found.mean_s <= found.max_s * (1 + 1e-12)


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=30))
def test_at_least_the_share_of_a_percentile_is_not_above_it(durations: list[int]) -> None:
    found = distribution(durations)
    for percent, value in ((50, found.p50_s), (95, found.p95_s), (99, found.p99_s)):
        below = sum(d / 10**12 <= value for d in durations)
        strictly = sum(d / 10**12 < value for d in durations)
        assert below * 100 >= percent * len(durations) > strictly * 100 - 100


@given(RUNS)
def test_a_response_is_waiting_and_service(runs: list[Invocation]) -> None:
    both = zip(waits(runs), services(runs), strict=True)
    assert responses(runs) == [waiting + service for waiting, service in both]


@given(RUNS)
def test_busy_time_counts_each_tick_with_unfinished_work_once(runs: list[Invocation]) -> None:
    busy = {tick for one in runs for tick in range(one.asked, one.end)}
    assert busy_ticks(runs) == len(busy)


@given(RUNS)
def test_the_peak_backlog_is_the_most_runs_in_any_tick(runs: list[Invocation]) -> None:
    inside = [sum(one.asked <= tick < one.end for one in runs) for tick in range(130)]
    assert peak_backlog(runs) == max(inside)


@given(RUNS, st.integers(0, 130))
def test_runs_are_left_if_they_were_asked_for_and_have_not_ended(
    runs: list[Invocation], tick: int
) -> None:
    asked = sum(one.asked <= tick for one in runs)
    over = sum(one.end <= tick for one in runs)
    assert left_at(runs, tick) == asked - over


def test_one_that_ends_makes_room_for_one_that_is_asked_for_then() -> None:
    assert peak_backlog([run(0, 0, 10), run(10, 10, 20)]) == 1
    assert peak_backlog([run(0, 0, 11), run(10, 11, 20)]) == 2


@pytest.mark.parametrize("gap", [0, 1, 5])
def test_busy_time_leaves_out_the_idle_time(gap: int) -> None:
    assert busy_ticks([run(2, 3, 6), run(6 + gap, 7 + gap, 10 + gap)]) == 8


def test_overtime_is_from_the_end_of_input_to_the_last_run() -> None:
    first = [[run(0, 0, 8), run(0, 8, 13)], [run(20, 20, 25)], []]
    second = [[run(0, 0, 11)], [run(20, 20, 29)], []]
    assert overtime([first], [10, 30, 50]) == [3, 0, None]
    assert overtime([first, second], [9, 28, 50]) == [4, 1, None]
