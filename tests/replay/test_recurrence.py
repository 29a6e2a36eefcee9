"""Which moments are whole periods apart, and how many periods may be skipped."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.replay.recurrence import NESTS, Leap, Moment, Recurrence, whole_periods


def at(now: int, *counters: tuple[int, ...], tallies: tuple[int, ...] = ()) -> Moment:
    return Moment(now, counters, tallies, (), {})


def looked(*moments: Moment, patience: int = 100) -> list[Leap | None]:
    """What each of these moments of one state gives, one after the other."""
    seen = Recurrence(patience)
    return [seen.leap("state", one, None) for one in moments]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 3))
def test_whole_periods_leave_at_least_the_last_repeat(before: int, gone: int, others: int) -> None:
    left = before - gone
    found = whole_periods((5,) * others + (before,), (5,) * others + (left,))
    assert found == max([k for k in range(61) if left - k * gone >= 1], default=0)


@pytest.mark.parametrize(
    ("before", "present", "want"),
    [
        ((9, 4), (8, 3), 0),  # two loops went on: a period of neither
        ((3, 4), (5, 4), 0),  # an inner loop began anew
        ((2, 4), (1, 4), 0),  # only the last repeat is left
        ((3, 4), (2, 4), 1),
        ((9, 4), (6, 4), 1),  # 3 repeats a period: 3 of the 6 left may go, not all of them
        ((10, 4), (7, 4), 2),
        ((0, 9), (0, 8), 7),
    ],
)
def test_whole_periods_of_one_loop(
    before: tuple[int, ...], present: tuple[int, ...], want: int
) -> None:
    assert whole_periods(before, present) == want


def test_a_period_is_what_lies_between_two_moments_of_a_state() -> None:
    first, leap = looked(at(100, (9,), tallies=(40,)), at(130, (8,), tallies=(44,)))
    assert first is None
    assert leap is not None
    assert (leap.times, leap.ticks) == (7, 210)
    assert leap.counters(0) == [1]
    assert leap.growth(0) == 28


def test_another_state_is_no_period() -> None:
    seen = Recurrence(100)
    assert seen.leap("one", at(0, (9,)), None) is None
    assert seen.leap("other", at(10, (8,)), None) is None


def test_a_moment_at_which_no_loop_has_gone_on_is_no_period() -> None:
    assert looked(at(0, (9,), (3,)), at(10, (9,), (3,))) == [None, None]


def test_the_least_of_all_programs_limits_the_leap_and_those_that_stand_do_not() -> None:
    _, leap = looked(at(0, (90, 2), (9,), (5,)), at(10, (89, 2), (8,), (5,)))
    assert leap is not None
    assert leap.times == 7
    assert [leap.counters(index) for index in range(3)] == [[82, 2], [1], [5]]


@pytest.mark.parametrize(("until", "times"), [(None, 7), (200, 7), (50, 4), (49, 3), (20, 1)])
def test_no_leap_passes_the_tick_that_was_asked_for(until: int | None, times: int) -> None:
    seen = Recurrence(100)
    seen.leap("state", at(0, (9,)), None)
    leap = seen.leap("state", at(10, (8,)), until)
    assert leap is not None
    assert leap.times == times


def test_periods_that_take_no_time_are_skipped_too() -> None:
    seen = Recurrence(100)
    seen.leap("state", at(5, (9,)), None)
    leap = seen.leap("state", at(5, (8,)), 5)
    assert leap is not None
    assert (leap.times, leap.ticks) == (7, 0)


def test_a_loop_around_is_found_however_often_the_loop_within_was() -> None:
    """The moment that began the first turn is still known when the second one begins."""
    inner = [at(10 * n, (50, 9 - n)) for n in range(3)]
    *found, around = looked(*inner, at(100, (49, 9)))
    assert found[0] is None
    assert all(found[1:])
    assert around is not None
    assert (around.times, around.ticks) == (48, 4_800)


def test_a_turn_that_begins_unlike_the_first_one_is_found_at_the_next() -> None:
    turns = [at(0, (50, 7)), at(100, (49, 9)), at(110, (49, 8)), at(200, (48, 9))]
    first, second, within, third = looked(*turns)
    assert (first, second) == (None, None)
    assert within is not None
    assert third is not None
    assert (third.times, third.counters(0)) == (47, [1, 9])


def test_only_so_many_moments_of_a_state_are_kept() -> None:
    fruitless = [at(n, (9 + n,)) for n in range(NESTS)]
    assert looked(at(0, (50,)), *fruitless, at(90, (8,)))[-1] is not None  # the last of them
    oldest = [at(0, (500, 3)), *(at(n, (9 + n, n % 2)) for n in range(1, NESTS + 1))]
    assert looked(*oldest, at(90, (499, 3)))[-1] is None


def test_looks_in_vain_grow_rarer_until_one_succeeds() -> None:
    seen, looks = Recurrence(4), []
    for now in range(60):
        if seen.is_due():
            looks.append(now)
            seen.leap(now, at(now, (9,)), None)
    gaps = [b - a for a, b in itertools.pairwise(looks)]
    assert gaps[:3] == [1, 1, 1]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 3
    seen.leap(looks[0], at(99, (8,)), None)
    assert seen.is_due()


def test_what_is_forgotten_is_not_met_again() -> None:
    seen = Recurrence(100)
    seen.leap("state", at(0, (9,)), None)
    seen.forget()
    assert seen.leap("state", at(10, (8,)), None) is None
