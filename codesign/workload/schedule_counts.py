"""How many chunks or frames a trace has: all checks of what the user asks for."""

from __future__ import annotations

import math

from codesign.errors import TraceError
from codesign.workload.record import Region, Trace


def chunks_of(trace: Trace, chunk: int) -> tuple[Region, int]:
    """The region that counts the steps of a chunk, and the number of chunks.

    Args:
        trace: a trace with regions over time.
        chunk: steps of the fastest of them.

    Raises:
        TraceError: no region, or a chunk that does not give every region whole steps.
    """
    regions = _regions(trace)
    fastest = max(regions, key=lambda region: region.steps)
    shared = math.gcd(*(region.steps for region in regions))
    # chunks of these many steps give every region whole steps
    smallest = fastest.steps // shared
    fitting = [smallest * n for n in range(1, shared + 1) if shared % n == 0]
    remedy = f"choose one of {_listed(fitting)}"
    if not isinstance(chunk, int) or isinstance(chunk, bool) or chunk < 1:
        raise TraceError(
            f"chunk must be a whole number of at least 1 step, got {chunk!r}; {remedy}"
        )
    if chunk > fastest.steps:
        raise TraceError(
            f"chunk must be at most the {fastest.steps} steps of {fastest.name!r}, got {chunk}; "
            f"{remedy}"
        )
    if fastest.steps % chunk:
        raise TraceError(
            f"chunk must divide the {fastest.steps} steps of {fastest.name!r}, since there is no "
            f"partial chunk, got {chunk}; {remedy}"
        )
    count = fastest.steps // chunk
    for region in regions:
        if region.steps % count:
            raise TraceError(
                f"chunk must give {region.name!r} whole steps, got {region.steps} steps in {count} "
                f"chunks of {chunk}; {remedy}"
            )
    return fastest, count


def frames_of(trace: Trace) -> int:
    """The number of frames that all regions have in common.

    Raises:
        TraceError: no region, or none.
    """
    regions = _regions(trace)
    count = math.gcd(*(region.steps for region in regions))
    slowest = min(regions, key=lambda region: region.steps)
    if count == 1 < slowest.steps:
        other = next(r for r in regions if r.steps % slowest.steps)
        raise TraceError(
            f"{other.name}: must have frames in common with {slowest.name!r}, got {other.steps} "
            f"and {slowest.steps} steps, and all regions share no divisor; schedule them as "
            "traces of their own"
        )
    return count


def check_is_trace(trace: object) -> None:
    """Checks that what is to be scheduled is a trace.

    Raises:
        TraceError: anything else.
    """
    if not isinstance(trace, Trace):
        raise TraceError(
            f"a schedule takes a trace, got {type(trace).__name__} {repr(trace)[:40]}; "
            "capture a model with codesign.trace"
        )


def _regions(trace: Trace) -> tuple[Region, ...]:
    check_is_trace(trace)
    if not trace.regions:
        raise TraceError(
            f"trace {trace.name!r} must hold a region to be scheduled over time, got none: capture "
            "a model with a recurrent layer or a scan, or let an unrolled loop be rolled up"
        )
    return trace.regions


def _listed(numbers: list[int]) -> str:
    """All of a few numbers, or the first and the last of many."""
    texts = [str(number) for number in numbers]
    return ", ".join(texts if len(texts) <= 8 else [*texts[:5], "...", texts[-1]])
