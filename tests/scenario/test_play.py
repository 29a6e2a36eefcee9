"""Playing: runs are asked for at their time and behind their producers, and queue up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_case import US, played, scenario, stream, ticks_of, work
from strategies import machine

from codesign.replay.run import Session
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.play import Played, play
from codesign.scenario.schedule import schedule
from codesign.scenario.spec import Scenario


def test_periodic_runs_that_fit_their_period_start_when_they_are_asked_for() -> None:
    found = played(scenario(stream("a", Periodic(100e-6)), duration_s=400e-6), 30_000)
    asked = [100 * US, 200 * US, 300 * US, 400 * US]
    assert ticks_of(found.of("a")) == [(t, t, t + 30 * US) for t in asked]


def test_the_work_drains_after_the_end_of_input() -> None:
    found = played(scenario(stream("a", Periodic(100e-6)), duration_s=300e-6), 150_000)
    assert ticks_of(found.of("a")) == [
        (100 * US, 100 * US, 250 * US),
        (200 * US, 250 * US, 400 * US),
        (300 * US, 400 * US, 550 * US),
    ]


def test_a_follower_is_asked_for_when_its_producer_ends() -> None:
    case = scenario(
        stream("encoder", Periodic(100e-6)),
        stream("joiner", After(("encoder",), times=2)),
        duration_s=200e-6,
    )
    found = played(case, {"encoder": work(40_000), "joiner": work(5_000)})
    assert ticks_of(found.of("joiner")) == [
        (140 * US, 140 * US, 145 * US),
        (140 * US, 145 * US, 150 * US),
        (240 * US, 240 * US, 245 * US),
        (240 * US, 245 * US, 250 * US),
    ]


def test_a_follower_of_two_waits_for_the_later_one() -> None:
    case = scenario(
        stream("encoder", Periodic(100e-6)),
        stream("tokens", Rate(4000)),
        stream("joiner", After(("encoder", "tokens"))),
        duration_s=500e-6,
    )
    found = played(case, {name: work(10_000) for name in case.by_name})
    # the encoder runs that are waited for end at 110 and 210 us, the tokens at 260 and 520 us: the
    # second is asked for in the same tick as an encoder run, which goes first
    assert [one.asked for one in found.of("joiner")] == [260 * US, 520 * US]


def test_a_token_waits_for_the_chunk_that_contains_it() -> None:
    case = scenario(
        stream("encoder", Periodic(80e-6)),
        stream("tokens", Rate(10_000, within="encoder")),
        duration_s=400e-6,
    )
    found = played(case, {"encoder": work(30_000), "tokens": work(1_000)})
    # tokens at 100, 200, 300, 400 us end in the chunks of 160, 240, 320, 400 us
    assert [one.asked for one in found.of("tokens")] == [n * US for n in (190, 270, 350, 430)]


def test_a_token_that_comes_after_its_chunk_is_not_early() -> None:
    case = scenario(
        stream("encoder", Periodic(100e-6, first_s=0)),
        stream("tokens", Rate(5_000, within="encoder")),
        duration_s=200e-6,
    )
    found = played(case, {"encoder": work(1_000), "tokens": work(1_000)})
    assert [one.asked for one in found.of("tokens")] == [201 * US]


def test_a_beam_is_so_many_runs_and_followers_wait_for_all_of_them() -> None:
    case = scenario(
        stream("tokens", Periodic(100e-6), beam=3),
        stream("joiner", After(("tokens",)), beam=2),
        duration_s=200e-6,
    )
    found = played(case, {"tokens": work(10_000), "joiner": work(1_000)})
    assert [one.asked for one in found.of("tokens")] == [100 * US] * 3 + [200 * US] * 3
    assert [one.end for one in found.of("tokens")][:3] == [110 * US, 120 * US, 130 * US]
    assert [one.asked for one in found.of("joiner")] == [130 * US] * 2 + [230 * US] * 2


def test_utterances_are_apart_and_the_background_goes_on() -> None:
    case = scenario(
        stream("a", Periodic(100e-6)),
        stream("k", Periodic(250e-6), background=True),
        duration_s=200e-6,
        silence_s=300e-6,
        utterances=2,
    )
    found = played(case, 1_000)
    assert [[one.asked // US for one in part] for part in found.runs["a"]] == [
        [100, 200],
        [600, 700],
    ]
    assert [[one.asked // US for one in part] for part in found.runs["k"]] == [
        [250, 500, 750, 1000]
    ]


def test_streams_on_two_engines_do_not_wait_for_each_other() -> None:
    case = scenario(stream("a", Periodic(100e-6)), stream("b", Periodic(100e-6)))
    both = machine(systolics=2)
    found = played(case, {"a": work(90_000), "b": work(90_000, engine="npu1")}, both)
    assert ticks_of(found.of("a")) == ticks_of(found.of("b"))
    assert all(one.start == one.asked for one in found.of("a"))


def test_streams_that_share_an_engine_take_their_time_from_each_other() -> None:
    case = scenario(stream("a", Periodic(100e-6)), stream("b", Periodic(100e-6)), duration_s=300e-6)
    found = played(case, 40_000)
    assert [one.end - one.asked for one in found.of("a")] == [40 * US] * 3
    assert [one.end - one.asked for one in found.of("b")] == [80 * US] * 3


def test_progress_is_told_run_by_run() -> None:
    case = scenario(stream("a", Periodic(100e-6), beam=2), duration_s=300e-6)
    told: list[tuple[int, int]] = []
    session = Session(machine(), {"a": work(1_000)})
    play(case, schedule(case), session, watch=lambda done, total: told.append((done, total)))
    assert told == [(done, 6) for done in range(1, 7)]


@st.composite
def cases(draw: st.DrawFn) -> Scenario:
    """An encoder, what follows it, tokens at random or evenly, and something in the background."""
    seed = draw(st.none() | st.integers(0, 9))
    return scenario(
        stream("encoder", Periodic(draw(st.sampled_from([20e-6, 25e-6, 50e-6])))),
        stream("frames", After(("encoder",), times=draw(st.integers(1, 3)))),
        stream("tokens", Rate(draw(st.sampled_from([5e4, 2e5])), seed=seed, within="encoder")),
        stream("joiner", After(("frames", "tokens")), beam=draw(st.integers(1, 3))),
        stream("camera", Rate(1e5, seed=draw(st.integers(0, 99))), background=True),
        duration_s=draw(st.sampled_from([100e-6, 200e-6])),
        silence_s=draw(st.sampled_from([0, 70e-6])),
        utterances=draw(st.integers(1, 3)),
    )


def test_of_two_in_the_same_tick_the_earlier_stream_goes_first() -> None:
    slow, fast = stream("slow", Periodic(200e-6)), stream("fast", Periodic(50e-6))
    for streams in ((slow, fast), (fast, slow)):
        found = played(scenario(*streams, duration_s=400e-6), 10_000)
        first, second = (found.of(one.name) for one in streams)
        assert [one.start for one in first] == [one.asked for one in first]
        both = {one.asked for one in first} & {one.asked for one in second}
        assert both == {200 * US, 400 * US}
        assert all(one.start - one.asked == 10 * US for one in second if one.asked in both)


def placed(
    case: Scenario,
    cycles: list[int],
    loads: list[int],
    engines: int,
    *,
    exact_events: bool = False,
) -> Played:
    names = list(case.by_name)
    placements = {
        name: work(cycles[n], load=loads[n], engine=f"npu{n % engines}")
        for n, name in enumerate(names)
    }
    hardware = machine(systolics=engines, bandwidth=1e9)
    return played(case, placements, hardware, exact_events=exact_events)


@given(
    cases(),
    st.lists(st.integers(10, 12_000), min_size=5, max_size=5),
    st.lists(st.sampled_from([0, 100, 5_000]), min_size=5, max_size=5),
    st.integers(1, 2),
)
def test_every_run_keeps_its_time_its_producers_and_its_turn(
    case: Scenario, cycles: list[int], loads: list[int], engines: int
) -> None:
    found = placed(case, cycles, loads, engines)
    for name, spans in schedule(case).items():
        beam = case.by_name[name].beam
        for window, releases in enumerate(spans):
            runs = found.runs[name][window]
            assert len(runs) == beam * len(releases)
            for place, release in enumerate(releases):
                ready = [release.tick]
                for producer, number in release.waits:
                    width = case.by_name[producer].beam
                    group = found.runs[producer][window][number * width : (number + 1) * width]
                    ready.append(max(one.end for one in group))
                for one in runs[place * beam : (place + 1) * beam]:
                    assert one.asked == max(ready)
                    assert one.asked <= one.start < one.end
        everyone = sorted(found.of(name), key=lambda one: one.number)
        assert [one.number for one in everyone] == list(range(len(everyone)))
        assert [one.asked for one in everyone] == sorted(one.asked for one in everyone)
        assert [one.end for one in everyone] == sorted(one.end for one in everyone)


@given(
    cases(),
    st.lists(st.integers(10, 12_000), min_size=5, max_size=5),
    st.lists(st.sampled_from([0, 100, 5_000]), min_size=5, max_size=5),
    st.integers(1, 2),
)
def test_skipping_what_recurs_changes_no_tick(
    case: Scenario, cycles: list[int], loads: list[int], engines: int
) -> None:
    fast = placed(case, cycles, loads, engines)
    slow = placed(case, cycles, loads, engines, exact_events=True)
    for name in case.by_name:
        assert ticks_of(fast.of(name)) == ticks_of(slow.of(name))


@pytest.mark.parametrize("factor", [2, 5, 10])
def test_a_world_that_is_slower_by_a_factor_takes_so_much_longer(factor: int) -> None:
    def ticks(slower: int) -> list[int]:
        case = scenario(
            stream("encoder", Periodic(80e-6 * slower)),
            stream("joiner", After(("encoder",), times=2)),
            stream("tokens", Rate(10_000 / slower, within="encoder"), beam=2),
            duration_s=800e-6 * slower,
        )
        found = played(case, 30_000 * slower)
        return [tick for name in case.by_name for run in ticks_of(found.of(name)) for tick in run]

    assert ticks(factor) == [tick * factor for tick in ticks(1)]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_scenario_gives_the_same_ticks(seed: int) -> None:
    case = scenario(stream("a", Rate(2e4, seed=seed)), stream("b", Rate(3e4, seed=seed + 1)))
    first, second = played(case, 12_345), played(case, 12_345)
    for name in ("a", "b"):
        assert ticks_of(first.of(name)) == ticks_of(second.of(name))
