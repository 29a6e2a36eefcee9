"""From a scenario to the releases of every stream, known before anything is replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from codesign.errors import ScenarioError
from codesign.scenario.arrival_check import checked_rate, checked_releases
from codesign.scenario.release import MAX_RUNS, Release, Window
from codesign.scenario.spec import Scenario
from codesign.units import ticks

Schedule: TypeAlias = Mapping[str, tuple[tuple[Release, ...], ...]]
"""Releases by stream, window and place."""


def windows(scenario: Scenario, stream: str) -> tuple[Window, ...]:
    """When input of a stream arrives: in every utterance; in the background all the time."""
    length = ticks(scenario.duration_s)
    if stream in scenario.background:
        return (Window(0, 0, span_ticks(scenario), stream),)
    every = length + ticks(scenario.silence_s)
    starts = (number * every for number in range(scenario.utterances))
    return tuple(
        Window(number, start, start + length, stream) for number, start in enumerate(starts)
    )


def span_ticks(scenario: Scenario) -> int:
    """Ticks of all utterances with their silences."""
    return scenario.utterances * (ticks(scenario.duration_s) + ticks(scenario.silence_s))


def schedule(scenario: Scenario) -> Schedule:
    """The releases of every stream.

    Raises:
        ScenarioError: a stream that is never run, more than ``MAX_RUNS``, an arrival within no
            run of its producer, or one that breaks a rule of ``Arrival.releases``.
    """
    found: dict[str, tuple[tuple[Release, ...], ...]] = {}
    runs = 0
    for stream in scenario.in_order:
        spans: list[tuple[Release, ...]] = []
        for window in windows(scenario, stream.name):
            produced = {name: found[name][window.number] for name in stream.arrival.producers}
            spans.append(checked_releases(stream, window, produced))
            runs += len(spans[-1]) * stream.beam
            if runs > MAX_RUNS:
                raise ScenarioError(
                    f"{stream.label}: with this stream {scenario.name} would make more than "
                    f"{MAX_RUNS:,} runs; shorten it or lower its rates"
                )
        if not any(spans):
            raise ScenarioError(
                f"{stream.label} ({stream.arrival}) is never run in {scenario.duration_s:g} s of "
                "input; lengthen the duration, or let it arrive more often"
            )
        found[stream.name] = tuple(spans)
    return {stream.name: found[stream.name] for stream in scenario.streams}


def rates(scenario: Scenario, releases: Schedule) -> dict[str, Fraction]:
    """Runs per tick of each stream while its input lasts, in the long run where that is known.

    Args:
        scenario: the scenario.
        releases: its schedule, whose releases are counted where an arrival tells no rate.

    Raises:
        ScenarioError: an arrival that tells something else than a positive rate.
    """
    found: dict[str, Fraction] = {}
    for stream in scenario.in_order:
        told = checked_rate(stream, {name: found[name] for name in stream.arrival.producers})
        found[stream.name] = told or _counted(scenario, stream.name, releases[stream.name])
    return {stream.name: stream.beam * found[stream.name] for stream in scenario.streams}


def _counted(scenario: Scenario, stream: str, spans: Sequence[Sequence[Release]]) -> Fraction:
    length = sum(window.end - window.start for window in windows(scenario, stream))
    return Fraction(sum(map(len, spans)), length)
