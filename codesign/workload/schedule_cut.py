"""Cutting one operator over a whole sequence into equal pieces, one after the other in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from codesign.workload.liveness import short_name
from codesign.workload.record import Op
from codesign.workload.schedule_axes import cut_axis
from codesign.workload.schedule_loops import cut_loop
from codesign.workload.schedule_piece import WholeError

_RUNNING = frozenset({"cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"})
_SHUFFLES = frozenset(
    {
        "channel_shuffle",
        "constant_pad_nd",
        "flip",
        "pad",
        "pixel_shuffle",
        "pixel_unshuffle",
        "repeat",
        "repeat_interleave",
        "roll",
    }
)
"""Moves whose result is not their source element by element."""
_ROWS = frozenset({"layer_norm", "rms_norm"})
"""Normalisations whose statistics are those of the trailing axes alone."""


def cut(op: Op, count: int, spans: Mapping[str, int]) -> Op:
    """One of ``count`` pieces of an operator, as the body of a region of that many steps.

    Args:
        op: an operator outside all regions.
        count: pieces to cut it into.
        spans: for each sequence known so far, the elements over which all of time extends.

    Raises:
        WholeError: a piece would need what lies outside its share of time.
    """
    whole = next(_whole(op), None)
    if whole:
        raise WholeError(whole)
    found = (cut_loop if op.nest else cut_axis)(op, count, spans)
    for access in found.operands:
        span = spans.get(access.tensor.name)
        moved = access.advance[0] if access.advance else 0
        if span is not None and moved * count != span:
            raise WholeError(f"it does not go through {access.tensor.name!r} piece by piece")
    if not all(access.advance for access in found.outputs):
        raise WholeError("its result has no axis over time")
    return found


def _whole(op: Op) -> Iterator[str]:
    """Why an operator cannot be cut, whatever runs over time in it."""
    running = sorted(_RUNNING.intersection(op.functions))
    if running:
        yield f"a {running[0]} runs along the sequence"
    if op.kind == "move" and short_name(op.source) in _SHUFFLES:
        yield f"a {short_name(op.source)} puts data elsewhere"
    if op.kind in ("attention", "scatter"):
        yield f"{op.kind} takes the whole sequence"
    if op.kind == "normalize" and not _ROWS.issuperset(op.functions):
        yield f"{', '.join(op.functions)} takes its statistics over the whole sequence"
