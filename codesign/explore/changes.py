"""Changes of a machine that are worth asking about: one resource at a time, twice as much of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from codesign.hardware.component import Component, Engine, Link, Memory
from codesign.hardware.estimates import unit_of
from codesign.mapping.residency import Residency
from codesign.result.result import Result
from codesign.result.why import Why, tied

Kind = Literal["bandwidth", "set-up", "clock", "size", "launch", "engine", "residency"]
LAUNCHES = ("launch_overhead", "t0", "start", "tile_overhead", "call_overhead")
"""Fields that the shipped kinds pay for every kernel, tile or call."""
_SETUPS = ("setup",)
"""Fields of links that every transfer pays."""
_CHANNELS = "channels"  # of a memory whose device gives the rate
_MOST_MOVES = 3
"""Operators, the longest on the path, that are tried on other engines (assumed)."""


@dataclass(frozen=True)
class Change:
    """One thing about a machine or a mapping that is different.

    Attributes:
        text: what, for people: ``dram.bandwidth x2``.
        kind: which sort of change.
        component: what is changed, several as in a part of the path; of a move the engine that
            the operator goes to.
        settings: new hardware values by path.
        rules: new rules for engines, by operator.
        residency: what stays on chip in the place of what the user asked for.
        is_hint: whether it is worth telling only where it gains something.
    """

    text: str
    kind: Kind
    component: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    residency: Residency | None = None
    is_hint: bool = False


def find_changes(result: Result, why: Why) -> tuple[Change, ...]:
    """The changes to ask about, in the order of the hardware file.

    Each rate of each memory and link doubled, and those together that bound transfers of the path
    equally; each clock of each engine, the size of each buffer; the set-up of links and what
    kernels or tiles pay for their launch halved; and the longest operators of the path on every
    other engine that takes them.

    Args:
        result: what was simulated.
        why: its critical path.
    """
    machine = result.machine
    found: list[Change] = []
    staged = {name for engine in machine.engines for name in (engine.buffer, *engine.stages)}
    for part in machine.components.values():
        if "." in part.name:  # brought by another part: it has no values of its own
            continue
        if isinstance(part, Engine):
            found += [*_doubled(part, "Hz", "clock"), *_halved(part, LAUNCHES, "launch")]
        else:
            found += [*_doubled(part, "B/s", "bandwidth"), *_channels(part)]
        if isinstance(part, Link):
            found += _halved(part, _SETUPS, "set-up")
        if isinstance(part, Memory) and part.name in staged:
            size = {f"{part.name}.size": 2 * part.size}
            found.append(Change(f"{part.name}.size x2", "size", part.name, size))
    return (*found, *_tied(found, why), *_moves(result, why))


def _tied(found: Sequence[Change], why: Why) -> Iterator[Change]:
    """Rates doubled together where more of one alone makes nothing faster."""
    rates = {one.component: one for one in reversed(found) if one.kind == "bandwidth"}
    for component in sorted(why.by("component")):
        some = [rates[name] for name in tied(component) if name in rates]
        if len(some) > 1:
            settings = {path: value for one in some for path, value in one.settings.items()}
            yield Change(" and ".join(one.text for one in some), "bandwidth", component, settings)


def _doubled(part: Component, unit: str, kind: Kind) -> Iterator[Change]:
    for one in fields(part):
        value = getattr(part, one.name)
        if unit_of(type(part), one.name) == unit and isinstance(value, (int, float)) and value:
            path = f"{part.name}.{one.name}"
            yield Change(f"{path} x2", kind, part.name, {path: 2 * value})


def _channels(part: Component) -> Iterator[Change]:
    """A memory whose rate is that of its device: twice as many channels."""
    names = {one.name for one in fields(part)}
    device = part.bank_device if isinstance(part, Memory) else None
    if device is not None and _CHANNELS in names and "bandwidth" not in names:
        path = f"{part.name}.{_CHANNELS}"
        twice = 2 * device.organisation.channels
        yield Change(f"{path} x2", "bandwidth", part.name, {path: twice})


def _halved(part: Component, names: tuple[str, ...], kind: Kind) -> Iterator[Change]:
    for one in fields(part):
        value = getattr(part, one.name)
        if one.name in names and value:
            path = f"{part.name}.{one.name}"
            half = value // 2 if isinstance(value, int) else value / 2
            yield Change(f"{path} / 2", kind, part.name, {path: half})


def _moves(result: Result, why: Why) -> Iterator[Change]:
    placed = {one.op.name: one for one, _ in result.placement.assignments() if one.op.outputs}
    longest = [name for name in why.by("op") if name in placed][:_MOST_MOVES]
    for name in longest:
        one = placed[name]
        for engine in result.machine.engines:
            if engine.name != one.engine and engine.supports(one.op) is None:
                text = f"{name} on {engine.name}"
                yield Change(text, "engine", engine.name, rules={name: engine.name})
