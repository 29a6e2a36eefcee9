"""The report of ``codesign simulate``, for people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from codesign.cli.output import table
from codesign.cli.parts import (
    WHOLE_BURSTS,
    assumed_row,
    background,
    components,
    energy_words,
    grid,
    memories,
)
from codesign.cli.quantities import count, quantity, share
from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from rich.console import RenderableType

    from codesign.result.result import Result

_TOP = 5


def report(result: Result) -> Sequence[RenderableType]:
    """Everything to print: headline, components, memories, traffic, operators, assumptions."""
    parts: list[RenderableType] = [
        _headline(result),
        components(result, "the run"),
        *background(result, result.ledger, result.replay.uses),
        memories(result.machine),
        _traffic(result),
        *_codecs(result),
        *_wear(result),
        _slowest(result),
        _costliest(result),
        _assumptions(result),
    ]
    title = Text.assemble((result.model, "bold"), " on ", (result.hardware, "bold"))
    return [title, *(piece for part in parts for piece in ("", part))]


def _headline(result: Result) -> Table:
    span, energy = result.latency_s, result.energy_j
    offchip = sum(result.offchip_bytes.values())
    slots = result.mac_slots
    effective, issued = slots.get("effective", 0), sum(slots.values())
    gated = f", {share(slots['gated'], issued)} gated" if slots.get("gated") else ""
    digests = (result.digest, result.trace_digest, result.hardware_digest)
    rows = [
        (
            "latency",
            quantity(span, "s"),
            f"at least {quantity(result.lower_bound_s, 's')}, "
            f"{quantity(result.serial_bound_s, 's')} if nothing overlapped",
        ),
        *_set_up(result),
        (
            "energy",
            quantity(energy, "J"),
            f"mean power {quantity(energy / span if span else 0.0, 'W')}; "
            f"{energy_words(result.energy_split)}",
        ),
        assumed_row(result),
        (
            "off chip",
            quantity(offchip, "B"),
            f"moved in whole bursts, mean rate {quantity(offchip / span if span else 0.0, 'B/s')}",
        ),
        (
            "work",
            quantity(result.macs, "MAC"),
            f"{share(effective, issued)} of the issued MAC slots effective{gated}",
        ),
        (
            "coverage",
            share(result.coverage, 1.0),
            f"{count(result.tiles)} tiles, {count(result.fabric_events)} fabric events",
        ),
        (
            "digest",
            digests[0][:12],
            f"of the result; trace as run {digests[1][:12]}, hardware {digests[2][:12]}",
        ),
    ]
    return grid(rows)


def _set_up(result: Result) -> Sequence[tuple[str, str, str]]:
    """The part of a first run that no later one has; nothing where nothing stays for ever."""
    one = result.set_up
    if one is None:
        return ()
    rest = quantity(result.latency_s - one.seconds, "s")
    words = f"of it, once: loads {quantity(one.bytes, 'B')} that stay; the run behind it {rest}"
    return (("set-up", quantity(one.seconds, "s"), words),)


def _traffic(result: Result) -> RenderableType:
    moved = {role: size for role, size in result.offchip_bytes.items() if size}
    total = sum(moved.values())
    rows = [(role, quantity(size, "B"), share(size, total)) for role, size in moved.items()]
    made = table("Off-chip traffic by role", ("role", ">bytes moved", ">share"), rows)
    return Group(made, Text(WHOLE_BURSTS, "dim"))


def _codecs(result: Result) -> Sequence[RenderableType]:
    """What came in codecs; nothing where nothing did."""
    rows = [
        (
            one.codec,
            quantity(one.data_bits / 8, "B"),
            quantity(one.meta_bits / 8, "B"),
            f"{(one.data_bits + one.meta_bits) / one.elements:.3f}",
            quantity(one.decode_s, "s") if one.decode_s else "-",
        )
        for one in result.codecs
    ]
    columns = ("codec", ">values", ">metadata", ">bits an element", ">decoding")
    return (table("Codecs and block formats, as loaded", columns, rows),) if rows else ()


def _wear(result: Result) -> Sequence[RenderableType]:
    """Writes and life of memories that wear; nothing where none does."""
    if not result.wear:
        return ()
    rows = [
        (
            one.memory,
            quantity(one.written_bytes, "B"),
            f"{one.writes:.3g}",
            f"{one.endurance:.3g}",
            _years(one.lifetime_s(1 / result.latency_s)),
            _years(one.lifetime_s(1.0)),
        )
        for one in result.wear
    ]
    columns = (
        "memory",
        ">written",
        ">writes of a cell",
        ">endurance",
        ">life, run after run",
        ">life, a run a second",
    )
    made = table("Wear", columns, rows)
    note = "a run behind others; every cell is written alike"
    return (Group(made, Text(note, "dim")),)


def _years(seconds: float) -> str:
    if seconds == math.inf:
        return "no end"
    years = seconds / (365.25 * 86400)
    return f"{years:,.3g} years" if years >= 0.1 else f"{seconds / 3600:,.3g} h"


_ADDS = (
    "adds: from the end of whatever ended last before a run of the operator to the end of that "
    "run; of all operators together that is the latency, and codesign why tells its causes"
)


def _slowest(result: Result) -> RenderableType:
    """Operators by the time that they add to the run, however little of it they compute."""
    ticks: Counter[str] = Counter()
    for one, added in result.replay.added:
        ticks[one.op.name] += added
    values = [ticks[str(name)] / PS_PER_S for name in result.operators["name"]]
    computes = [quantity(float(value), "s") for value in result.operators["compute_s"]]
    columns = (">adds", ">of run", ">computes")
    rows = [
        (*row, computes[place]) for place, row in _ranked(result, values, result.latency_s, "s")
    ]
    made = table("Operators that add most time to the run", (*_OPERATOR, *columns), rows)
    return Group(made, Text(_ADDS, "dim"))


def _costliest(result: Result) -> RenderableType:
    values = [float(value) for value in result.operators["energy_j"]]
    rows = [row for _, row in _ranked(result, values, result.energy_j, "J")]
    return table("Operators with the most energy", (*_OPERATOR, ">energy", ">of run"), rows)


_OPERATOR = ("operator", "=engine", ">tiles", ">moved")


def _ranked(
    result: Result, values: Sequence[float], total: float, unit: str
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The operators with the most of something, by their place in the table of all."""
    operators = result.operators
    largest = sorted(range(len(values)), key=lambda place: (-values[place], place))[:_TOP]
    for place in largest:
        if values[place]:
            yield (
                place,
                (
                    str(operators["name"][place]),
                    str(operators["engine"][place]),
                    count(float(operators["tiles"][place])),
                    quantity(float(operators["moved_bytes"][place]), "B"),
                    quantity(values[place], unit),
                    share(values[place], total),
                ),
            )


def _assumptions(result: Result) -> RenderableType:
    lines = Table.grid(padding=(0, 1))
    for line in result.assumptions:
        lines.add_row("-", Text(line))
    for target, times in result.placement.trace.coverage.unsupported:
        lines.add_row("-", Text(f"NOT MODELLED: {target} x{times}", "bold red"))
    return Group(Text("Assumptions", "bold"), lines)
