"""Runs that start nothing because their partners are fewer are told."""

from __future__ import annotations

from scenario_case import played, scenario, stream, work
from strategies import machine

from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.pairing import describe_pairing
from codesign.scenario.schedule import schedule
from codesign.scenario.simulate import replay_scenario
from codesign.scenario.spec import Scenario

ENCODER = stream("encoder", Periodic(20e-6))
TOKENS = stream("tokens", Rate(8000))
JOINER = stream("joiner", After(("encoder", "tokens")))


def notes(case: Scenario) -> list[str]:
    return list(describe_pairing(case, schedule(case)))


def test_runs_that_start_nothing_are_counted_with_the_way_out() -> None:
    assert notes(scenario(ENCODER, TOKENS, JOINER)) == [
        "42 of 50 runs of encoder start no joiner: it pairs the k-th runs of encoder and tokens; "
        "for the run that covers a moment let a rate arrive 'within: encoder'"
    ]


def test_token_8_joins_run_8_of_the_encoder_as_the_note_says() -> None:
    case = scenario(ENCODER, TOKENS, JOINER)
    runs = played(case, 100).runs
    (encoder,), (tokens,), (joiner,) = (runs[name] for name in ("encoder", "tokens", "joiner"))
    assert len(joiner) == 8
    assert joiner[7].asked == max(tokens[7].end, encoder[7].end) == tokens[7].end
    assert encoder[7].asked == 160 * 10**6


def test_the_way_out_leaves_no_run_out() -> None:
    tokens = stream("tokens", Rate(8000, within="encoder"))
    assert notes(scenario(ENCODER, tokens, stream("joiner", After(("tokens",))))) == []


def test_producers_of_equal_numbers_leave_nothing_out() -> None:
    pair = After(("encoder", "frames"), times=2)
    frames = stream("frames", After(("encoder",)))
    assert notes(scenario(ENCODER, frames, stream("joiner", pair))) == []


def test_each_hypothesis_of_a_beam_counts() -> None:
    encoder = stream("encoder", Periodic(20e-6), beam=3)
    (line,) = notes(scenario(encoder, TOKENS, JOINER))
    assert line.startswith("126 of 150 runs of encoder start no joiner: ")


def test_a_producer_that_waits_itself_covers_no_moment() -> None:
    frames = stream("frames", After(("encoder",)))
    late = stream("joiner", After(("frames", "tokens")))
    (line,) = notes(scenario(ENCODER, frames, TOKENS, late))
    assert line == (
        "42 of 50 runs of frames start no joiner: it pairs the k-th runs of frames and tokens"
    )


def test_utterances_are_paired_each_for_itself() -> None:
    """A seed for which windows of 1 ms get different numbers of runs, more and fewer than 2."""
    case = scenario(
        stream("a", Periodic(0.4e-3)),
        stream("b", Rate(2000, seed=1)),
        stream("c", After(("a", "b"))),
        utterances=6,
    )
    counts = [len(window) for window in schedule(case)["b"]]
    assert min(counts) < 2 < max(counts)
    paired = sum(min(2, count) for count in counts)
    found = notes(case)
    assert found[0].startswith(f"{12 - paired} of 12 runs of a start no c")
    assert found[1].startswith(f"{sum(counts) - paired} of {sum(counts)} runs of b start no c")


def test_a_result_has_the_notes_and_none_where_all_is_paired() -> None:
    case = scenario(ENCODER, TOKENS, JOINER)
    result = replay_scenario(case, machine(), dict.fromkeys(case.by_name, work(100)))
    assert result.notes == tuple(notes(case))
    assert result.summary()["notes"] == result.notes
    alone = scenario(ENCODER)
    assert replay_scenario(alone, machine(), {"encoder": work(100)}).notes == ()
