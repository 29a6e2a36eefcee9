"""From a scenario to the releases of every stream, known before anything is replayed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from codesign.errors import ScenarioError
from codesign.scenario.release import MAX_RUNS, Release, Window
from codesign.scenario.spec import Scenario, Stream
from codesign.units import ticks

Schedule: TypeAlias = Mapping[str, tuple[tuple[Release, ...], ...]]
"""Releases by stream, window and place."""


def windows(scenario: Scenario, stream: str) -> tuple[Window, ...]:
    """When input of a stream arrives: in every utterance; in the background all the time."""
    length = ticks(scenario.duration_s)
    every = length + ticks(scenario.silence_s)
    if stream in scenario.background:
        return (Window(0, 0, scenario.utterances * every),)
    starts = (number * every for number in range(scenario.utterances))
    return tuple(Window(number, start, start + length) for number, start in enumerate(starts))


def schedule(scenario: Scenario) -> Schedule:
    """The releases of every stream.

    Raises:
        ScenarioError: a stream that is never run, more than ``MAX_RUNS``, or an arrival within no
            run of its producer.
    """
    found: dict[str, tuple[tuple[Release, ...], ...]] = {}
    runs = 0
    for stream in scenario.in_order:
        spans: list[tuple[Release, ...]] = []
        for window in windows(scenario, stream.name):
            spans.append(_releases(stream, window, found))
            runs += len(spans[-1]) * stream.beam
            if runs > MAX_RUNS:
                raise ScenarioError(
                    f"{scenario.name} would make more than {MAX_RUNS:,} runs, {stream.name} the "
                    "last of them; shorten it or lower its rates"
                )
        if not any(spans):
            raise ScenarioError(
                f"{stream.name} ({stream.arrival}) is never run in {scenario.duration_s:g} s of "
                "input; lengthen the duration, or let it arrive more often"
            )
        found[stream.name] = tuple(spans)
    return MappingProxyType({stream.name: found[stream.name] for stream in scenario.streams})


def _releases(stream: Stream, window: Window, found: Schedule) -> tuple[Release, ...]:
    produced = {name: found[name][window.number] for name in stream.arrival.producers}
    try:
        return stream.arrival.releases(window, produced)
    except ScenarioError as error:
        raise ScenarioError(f"{stream.name}: {error}") from error
