"""From the release of a source to the end of each stream down the chain."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_case import US, scenario, stream, work
from strategies import machine

from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.chain import end_to_end
from codesign.scenario.release import Arrival
from codesign.scenario.result import ScenarioResult
from codesign.scenario.simulate import replay_scenario
from codesign.scenario.spec import Scenario

CHUNK = Periodic(100e-6)


def of_work(case: Scenario, cycles: dict[str, int]) -> ScenarioResult:
    placements = {name: work(count) for name, count in cycles.items()}
    return replay_scenario(case, machine(), placements)


def chains(result: ScenarioResult) -> dict[str, dict[str, list[int]]]:
    return end_to_end(result.scenario, result.played)


def test_the_latency_of_a_chain_is_the_sum_of_its_services() -> None:
    case = scenario(
        stream("encoder", CHUNK),
        stream("joiner", After(("encoder",))),
        stream("search", After(("joiner",))),
        duration_s=300e-6,
    )
    result = of_work(case, {"encoder": 40_000, "joiner": 5_000, "search": 1_000})
    assert chains(result) == {
        "encoder": {},
        "joiner": {"encoder": [45 * US] * 3},
        "search": {"encoder": [46 * US] * 3},
    }
    times = result.streams["search"].end_to_end["encoder"]
    assert times.mean_s == times.p95_s == times.max_s == pytest.approx(46e-6)
    assert result.streams["encoder"].end_to_end == {}
    # each stream by itself looks much faster
    assert result.streams["search"].response.max_s == pytest.approx(1e-6)


def test_each_release_of_a_burst_counts_from_the_same_source() -> None:
    case = scenario(
        stream("encoder", CHUNK), stream("frames", After(("encoder",), times=2)), duration_s=200e-6
    )
    result = of_work(case, {"encoder": 40_000, "frames": 5_000})
    assert chains(result)["frames"] == {"encoder": [45 * US, 50 * US] * 2}


def test_a_release_ends_with_the_last_run_of_its_beam() -> None:
    case = scenario(
        stream("encoder", CHUNK), stream("beam", After(("encoder",)), beam=3), duration_s=200e-6
    )
    result = of_work(case, {"encoder": 10_000, "beam": 2_000})
    assert chains(result)["beam"] == {"encoder": [16 * US] * 2}


def test_of_several_sources_each_is_told() -> None:
    case = scenario(
        stream("sound", CHUNK),
        stream("video", Periodic(100e-6, first_s=30e-6)),
        stream("both", After(("sound", "video"))),
        duration_s=130e-6,
    )
    result = of_work(case, {"sound": 4_000, "video": 2_000, "both": 1_000})
    assert chains(result)["both"] == {"sound": [5 * US], "video": [75 * US]}


def test_a_source_that_is_reached_on_two_ways_counts_from_its_later_release() -> None:
    """The token at 250 us waits for the chunk at 300 us, the joiner for that and for chunk 1."""
    case = scenario(
        stream("encoder", CHUNK),
        stream("tokens", Rate(4000, within="encoder")),
        stream("joiner", After(("encoder", "tokens"))),
        duration_s=500e-6,
    )
    result = of_work(case, {"encoder": 10_000, "tokens": 2_000, "joiner": 1_000})
    assert chains(result)["tokens"] == {"encoder": [12 * US, 12 * US]}
    assert chains(result)["joiner"] == {"encoder": [13 * US, 13 * US]}


def test_utterances_are_apart_and_a_backlog_is_in_the_latency() -> None:
    case = scenario(
        stream("encoder", CHUNK),
        stream("joiner", After(("encoder",))),
        duration_s=300e-6,
        silence_s=700e-6,
        utterances=2,
    )
    result = of_work(case, {"encoder": 150_000, "joiner": 1_000})
    found = chains(result)["joiner"]["encoder"]
    # each joiner has an encoder run before it that was asked for while it was not, and the third
    # the second joiner
    assert found == [301 * US, 352 * US, 253 * US] * 2


ARRIVALS: list[Arrival] = [Periodic(50e-6), Periodic(80e-6), Rate(20_000, seed=1), Rate(9_000)]


@given(st.sampled_from(ARRIVALS), st.lists(st.integers(1, 30_000), min_size=3, max_size=3))
def test_what_is_further_down_ends_later_and_no_chain_beats_its_services(
    arrival: Arrival, cycles: list[int]
) -> None:
    names = ("a", "b", "c")
    case = scenario(
        stream("a", arrival), stream("b", After(("a",))), stream("c", After(("b",))), utterances=2
    )
    result = of_work(case, dict(zip(names, cycles, strict=True)))
    found = {name: times["a"] for name, times in chains(result).items() if times}
    own = [run.end - run.asked for run in result.played.of("a")]
    for earlier, later in pairwise((own, found["b"], found["c"])):
        assert len(earlier) == len(later)
        assert all(a < b for a, b in zip(earlier, later, strict=True))
    assert min(found["c"]) >= sum(cycles) * 1000
