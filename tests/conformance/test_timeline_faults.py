"""The check of timelines tells every kind of fault, and where it is."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
from strategies import Sketch, machine

from codesign import simulate
from codesign.testing import check_timeline

Event = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    sketch = Sketch("sound")
    x = sketch.recurrent("rnn", sketch.input("x", 4, 16), 16)
    sketch.softmax("soft", sketch.matmul("head", x, 8))
    return simulate(sketch.trace(), machine()).timeline()


def first(events: list[Event], phase: str, name: str = "") -> Event:
    return next(e for e in events if e["ph"] == phase and name in e["name"])


def nothing_is_json(events: list[Event]) -> None:
    first(events, "X")["args"]["module"] = {1, 2}


def an_infinity(events: list[Event]) -> None:
    first(events, "X")["args"]["energy_j"] = math.inf


def an_unknown_phase(events: list[Event]) -> None:
    first(events, "X")["ph"] = "Q"


def a_missing_length(events: list[Event]) -> None:
    del first(events, "X")["dur"]


def a_time_before_zero(events: list[Event]) -> None:
    first(events, "X")["ts"] = -1.0


def a_time_as_a_word(events: list[Event]) -> None:
    first(events, "i")["ts"] = "soon"


def a_track_that_is_no_number(events: list[Event]) -> None:
    first(events, "X")["tid"] = "npu0"


def a_process_without_a_name(events: list[Event]) -> None:
    events.remove(first(events, "M", "process_name"))


def a_track_without_a_name(events: list[Event]) -> None:
    events.remove(first(events, "M", "thread_name"))


def a_name_of_nothing(events: list[Event]) -> None:
    first(events, "M", "thread_name")["name"] = "threadname"


def an_overlap(events: list[Event]) -> None:
    first(events, "X")["dur"] += 0.001  # a thousand picoseconds


def a_slice_that_goes_back(events: list[Event]) -> None:
    slices = [e for e in events if e["ph"] == "X" and e["tid"] == first(events, "X")["tid"]]
    slices[1]["ts"], slices[1]["dur"] = 0.0, 0.0
    slices[0]["ts"] = 0.001


def an_arrow_without_an_end(events: list[Event]) -> None:
    events.remove(first(events, "f"))


def an_arrow_without_a_beginning(events: list[Event]) -> None:
    events.remove(first(events, "s"))


def two_arrows_of_one_id(events: list[Event]) -> None:
    events.append(dict(first(events, "s")))


def an_arrow_back_in_time(events: list[Event]) -> None:
    begin, end = first(events, "s"), first(events, "f")
    begin["ts"], end["ts"] = end["ts"], begin["ts"]
    begin["tid"], end["tid"] = end["tid"], begin["tid"]


def an_arrow_from_nowhere(events: list[Event]) -> None:
    first(events, "s", "rnn.out")["tid"] = 1  # it leaves the vector unit


def a_resident_that_never_goes(events: list[Event]) -> None:
    events.remove(first(events, "e"))


def a_resident_that_goes_before_it_comes(events: list[Event]) -> None:
    first(events, "e")["ts"] = 0.0


def a_value_that_is_no_number(events: list[Event]) -> None:
    first(events, "C")["args"] = {"W": None}


def two_values_at_one_time(events: list[Event]) -> None:
    events.append(dict(first(events[::-1], "C", "power")))


def a_start_of_no_scope(events: list[Event]) -> None:
    first(events, "i")["s"] = "everywhere"


FAULTS: dict[Callable[[list[Event]], None], str] = {
    nothing_is_json: "must be JSON: .*set",
    an_infinity: "must be JSON",
    an_unknown_phase: r"\(Q 'rnn.*phase must be one of M, X",
    a_missing_length: r"\(X 'rnn.*field 'dur' is missing",
    a_time_before_zero: "ts must be a finite number of at least 0, got -1.0",
    a_time_as_a_word: r"\(i 'run 0'\): ts must be a finite number of at least 0, got 'soon'",
    a_track_that_is_no_number: "tid must be a whole number, got 'npu0'",
    a_process_without_a_name: "process 1 has no process_name",
    a_track_without_a_name: "track 1 of 1 has no thread_name",
    a_name_of_nothing: "names nothing; known: ",
    an_overlap: r"on track 1 of 1: overlaps 'rnn.preload', which ends at ",
    a_slice_that_goes_back: "begins at 0.0, before the one before it",
    an_arrow_without_an_end: r"\(s .*id 0 has no event of phase 'f'",
    an_arrow_without_a_beginning: r"\(f .*id 0 has no event of phase 's'",
    two_arrows_of_one_id: "id 0 has this end twice",
    an_arrow_back_in_time: "before it begins at ",
    an_arrow_from_nowhere: r"\(s 'rnn.out'\): no slice of its track is there at ",
    a_resident_that_never_goes: "has no event of phase 'e'",
    a_resident_that_goes_before_it_comes: "ends at 0.0, before it begins at ",
    a_value_that_is_no_number: "W must be a finite number, got None",
    two_values_at_one_time: "not after the value before at ",
    a_start_of_no_scope: "s must be one of g, p, t",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_told_with_its_place(
    fault: Callable[[list[Event]], None], document: dict[str, Any]
) -> None:
    check_timeline(document)
    broken = copy.deepcopy(document)
    fault(broken["traceEvents"])
    with pytest.raises(AssertionError, match=FAULTS[fault]) as caught:
        check_timeline(broken)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", [{}, {"traceEvents": {}}, {"traceEvents": [3]}, []])
def test_what_is_no_timeline_is_told(broken: Any) -> None:
    with pytest.raises(AssertionError, match="must be"):
        check_timeline(broken)


def test_slices_in_slices_are_sound(document: dict[str, Any]) -> None:
    nested = copy.deepcopy(document)
    outer = first(nested["traceEvents"], "X", "head")
    inner = {**outer, "name": "inner", "dur": outer["dur"] / 2}
    nested["traceEvents"].insert(nested["traceEvents"].index(outer) + 1, inner)
    check_timeline(nested)


def test_a_step_of_an_arrow_must_lie_in_a_slice(document: dict[str, Any]) -> None:
    stepped = copy.deepcopy(document)
    events = stepped["traceEvents"]
    events.append({**first(events, "f"), "ph": "t"})
    check_timeline(stepped)
    events[-1]["ts"] = 1e6
    with pytest.raises(AssertionError, match=r"\(t .*no slice of its track is there at"):
        check_timeline(stepped)
