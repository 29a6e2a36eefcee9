"""The report of ``codesign compare``, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

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
    """Everything to print: totals, what differs by part, how much does not, operators of one."""
    yield f"A: {found.first}"
    yield f"B: {found.second}"
    yield ""
    totals = (
        ("latency", _cells(found.latency, _time)),
        ("energy", _cells(found.energy, _joules)),
        ("off chip", _cells(found.offchip, _bytes)),
    )
    yield table("", ("=", *_COLUMNS), [(name, *cells) for name, cells in totals])
    same = 0
    for title, column, rows, told in _breakdowns(found):
        unlike = [row for row in rows if row.change]
        same += len(rows) - len(unlike)
        if unlike:
            yield from _table(title, column, unlike, told)
    if same:
        yield ""
        yield f"{same:,} {'row' if same == 1 else 'rows'} without a difference left out"
    for name, ops in (("A", found.only_first), ("B", found.only_second)):
        if ops:
            more = f" and {len(ops) - _NAMED:,} more" if len(ops) > _NAMED else ""
            yield ""
            many = "operators" if len(ops) > 1 else "operator"
            yield f"{len(ops):,} {many} only in {name}: {', '.join(ops[:_NAMED])}{more}"


_Told: TypeAlias = Callable[[float], str]


def _breakdowns(found: Comparison) -> Iterator[tuple[str, str, Sequence[Row[Any]], _Told]]:
    """Title, column, rows and unit of every table of parts."""
    for column, ticks in found.path.items():
        yield f"Latency by {column}", column, ticks, _time
    for column, joules in found.joules.items():
        yield f"Energy by {column}", column, joules, _joules
    yield "Off-chip bytes by role", "role", found.moved, _bytes


_LEAST, _LONG = 0.001, 100
"""Ratios below which three digits say nothing, and from which on they say too much."""
_COLUMNS = (">A", ">B", ">B - A", ">B / A")


def _table(
    title: str, column: str, rows: Sequence[Row[Any]], told: _Told
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


def _cells(row: Row[Any], told: _Told) -> tuple[str, str, str, str]:
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


def _signed(value: float, told: _Told) -> str:
    return f"{'-' if value < 0 else '+'}{told(abs(value))}" if value else "0"


def _time(ticks: float) -> str:
    return quantity(ticks / PS_PER_S, "s")


def _joules(joules: float) -> str:
    return quantity(joules, "J")


def _bytes(size: float) -> str:
    return quantity(size, "B")
