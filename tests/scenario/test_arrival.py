"""Arrivals: when runs are asked for, to the tick."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import ScenarioError
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.release import MAX_RUNS, Arrival, Release, Window
from codesign.units import PS_PER_S

MS = PS_PER_S // 1000
TWO_SECONDS = Window(0, 0, 2 * PS_PER_S)


def moments(arrival: Arrival, window: Window = TWO_SECONDS) -> list[int]:
    """Ticks of an arrival that waits for nobody."""
    return [release.tick for release in arrival.releases(window, {})]


def test_a_chunk_is_there_when_its_input_is_complete() -> None:
    found = moments(Periodic(0.08))
    assert found == [80 * MS * number for number in range(1, 26)]


@pytest.mark.parametrize(
    ("arrival", "runs"),
    [(Periodic(0.01), 200), (Periodic(0.04), 50), (Periodic(0.08), 25), (Rate(4), 8)],
)
def test_two_seconds_of_speech_are_the_counts_of_the_study(arrival: Arrival, runs: int) -> None:
    assert len(moments(arrival)) == runs


def test_the_first_may_come_at_once_and_both_ends_of_the_window_belong_to_it() -> None:
    assert moments(Periodic(0.5, first_s=0)) == [0, 500 * MS, 1000 * MS, 1500 * MS, 2000 * MS]
    assert moments(Periodic(0.5, first_s=0.7)) == [700 * MS, 1200 * MS, 1700 * MS]


def test_nothing_comes_after_the_end_of_input() -> None:
    assert moments(Periodic(3)) == []
    assert moments(Rate(0.4)) == []
    assert moments(Periodic(0.3))[-1] == 1800 * MS


def test_a_later_window_shifts_what_is_evenly_spaced() -> None:
    later = Window(3, 7 * PS_PER_S, 9 * PS_PER_S)
    for arrival in (Periodic(0.08), Rate(4), Rate(3)):
        assert moments(arrival, later) == [tick + 7 * PS_PER_S for tick in moments(arrival)]


def decimal(number: float) -> Fraction:
    """What a number says as it is written."""
    return Fraction(repr(number))


@pytest.mark.parametrize(("per_s", "seconds"), [(0.3, 10), (0.1, 30), (0.7, 10), (2.3, 100)])
def test_the_last_release_of_a_decimal_rate_is_at_the_end_of_input(
    per_s: float, seconds: int
) -> None:
    found = moments(Rate(per_s), Window(0, 0, seconds * PS_PER_S))
    assert len(found) == round(per_s * seconds)
    assert found[-1] == seconds * PS_PER_S


@given(st.floats(0.01, 1e4))
def test_an_even_rate_does_not_drift(per_s: float) -> None:
    window = Window(0, 0, PS_PER_S // 10)
    for number, tick in enumerate(moments(Rate(per_s), window), start=1):
        assert 0 <= tick - number * PS_PER_S / decimal(per_s) < 1


@given(st.floats(0.01, 1e4), st.integers(1, 3 * PS_PER_S // 100))
def test_an_even_rate_asks_for_as_many_runs_as_fit(per_s: float, end: int) -> None:
    found = moments(Rate(per_s), Window(0, 0, end))
    assert len(found) == int(end * decimal(per_s) / PS_PER_S)
    assert all(tick <= end for tick in found)


@given(st.integers(0, 99), st.integers(1, 200))
def test_random_arrivals_stay_in_their_window_and_differ_from_one_to_the_next(
    seed: int, per_s: int
) -> None:
    first, second = (Window(n, n * PS_PER_S, (n + 1) * PS_PER_S) for n in range(2))
    found = moments(Rate(per_s, seed=seed), first), moments(Rate(per_s, seed=seed), second)
    for ticks, window in zip(found, (first, second), strict=True):
        assert ticks == sorted(ticks)
        assert all(window.start <= tick <= window.end for tick in ticks)
    if found[0] and found[1]:
        assert found[1] != [tick + PS_PER_S for tick in found[0]]


def test_a_longer_window_continues_the_same_random_arrivals() -> None:
    short = moments(Rate(50, seed=3), Window(0, 0, PS_PER_S))
    long = moments(Rate(50, seed=3))
    assert 20 < len(short) < len(long)
    assert long[: len(short)] == short


def test_equal_seeds_of_two_streams_are_two_draws() -> None:
    found = [moments(Rate(50, seed=3), Window(0, 0, PS_PER_S, name)) for name in ("a", "b", "a")]
    assert found[0] == found[2]
    assert not set(found[0]) & set(found[1])
    assert min(map(len, found)) > 20


def test_a_rate_is_that_of_the_process_and_goes_down_the_chain() -> None:
    second = Fraction(1, PS_PER_S)
    assert Periodic(0.08).rate({}) == second * Fraction(25, 2)
    assert Rate(0.3).rate({}) == Rate(0.3, seed=5).rate({}) == second * Fraction(3, 10)
    produced = {"a": 4 * second, "b": 2 * second}
    assert After(("a", "b"), times=3).rate(produced) == 6 * second


def test_evenly_spaced_arrivals_have_a_period_and_others_do_not() -> None:
    assert Periodic(0.08).period == 80 * MS
    assert Rate(4).period == 250 * MS
    assert Rate(4, seed=1).period is None
    assert After(("a",)).period is None


# -- within ----------------------------------------------------------------------------------------


def chunks(period: float = 0.08) -> tuple[Release, ...]:
    return Periodic(period).releases(TWO_SECONDS, {})


def test_a_token_waits_for_the_chunk_in_which_it_ends() -> None:
    found = Rate(4, within="encoder").releases(TWO_SECONDS, {"encoder": chunks()})
    assert [release.tick for release in found] == [250 * MS * number for number in range(1, 9)]
    # chunks end at 80, 160, ... ms: the token at 250 ms ends in the fourth, that at 2 s in the last
    assert [release.waits for release in found[:2]] == [(("encoder", 3),), (("encoder", 6),)]
    assert found[-1].waits == (("encoder", 24),)


@given(st.integers(1, 100), st.sampled_from([1, 2, 5, 8, 20, 25, 40]))
def test_the_run_that_covers_a_moment_is_the_first_that_is_not_before_it(
    per_s: int, chunks_per_window: int
) -> None:
    frames = chunks(2 / chunks_per_window)
    assert frames[-1].tick == TWO_SECONDS.end
    for release in Rate(per_s, within="e").releases(TWO_SECONDS, {"e": frames}):
        ((stream, place),) = release.waits
        assert stream == "e"
        assert frames[place].tick >= release.tick
        assert place == 0 or frames[place - 1].tick < release.tick


def test_a_token_in_a_part_of_a_chunk_is_refused() -> None:
    window = Window(0, 0, 2100 * MS)
    frames = Periodic(0.5).releases(window, {})
    with pytest.raises(ScenarioError, match=r"2\.1 s is within no run of 'encoder', the last of"):
        Rate(10, within="encoder").releases(window, {"encoder": frames})


def test_within_takes_no_stream_that_waits_itself() -> None:
    joined = After(("encoder",)).releases(TWO_SECONDS, {"encoder": chunks()})
    with pytest.raises(ScenarioError, match="'joiner' waits for others; name one that it waits"):
        Rate(4, within="joiner").releases(TWO_SECONDS, {"joiner": joined})


# -- after -----------------------------------------------------------------------------------------


def test_a_run_after_others_waits_for_the_same_run_of_each() -> None:
    produced = {"encoder": chunks(), "tokens": Rate(4).releases(TWO_SECONDS, {})}
    found = After(("encoder", "tokens")).releases(TWO_SECONDS, produced)
    assert len(found) == 8
    assert found[5] == Release(0, (("encoder", 5), ("tokens", 5)))


def test_a_completion_may_ask_for_several_runs() -> None:
    found = After(("encoder",), times=2).releases(TWO_SECONDS, {"encoder": chunks()})
    assert len(found) == 50
    assert [release.waits[0][1] for release in found[:5]] == [0, 0, 1, 1, 2]


def test_the_producers_are_what_an_arrival_waits_for() -> None:
    assert After(["a", "b"]).producers == ("a", "b")  # type: ignore[arg-type]
    assert Rate(1, within="a").producers == ("a",)
    assert Rate(1).producers == Periodic(1).producers == ()


# -- mistakes --------------------------------------------------------------------------------------

MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "no period": (lambda: Periodic(0), "period must be > 0, got 0 s; write for example 0.08"),
    "negative period": (lambda: Periodic(-0.08), "period must be > 0, got -0.08 s"),
    "endless period": (
        lambda: Periodic(float("inf")),
        "period must be a finite number of seconds, got inf; write for example 0.08",
    ),
    "no number": (
        lambda: Periodic("40 ms"),  # type: ignore[arg-type]
        "period must be a number of seconds, got '40 ms'; write for example 0.08",
    ),
    "a truth": (lambda: Periodic(True), "period must be a number of seconds, got True"),
    "text as first": (
        lambda: Periodic(1, "0 s"),  # type: ignore[arg-type]
        "first must be a number of seconds, got '0 s'; write for example 0",
    ),
    "a true rate": (
        lambda: Rate(True),
        "rate must be a number per second, got True; write for example 4",
    ),
    "nothing": (lambda: Rate(None), "rate must be a number per second, got None"),  # type: ignore[arg-type]
    "negative first": (lambda: Periodic(1, -1), "first must be >= 0, got -1 s"),
    "no rate": (lambda: Rate(0), "rate must be > 0, got 0 /s; write for example 4"),
    "negative rate": (lambda: Rate(-4), "rate must be > 0, got -4 /s"),
    "nan": (lambda: Rate(float("nan")), "rate must be a finite number per second, got nan"),
    "negative seed": (lambda: Rate(4, seed=-1), "from 0 to 999,999,999,999,999,999, got -1"),
    "half a seed": (lambda: Rate(4, seed=0.5), "got 0.5"),  # type: ignore[arg-type]
    "no producers": (lambda: After(()), "must name them, each once, got []"),
    "one word": (lambda: After("encoder"), "must be a list, got 'encoder'; write"),  # type: ignore[arg-type]
    "no times": (lambda: After(("a",), times=0), "times must be a whole number >= 1, got 0"),
    "twice": (lambda: After(("a", "a")), "must name them, each once, got ['a', 'a']"),
    "a number": (lambda: After(5), "must be a list, got 5"),  # type: ignore[arg-type]
    "a set": (lambda: After({"a", "b"}), "must be a list, got {"),  # type: ignore[arg-type]
    "numbers": (lambda: After((1,)), "must hold nothing but str, got 1"),  # type: ignore[arg-type]
    "half a tick": (lambda: Periodic(5e-13), "must be at least a tick of 1 ps, got 5e-13 s"),
    "for ever": (lambda: Periodic(1e300), "period must be at most 1,000,000 s, got 1e+300 s"),
    "no float": (lambda: Periodic(10**400), "must be a finite number of seconds, got 10**400 or"),
    "no list": (lambda: Periodic([1]), "a number of seconds, got [1]"),  # type: ignore[arg-type]
    "late first": (lambda: Periodic(1, 1e9), "first must be at most 1,000,000 s, got 1e+09 s"),
    "no rate text": (lambda: Rate("4"), "must be a number per second, got '4'"),  # type: ignore[arg-type]
    "many a tick": (lambda: Rate(2e12), "must be at most one a tick of 1 ps, 1e+12 /s, got 2e+12"),
    "long seed": (lambda: Rate(4, seed=10**5000), "got 10**5000 or so; leave it out"),
    "no name": (lambda: Rate(4, within=5), "within must be a str, got 5; l"),  # type: ignore[arg-type]
    "half times": (lambda: After(("a",), times=1.5), "got 1.5; write for example 2"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(mistake: str) -> None:
    make, words = MISTAKES[mistake]
    with pytest.raises(ScenarioError) as told:
        make()
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "arrival", [Periodic(1e-9), Rate(1e9), Rate(1e9, seed=1), After(("a",), times=10**9)]
)
def test_more_runs_than_anybody_waits_for_are_refused_before_they_are_listed(
    arrival: Arrival,
) -> None:
    with pytest.raises(ScenarioError, match=f"more than {MAX_RUNS:,}; shorten the duration"):
        arrival.releases(TWO_SECONDS, {"a": chunks()})


@pytest.mark.parametrize(
    ("arrival", "runs"),
    [
        (Periodic(5e-7), "2,000,000"),
        (Periodic(5e-7, first_s=0), "2,000,001"),
        (Rate(2e6), "2,000,000"),
        (After(("a",), times=MAX_RUNS), "12,000,000"),
    ],
)
def test_a_refusal_counts_every_run(arrival: Arrival, runs: str) -> None:
    window = Window(0, 0, PS_PER_S)
    produced = {"a": Periodic(0.08).releases(window, {})}
    with pytest.raises(ScenarioError, match=f"would be released {runs} times, more than 1,000,000"):
        arrival.releases(window, produced)


def test_as_many_runs_as_are_allowed_are_not_refused() -> None:
    window = Window(0, 0, PS_PER_S)
    assert len(Periodic(1e-6).releases(window, {})) == MAX_RUNS
    with pytest.raises(ScenarioError, match="released 1,000,001 times"):
        Periodic(1e-6, first_s=0).releases(window, {})


@pytest.mark.parametrize(
    ("arrival", "words"),
    [
        (Periodic(0.08), "every 0.08 s"),
        (Rate(4), "4 /s, evenly"),
        (Rate(4, within="encoder"), "4 /s, evenly, within encoder"),
        (Rate(0.5, seed=7), "0.5 /s, Poisson, seed 7"),
        (After(("encoder", "tokens")), "after encoder and tokens"),
        (After(("encoder",), times=2), "2 times after encoder"),
    ],
)
def test_an_arrival_says_what_it_is(arrival: Arrival, words: str) -> None:
    assert str(arrival) == words
