"""The replay as a Chrome trace-event file, which Perfetto opens."""

from __future__ import annotations

from typing import Any

from codesign.hardware.spec import Hardware
from codesign.replay.run import Span

_TICKS_PER_US = 1_000_000


def chrome_trace(spans: tuple[Span, ...], hardware: Hardware) -> dict[str, Any]:
    """Trace events with one named track per engine.

    An operator's slice begins with its first transfer or compute, but not before the one before it
    on the engine ended: prefetched loads overlap, slices of one track do not. Times are in
    microseconds.
    """
    tracks = {engine.name: number + 1 for number, engine in enumerate(hardware.engines)}
    events: list[dict[str, Any]] = [
        {"ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": {"name": hardware.name}}
    ]
    for name, track in tracks.items():
        args = {"name": name}
        events.append({"ph": "M", "pid": 1, "tid": track, "name": "thread_name", "args": args})
    free = dict.fromkeys(tracks, 0)
    for span in spans:
        engine, op = span.assignment.engine, span.assignment.op
        start = max(span.start, free[engine])
        free[engine] = max(span.end, start)
        events.append(
            {
                "ph": "X",
                "pid": 1,
                "tid": tracks[engine],
                "name": op.name,
                "cat": op.kind,
                "ts": start / _TICKS_PER_US,
                "dur": (free[engine] - start) / _TICKS_PER_US,
                "args": {"module": op.module, "macs": op.macs, "first_transfer_ps": span.start},
            }
        )
    return {"displayTimeUnit": "ns", "traceEvents": events}
