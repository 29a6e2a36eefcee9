"""An arrival of the user's own: what it returns is checked before anything is replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from scenario_case import scenario, stream, ticks_of, work
from strategies import machine

from codesign.errors import CodesignError, ScenarioError
from codesign.scenario.arrival import After, Periodic
from codesign.scenario.release import MAX_RUNS, Arrival, Release, Window
from codesign.scenario.schedule import rates, schedule
from codesign.scenario.simulate import replay_scenario

MS = 10**9


@dataclass(frozen=True)
class Own(Arrival):
    """Returns whatever a function does, and tells whatever rate."""

    make: Callable[[], Any]
    producers: tuple[str, ...] = ()
    told: Any = None

    def releases(self, window: Window, produced: Any) -> Any:
        return self.make()

    def rate(self, produced: Any) -> Any:
        return self.told

    def __str__(self) -> str:
        return "as it likes"


def at(*ticks: Any) -> Callable[[], tuple[Release, ...]]:
    return lambda: tuple(map(Release, ticks))


def refusal(arrival: Arrival) -> str:
    case = scenario(stream("a", Periodic(1e-4)), stream("own", arrival))
    with pytest.raises(ScenarioError) as told:
        schedule(case)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("own: ")
    return str(told.value)


def test_an_arrival_that_keeps_the_rules_is_played_at_its_ticks() -> None:
    case = scenario(stream("own", Own(at(0, 5, 5, MS))), stream("next", After(("own",))))
    result = replay_scenario(case, machine(), dict.fromkeys(("own", "next"), work(10)))
    assert [tick[0] for tick in ticks_of(result.played.of("own"))] == [0, 5, 5, MS]
    assert result.streams["next"].runs == 4


def test_a_list_or_an_iterator_of_releases_will_do() -> None:
    for make in (lambda: [Release(3)], lambda: iter([Release(3)])):
        assert schedule(scenario(stream("own", Own(make))))["own"] == ((Release(3),),)


BREACHES: dict[str, tuple[Callable[[], Any], str]] = {
    "back": (at(5, 4), "releases must be in order, got tick 4 behind 5; sort them"),
    "before": (at(-1), "must be within its window, ticks 0 to 1,000,000,000, got -1; leave it out"),
    "after": (at(MS + 1), "within its window, ticks 0 to 1,000,000,000, got 1,000,000,001"),
    "huge": (at(10**6000), "got 10**6000 or so"),
    "half": (at(0.5), "a release must have a whole tick (picoseconds), got 0.5; round it"),
    "truth": (at(True), "must have a whole tick (picoseconds), got True"),
    "text": (at("5"), "must have a whole tick (picoseconds), got '5'"),
    "numbers": (lambda: (1, 2), "releases must be a tuple of Release, got 1; mend it"),
    "nothing": (lambda: None, "releases must be a tuple of Release, got None"),
    "word": (lambda: "soon", "releases must be a tuple of Release, got 'soon'"),
    "stranger": (
        lambda: (Release(0, (("a", 0),)),),
        "a release must wait for one that its producers have, got 'a' 0; name producers and a",
    ),
    "error": (lambda: 1 // 0, "Own.releases raised ZeroDivisionError: integer"),
    "bad waits": (lambda: (Release(0, (5,)),), "Own.releases raised TypeError"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_of_the_rules_is_told_in_one_line(breach: str) -> None:
    make, words = BREACHES[breach]
    assert words in refusal(Own(make))


def test_an_arrival_without_end_is_cut_off() -> None:
    def forever() -> Iterator[Release]:
        return (Release(0) for _ in count())

    assert f"one window has more than {MAX_RUNS:,} releases" in refusal(Own(forever))


@pytest.mark.parametrize("place", [10, -1])
def test_a_release_must_wait_for_one_that_there_is(place: int) -> None:
    words = refusal(Own(lambda: (Release(0, (("a", place),)),), ("a",)))
    assert f"got 'a' {place}; name a and a place from 0 on" in words


def test_producers_must_be_names() -> None:
    with pytest.raises(ScenarioError, match="producers of own must be a list, got 'a'"):
        stream("own", Own(at(0), "a"))  # type: ignore[arg-type]


@pytest.mark.parametrize("period", [0, -5, 2.5, "1 ms"])
def test_a_period_must_be_whole_ticks(period: Any) -> None:
    spaced = type("Spaced", (Own,), {"period": period})
    with pytest.raises(ScenarioError, match="period of the arrival of own, in ticks, must be a"):
        stream("own", spaced(at(0)))


def test_a_rate_that_is_not_told_is_counted() -> None:
    case = scenario(stream("own", Own(at(0, 1, 2)), beam=2), silence_s=1e-3)
    assert rates(case, schedule(case)) == {"own": Fraction(6, MS)}
    told = scenario(stream("own", Own(at(0), told=Fraction(1, 7))))
    assert rates(told, schedule(told)) == {"own": Fraction(1, 7)}


@pytest.mark.parametrize("told", [0.5, 3, Fraction(0), Fraction(-1), "often"])
def test_a_rate_must_be_a_positive_fraction(told: Any) -> None:
    case = scenario(stream("own", Own(at(0), told=told)))
    with pytest.raises(CodesignError, match=r"own: Own.rate must be a Fraction > 0 of releases"):
        rates(case, schedule(case))
