"""Scenarios whose streams do not fit together are refused in one line, and others are not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from scenario_case import scenario, stream

from codesign.errors import CodesignError, ScenarioError
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.spec import MAX_UTTERANCES, Scenario, Stream

CHUNK = Periodic(1e-4)
A, B = stream("a", CHUNK), stream("b", After(("a",)))


def test_producers_come_first_in_order() -> None:
    case = scenario(stream("c", After(("b", "a"))), stream("b", After(("a",))), stream("a", CHUNK))
    assert [one.name for one in case.in_order] == ["a", "b", "c"]
    assert list(case.by_name) == ["c", "b", "a"]


def test_what_waits_for_the_background_is_in_the_background() -> None:
    case = scenario(
        A,
        stream("camera", CHUNK, background=True),
        stream("detector", After(("camera",))),
        stream("tracker", After(("detector",))),
    )
    assert case.background == {"camera", "detector", "tracker"}


def test_options_and_names_are_copied_and_cannot_be_changed() -> None:
    options = {"steps": 8}
    made = Stream("a", "model", CHUNK, options=options)
    options["steps"] = 9
    assert dict(made.options) == {"steps": 8}
    with pytest.raises(TypeError):
        made.options["steps"] = 9  # type: ignore[index]
    assert Scenario("s", [A], 1, outputs=["a"]).outputs == ("a",)  # type: ignore[arg-type]


MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "no duration": (lambda: scenario(A, duration_s=0), "duration must be > 0, got 0 s"),
    "negative duration": (lambda: scenario(A, duration_s=-2), "duration must be > 0, got -2 s"),
    "negative silence": (lambda: scenario(A, silence_s=-1), "silence must be >= 0, got -1 s"),
    "no utterance": (lambda: scenario(A, utterances=0), "utterances must be a whole number >= 1"),
    "too many": (lambda: scenario(A, utterances=10**9), f"must be <= {MAX_UTTERANCES:,}, got 1,0"),
    "no beam": (lambda: stream("a", CHUNK, beam=0), "beam of a must be a whole number >= 1, got 0"),
    "half a beam": (lambda: stream("a", CHUNK, beam=2.5), "got 2.5; raise it"),
    "no word": (lambda: stream("my stream", CHUNK), "must be a word, got 'my stream'; rename it"),
    "no arrival": (
        lambda: stream("a", 0.08),  # type: ignore[arg-type]
        "arrival of a must be an Arrival, got 0.08; give for example Periodic(0.08)",
    ),
    "twice": (lambda: scenario(A, B, A), "two streams are called 'a'; rename one"),
    "unknown producer": (
        lambda: scenario(stream("encoder", CHUNK), stream("joiner", After(("encodr",)))),
        "joiner waits for the unknown stream 'encodr'; did you mean 'encoder'? known: encoder",
    ),
    "unknown frame": (
        lambda: scenario(A, stream("t", Rate(4, within="aa"))),
        "t waits for the unknown stream 'aa'; did you mean 'a'?",
    ),
    "unknown output": (
        lambda: scenario(A, outputs=("c",)),
        "outputs name the unknown stream 'c'; known: a",
    ),
    "no stream": (lambda: scenario(), "must have an arrival of its own, but there is none"),
    "nobody begins": (
        lambda: scenario(stream("a", After(("b",))), B),
        "some stream must have an arrival of its own, but a waits for b, b waits for a; give one",
    ),
    "itself": (
        lambda: scenario(A, stream("b", After(("b",)))),
        "streams must not wait for each other, but b waits for b",
    ),
    "circle": (
        lambda: scenario(
            A,
            stream("b", After(("a", "d"))),
            stream("c", After(("b",))),
            stream("d", After(("c",))),
        ),
        "streams must not wait for each other, but ",
    ),
    "front waits for back": (
        lambda: scenario(A, stream("k", CHUNK, background=True), stream("c", After(("a", "k")))),
        "c runs in the background and waits for a, which does not; let both or none",
    ),
    "back waits for front": (
        lambda: scenario(A, stream("c", After(("a",)), background=True)),
        "c runs in the background and waits for a, which does not",
    ),
    "all behind": (
        lambda: scenario(stream("a", CHUNK, background=True)),
        "all streams run in the background; let one be the utterance",
    ),
    "hidden output": (
        lambda: scenario(A, stream("k", CHUNK, background=True), outputs=("k",)),
        "the output k runs in the background; name another",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(mistake: str) -> None:
    make, words = MISTAKES[mistake]
    with pytest.raises(ScenarioError) as told:
        make()
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert isinstance(told.value, CodesignError)


def test_a_circle_is_told_in_the_direction_of_waiting() -> None:
    with pytest.raises(ScenarioError) as told:
        scenario(
            A, stream("b", After(("d",))), stream("c", After(("b",))), stream("d", After(("c",)))
        )
    ring = str(told.value).partition("but ")[2].partition(";")[0].split(" waits for ")
    assert ring[0] == ring[-1]
    assert set(pairwise(ring)) == {("b", "d"), ("d", "c"), ("c", "b")}


def test_a_long_chain_of_streams_is_no_problem() -> None:
    chain = [A] + [stream(f"a{n}", After((f"a{n - 1}" if n > 1 else "a",))) for n in range(1, 3000)]
    assert len(scenario(*chain).in_order) == 3000


def test_many_paths_to_one_producer_are_looked_at_once() -> None:
    pairs = [stream("x0", CHUNK), stream("y0", CHUNK)]
    for n in range(1, 60):
        pairs += [stream(f"{side}{n}", After((f"x{n - 1}", f"y{n - 1}"))) for side in "xy"]
    assert scenario(*pairs).background == frozenset()
