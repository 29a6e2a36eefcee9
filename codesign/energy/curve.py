"""Reading one tool's rows as curves over size and node, on log-log lines.

A curve is the rows of one node, width and voltage. Which ones they are does not depend on the size
that is asked for.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from codesign.energy.estimate import Estimate, Note, worst
from codesign.energy.query import Query
from codesign.energy.row import UNITS, Quantity, Row
from codesign.energy.scaling import Physics, between, to_node, to_voltage
from codesign.errors import EnergyError

FIXED_SHARE = 0.3
"""Share of a 64-bit access that does not grow with its width (assumed; hwcomponents-cacti scales
narrow ports by 0.7 of the width plus 0.3). Runs at 22 nm and 64 KiB: 15 % low at 32 bits, 8 % high
at 128 and 29 % high at 256."""

_GROWTH: dict[Quantity, float] = {"energy": 0.5, "latency": 0.5, "area": 1.0, "leakage": 1.0}
"""Power of the size beyond the last row. The root fits CACTI 7 at 22 nm from 8 KiB to 2 MiB within
8 %; area and leakage are counted by the byte."""


def read_curve(rows: Sequence[Row], query: Query, physics: Physics) -> Estimate:
    """What the rows of one tool and type say, all of them with the quantity that is asked for.

    Raises:
        EnergyError: rows over size or node, and a question without.
    """
    nodes = sorted({row.node_nm for row in rows if row.node_nm is not None})
    if not nodes:
        found = _at_node(rows, query, physics)
        text = "the row states no node, so it is not carried to another"
        told = query.node_nm is not None
        return found.scaled(1.0, Note(text)) if told else found
    node = query.node_nm
    if node is None:
        raise EnergyError(f"{query} needs a node; add for example 'node: 22 nm'")
    after = bisect.bisect_left(nodes, node)
    near = {nodes[max(0, after - 1)], nodes[min(after, len(nodes) - 1)]}
    if node in nodes:
        near = {node}
    estimates = {
        known: _at_node([row for row in rows if row.node_nm == known], query, physics)
        for known in sorted(near)
    }
    if len(near) == 2:
        text = f"read between {min(near):g} and {max(near):g} nm"
        return interpolate(estimates, node, text)
    (known, found) = estimates.popitem()
    if known == node:
        return found
    carried = to_node(query.quantity, physics, known, node)
    return found.scaled(carried.factor, carried.note, carried.status)


def as_it_stands(row: Row, quantity: Quantity) -> Estimate:
    """The figure of a row that has one, carried nowhere."""
    return _of([row], _figure(row, quantity), quantity, [])


def interpolate(estimates: Mapping[float, Estimate], at: float, text: str) -> Estimate:
    """The straight line on log-log paper through the estimates of one tool at two places."""
    (x0, low), (x1, high) = estimates.items()
    value = between(x0, low.value, x1, high.value)(at)
    return Estimate(
        value,
        low.unit,
        low.tool,
        worst((low.status, high.status)),
        (*low.rows, *high.rows),
        (*dict.fromkeys((*low.notes, *high.notes)), Note(text, "interpolated")),
        curve=(*low.curve, *high.curve),
    )


def _at_node(rows: Sequence[Row], query: Query, physics: Physics) -> Estimate:
    """Size, width and voltage, in that order."""
    rows = _nearest_width(rows, query.width_bits)
    rows, choice = _nearest_voltage(rows, query.voltage_v)
    found = replace(_along_size(rows, query), curve=tuple(rows)).scaled(1.0, choice)
    if query.quantity != "energy":
        return found
    found = _to_width(found, rows[0], query.width_bits, physics)
    carried = to_voltage(found.rows[0].vdd_v, query.voltage_v) if query.voltage_v else None
    return found.scaled(carried.factor, carried.note, carried.status) if carried else found


def _nearest_width(rows: Sequence[Row], width: float | None) -> list[Row]:
    widths = sorted({row.width_bits for row in rows if row.width_bits is not None})
    if not widths:
        return list(rows)
    nearest = min(widths, key=lambda known: abs(math.log(known / (width or widths[0]))))
    return [row for row in rows if row.width_bits == nearest]


def _nearest_voltage(rows: list[Row], voltage: float | None) -> tuple[list[Row], Note | None]:
    """Rows of one voltage, and what was chosen where that is no matter of course."""
    known = list(dict.fromkeys(row.vdd_v for row in rows))
    stated = sorted(volts for volts in known if volts is not None)
    if len(known) == 1:
        return rows, None
    note: Note | None = None
    if voltage is None:
        nearest = known[0]
        listed = " and ".join("no voltage" if volts is None else f"{volts:g} V" for volts in known)
        note = Note(f"rows of {listed}: those of the first count, since no voltage is asked for")
    else:
        nearest = min(stated, key=lambda volts: abs(math.log(volts / voltage)))
        if None in known:
            note = Note("rows that state no voltage are left out")
    return [row for row in rows if row.vdd_v == nearest], note


def _along_size(rows: Sequence[Row], query: Query) -> Estimate:
    quantity = query.quantity
    by_size: dict[float, Row] = {}
    for row in rows:
        if row.size_bytes is not None:
            by_size.setdefault(row.size_bytes, row)
    if not by_size:
        loose = [Note("the row does not depend on size")] if query.size_bytes else []
        return _of(rows[:1], _figure(rows[0], quantity), quantity, loose)
    size, sizes = query.size_bytes, sorted(by_size)
    if size is None:
        raise EnergyError(f"{query} needs a size; add for example 'size: 64 KiB'")
    if size in by_size:
        return _of([by_size[size]], _figure(by_size[size], quantity), quantity, [])
    if sizes[0] < size < sizes[-1]:
        after = bisect.bisect(sizes, size)
        ends = [by_size[sizes[after - 1]], by_size[sizes[after]]]
        value = between(
            sizes[after - 1], _figure(ends[0], quantity), sizes[after], _figure(ends[1], quantity)
        )(size)
        text = f"read between {_bytes(sizes[after - 1])} and {_bytes(sizes[after])}"
        return _of(ends, value, quantity, [Note(text, "interpolated")])
    edge = by_size[sizes[0] if size < sizes[0] else sizes[-1]]
    return _beyond(edge, size, quantity)


def _beyond(edge: Row, size: float, quantity: Quantity) -> Estimate:
    known = edge.size_bytes or 1.0
    growth = _GROWTH[quantity]
    value = _figure(edge, quantity) * (size / known) ** growth
    if known == 1 and growth == 1:  # a rate, as the row says
        return _of([edge], value, quantity, [])
    law = "with the root of the size" if growth == 0.5 else "in proportion to the size"
    note = Note(f"beyond the rows, from {_bytes(known)} {law}", "extrapolated")
    return _of([edge], value, quantity, [note]).scaled(1.0, status="assumed")


def _to_width(found: Estimate, row: Row, width: float | None, physics: Physics) -> Estimate:
    known = row.width_bits
    if known is None or width is None or width == known:
        return found
    if row.size_bytes is None and (physics == "memory" or known == 1):  # a rate, as the row says
        return found.scaled(width / known)
    if physics == "memory":
        factor, law = _port(width) / _port(known), f"{FIXED_SHARE:g} of a 64-bit access fixed"
    else:
        factor, law = width / known, "in proportion"
    note = Note(f"carried from {known:g} to {width:g} bits, {law} (x{factor:.3g})", "scaled")
    return found.scaled(factor, note, "assumed")


def _port(width: float) -> float:
    """Energy of an access over that of 64 bits."""
    return FIXED_SHARE + (1 - FIXED_SHARE) * width / 64


def _of(rows: Sequence[Row], value: float, quantity: Quantity, notes: Sequence[Note]) -> Estimate:
    doubts = [Note(row.note) for row in rows if row.note]
    return Estimate(
        value=value,
        unit=UNITS[quantity],
        tool=rows[0].tool,
        status=worst(row.status for row in rows),
        rows=tuple(rows),
        notes=tuple(dict.fromkeys((*notes, *doubts))),
        curve=tuple(rows),
    )


def _figure(row: Row, quantity: Quantity) -> float:
    value = row.figure(quantity)
    return 0.0 if value is None else value


def _bytes(size: float) -> str:
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 2**power:
            return f"{size / 2**power:.4g} {unit}"
    return f"{size:g} B"
