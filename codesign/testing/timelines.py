"""What a timeline must keep to, so that Perfetto shows all of it and in the right place."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from codesign.testing.rules import expect

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "M": ("name", "pid", "tid", "args"),
    "X": ("name", "pid", "tid", "ts", "dur"),
    "s": ("name", "cat", "id", "pid", "tid", "ts"),
    "t": ("name", "cat", "id", "pid", "tid", "ts"),
    "f": ("name", "cat", "id", "pid", "tid", "ts"),
    "b": ("name", "cat", "id", "pid", "ts"),
    "e": ("name", "cat", "id", "pid", "ts"),
    "C": ("name", "pid", "ts", "args"),
    "i": ("name", "pid", "tid", "ts", "s"),
}
"""Fields by phase: names, complete slices, flows, asynchronous slices, counters and instants."""
_NAMES = {"process_name", "thread_name", "process_sort_index", "thread_sort_index"}
_SCOPES = ("g", "p", "t")
_HALF_PS = 0.5e-6
"""Microseconds by which two times may differ that are the same number of picoseconds."""

Event = Mapping[str, Any]
Track = tuple[int, int]


def check_timeline(document: Mapping[str, Any]) -> None:
    """Checks a document of the Chrome trace-event format, as codesign writes it.

    It must be JSON without infinities. Every event has a known phase, the fields of its phase and a
    time of at least 0, on a track and in a process that have names. On every track slices come in
    order of time, and each lies after the one before it or within it. A flow has one begin and one
    end, each within a slice of its track, and does not go back in time; so has an asynchronous
    slice, but for the track. A counter has finite values at times that rise.

    Raises:
        AssertionError: says which event breaks which rule.
    """
    expect(isinstance(document, Mapping), f"a timeline must be an object, got {document!r:.60}")
    events = document.get("traceEvents")
    if not isinstance(events, list):
        raise AssertionError("traceEvents must be a list of events")
    for place, event in enumerate(events):
        _check_event(place, event)
    _check_json(document)
    _check_names(events)
    tracks = _slices(events)
    for track, slices in tracks.items():
        _check_track(track, slices)
    _check_flows(events, tracks)
    _check_asynchronous(events)
    _check_counters(events)


def _where(place: int, event: Event) -> str:
    return f"event {place} ({event.get('ph')} {event.get('name')!r:.60})"


def _check_event(place: int, event: object) -> None:
    if not isinstance(event, Mapping):
        raise AssertionError(f"event {place} must be an object, got {event!r:.60}")
    where, phase = _where(place, event), event.get("ph")
    expect(phase in _REQUIRED, f"{where}: phase must be one of {', '.join(_REQUIRED)}")
    for field in _REQUIRED[str(phase)]:
        expect(field in event, f"{where}: field {field!r} is missing")
    for field in ("pid", "tid"):
        value = event.get(field, 0)
        whole = isinstance(value, int) and not isinstance(value, bool)
        expect(whole, f"{where}: {field} must be a whole number, got {value!r:.60}")
    for field in ("ts", "dur"):
        value = event.get(field, 0)
        known = isinstance(value, (int, float)) and math.isfinite(value) and value >= 0
        expect(known, f"{where}: {field} must be a finite number of at least 0, got {value!r:.60}")
    if phase == "M":
        expect(event["name"] in _NAMES, f"{where}: names nothing; known: {', '.join(_NAMES)}")
    if phase == "i":
        expect(event["s"] in _SCOPES, f"{where}: s must be one of {', '.join(_SCOPES)}")


def _check_json(document: Mapping[str, Any]) -> None:
    try:
        json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"a timeline must be JSON: {error}") from error


def _check_names(events: Sequence[Event]) -> None:
    processes = {event["pid"] for event in events if event["name"] == "process_name"}
    tracks = {_track(event) for event in events if event["name"] == "thread_name"}
    for place, event in enumerate(events):
        where = _where(place, event)
        expect(event["pid"] in processes, f"{where}: process {event['pid']} has no process_name")
        if event["ph"] != "M" and "tid" in event:
            named = _track(event) in tracks
            expect(named, f"{where}: track {event['tid']} of {event['pid']} has no thread_name")


def _track(event: Event) -> Track:
    return event["pid"], event["tid"]


def _slices(events: Sequence[Event]) -> dict[Track, list[tuple[int, Event]]]:
    found: dict[Track, list[tuple[int, Event]]] = {}
    for place, event in enumerate(events):
        if event["ph"] == "X":
            found.setdefault(_track(event), []).append((place, event))
    return found


def _check_track(track: Track, slices: Sequence[tuple[int, Event]]) -> None:
    """Slices begin in order; each is over before the next begins, or holds all of it."""
    around: list[Event] = []
    before = -math.inf
    for place, event in slices:
        where = f"{_where(place, event)} on track {track[1]} of {track[0]}"
        expect(event["ts"] >= before, f"{where}: begins at {event['ts']}, before the one before it")
        before = event["ts"]
        while around and _end(around[-1]) <= event["ts"]:
            around.pop()
        if around:
            outer = around[-1]
            held = _end(event) <= _end(outer)
            expect(held, f"{where}: overlaps {outer['name']!r:.60}, which ends at {_end(outer)}")
        around.append(event)


def _end(event: Event) -> float:
    return float(event["ts"] + event["dur"])


def _pairs(
    events: Sequence[Event], begin: str, end: str
) -> Iterator[tuple[tuple[int, Event], tuple[int, Event]]]:
    """The two ends of everything that has two.

    Raises:
        AssertionError: one of them is missing or there twice.
    """
    ends: dict[tuple[object, ...], dict[str, tuple[int, Event]]] = {}
    for place, event in enumerate(events):
        if event["ph"] in (begin, end):
            key = event["cat"], event["name"], event["id"]
            both = ends.setdefault(key, {})
            where = _where(place, event)
            expect(event["ph"] not in both, f"{where}: id {event['id']} has this end twice")
            both[event["ph"]] = place, event
    for both in ends.values():
        for phase, (place, event) in both.items():
            other = end if phase == begin else begin
            where = _where(place, event)
            expect(other in both, f"{where}: id {event['id']} has no event of phase {other!r}")
        one, two = both[begin], both[end]
        where = _where(*two)
        is_later = one[1]["ts"] <= two[1]["ts"]
        expect(is_later, f"{where}: ends at {two[1]['ts']}, before it begins at {one[1]['ts']}")
        yield one, two


def _check_flows(
    events: Sequence[Event], tracks: Mapping[Track, Sequence[tuple[int, Event]]]
) -> None:
    ends = [end for pair in _pairs(events, "s", "f") for end in pair]
    steps = [(place, event) for place, event in enumerate(events) if event["ph"] == "t"]
    waiting: dict[Track, list[tuple[int, Event]]] = {}
    for place, event in (*ends, *steps):
        waiting.setdefault(_track(event), []).append((place, event))
    for track, found in waiting.items():
        slices = _outermost([event for _, event in tracks.get(track, ())])
        begins = [event["ts"] for event in slices]
        for place, event in found:
            inside = _holds(begins, slices, event["ts"])
            where = _where(place, event)
            expect(inside, f"{where}: no slice of its track is there at {event['ts']}")


def _outermost(slices: Sequence[Event]) -> list[Event]:
    """Slices that lie in no other; each other one lies in one of these."""
    found: list[Event] = []
    for event in slices:
        if not found or event["ts"] >= _end(found[-1]):
            found.append(event)
    return found


def _holds(begins: Sequence[float], slices: Sequence[Event], ts: float) -> bool:
    """Whether a time lies in one of some slices that follow one another."""
    place = bisect_right(begins, ts)
    return place > 0 and ts <= _end(slices[place - 1]) + _HALF_PS


def _check_asynchronous(events: Sequence[Event]) -> None:
    for _ in _pairs(events, "b", "e"):
        pass  # looking at a pair checks it


def _check_counters(events: Sequence[Event]) -> None:
    found: dict[tuple[int, str], list[tuple[int, Event]]] = {}
    for place, event in enumerate(events):
        if event["ph"] == "C":
            found.setdefault((event["pid"], event["name"]), []).append((place, event))
            for series, value in event["args"].items():
                known = isinstance(value, (int, float)) and math.isfinite(value)
                where = _where(place, event)
                expect(known, f"{where}: {series} must be a finite number, got {value!r:.60}")
    for samples in found.values():
        for (_, one), (place, two) in pairwise(samples):
            where = _where(place, two)
            rises = one["ts"] < two["ts"]
            expect(rises, f"{where}: at {two['ts']}, not after the value before at {one['ts']}")
