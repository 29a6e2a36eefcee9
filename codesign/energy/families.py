"""What each kind of component is asked with, and how its rows are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

from codesign.energy.arithmetic import by_tool, lane, multiply_accumulate, operator
from codesign.energy.curve import read_curve
from codesign.energy.estimate import Estimate, Note, add
from codesign.energy.query import KEYS, Query
from codesign.energy.row import Row
from codesign.energy.scaling import Physics
from codesign.errors import EnergyError

RETENTION = 0.3
"""Leakage in retention over that of an active memory (assumed)."""

Ask: TypeAlias = Callable[[Query], Estimate]
Lookup: TypeAlias = Callable[[Sequence[Row], Query, Ask], Iterator[Estimate]]

_ALWAYS = ("component", "action", "node", "voltage", "type", "count", "estimator")


@dataclass(frozen=True, slots=True)
class Family:
    """A way of asking.

    Attributes:
        lookup: one estimate for each tool that has rows.
        keys: words of a question beside those that every component takes.
        parts: components whose rows may stand in for its own.
        width_bits: width of an access where the question gives none.
        needs_type: whether types are different things rather than rivals.
        action: its action where no row names one.
    """

    lookup: Lookup
    keys: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    width_bits: int | None = None
    needs_type: bool = False
    action: str = ""

    def complete(self, query: Query) -> Query:
        """The question with the default width.

        Raises:
            EnergyError: a word that means nothing to the component, or no type where it needs one.
        """
        takes = (*_ALWAYS, *self.keys)
        for key, (field, _) in KEYS.items():
            if key not in takes and getattr(query, field) != _DEFAULTS.get(field):
                raise EnergyError(
                    f"{query.component} takes no {key!r}; it takes {', '.join(takes[1:])}"
                )
        if query.count > 1 and query.quantity in ("energy", "latency"):
            raise EnergyError(f"{query}: count is for area and leakage; drop it")
        if query.state != "active" and query.quantity != "leakage":
            raise EnergyError(f"{query}: state is for leakage; drop it")
        if self.needs_type and not query.type and not query.estimator:
            raise EnergyError(f"{query.component} needs a type; add for example 'type: LPDDR4'")
        return replace(query, width_bits=query.width_bits or self.width_bits)


_DEFAULTS = {field.name: field.default for field in fields(Query)}


def _curves(rows: Sequence[Row], query: Query, physics: Physics) -> Iterator[Estimate]:
    for tool in by_tool(rows):
        for type_ in dict.fromkeys(row.type for row in tool):
            yield read_curve([row for row in tool if row.type == type_], query, physics)


def _memory(rows: Sequence[Row], query: Query, ask: Ask) -> Iterator[Estimate]:
    """A memory of one or several banks, in a power state."""
    found = _curves(rows, query, "memory") if query.banks == 1 else _banked(rows, query, ask)
    yield from (_in_state(one, query) if query.quantity == "leakage" else one for one in found)


def _registers(rows: Sequence[Row], query: Query, _: Ask) -> Iterator[Estimate]:
    """Flip-flops: gates, in a power state."""
    found = _curves(rows, query, "logic")
    yield from (_in_state(one, query) if query.quantity == "leakage" else one for one in found)


def _banked(rows: Sequence[Row], query: Query, ask: Ask) -> Iterator[Estimate]:
    """One bank, and the wire to it, which is half the side of all banks together."""
    if query.size_bytes is None:
        raise EnergyError(f"{query} needs a size; add for example 'size: 64 KiB'")
    each = replace(query, size_bytes=math.ceil(query.size_bytes / query.banks), banks=1)
    text = f"{query.banks} banks of {each.size_bytes:,} B"
    for one in _curves(rows, each, "memory"):
        if query.quantity == "energy":
            both = add((one, _wire_to_banks(query, each, ask)), Note(f"one of {text}", "composed"))
            # the wire is the same for all tools and must not rank them
            yield replace(both, curve=one.curve)
        elif query.quantity == "latency":
            note = Note(f"one of {text}; the wires between them are left out", "composed")
            yield one.scaled(1.0, note, "assumed")
        else:
            yield one.scaled(query.banks, Note(text, "composed"))


def _wire_to_banks(query: Query, each: Query, ask: Ask) -> Estimate:
    bank = ask(replace(each, quantity="area", action="", type="", voltage_v=None))
    length = math.sqrt(bank.value * query.banks) * 1e3 / 2
    wire = Query("wire", "move", node_nm=query.node_nm, width_bits=query.width_bits)
    found = ask(replace(wire, length_mm=length))
    note = Note(f"{length:.3g} mm of wire, half the side of the banks by {bank.tool}")
    return replace(found, notes=(note, *found.notes), spread=1.0)


def _in_state(found: Estimate, query: Query) -> Estimate:
    if query.state == "off":
        return found.scaled(0.0, Note("off: the contents are lost"))
    if query.state == "retention":
        note = Note(f"in retention {RETENTION:g} of the active leakage", "scaled")
        return found.scaled(RETENTION, note, "assumed")
    return found


def _wires(rows: Sequence[Row], query: Query, _: Ask) -> Iterator[Estimate]:
    yield from (one.scaled(query.length_mm) for one in _curves(rows, query, "wire"))


def _network(rows: Sequence[Row], query: Query, _: Ask) -> Iterator[Estimate]:
    yield from _curves(rows, query, "logic")


def _converters(rows: Sequence[Row], query: Query, _: Ask) -> Iterator[Estimate]:
    """Converters: their cost grows with more than a power of the bits, so only exact rows."""
    known = sorted({row.width_bits for row in rows if row.width_bits is not None})
    if query.bits not in known:
        words = ", ".join(f"{bits:g}" for bits in known) or "no"
        raise EnergyError(
            f"{query} has rows for {words} bits only, asked for {query.bits or 'none'}; set bits, "
            "or add rows of your own"
        )
    yield from _curves([row for row in rows if row.width_bits == query.bits], query, "logic")


def _own(rows: Sequence[Row], query: Query, _: Ask) -> Iterator[Estimate]:
    """A component that only the user's tables know."""
    sized = any(row.size_bytes is not None for row in rows)
    yield from _curves(rows, query, "memory" if sized else "logic")


_BITS = ("bits", "format")
_STORE = ("size", "width", "banks", "state")
_MEMORY = Family(_memory, _STORE, width_bits=64)
OWN = Family(_own, ("size", "width"))
"""How rows of a component that is not listed here are read."""
FAMILIES: Mapping[str, Family] = {
    "sram": _MEMORY,
    "cache": _MEMORY,
    "register_file": Family(_registers, ("size", "width", "state"), width_bits=8),
    "adder": Family(lambda rows, query, _: operator(rows, query), _BITS),
    "multiplier": Family(lambda rows, query, _: operator(rows, query), _BITS),
    "vector_lane": Family(
        lambda rows, query, _: lane(rows, query), _BITS, ("adder",), action="operation"
    ),
    "mac": Family(
        lambda rows, query, _: multiply_accumulate(rows, query),
        (*_BITS, "activation_bits", "weight_bits", "accumulator_bits"),
        ("multiplier", "adder"),
        action="compute",
    ),
    "noc_hop": Family(_network, ("width",), width_bits=1),
    "link": Family(_network, ("width",), width_bits=1),
    "wire": Family(_wires, ("width", "length"), width_bits=1),
    "adc": Family(_converters, ("bits",)),
    "dram": Family(_network, ("width",), width_bits=1, needs_type=True),
}
"""The components that codesign knows how to ask for."""
