"""Arrows from the run that wrote a tensor to the runs that read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.result.timeline.events import PS_PER_NS, Event, microseconds
from codesign.result.timeline.runs import Issued, Run


def arrows(
    runs: Sequence[Run],
    of_part: Sequence[Mapping[int, Run]],
    issued: Sequence[Sequence[Issued]],
    tracks: Mapping[str, int],
    pid: int,
) -> tuple[list[Event], int]:
    """Pairs of flow events, and how many arrows have no place in their slices.

    An arrow leaves its producer's slice at its last whole nanosecond, since Perfetto looks for the
    slice around that time and knows no shorter one, and enters the consumer's slice when the
    producer has ended, or later with the slice. A producer whose slice has no length has none.
    """
    found: list[Event] = []
    left_out = 0
    for run in runs:
        for number, tensor in issued[run.part][run.number].sources:
            producer = of_part[run.part].get(number)
            ticks = _ends(producer, run) if producer else None
            if producer is None or ticks is None:
                left_out += 1
                continue
            shared = {"cat": "data", "name": tensor, "id": len(found) // 2, "pid": pid}
            source, target = (tracks[one.assignment.engine] for one in (producer, run))
            begin, end = map(microseconds, ticks)
            found.append({"ph": "s", **shared, "tid": source, "ts": begin})
            found.append({"ph": "f", "bp": "e", **shared, "tid": target, "ts": end})
    return found, left_out


def _ends(producer: Run, consumer: Run) -> tuple[int, int] | None:
    """Ticks at which an arrow leaves and arrives; None if one of them has no room for it."""
    if producer.start == producer.end or consumer.start == consumer.end:
        return None
    arrives = min(max(consumer.start, producer.end), max(consumer.start, consumer.end - PS_PER_NS))
    leaves = min(max(producer.start, producer.end - PS_PER_NS), arrives)
    return (leaves, arrives) if leaves >= producer.start else None
