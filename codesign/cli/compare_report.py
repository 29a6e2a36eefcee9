"""The report of ``codesign compare``, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from codesign.cli.output import table
from codesign.cli.quantities import quantity
from codesign.result.compare import Row
from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from rich.console import RenderableType

    from codesign.result.compare import Comparison

_TOP = 12
_NAMED = 6


def report(found: Comparison) -> Iterator[str | RenderableType]:
    """Everything to print: totals, latency, energy and bytes by part, operators of one only."""
    yield f"A: {found.first}"
    yield f"B: {found.second}"
    yield ""
    totals = (
        ("latency", _cells(found.latency, _time)),
        ("energy", _cells(found.energy, _joules)),
        ("off chip", _cells(found.offchip, _bytes)),
    )
    yield table("", ("=", *_COLUMNS), [(name, *cells) for name, cells in totals])
    for column, rows in found.path.items():
        yield from _table(f"Latency by {column}", column, rows, _time)
    for column, joules in found.joules.items():
        yield from _table(f"Energy by {column}", column, joules, _joules)
    yield from _table("Off-chip bytes by role", "role", found.moved, _bytes)
    for name, ops in (("A", found.only_first), ("B", found.only_second)):
        if ops:
            more = f" and {len(ops) - _NAMED:,} more" if len(ops) > _NAMED else ""
            yield ""
            many = "operators" if len(ops) > 1 else "operator"
            yield f"{len(ops):,} {many} only in {name}: {', '.join(ops[:_NAMED])}{more}"


_LEAST, _LONG = 0.001, 100
"""Ratios below which three digits say nothing, and from which on they say too much."""
_COLUMNS = (">A", ">B", ">B - A", ">B / A")


def _table(
    title: str, column: str, rows: Sequence[Row[Any]], told: Callable[[float], str]
) -> Iterator[str | RenderableType]:
    yield ""
    shown = [(_name(row, column), *_cells(row, told)) for row in rows[:_TOP]]
    if rest := rows[_TOP:]:
        before, after = (sum(getattr(row, side) for row in rest) for side in ("first", "second"))
        others = Row(f"{len(rest):,} others", before, after)
        shown.append((others.name, *_cells(others, told)))
    yield table(title, (column, *_COLUMNS), shown)


def _name(row: Row[Any], column: str) -> str:
    return "none moved" if (column, row.name) == ("role", "none") else row.name


def _cells(row: Row[Any], told: Callable[[float], str]) -> tuple[str, str, str, str]:
    """What each result has of a part; a dash where only the other one has any."""
    first = told(row.first) if row.first or not row.second else "-"
    second = told(row.second) if row.second or not row.first else "-"
    return first, second, _signed(row.change, told), _ratio(row)


def _ratio(row: Row[Any]) -> str:
    if not row.first or not row.second:
        return "only A" if row.first else "only B" if row.second else ""
    ratio = row.second / row.first
    if ratio < _LEAST:
        return f"< {_LEAST}"
    return f"{ratio:.3f}" if ratio < _LONG else f"{ratio:,.0f}"


def _signed(value: float, told: Callable[[float], str]) -> str:
    return f"{'-' if value < 0 else '+'}{told(abs(value))}" if value else "0"


def _time(ticks: float) -> str:
    return quantity(ticks / PS_PER_S, "s")


def _joules(joules: float) -> str:
    return quantity(joules, "J")


def _bytes(size: float) -> str:
    return quantity(size, "B")
