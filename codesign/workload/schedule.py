"""Schedules for time: the same work layer by layer in chunks, or frame by frame through all layers.

A captured model runs each layer over the whole sequence before the next one starts. A device that
listens cannot: it runs all layers for what has arrived. How much that is decides how often weights
are fetched. In a chunk of n steps the products with the input are one product of n rows, whose
matrix is read once; the products with the state are n, one after the other, whose matrix is read n
times unless it stays on chip. Frame by frame every matrix is read at every step.

Both schedules keep operators, MACs and stored weights, and what every step reads; only the matrices
of hoisted products are read less often.
"""

from __future__ import annotations

from codesign.workload.record import Trace
from codesign.workload.rewrite import carried, drop_unused
from codesign.workload.schedule_access import Names, touches
from codesign.workload.schedule_counts import check_is_trace, chunks_of, frames_of
from codesign.workload.schedule_hoist import hoisted
from codesign.workload.schedule_layers import by_layer
from codesign.workload.schedule_local import localised
from codesign.workload.schedule_nest import take_turns
from codesign.workload.schedule_time import timeline


def layer_major(trace: Trace, chunk: int, *, hoist: bool = True) -> Trace:
    """Runs a trace in chunks: all layers one after the other, each for its share of the chunk.

    Everything that runs over time stands in one region of as many iterations as there are chunks:
    regions, and operators over a whole sequence. Of an item that is slower by a time reduction, a
    chunk holds fewer steps. State is handed from chunk to chunk; a sequence that is used within a
    chunk only takes the room of one. What does not run over time stays before or after.

    Args:
        trace: a trace with at least one region; its outermost regions are loops over time. A loop
            around several layers is split into one for each of them first.
        chunk: steps of the fastest region in one chunk, at least 1; it divides its steps, and the
            number of chunks divides the steps of every other region.
        hoist: whether the products that do not wait for the state leave the steps of a chunk, see
            ``hoist_projections``.

    Returns:
        A trace with the same MACs and stored weights, and a note on what the chunk costs in time.

    Raises:
        TraceError: no trace, no region, a chunk that does not fit the steps, or an item that would
            need steps of later chunks.
    """
    fastest, count = chunks_of(trace, chunk)
    slowest = min(trace.regions, key=lambda region: region.steps)
    behind = chunk - fastest.steps // slowest.steps
    note = (
        f"layer-major schedule of {_counted(count, 'chunk')} of {_counted(chunk, 'step')} of "
        f"{fastest.name!r}: a step waits for up to {_counted(chunk - 1, 'other')} "
        f"(mean {(chunk - 1) / 2:g}), a result of {slowest.name!r} is up to "
        f"{_counted(behind, 'step')} (mean {behind / 2:g}) behind frame by frame"
    )
    names = Names(trace)
    split = by_layer(trace, names)
    found = timeline(split, count, names)
    region = take_turns(found.timed, count, "chunks", names)
    changed = split.replace(items=(*found.before, region, *found.after))
    if hoist:
        changed = hoisted(changed, names, outermost=1)
    return localised(_completed(trace, changed, names, note))


def time_major(trace: Trace) -> Trace:
    """Runs a trace frame by frame: as few steps as possible of each layer before the next one.

    A frame is one step of the slowest items, or less: the steps of all regions have as many
    frames in common as their greatest common divisor. Neighbours that do several steps in a frame
    take turns inside it in the same way: with time reduction after layers 0 and 1 a frame runs
    layers 0 0 1 0 0 1 2 3 and so on. Nothing is hoisted.

    Args:
        trace: a trace with at least one region; its outermost regions are loops over time.

    Returns:
        A trace with the same MACs and stored weights, and a note.

    Raises:
        TraceError: no trace, no region, regions without a common frame, or an item that would need
            later frames.
    """
    count = frames_of(trace)
    frames = _counted(count, "frame")
    note = f"time-major schedule of {frames}: each goes through all layers before the next"
    names = Names(trace)
    found = timeline(trace, count, names, finest=True)
    region = take_turns(found.timed, count, "frames", names, by_rate=True)
    changed = trace.replace(items=(*found.before, region, *found.after))
    return localised(_completed(trace, changed, names, note))


def hoist_projections(trace: Trace) -> Trace:
    """Takes products that do not wait for the state out of the loops that they stand in.

    In the body of an innermost region, at any depth, a product of something new at each step with
    something that all steps share leaves the region, if it depends, also through other operators,
    only on what comes from outside: as one operator over the rows of all steps. What was fused
    behind it and reads the state, or what every step reads anew, such as a bias, stays in the loop
    of a recurrence: as the epilogue of the recurrent product where that is exact, else as an
    elementwise operator.

    Args:
        trace: any trace. A region that holds other regions is left as it is.

    Returns:
        A trace with the same MACs and stored weights.

    Raises:
        TraceError: no trace.
    """
    check_is_trace(trace)
    names = Names(trace)
    return _completed(trace, hoisted(trace, names), names)


def _completed(before: Trace, after: Trace, names: Names, *notes: str) -> Trace:
    """The new items with the tensors that they name, and further notes."""
    used = {touch.name for touch in touches(after.items)}
    gone = carried(before.items) - used
    tensors = tuple(t for t in (*before.tensors, *names.tensors) if t.name not in gone)
    return drop_unused(after.replace(tensors=tensors, notes=(*before.notes, *notes)))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
