"""A trace as it runs: in a number format and under a schedule."""

from __future__ import annotations

from codesign.workload.dtype import DType
from codesign.workload.precision import with_precision
from codesign.workload.record import Trace
from codesign.workload.schedule_text import with_schedule

NATIVE = "native"
"""Number format that leaves a trace as it was captured."""


def check_dtype(name: str) -> None:
    """Checks the name of a number format without looking at a trace.

    Raises:
        TraceError: neither a format nor ``native``.
    """
    if name != NATIVE:
        DType.parse(name)


def as_run(
    trace: Trace, precision: DType | None, dtype: str | None = None, schedule: str | None = None
) -> Trace:
    """A trace in the number format and the order in which a machine runs it.

    Args:
        trace: as captured.
        precision: what the machine stores and computes floating-point tensors in; None for what
            the trace has.
        dtype: another format in its place, or ``native``.
        schedule: see ``with_schedule``; by default the order of the trace.

    Raises:
        TraceError: an unknown format, or a schedule that the trace does not allow.
    """
    wanted = dtype or (str(precision) if precision else NATIVE)
    if wanted != NATIVE:
        trace = with_precision(trace, DType.parse(wanted))
    return trace if schedule is None else with_schedule(trace, schedule)
