"""Tables below the figures: the same numbers, for who reads them or cannot see the figure."""

from __future__ import annotations

import math

from codesign.quantities import count, quantity, share
from codesign.report.banks import find_banks
from codesign.report.document import Table, table
from codesign.report.figures.residency import stayed_in
from codesign.report.roof import Point, find_roofline
from codesign.report.saved import Saved
from codesign.report.sums import energy_by_component, energy_by_operator, energy_by_role
from codesign.result.causes import (
    DEPENDENCY,
    PROCESS_ENGINE,
    QUEUEING,
    RELOAD,
    ROW_MISSES,
    SETUP,
    WAKE,
)
from codesign.result.slots import BANDWIDTH, COMPUTING, FILL, LAUNCH

MOST = 100
"""Rows of a table that grows with the model (assumed)."""
MOST_POINTS = 1000
"""Rows of the table beside the roofline (assumed): dots of equal operators cover each other."""

TIME_BY_CAUSE = {
    COMPUTING: "an engine computed, or its units had nothing to do meanwhile",
    FILL: "an engine filled or drained its array, as far as its plan says so",
    LAUNCH: "an engine started",
    BANDWIDTH: "bytes crossed the link or memory that bounds the rate of the transfer alone",
    ROW_MISSES: "a memory with banks stayed below its peak: row misses, turnarounds, refresh",
    RELOAD: "a weight came from off the chip again, beyond its first time",
    DEPENDENCY: "a transfer waited for an operator to open, or for the last store of another",
    SETUP: "a transfer waited for the set-up of links and the latency of memories",
    WAKE: "a transfer or an engine waited for a memory to wake up",
    QUEUEING: "a transfer was slower than alone because others shared the component",
    PROCESS_ENGINE: "an engine that is a process of its own had the operator",
}
"""The time in which, by cause."""


def energy_tables(saved: Saved) -> tuple[Table, ...]:
    """Joules by component, by role, and of operators with their work."""
    found = []
    for name, stack in (
        ("component", energy_by_component(saved)),
        ("role", energy_by_role(saved)),
    ):
        rows = [
            (row, quantity(stack.row(row), "J"), share(stack.row(row), stack.total))
            for row in stack.largest(MOST).rows
        ]
        found.append(table(f"Energy by {name}", (name, ">energy", ">share"), rows))
    return (*found, _operators(saved))


def _operators(saved: Saved) -> Table:
    total = energy_by_operator(saved).total
    columns = ("name", "kind", "engine", "runs", "tiles", "macs", "moved_bytes", "energy_j")
    listed = zip(*(saved.operators[name] for name in (*columns, "compute_s")), strict=True)
    rows = [
        (
            name, kind, engine, count(runs), count(tiles), quantity(macs, "MAC"),
            quantity(moved, "B"), quantity(joules, "J"), share(joules, total),
            quantity(seconds, "s"),
        )
        for name, kind, engine, runs, tiles, macs, moved, joules, seconds in sorted(
            listed, key=lambda row: (-row[7], row[0])
        )
    ]  # fmt: skip
    heads = ("operator", "kind", "engine", ">runs", ">tiles", ">work", ">moved", ">energy")
    return table("Operators", (*heads, ">share", ">computing"), rows, most=MOST)


def roof_table(saved: Saved) -> Table:
    """What the roofline shows, and behind it what has no place there."""
    found = find_roofline(saved)
    rows = [
        (point.name, point.engine, _intensity(point), quantity(point.macs_per_s, "MAC/s"))
        for point in sorted(
            (*found.points, *found.on_chip), key=lambda point: (-point.macs_per_s, point.name)
        )
    ]
    engines = dict(zip(saved.operators["name"], saved.operators["engine"], strict=True))
    for names, why in (
        (found.without_macs, "no MAC"),
        (found.without_time, "no run is listed"),
        (found.without_side, "off the chip is not known"),
    ):
        rows += [(name, engines[name], "-", why) for name in names]
    heads = ("operator", "engine", ">MAC per byte off the chip", ">speed")
    return table("Operators by speed", heads, rows, most=MOST_POINTS)


def _intensity(point: Point) -> str:
    return "no byte" if point.intensity == math.inf else f"{point.intensity:.3g}"


def stay_table(saved: Saved) -> Table:
    """Tensors by memory, largest first."""
    rows = [
        (
            memory,
            one.tensor,
            one.role,
            one.why,
            quantity(one.bytes, "B"),
            quantity(one.start / 1e12, "s"),
            quantity(one.end / 1e12, "s"),
        )
        for memory, stayed in stayed_in(saved).items()
        for one in stayed
    ]
    heads = ("memory", "tensor", "role", "why", ">bytes", ">from", ">to")
    return table("Tensors and where they lie", heads, rows, most=2 * MOST)


def bank_table(saved: Saved) -> Table:
    """Bursts and power states of memories off the chip."""
    rows = []
    for banks in find_banks(saved):
        name = banks.part.name
        rows.append((name, "used share of the peak", share(banks.used, 1.0), ""))
        for role in dict.fromkeys((*banks.hits, *banks.misses)):
            hits, misses = banks.hits.get(role, 0), banks.misses.get(role, 0)
            rows.append((name, f"bursts of {role} in an open row", count(hits), ""))
            rows.append((name, f"activates for {role}", count(misses), ""))
        for state, spent in banks.states.items():
            joules = quantity(banks.state_j.get(state, 0.0), "J")
            rows.append((name, f"time {state}", quantity(spent / 1e12, "s"), joules))
        if banks.refreshes is not None:
            joules = quantity(banks.state_j.get("refresh", 0.0), "J")
            rows.append((name, "refreshes", count(banks.refreshes), joules))
    return table(
        "Use, rows, states and refreshes", ("memory", "what", ">how much", ">energy"), rows
    )


def cause_table(saved: Saved) -> Table:
    """What the causes on the critical path mean, those that are there."""
    there = {part.cause for part in saved.why.parts} if saved.why else set()
    rows = [(cause, told) for cause, told in TIME_BY_CAUSE.items() if cause in there]
    return table("What the causes mean", ("cause", "time in which"), rows)


def path_table(saved: Saved) -> Table:
    """The parts of the critical path, longest first."""
    parts = sorted(saved.why.parts, key=lambda part: -part.ps) if saved.why else []
    rows = [
        (
            part.cause, part.component, part.op, part.role, quantity(part.ps / 1e12, "s"),
            share(part.ps, saved.makespan),
        )
        for part in parts
    ]  # fmt: skip
    heads = ("cause", "component", "operator", "role", ">time", ">of the run")
    return table("Parts of the critical path", heads, rows, most=MOST)
