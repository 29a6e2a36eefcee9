"""Scenarios whose streams do not fit together are refused in one line, and others are not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise

import pytest
from scenario_case import scenario, stream
from strategies import Sketch

from codesign.errors import CodesignError, ScenarioError
from codesign.mapping.residency import Residency
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


def test_a_scenario_is_the_same_behind_a_pickle_and_may_be_a_key() -> None:
    sketch = Sketch("model")
    sketch.matmul("head", sketch.input("x", 4, 8), 8)
    residency = Residency("pinned", pins=("head.weight",), limits={"sram": 64})
    asked = {"options": {"steps": 8}, "dtype": "int8", "schedule": "time-major"}
    case = scenario(
        Stream("a", sketch.trace(), CHUNK, beam=2, residency=residency),
        stream("b", After(("a",)), **asked),
        stream("k", Rate(5, seed=2), background=True),
        outputs=("b",),
    )
    assert case.background == {"k"}  # a cached value comes along
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(case, protocol))
        assert copy == case
        assert hash(copy) == hash(case)
        assert dict(copy.by_name["b"].options) == {"steps": 8}
        assert copy.background == {"k"}
    assert deepcopy(case) == case
    assert {case: 1}[copy] == 1


MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "no duration": (lambda: scenario(A, duration_s=0), "duration must be > 0, got 0 s"),
    "negative duration": (lambda: scenario(A, duration_s=-2), "duration must be > 0, got -2 s"),
    "negative silence": (lambda: scenario(A, silence_s=-1), "silence must be >= 0, got -1 s"),
    "no utterance": (lambda: scenario(A, utterances=0), "utterances must be a whole number >= 1"),
    "too many": (lambda: scenario(A, utterances=10**9), f"must be <= {MAX_UTTERANCES:,}, got 1,0"),
    "no beam": (lambda: stream("a", CHUNK, beam=0), "beam of a must be a whole number >= 1, got 0"),
    "half a beam": (lambda: stream("a", CHUNK, beam=2.5), "got 2.5; write for example 2"),
    "long beam": (lambda: stream("a", CHUNK, beam=-(10**5000)), "got -10**5000 or so; raise it"),
    "many utterances": (
        lambda: scenario(A, utterances=10**5000),
        "utterances must be <= 100,000, got 10**5000 or so; lower it",
    ),
    "less than a tick": (lambda: scenario(A, duration_s=5e-324), "must be at least a tick of 1 ps"),
    "endless": (lambda: scenario(A, duration_s=1e300), "duration must be at most 1,000,000 s, got"),
    "endless silence": (lambda: scenario(A, silence_s=10**400), "got 10**400 or so; write for"),
    "endless in all": (
        lambda: scenario(A, duration_s=900, silence_s=200, utterances=1000),
        "a scenario must last at most 1,000,000 s, got 1.1e+06 s with all utterances; shorten it",
    ),
    "text": (
        lambda: scenario(A, duration_s="2 s"),  # type: ignore[arg-type]
        "duration must be a number of seconds, got '2 s'; write for example 2",
    ),
    "no title": (lambda: Scenario(" ", (A,), 1), "name of a scenario must be a line of text, got"),
    "title of lines": (lambda: Scenario("a\nb", (A,), 1), "line of text, got 'a\\nb'; rename it"),
    "number as title": (lambda: Scenario(5, (A,), 1), "line of text, got 5"),  # type: ignore[arg-type]
    "one stream": (
        lambda: Scenario("s", A, 1),  # type: ignore[arg-type]
        "streams must be a list, got Stream(",
    ),
    "names as streams": (
        lambda: Scenario("s", ("a",), 1),  # type: ignore[arg-type]
        "streams must hold nothing but Stream, got 'a'; write for example [Stream('encoder'",
    ),
    "bare output": (
        lambda: scenario(A, outputs="a"),
        "outputs must be a list, got 'a'; write for example ['tokens']",
    ),
    "stream as output": (lambda: scenario(A, outputs=(A,)), "outputs must hold nothing but str"),
    "yes or no": (
        lambda: stream("a", CHUNK, background="no"),
        "background of a must be True or False, got 'no'; choose one",
    ),
    "one or none": (lambda: stream("a", CHUNK, background=1), "must be True or False, got 1"),
    "no dtype": (lambda: stream("a", CHUNK, dtype=""), "dtype of a: unknown dtype ''; write for"),
    "odd dtype": (lambda: stream("a", CHUNK, dtype="int"), "dtype of a: unknown dtype 'int'"),
    "dtype of bits": (lambda: stream("a", CHUNK, dtype=8), "dtype of a: unknown dtype 8"),
    "no schedule": (
        lambda: stream("a", CHUNK, schedule=""),
        "schedule of a: schedule must be time-major or layer-major:STEPS",
    ),
    "long schedule": (
        lambda: stream("a", CHUNK, schedule="layer-major:" + "9" * 5000),
        "schedule of a: schedule must be time-major or layer-major:STEPS with a whole number, got",
    ),
    "schedule of steps": (lambda: stream("a", CHUNK, schedule=8), "schedule of a: schedule must"),
    "odd policy": (
        lambda: stream("a", CHUNK, residency="pined"),
        "residency of a: residency must be one of region",
    ),
    "policy of bytes": (lambda: stream("a", CHUNK, residency=5), "must be one of region"),
    "no model": (
        lambda: Stream("a", 5, CHUNK),  # type: ignore[arg-type]
        "model of a must be a Trace or a name, got 5; give what codesign.trace returns",
    ),
    "empty model": (lambda: Stream("a", "", CHUNK), "model of a must be a Trace or a name, got ''"),
    "odd option": (
        lambda: stream("a", CHUNK, options={"stepz": 8}),
        "unknown option 'stepz' of a; did you mean 'steps'?",
    ),
    "options as text": (
        lambda: stream("a", CHUNK, options="steps"),
        "options of a must be a map from names, got 'steps'; write for example {'steps': 8}",
    ),
    "option as text": (
        lambda: stream("a", CHUNK, options={"steps": "8"}),
        "steps of a must be a whole number >= 1, got '8'",
    ),
    "number as name": (lambda: stream(5, CHUNK), "must be a word, got 5"),  # type: ignore[arg-type]
    "class of arrival": (lambda: stream("a", Periodic), "must be an Arrival, got <class"),  # type: ignore[arg-type]
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
