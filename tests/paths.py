"""What holds of every critical path."""

from __future__ import annotations

from itertools import pairwise

from codesign.replay.shares import TIED
from codesign.result.causes import CAUSES
from codesign.result.result import Result
from codesign.result.why import COLUMNS, Why


def check_path(why: Why, result: Result) -> None:
    """What holds of every critical path."""
    assert why.makespan == result.replay.makespan
    assert sum(part.ticks for part in why.parts) == why.makespan
    for column in COLUMNS:
        assert sum(why.by(column).values()) == why.makespan
    assert all(part.ticks > 0 for part in why.parts)
    assert {part.cause for part in why.parts} <= set(CAUSES)
    named = {name for part in why.parts for name in part.component.split(TIED)}
    assert named <= set(result.machine.components)
    assert {part.op for part in why.parts} <= {a.op.name for a in result.replay.program}
    if why.segments:
        assert (why.segments[0].start, why.segments[-1].end) == (0, why.makespan)
    for one, other in pairwise(why.segments):
        assert one.start < one.end == other.start
