"""How long it takes from the release of a source to the end of each stream down the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from codesign.scenario.play import Played
from codesign.scenario.release import Release
from codesign.scenario.spec import Scenario

if TYPE_CHECKING:
    from codesign.replay.run import Invocation

Origins = list[list[Mapping[str, int]]]
"""By window and release: latest tick of each source, by name."""


def end_to_end(scenario: Scenario, played: Played) -> dict[str, dict[str, list[int]]]:
    """Ticks from source to end for every release that waits for others, by stream and source.

    A source is a release that waits for no other. A release further down has those behind it as its
    sources, of each stream the latest, and ends with the last of its runs. Queues on the way count.

    Args:
        scenario: the scenario.
        played: what its session did.
    """
    awaited = {name for stream in scenario.streams for name in stream.arrival.producers}
    origins: dict[str, Origins] = {}
    found: dict[str, dict[str, list[int]]] = {}
    for stream in scenario.in_order:
        times = found[stream.name] = {}
        if not (stream.arrival.producers or stream.name in awaited):
            continue
        spans = played.releases[stream.name]
        origins[stream.name] = [
            [_origin(stream.name, release, window, origins) for release in releases]
            for window, releases in enumerate(spans)
        ]
        for window, releases in enumerate(spans):
            ends = _ends(played.runs[stream.name][window], stream.beam)
            for release, origin, end in zip(
                releases, origins[stream.name][window], ends, strict=True
            ):
                for source, tick in origin.items() if release.waits else ():
                    times.setdefault(source, []).append(end - tick)
    return {stream.name: found[stream.name] for stream in scenario.streams}


def _origin(
    stream: str, release: Release, window: int, origins: Mapping[str, Origins]
) -> Mapping[str, int]:
    if not release.waits:
        return {stream: release.tick}
    first, *others = (origins[producer][window][place] for producer, place in release.waits)
    if not others:
        return first
    latest = dict(first)
    for origin in others:
        for source, tick in origin.items():
            latest[source] = max(tick, latest.get(source, tick))
    return latest


def _ends(runs: Sequence[Invocation], beam: int) -> list[int]:
    """Tick at which all runs of each release were over."""
    return [
        max(run.end for run in runs[place : place + beam]) for place in range(0, len(runs), beam)
    ]
