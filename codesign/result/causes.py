"""From the ticks of a critical path to causes: what an activity spent its time on.

A transfer that ran at rate r among others, and would have run at r0 alone, spent r / r0 of its time
on what bounds it alone and the rest on queueing. Of the time alone a memory with banks spent the
share of its peak that it does not reach on row misses, turnarounds and refresh.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple, TypeAlias

from codesign.hardware.component import Direction, Memory
from codesign.hardware.machine import Hardware
from codesign.hardware.plan import Move
from codesign.mapping.placement import Assignment, Placement
from codesign.replay.run import Recording
from codesign.replay.shares import PARTS
from codesign.replay.trail import COMPUTE, PROCESS, STAND, STORE, WAIT, Activity, Mode
from codesign.replay.transfers import at_rest
from codesign.result.slots import BANDWIDTH, COMPUTING, FILL, LAUNCH, slot
from codesign.units import cycles_to_ticks, ticks

ROW_MISSES = "row misses"
RELOAD = "weight reload"
DEPENDENCY = "dependency"
SETUP = "set-up"
WAKE = "wake-up"
QUEUEING = "queueing"
PROCESS_ENGINE = "process engine"
CAUSES = (
    COMPUTING,
    FILL,
    LAUNCH,
    BANDWIDTH,
    ROW_MISSES,
    RELOAD,
    DEPENDENCY,
    SETUP,
    WAKE,
    QUEUEING,
    PROCESS_ENGINE,
)
"""All causes, in the order in which they are told."""


class Label(NamedTuple):
    """What ticks are attributed to.

    Attributes:
        cause: one of ``CAUSES``.
        component: the engine, link or memory; several with ``TIED`` between where they bound a
            transfer equally.
        op: name of the operator.
        role: of the operand that moved; empty for what moves nothing.
    """

    cause: str
    component: str
    op: str
    role: str = ""


Weights: TypeAlias = "list[tuple[Label, int]]"


def share_out(
    total: int, weights: Sequence[tuple[Label, Fraction | int]]
) -> list[tuple[Label, int]]:
    """Whole ticks in proportion to weights, which sum to ``total``.

    Each gets its share rounded down; what is left goes one by one to the largest remainders, the
    earlier one first where they are equal.
    """
    whole = sum(weight for _, weight in weights)
    found = [int(total * weight // whole) for _, weight in weights]
    left = [total * weight % whole for _, weight in weights]
    order = sorted(range(len(left)), key=lambda place: (-left[place], place))
    for place in order[: total - sum(found)]:
        found[place] += 1
    return [(label, part) for (label, _), part in zip(weights, found, strict=True) if part]


class Causes:
    """Says what the keys of a path are due to.

    Args:
        recording: the path, and the rates of its transfers.
        placement: what was recorded.
        machine: the hardware.
    """

    def __init__(self, recording: Recording, placement: Placement, machine: Hardware) -> None:
        self._recording, self._placement, self._machine = recording, placement, machine
        self._shares, self._program = recording.shares, recording.replay.program
        self._known: dict[tuple[int, Activity, Mode], Weights] = {}

    def weights(self, op: int, doing: Activity, mode: Mode) -> Weights:
        """Shares of the time that an operator spent on an activity in one way."""
        key = (op, doing, mode)
        if key not in self._known:
            found = list(self._find(self._program[op], doing, mode))
            # whole numbers: paths have thousands of stretches, and fractions are slow
            scale = lcm(*(share.denominator for _, share in found))
            self._known[key] = [(label, int(share * scale)) for label, share in found]
        return self._known[key]

    def _find(
        self, one: Assignment, doing: Activity, mode: Mode
    ) -> Iterator[tuple[Label, Fraction]]:
        name = one.op.name
        if doing.phase == PROCESS:
            yield Label(PROCESS_ENGINE, one.engine, name), Fraction(1)
            return
        if doing.phase == COMPUTE:
            yield from self._compute(one, doing)
            return
        for role, share, reload in self._operands(one, doing):
            for cause, component, part in self._transfer(doing, mode):
                label = Label(cause, component, name, role)
                if cause in (SETUP, WAKE) or not reload:
                    yield label, share * part
                    continue
                yield label, share * part * (1 - reload)
                yield Label(RELOAD, component, name, role), share * part * reload

    # -- engines ---------------------------------------------------------------------------------

    def _compute(self, one: Assignment, doing: Activity) -> Iterator[tuple[Label, Fraction]]:
        name, plan = one.op.name, one.plan
        if plan is None:
            return
        tile, _ = plan.counts[doing.step]
        spent = Fraction(cycles_to_ticks(tile.cycles, plan.clock_hz))
        if doing.wake:
            occupied = self._machine.engine(one.engine).occupies
            yield Label(WAKE, self._sleeper(occupied), name), Fraction(doing.wake)
        started = Fraction(min(plan.start_cycles, plan.cycles), max(1, plan.cycles))
        yield Label(LAUNCH, one.engine, name), spent * started
        issued = sum(count for _, count in plan.slots)
        if not issued:
            yield Label(COMPUTING, one.engine, name), spent * (1 - started)
        for booked, count in plan.slots:
            yield self._slot(one, booked), spent * (1 - started) * count / max(1, issued)

    def _slot(self, one: Assignment, booked: str) -> Label:
        cause, place = slot(booked)
        where = {
            "engine": one.engine,
            "buffer": self._machine.engine(one.engine).buffer,
            "home": self._machine.home(one.engine).name,
        }
        return Label(cause, where[place], one.op.name)

    # -- transfers -------------------------------------------------------------------------------

    def _transfer(self, doing: Activity, mode: Mode) -> Iterator[tuple[str, str, Fraction]]:
        """Cause, component and weight of a transfer's time."""
        if mode == WAIT:
            yield from self._waits(doing)
        elif mode == STAND:
            yield QUEUEING, self._occupied(doing.number), Fraction(1)
        elif isinstance(mode, tuple):
            alone = self._shares.rates((doing.number,))[doing.number]
            share = min(Fraction(1), Fraction(self._shares.rates(mode)[doing.number], alone))
            limit = self._shares.limit((doing.number,), doing.number)
            if doing.forced:
                yield DEPENDENCY, self._shares.limit(mode, doing.number), Fraction(1)
                return
            missed = self._missed(limit, alone)
            yield BANDWIDTH, limit, share * (1 - missed)
            yield ROW_MISSES, limit, share * missed
            yield QUEUEING, self._shares.limit(mode, doing.number), 1 - share

    def _missed(self, memory: str, rate: int) -> Fraction:
        """Share of its peak that a memory with banks does not reach for a transfer alone.

        None where something else bounds the transfer just as much.
        """
        part = self._machine.components.get(memory)
        device = part.bank_device if isinstance(part, Memory) else None
        if device is None:
            return Fraction(0)
        peak = Fraction(device.peak_bytes_per_s)
        return max(Fraction(0), 1 - Fraction(rate, PARTS) / peak)

    def _waits(self, doing: Activity) -> Iterator[tuple[str, str, Fraction]]:
        route, parts = self._shares.route(doing.number), self._machine.components
        if doing.wake:
            names = (route.source, *route.crossed, route.target)
            yield WAKE, self._sleeper(names), Fraction(doing.wake)
        for link in self._machine.links:
            if link.name in dict(route.links):
                yield SETUP, link.name, Fraction(ticks(link.setup_s))
        for name in (route.source, *route.crossed):
            memory = parts[name]
            if isinstance(memory, Memory):
                yield SETUP, name, Fraction(ticks(memory.latency_s("read")))
        for name in (*route.crossed, route.target):
            memory = parts[name]
            if isinstance(memory, Memory):
                yield SETUP, name, Fraction(ticks(memory.latency_s("write")))

    def _sleeper(self, names: Sequence[str]) -> str:
        """Of memories that are waited for, the one that takes longest to wake up."""
        return max(names, key=lambda name: self._shares.wake((name,)))

    def _occupied(self, number: int) -> str:
        """The memory that some engine has for itself and that a transfer touches."""
        owned = [name for engine in self._machine.engines for name in engine.occupies]
        return next(name for name in owned if self._shares.touches(number, name))

    # -- operands --------------------------------------------------------------------------------

    def _operands(self, one: Assignment, doing: Activity) -> list[tuple[str, Fraction, Fraction]]:
        """Role of each operand that a transfer moves, its share, and how much had been here."""
        found: list[tuple[str, Fraction, Fraction]] = []
        direction: Direction = "write" if doing.phase == STORE else "read"
        for move in self._moves(one, doing):
            part = self._recording.transfers.part(one, self._recording.addresses, move, direction)
            size = part[1] if part and part[0] == doing.number else 0
            tensor = one.op.operands[move.operand].tensor
            if size:
                reload = Fraction(0) if doing.phase == STORE else self._reload(doing, tensor.name)
                found.append((tensor.role, Fraction(size), reload))
        total = sum((size for _, size, _ in found), Fraction())
        return [(role, size / total, reload) for role, size, reload in found] or [
            ("", Fraction(1), Fraction(0))
        ]

    def _moves(self, one: Assignment, doing: Activity) -> Sequence[Move]:
        if one.plan is None:
            return ()
        tile, _ = one.plan.counts[doing.step]
        if doing.phase == STORE:
            return tile.stores
        rests = at_rest(one, self._recording.written)
        alone = one.plan.exclusive
        wanted = {"early": (True,), "late": (False,)}.get(doing.phase, (True, False))
        return tuple(
            move
            for move in tile.loads
            if (move.operand in alone) == (doing.phase == "alone") and rests[move.operand] in wanted
        )

    def _reload(self, doing: Activity, tensor: str) -> Fraction:
        """Share of the bytes of a weight that come on chip again."""
        off_chip = self._is_off_chip(self._shares.route(doing.number).source)
        return self._again.get(tensor, Fraction(0)) if off_chip else Fraction(0)

    def _is_off_chip(self, name: str) -> bool:
        memory = self._machine.components[name]
        return isinstance(memory, Memory) and memory.off_chip

    @cached_property
    def _again(self) -> dict[str, Fraction]:
        """By weight, the share of the bytes that came on chip in the run and had come before.

        What is loaded from another memory of the chip does not count: it has come once.
        """
        loaded: Counter[str] = Counter()
        own: dict[str, int] = {}
        for one, times in self._placement.assignments():
            for operand, size in one.plan.loaded.items() if one.plan else ():
                tensor = one.op.operands[operand].tensor
                if tensor.role == "weight" and self._is_off_chip(one.homes[operand]):
                    loaded[tensor.name] += size * times
                    own[tensor.name] = tensor.plain_bytes
        return {
            name: Fraction(max(0, size - own[name]), size) for name, size in loaded.items() if size
        }
