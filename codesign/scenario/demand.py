"""The work that streams bring to each component per second of input, whenever it is then done.

Work is that of one run times the rate at which runs are asked for. Nothing of it depends on when
the replay got round to it, so a backlog that drains in a silence, or after the end, hides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from codesign.hardware.machine import Hardware
from codesign.mapping.paths import NOMINAL
from codesign.mapping.placement import Assignment
from codesign.result.result import Result
from codesign.units import PS_PER_S, cycles_to_ticks

_BASE = 1000 * PS_PER_S
"""Ticks that the work is counted for: long, so that rounding it to whole bytes loses nothing."""


def component_loads(
    parts: Mapping[str, Result], rates: Mapping[str, Fraction], machine: Hardware
) -> dict[str, float]:
    """Seconds of work at full rate by component, per second in which all streams have input.

    Engines compute, links and memories move, as in ``Result.utilization``. What is loaded once
    before the first run does not count. A memory whose rate depends on the access pattern counts at
    its nominal rate.

    Args:
        parts: what each stream did.
        rates: runs of each stream per tick.
        machine: the hardware.
    """
    busy: Counter[str] = Counter()
    moved: Counter[tuple[str, str]] = Counter()
    for name, computed in _compute(parts).items():
        for engine, ticks in computed.items():
            busy[engine] += round(ticks * rates[name] * _BASE)
    for name, part in parts.items():
        for ends, size in _transfers(part, machine).items():
            moved[ends] += round(size * rates[name] * _BASE)
    return _shares(busy, moved, machine)


def _shares(
    busy: Mapping[str, int], moved: Mapping[tuple[str, str], int], machine: Hardware
) -> dict[str, float]:
    """Work by component as a share of ``_BASE``.

    Args:
        busy: ticks computed, by engine.
        moved: bytes, by source and target memory.
        machine: the hardware.
    """
    found = {engine.name: busy.get(engine.name, 0) / _BASE for engine in machine.engines}
    buffers = {engine.buffer for engine in machine.engines}
    channels: Counter[tuple[str, bool]] = Counter()
    served: Counter[str] = Counter()
    for (source, target), size in moved.items():
        served.update(dict.fromkeys((source, target), size))
        served.update(dict.fromkeys(machine.crossed(source, target), 2 * size))
        for name in machine.route(source, target):
            channels[name, target in buffers] += size
    for link in machine.links:
        ways = channels[link.name, False], channels[link.name, True]
        carried = max(ways) if link.separate else sum(ways)
        found[link.name] = carried * PS_PER_S / (link.bytes_per_s * _BASE)
    for memory in machine.memories:
        rate = memory.service(NOMINAL).bytes_per_s
        found[memory.name] = served[memory.name] * PS_PER_S / (rate * _BASE)
    return found


def _compute(parts: Mapping[str, Result]) -> dict[str, Counter[str]]:
    """Ticks that one run of each stream computes, by engine.

    What an engine that is a process computed is known as a whole; each operator counts alike.
    """
    found = {name: _planned(_program(part)) for name, part in parts.items()}
    runs = {name: len(part.replay.invocations) for name, part in parts.items()}
    rest = Counter(next(iter(parts.values())).replay.busy)
    calls: Counter[str] = Counter()
    for name, part in parts.items():
        rest.subtract(_planned((one, 1) for one in part.placement.setup))
        rest.subtract({engine: ticks * runs[name] for engine, ticks in found[name].items()})
        for assignment, times in _program(part):
            if assignment.plan is None:
                calls[assignment.engine] += times * runs[name]
    for name, part in parts.items():
        for assignment, times in _program(part):
            if assignment.plan is None:
                engine = assignment.engine
                found[name][engine] += rest[engine] * times // calls[engine]
    return found


def _program(part: Result) -> list[tuple[Assignment, int]]:
    """Every assignment of one run with the number of times it runs, without the setup."""
    return part.placement.assignments()[len(part.placement.setup) :]


def _planned(program: Iterable[tuple[Assignment, int]]) -> Counter[str]:
    """Ticks that plans compute, by engine."""
    found: Counter[str] = Counter()
    for assignment, times in program:
        plan = assignment.plan
        if plan is None:
            continue
        for tile, count in plan.counts:
            ticks = cycles_to_ticks(tile.cycles, plan.clock_hz)
            found[assignment.engine] += ticks * count * times
    return found


def _transfers(part: Result, machine: Hardware) -> dict[tuple[str, str], int]:
    """Bytes that one run moves, by source and target memory."""
    found: Counter[tuple[str, str]] = Counter()
    for assignment, times in _program(part):
        for operand, size, is_load in _moves(assignment):
            sent = assignment.op.operands[operand].tensor.home_bytes(size)
            found[_ends(assignment, operand, is_load, machine)] += sent * times
    processes: Counter[tuple[str, str]] = Counter()
    for assignment, operand, size, is_load in part.replay.moves:
        sent = assignment.op.operands[operand].tensor.home_bytes(size)
        processes[_ends(assignment, operand, is_load, machine)] += sent
    for ends, size in processes.items():
        found[ends] += size // len(part.replay.invocations)
    return {ends: size for ends, size in found.items() if ends[0] != ends[1]}


def _moves(assignment: Assignment) -> Iterator[tuple[int, int, bool]]:
    plan = assignment.plan
    if plan is not None:
        yield from ((operand, size, True) for operand, size in plan.loaded.items())
        yield from ((operand, size, False) for operand, size in plan.stored.items())


def _ends(
    assignment: Assignment, operand: int, is_load: bool, machine: Hardware
) -> tuple[str, str]:
    home = assignment.homes[operand]
    stage = assignment.stage(operand, machine.engine(assignment.engine))
    return (home, stage) if is_load else (stage, home)
