"""A pass over fresh traces: a note with the number of operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from codesign import Trace, hookimpl


def count_operators(trace: Trace) -> Trace:
    """The trace with one more note; a pass may change operators too, but no byte at home."""
    note = f"{sum(1 for _ in trace.ops())} operators after fusion"
    return trace if note in trace.notes else trace.replace(notes=(*trace.notes, note))


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """The pass; passes run in the order of their names."""
    return {"99-my_plugin": count_operators}
