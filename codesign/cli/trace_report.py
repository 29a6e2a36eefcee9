"""What ``codesign trace MODEL`` prints: operators, tensors or modules of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any, Literal

from codesign.cli.output import print_json, print_rich, table
from codesign.cli.quantities import count, quantity
from codesign.errors import TraceError, did_you_mean, nearest
from codesign.workload.listing import (
    ModuleRow,
    OperatorRow,
    Row,
    TensorRow,
    matching,
    module_rows,
    operator_rows,
    tensor_rows,
)
from codesign.workload.record import KINDS, ROLES, Trace

Granularity = Literal["operators", "tensors", "modules"]
SHOWN = 40
"""Rows that are printed unless all are asked for."""


def print_trace(
    trace: Trace, granularity: Granularity, pattern: str, *, every: bool, json: bool
) -> None:
    """Prints what a trace is made of.

    Args:
        trace: the model.
        granularity: what has a row each.
        pattern: those that it matches; all if empty.
        every: print more than ``SHOWN`` rows.
        json: print one JSON document of all rows.

    Raises:
        TraceError: the pattern matches nothing.
    """
    if granularity == "tensors":
        tensors = _found(tensor_rows(trace), pattern, "tensor", trace)
        _print(trace, "tensors", tensors, _TENSOR, [_tensor(row) for row in tensors], every, json)
        return
    operators = _found(operator_rows(trace), pattern, "operator", trace)
    if granularity == "modules":
        modules = module_rows(operators)
        _print(trace, "modules", modules, _MODULE, [_module(row) for row in modules], every, json)
    else:
        cells = [_operator(row) for row in operators]
        _print(trace, "operators", operators, _OPERATOR, cells, every, json)


def _found(rows: tuple[Row, ...], pattern: str, what: str, trace: Trace) -> tuple[Row, ...]:
    found = matching(rows, pattern) if pattern else rows
    if not rows:
        raise TraceError(
            f"{trace.name} has no {what} to list: its model computes nothing from its inputs; give "
            "one that does"
        )
    if not found:
        _check_prefix(rows, pattern, what, trace)
        names = [row.words[0] for row in rows]
        hint = nearest(pattern.replace("*", "")[:60], names, "take part of a name, or drop it")
        raise TraceError(f"{pattern[:60]!r} matches no {what} of {trace.name}{hint}")
    return found


def _check_prefix(rows: tuple[Row, ...], pattern: str, what: str, trace: Trace) -> None:
    """Says what a pattern such as ``role:wight`` may be; any other may be part of a name."""
    prefix, colon, word = pattern.partition(":")
    if not colon or prefix not in _VALUES:
        return
    of, values = _VALUES[prefix]
    if not any(fnmatchcase(value, word) or word in value for value in values):
        hint = did_you_mean(f"{prefix}:{word[:50]}", [f"{prefix}:{value}" for value in values])
        raise TraceError(f"{prefix}: takes one of its values, got {pattern[:60]!r}{hint}")
    if of != what:
        other = "add --tensors" if of == "tensor" else "leave --tensors out"
        raise TraceError(f"{pattern[:60]!r} is about {of}s, and {what}s are listed; {other}")
    there = {text for row in rows for text in row.words if text.startswith(f"{prefix}:")}
    found = ", ".join(sorted(there))
    raise TraceError(f"{pattern[:60]!r} matches no {what} of {trace.name}; there are {found}")


_VALUES = {"role": ("tensor", ROLES), "kind": ("operator", KINDS)}
"""What stands behind a prefix, and the rows that have it."""
_OPERATOR = ("operator", "=kind", ">times", "shapes", "=format", ">loops", ">MACs", ">bytes")
_TENSOR = ("tensor", "=role", "shape", "=format", ">bytes", ">operators")
_MODULE = ("module", ">operators", ">MACs of a run", ">bytes of a run")


def _operator(row: OperatorRow) -> tuple[str, ...]:
    inputs, outputs = (", ".join(map(_shape, shapes)) for shapes in (row.inputs, row.outputs))
    return (
        row.name,
        row.kind,
        count(row.runs),
        f"{inputs} -> {outputs}",
        "*".join(row.formats),
        str(len(row.loops) or "-"),
        quantity(row.macs, "") if row.macs else "-",
        quantity(row.bytes, "B"),
    )


def _tensor(row: TensorRow) -> tuple[str, ...]:
    size = quantity(row.bytes, "B")
    return row.name, row.role, _shape(row.shape), row.format, size, count(row.uses)


def _module(row: ModuleRow) -> tuple[str, ...]:
    depth = row.path.count(".") + 1 if row.path else 0
    name = "  " * depth + row.path.rpartition(".")[2] if row.path else "the model"
    macs = quantity(row.macs, "") if row.macs else "-"
    return name, count(row.operators), macs, quantity(row.bytes, "B")


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _print(
    trace: Trace,
    granularity: Granularity,
    rows: Sequence[Any],
    columns: Sequence[str],
    cells: Sequence[tuple[str, ...]],
    every: bool,
    json: bool,
) -> None:
    if json:
        print_json({"model": trace.name, granularity: [asdict(row) for row in rows]})
        return
    shown = cells if every else cells[:SHOWN]
    print_rich(table("", columns, shown))
    if len(shown) < len(cells):
        print_rich(f"… {len(cells) - len(shown):,} more, use --all")
