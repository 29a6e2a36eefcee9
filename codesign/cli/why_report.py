"""The report of ``codesign why``, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from codesign.cli.front_table import own_kind_lines
from codesign.cli.output import table
from codesign.cli.quantities import quantity, share
from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from rich.console import RenderableType

    from codesign.explore.what_if import Answer
    from codesign.result.result import Result
    from codesign.result.why import Column, Why

_TOP = 10


_NOTHING = {"role": "none moved"}
"""What stands for parts of the path that name none."""


def report(result: Result, found: Why, answers: Sequence[Answer]) -> Iterator[str | RenderableType]:
    """Everything to print: the path by cause, place, operand and operator, and the changes."""
    yield f"{result.model} on {result.hardware}: {quantity(result.latency_s, 's')}"
    headings: tuple[tuple[Column, str], ...] = (
        ("cause", "What the time went to"),
        ("component", "Where"),
        ("role", "Operands that moved"),
        ("op", "Operators"),
    )
    for column, title in headings:
        yield ""
        yield _grouped(found, column, title)
    yield ""
    yield _longest(found)
    if answers:
        yield ""
        yield _answers(answers)
    if result.own_kinds:
        yield ""
        yield from own_kind_lines(result.own_kinds)


def _grouped(found: Why, column: Column, title: str) -> RenderableType:
    rows = [
        (
            name or _NOTHING.get(column, "none"),
            quantity(ticks / PS_PER_S, "s"),
            share(ticks, found.makespan),
        )
        for name, ticks in list(found.by(column).items())[:_TOP]
    ]
    return table(title, (f"={column}", ">time", ">of run"), rows)


def _longest(found: Why) -> RenderableType:
    rows = [
        (
            part.cause,
            part.component,
            part.op,
            part.role,
            quantity(part.ticks / PS_PER_S, "s"),
            share(part.ticks, found.makespan),
        )
        for part in found.parts[:_TOP]
    ]
    columns = ("=cause", "=component", "operator", "=operand", ">time", ">of run")
    return table("Longest parts of the critical path", columns, rows)


def _answers(answers: Sequence[Answer]) -> RenderableType:
    rows = [(f"{one.change.text}:", *_gain(one)) for one in answers]
    return table("What if", ("change", "=speed-up", "=", "note"), rows)


def _gain(one: Answer) -> tuple[str, str, str]:
    if one.replayed is None:
        return "does not run", "", one.note
    said = "" if one.predicted is None else f"(predicted {one.predicted:.2f}x)"
    return f"{one.replayed:.2f}x", said, f"estimate: {one.note}" if one.is_estimate else ""
