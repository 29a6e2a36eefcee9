"""What the rewrites share: operators put in the place of others, and the last check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from codesign.errors import TraceError
from codesign.workload.check import check_trace
from codesign.workload.record import Item, Op, Region, Tensor, Trace
from codesign.workload.rewrite import drop_unused


def known(trace: object, does: str) -> Trace:
    """The trace, if it is one.

    Raises:
        TraceError: it is something else.
    """
    if isinstance(trace, Trace):
        return trace
    raise TraceError(
        f"{does}: only a trace can be rewritten, got {repr(trace)[:60]}; capture a model with "
        "codesign.trace, or read a trace with codesign.load_trace"
    )


def patterns_in(given: object, does: str) -> tuple[str, ...]:
    """One pattern or several, checked.

    Raises:
        TraceError: none, or something that is no text.
    """
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, (list, tuple)) or not all(isinstance(p, str) for p in several):
        raise TraceError(
            f"{does}: patterns must be a text or a list of texts, got {repr(given)[:60]}; write "
            "for example 'blocks.*'"
        )
    if not several or not all(several):
        raise TraceError(f"{does}: no pattern is given; write for example 'blocks.*'")
    return tuple(several)


def replaced(items: tuple[Item, ...], by: Mapping[str, tuple[Op, ...]]) -> tuple[Item, ...]:
    """The items with some operators replaced by others; a region left empty goes too.

    Args:
        items: of a trace.
        by: for the name of an operator what comes in its place, nothing to leave it out.
    """
    kept: list[Item] = []
    for item in items:
        if isinstance(item, Op):
            kept += by.get(item.name, (item,))
        elif isinstance(item, Region):
            body = replaced(item.body, by)
            kept += [replace(item, body=body)] if body else []
        else:
            sides = replaced(item.taken, by), replaced(item.otherwise, by)
            kept += [replace(item, taken=sides[0], otherwise=sides[1])] if any(sides) else []
    return tuple(kept)


def finished(
    trace: Trace,
    items: tuple[Item, ...],
    tensors: Iterable[Tensor],
    note: str,
    before: Trace | None = None,
) -> Trace:
    """The rewritten trace, checked, with a note of what changed in which convention.

    Args:
        trace: what was rewritten last.
        items: its new items.
        tensors: its new tensors; intermediates without a user are dropped.
        note: what was done.
        before: the trace that the note compares with, if not ``trace``.

    Raises:
        TraceError: the result is no valid trace.
    """
    before = before or trace
    made = drop_unused(trace.replace(items=items, tensors=tuple(tensors)))
    check_trace(made)
    told = f"{note}: {_change('parameters', before.parameters, made.parameters)}, "
    told += _change("FLOPs of matrix work", 2 * before.macs, 2 * made.macs)
    return made.replace(notes=(*before.notes, told))


def dense(tensor: Tensor, does: str) -> Tensor:
    """The tensor, if nobody has said that it has zeros or a codec.

    Raises:
        TraceError: somebody has.
    """
    if tensor.sparsity is not None or tensor.stored is not None:
        raise TraceError(
            f"{does}: {tensor.name!r} is declared sparse or compressed, which its new shape would "
            "not keep; rewrite first, then annotate"
        )
    return tensor


def listed(names: Iterable[str], most: int = 8) -> str:
    """The names in words, only the first of many."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def _change(what: str, before: int, after: int) -> str:
    share = f" ({100 * (after - before) / before:+.2f} %)" if before else ""
    return f"{what} {before:,} -> {after:,}{share}"
