"""Runs that start nothing, because a follower pairs the k-th runs of producers of other numbers."""

from __future__ import annotations

from collections.abc import Iterator

from codesign.scenario.arrival import After
from codesign.scenario.schedule import Schedule
from codesign.scenario.spec import Scenario, Stream


def describe_pairing(scenario: Scenario, releases: Schedule) -> Iterator[str]:
    """A sentence on each producer of which a stream after several others leaves runs out.

    Args:
        scenario: the scenario.
        releases: its schedule.
    """
    for stream in scenario.streams:
        if not isinstance(stream.arrival, After):
            continue
        fewest = [min(map(len, spans)) for spans in _by_window(stream, releases)]
        for name in stream.arrival.streams:
            producer = scenario.by_name[name]
            asked = sum(map(len, releases[name]))
            missing = (asked - sum(fewest)) * producer.beam
            if missing:
                yield (
                    f"{missing:,} of {asked * producer.beam:,} runs of {name} start no "
                    f"{stream.name}: it pairs the k-th runs of "
                    f"{' and '.join(stream.arrival.streams)}{_way_out(producer)}"
                )


def _by_window(stream: Stream, releases: Schedule) -> Iterator[tuple[tuple[object, ...], ...]]:
    """The releases of all producers of a stream, window by window."""
    return zip(*(releases[name] for name in stream.arrival.producers), strict=True)


def _way_out(producer: Stream) -> str:
    if producer.arrival.producers:
        return ""
    return f"; for the run that covers a moment let a rate arrive 'within: {producer.name}'"
