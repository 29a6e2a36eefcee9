"""What one stream of a scenario waited, worked and moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from codesign.result.result import Result
from codesign.scenario.measure import (
    Distribution,
    busy_ticks,
    distribution,
    left_at,
    peak_backlog,
    responses,
    services,
    waits,
)
from codesign.scenario.release import Window
from codesign.scenario.spec import Stream
from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from codesign.replay.run import Invocation

Runs: TypeAlias = "Sequence[Sequence[Invocation]]"
"""Finished runs by window."""


@dataclass(frozen=True)
class StreamFigures:
    """One stream in figures.

    Attributes:
        name: its name.
        model: name of its trace.
        trace_digest: SHA-256 of the trace as simulated.
        arrival: when it is asked for, in words.
        beam: runs of each release.
        runs: how many.
        waiting: from asked for to the first transfer or compute.
        service: from there to the last store; it includes the wait for engines and links that
            other streams use meanwhile.
        response: waiting and service together.
        end_to_end: from the release of a source, by its name, to the end of all runs of each
            release that waits for it, through all streams between; empty for streams that wait for
            nobody, whose responses are that.
        real_time_factor: time in which a run had been asked for and had not ended, per second of
            input.
        late: runs whose response exceeds the period; None where arrivals are not evenly spaced.
        peak_backlog: most runs that were asked for and had not ended.
        left: runs that were asked for and had not ended when the input did, in the worst window.
        energy_j: energy of the runs, without leakage and background.
        power_w: the same per second of input.
        offchip_bytes: bytes read from and written to off-chip memories, by role.
        offchip_bytes_per_s: their sum per second of input.
    """

    name: str
    model: str
    trace_digest: str
    arrival: str
    beam: int
    runs: int
    waiting: Distribution
    service: Distribution
    response: Distribution
    end_to_end: Mapping[str, Distribution]
    real_time_factor: float
    late: int | None
    peak_backlog: int
    left: int
    energy_j: float
    power_w: float
    offchip_bytes: Mapping[str, int]
    offchip_bytes_per_s: float


def measure_stream(
    stream: Stream,
    windows: Sequence[Window],
    runs: Runs,
    part: Result,
    chain: Mapping[str, Sequence[int]],
) -> StreamFigures:
    """The figures of one stream.

    Args:
        stream: the stream.
        windows: when its input arrived.
        runs: its runs by window, at least one.
        part: what all of them were charged.
        chain: ticks from source to end of its releases, by source.
    """
    every = [run for window in runs for run in window]
    period = stream.arrival.period
    seconds = sum(window.end - window.start for window in windows) / PS_PER_S
    return StreamFigures(
        stream.name,
        part.model,
        part.trace_digest,
        str(stream.arrival),
        stream.beam,
        len(every),
        distribution(waits(every)),
        distribution(services(every)),
        distribution(responses(every)),
        {source: distribution(times) for source, times in chain.items()},
        busy_ticks(every) / PS_PER_S / seconds,
        None if period is None else sum(time > period for time in responses(every)),
        peak_backlog(every),
        max(left_at(some, window.end) for some, window in zip(runs, windows, strict=True)),
        part.energy_j,
        part.energy_j / seconds,
        part.offchip_bytes,
        sum(part.offchip_bytes.values()) / seconds,
    )
