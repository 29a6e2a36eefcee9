"""Schedules: every release of every stream, before anything runs."""

from __future__ import annotations

import pytest
from scenario_case import US, scenario, stream

from codesign.errors import ScenarioError
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.release import MAX_RUNS, Window
from codesign.scenario.schedule import schedule, windows


def counts(found: object) -> dict[str, list[int]]:
    return {name: [len(part) for part in parts] for name, parts in found.items()}  # type: ignore[attr-defined]


RECOGNISER = (
    stream("encoder", Periodic(80e-6)),
    stream("frames", After(("encoder",), times=2)),
    stream("prediction", Rate(4000, within="encoder")),
    stream("tokens", After(("prediction",))),
)


def test_a_recogniser_joins_every_frame_and_every_token() -> None:
    found = schedule(scenario(*RECOGNISER, duration_s=2e-3))
    assert counts(found) == {"encoder": [25], "frames": [50], "prediction": [8], "tokens": [8]}
    assert list(found) == ["encoder", "frames", "prediction", "tokens"]


def test_an_utterance_is_a_window_and_the_background_is_one_over_all() -> None:
    case = scenario(
        *RECOGNISER,
        stream("camera", Periodic(0.5e-3), background=True),
        stream("detector", After(("camera",), times=3)),
        duration_s=2e-3,
        silence_s=3e-3,
        utterances=2,
    )
    first, second = windows(case, "tokens")
    assert (first, second) == (
        Window(0, 0, 2000 * US, "tokens"),
        Window(1, 5000 * US, 7000 * US, "tokens"),
    )
    assert windows(case, "detector") == (Window(0, 0, 10_000 * US, "detector"),)
    assert counts(schedule(case)) == {
        "encoder": [25, 25],
        "frames": [50, 50],
        "prediction": [8, 8],
        "tokens": [8, 8],
        "camera": [20],
        "detector": [60],
    }


def test_producers_and_their_followers_are_of_the_same_utterance() -> None:
    found = schedule(scenario(*RECOGNISER, duration_s=2e-3, silence_s=1e-3, utterances=3))
    for window in range(3):
        for release in found["prediction"][window]:
            ((producer, place),) = release.waits
            assert found[producer][window][place].tick >= release.tick


def test_the_order_of_the_streams_in_the_file_does_not_matter_to_their_releases() -> None:
    forth = schedule(scenario(*RECOGNISER, duration_s=2e-3))
    back = schedule(scenario(*reversed(RECOGNISER), duration_s=2e-3))
    assert dict(forth) == dict(back)


def test_a_stream_that_never_runs_is_a_mistake() -> None:
    for lazy in (Periodic(3e-3), Rate(100), Rate(1, seed=1), Periodic(1e-4, first_s=1)):
        case = scenario(stream("a", Periodic(1e-4)), stream("lazy", lazy))
        with pytest.raises(ScenarioError, match=r"lazy \(.*\) is never run in 0.001 s of input"):
            schedule(case)


def test_a_mistake_of_an_arrival_names_its_stream() -> None:
    case = scenario(stream("e", Periodic(0.3e-3)), stream("t", Rate(1000, within="e")))
    with pytest.raises(ScenarioError, match=r"^t: the arrival 0\.001 s is within no run of 'e'"):
        schedule(case)


def test_too_many_runs_are_refused_before_they_are_listed() -> None:
    many = scenario(stream("a", Periodic(1e-6), beam=10**9))
    with pytest.raises(ScenarioError, match=f"^a: .* more than {MAX_RUNS:,} runs; shorten"):
        schedule(many)
    long = scenario(stream("a", Periodic(1e-6), beam=40), utterances=100_000)
    with pytest.raises(ScenarioError, match=f"more than {MAX_RUNS:,} runs"):
        schedule(long)
