"""Schedules as they are written on the command line and in scenario files."""

from __future__ import annotations

from codesign.errors import TraceError, did_you_mean
from codesign.workload.record import Trace
from codesign.workload.schedule import layer_major, time_major

_TIME, _LAYER = "time-major", "layer-major"
_DIGITS = 9


def check_schedule(text: str) -> None:
    """Checks a text without looking at a trace.

    Raises:
        TraceError: neither ``time-major`` nor ``layer-major:STEPS`` with a whole number of at most
            9 digits.
    """
    _read(text)


def with_schedule(trace: Trace, text: str) -> Trace:
    """A trace under the schedule that a text names.

    Args:
        trace: a trace with at least one region.
        text: ``time-major``, or ``layer-major:8`` for chunks of 8 steps of the fastest region.

    Raises:
        TraceError: another text, or a schedule that the trace does not allow.
    """
    chunk = _read(text)
    return time_major(trace) if chunk is None else layer_major(trace, chunk)


def _read(text: object) -> int | None:
    """The steps of a layer-major schedule; None for a time-major one."""
    name, colon, chunk = text.partition(":") if isinstance(text, str) else ("", "", "")
    if name == _TIME and not colon:
        return None
    if name == _LAYER and chunk.isascii() and chunk.isdecimal() and len(chunk) <= _DIGITS:
        return int(chunk)
    if name == _LAYER and colon:
        hint = f"; STEPS has 1 to {_DIGITS} digits and no sign"
    else:
        hint = did_you_mean(name, (_TIME, _LAYER)) if name not in (_TIME, _LAYER) else ""
    raise TraceError(
        f"schedule must be {_TIME} or {_LAYER}:STEPS with a whole number, got {repr(text)[:80]}"
        f"{hint}; write for example {_LAYER}:8"
    )
