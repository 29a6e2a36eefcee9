"""Adders, multipliers and multiply-accumulates of any width and format out of a few rows.

Between two integer widths of a tool, an adder or multiplier is read on a straight line on log-log
paper, so that it rises from row to row. Beyond them, energy, area and leakage of a multiplier grow
with the product of its operand widths, those of an adder with its width. From one of the 8-bit and
32-bit rows of Horowitz (ISSCC 2014, 45 nm) that rule gives 3.2 pJ for a 32-bit multiply that has
3.1 pJ there, and 0.025 pJ for an 8-bit add that has 0.03 pJ; it carries the parts of a
multiply-accumulate, from 8 bits and 32. Floating-point formats are taken from their own rows only.
"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from codesign.energy.curve import interpolate, read_curve
from codesign.energy.estimate import Estimate, Note, add
from codesign.energy.query import Query
from codesign.energy.row import Row
from codesign.errors import EnergyError

MULTIPLY_8_BIT_J, ADD_32_BIT_J = 0.2e-12, 0.1e-12
"""Integer multiply and add at 45 nm and 0.9 V (Horowitz, ISSCC 2014): the weights by which a
multiply-accumulate of one width is carried to another."""

_MAC = re.compile(r"([a-z]+)(\d+)\*([a-z]+)(\d+)\+([a-z]+)(\d+)")
_FORMAT = re.compile(r"([a-z]+)(\d+)")


def by_tool(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows of each tool, tools in the order of their first row."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.tool, []).append(row)
    yield from found.values()


def operator(rows: Sequence[Row], query: Query) -> Iterator[Estimate]:
    """An adder, or a multiplier of two equal operands, of each tool that has the format."""
    bits = _operand_bits(query)
    for group in by_tool(rows):
        if query.format != "int":
            found = _of_format(group, query)
        else:
            each = _each_width(group, query)
            found = _along_width(each, query, bits) if each else None
        if found is not None:
            yield found


def lane(rows: Sequence[Row], query: Query) -> Iterator[Estimate]:
    """A lane of a vector unit: rows of its own, or an adder of its width."""
    yield from (read_curve(group, query, "logic") for group in by_tool(_own_kind(rows, query)))
    note = Note("a lane operation is charged as an add", "composed")
    as_adder = replace(query, component="adder", action="add")
    for part in operator([row for row in rows if row.component == "adder"], as_adder):
        yield part.scaled(1.0, note, "assumed")


def multiply_accumulate(rows: Sequence[Row], query: Query) -> Iterator[Estimate]:
    """A multiply-accumulate: rows of its own, and multiplier and adder of one tool together."""
    query = _mac_bits(query)
    for group in by_tool(_own_kind(rows, query)):
        found = _direct(group, query)
        if found is not None:
            yield found
    for group in by_tool(row for row in rows if row.component in ("multiplier", "adder")):
        found = _composed(group, query)
        if found is not None:
            yield found


def _own_kind(rows: Iterable[Row], query: Query) -> list[Row]:
    return [row for row in rows if row.component == query.component]


def _operand_bits(query: Query) -> int:
    if query.format != "int":
        match = _FORMAT.fullmatch(query.format)
        if match is None:
            raise EnergyError(
                f"{query}: a format is a word and bits, got {query.format!r}; "
                "write for example 'fp16'"
            )
        return int(match[2])
    if query.bits is None:
        raise EnergyError(f"{query} needs bits or a format; add for example 'bits: 32'")
    return query.bits


def _mac_bits(query: Query) -> Query:
    if query.format != "int":
        return query
    activation, weight = (
        given or query.bits for given in (query.activation_bits, query.weight_bits)
    )
    if activation is None or weight is None:
        raise EnergyError(
            f"{query} needs activation_bits and weight_bits, bits for both, or a format; "
            "add for example 'bits: 8'"
        )
    return replace(query, activation_bits=activation, weight_bits=weight)


def _of_format(rows: Sequence[Row], query: Query) -> Estimate | None:
    """The rows of a floating-point format; None if there are none."""
    exact = [row for row in rows if row.type == query.format]
    return read_curve(exact, query, "logic") if exact else None


def _each_width(rows: Sequence[Row], query: Query) -> dict[float, Estimate]:
    """The integer rows of one tool by width, in rising order.

    All of them rank each, so that a sweep over widths stays with one tool.
    """
    by_width: dict[float, list[Row]] = {}
    for row in rows:
        if row.type.startswith("int") and row.width_bits:
            by_width.setdefault(row.width_bits, []).append(row)
    found = {width: read_curve(by_width[width], query, "logic") for width in sorted(by_width)}
    curve = tuple(row for one in found.values() for row in one.curve)
    return {width: replace(one, curve=curve) for width, one in found.items()}


def _along_width(each: Mapping[float, Estimate], query: Query, bits: int) -> Estimate:
    """A row as it stands, the line between two, or the last one carried on."""
    widths = list(each)
    if bits in each:
        return each[bits]
    if not widths[0] < bits < widths[-1]:
        edge = widths[0] if bits < widths[0] else widths[-1]
        squared = query.component == "multiplier"
        return _carried(each[edge], query, edge, bits**2 if squared else bits)
    after = bisect.bisect(widths, bits)
    ends = {width: each[width] for width in widths[after - 1 : after + 1]}
    low, high = ends
    found = interpolate(ends, bits, f"{query.component} read between {low:g} and {high:g} bits")
    # no tool has a third width to check the line with
    return replace(found.scaled(1.0, status="assumed"), curve=each[low].curve)


def _carried(found: Estimate, query: Query, known: float, wanted: float) -> Estimate:
    """From a width to a number of bits, or of products of bits for a multiplier."""
    squared = query.component == "multiplier"
    factor = wanted / (known**2 if squared else known)
    if factor == 1 or query.quantity == "latency":
        return found
    law = "with the product of the widths" if squared else "in proportion to the width"
    text = f"{query.component} of {known:g} bits carried {law} (x{factor:.3g})"
    return found.scaled(factor, Note(text, "scaled"), "assumed")


def _part(rows: Sequence[Row], query: Query, near: int, wanted: float) -> Estimate | None:
    """A part of an integer multiply-accumulate, carried from the width nearest to ``near``."""
    each = _each_width(rows, query)
    if not each:
        return None
    known = min(each, key=lambda width: abs(math.log(width / near)))
    return _carried(each[known], query, known, wanted)


def _composed(rows: Sequence[Row], query: Query) -> Estimate | None:
    """Multiplier and adder of one tool; None if it lacks one, or the format."""
    times = replace(query, component="multiplier", action="multiply")
    plus = replace(query, component="adder", action="add")
    products = [row for row in rows if row.component == "multiplier"]
    sums = [row for row in rows if row.component == "adder"]
    bits = query.accumulator_bits
    if query.format == "int":
        area = (query.activation_bits or 0) * (query.weight_bits or 0)
        one = _part(products, times, 8, area)
        other = _part(sums, plus, 32, bits)
        text = f"a multiply of {query.activation_bits} x {query.weight_bits} bits and an add of"
    else:
        one = _of_format(products, times)
        other = _of_format(sums, replace(plus, format=f"fp{bits}"))
        text = f"a multiply of {query.format} and a floating-point add of"
    if one is None or other is None:
        return None
    return add((one, other), Note(f"{text} {bits} bits", "composed"))


def _direct(rows: Sequence[Row], query: Query) -> Estimate | None:
    """Rows of whole multiply-accumulates, carried to other integer widths."""
    plain = [row for row in rows if not row.type]
    if plain:
        note = Note("the row states no number format and is taken as it stands")
        return read_curve(plain, query, "logic").scaled(1.0, note)
    shapes = {row.type: _MAC.fullmatch(row.type) for row in rows}
    for type_, match in shapes.items():
        if match is None or match[1] != match[3]:
            continue
        same = [row for row in rows if row.type == type_]
        if query.format != "int" and f"{match[1]}{match[2]}" == query.format:
            return read_curve(same, query, "logic")
        if query.format == "int" and match[1] == "int":
            return _to_bits(read_curve(same, query, "logic"), query, match)
    return None


def _to_bits(found: Estimate, query: Query, shape: re.Match[str]) -> Estimate:
    known = int(shape[2]), int(shape[4]), int(shape[6])
    asked = query.activation_bits or 0, query.weight_bits or 0, query.accumulator_bits
    if known == asked or query.quantity == "latency":
        return found
    factor = mac_weight(*asked) / mac_weight(*known)
    text = f"carried from {shape[0]} to {asked[0]} x {asked[1]} + {asked[2]} bits (x{factor:.3g})"
    return found.scaled(factor, Note(text, "scaled"), "assumed")


def mac_weight(activation_bits: int, weight_bits: int, accumulator_bits: int) -> float:
    """Joules of an integer multiply-accumulate at 45 nm and 0.9 V by the rule of this module."""
    product = MULTIPLY_8_BIT_J * activation_bits * weight_bits / 64
    return product + ADD_32_BIT_J * accumulator_bits / 32
