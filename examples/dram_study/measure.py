"""What replays say of a case: latency, traffic, and the energy of an inference at each duty."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing import Pool

from codesign import Hardware, Periodic, Result, Scenario, ScenarioResult, Stream, Trace
from codesign.hardware.component import Descriptor, Memory
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.replay.run import replay
from codesign.result.result import build_result
from codesign.scenario.simulate import replay_scenario
from dram_study.cases import DUTIES, MEMORIES, MODELS, POLICIES, MemoryChoice, Policy

CHIP, LEAKAGE, ROWS, BYTES, BACKGROUND = PARTS = (
    "chip",
    "leakage",
    "rows",
    "bytes",
    "background",
)
"""Where the energy of an inference goes: the chip's work and its leakage, then the DRAM: rows
opened and closed, bytes moved with I/O, and all power states with refreshes."""
RUNS = 2
"""Runs of a session below full duty: the second finds the memory at rest."""
WHOLE_BURSTS = Descriptor(row_bytes=4096, rows=1, pitch=0, direction="read")
PS_PER_S = 10**12
KIB = 1024


@dataclass(frozen=True)
class Point:
    """One inference at one duty.

    Attributes:
        duty: share of the time in which an inference runs.
        period_s: seconds from one inference to the next.
        energy_j: joules of an inference and of the idle time up to the next one, by part.
        states_s: seconds of the period by power state of the DRAM.
    """

    duty: float
    period_s: float
    energy_j: Mapping[str, float]
    states_s: Mapping[str, float]

    @property
    def total_j(self) -> float:
        """All parts together."""
        return math.fsum(self.energy_j.values())

    @property
    def background_share(self) -> float:
        """Share of the total that the DRAM takes whatever moves."""
        return self.energy_j[BACKGROUND] / self.total_j

    @property
    def resting_share(self) -> float:
        """Share of the time in power-down or self-refresh."""
        rests = ("power_down", "self_refresh")
        return math.fsum(self.states_s.get(state, 0.0) for state in rests) / self.period_s


@dataclass(frozen=True)
class Measured:
    """A model on a memory with an idle policy.

    Attributes:
        model: one of ``MODELS``.
        memory: the memory.
        policy: when it rests.
        latency_s: of an inference alone.
        asked_bytes: that an inference moves over the bus.
        moved_bytes: that the DRAM moves for them, in whole bursts.
        activates: rows that it opens for them.
        peak_bytes_per_s: of the data buses of the DRAM.
        points: by duty.
    """

    model: str
    memory: MemoryChoice
    policy: Policy
    latency_s: float
    asked_bytes: int
    moved_bytes: int
    activates: int
    peak_bytes_per_s: float
    points: Mapping[float, Point]

    @property
    def bytes_per_s(self) -> float:
        """Mean rate of the DRAM while an inference runs, in bytes that it moves."""
        return self.moved_bytes / self.latency_s

    @property
    def activates_per_kib(self) -> float:
        """Rows opened for each KiB that the DRAM moves."""
        return self.activates / (self.moved_bytes / KIB)

    @property
    def idle_power_w(self) -> float:
        """Power between inferences, chip and DRAM: what 1 % takes beyond 10 %, by time."""
        often, seldom = self.points[0.1], self.points[0.01]
        return (seldom.total_j - often.total_j) / (seldom.period_s - often.period_s)

    def energy_at_j(self, period_s: float) -> float:
        """Joules of an inference at another period: on the line through 10 % and 1 %.

        The line is that of any period whose idle time is longer than the policy waits.
        """
        often = self.points[0.1]
        return often.total_j + self.idle_power_w * (period_s - often.period_s)


def break_even_s(one: Measured, other: Measured) -> float | None:
    """Period at which two memories take the same energy per inference.

    None if there is none at which both have the time to run and to rest.
    """
    if math.isclose(one.idle_power_w, other.idle_power_w, rel_tol=1e-9):
        return None
    slope = one.idle_power_w - other.idle_power_w
    period_s = (other.energy_at_j(0.0) - one.energy_at_j(0.0)) / slope
    shortest = max(m.latency_s + m.policy.self_refresh_after for m in (one, other))
    return period_s if period_s > shortest else None


def measure_all(models: Iterable[str] = MODELS) -> dict[tuple[str, str, str], Measured]:
    """Replays models on every memory with both policies, on all cores.

    Returns:
        What was measured by the names of the model, the memory and the policy.
    """
    traces = {model: MODELS[model]() for model in models}
    jobs = [(model, trace, memory) for model, trace in traces.items() for memory in MEMORIES[::-1]]
    with Pool() as pool:
        found = pool.starmap(measure, jobs, chunksize=1)
    return {(one.model, one.memory.name, one.policy.name): one for row in found for one in row}


def measure(model: str, trace: Trace, memory: MemoryChoice) -> list[Measured]:
    """Replays a model on a memory with each policy. It is placed once: no policy changes a rate."""
    placement = place(trace, memory.machine(POLICIES[0]))
    return [_measure(model, placement, memory, policy) for policy in POLICIES]


def _measure(model: str, placement: Placement, memory: MemoryChoice, policy: Policy) -> Measured:
    machine = memory.machine(policy)
    alone = build_result(placement, machine, replay(placement, machine))
    points = {1.0: read_point(1.0, alone, alone.latency_s, 1)}
    for duty in DUTIES[1:]:
        session = run_periodic(placement, machine, alone.latency_s / duty)
        points[duty] = read_point(duty, session.parts["run"], session.span_s, RUNS)
    counts = _counts(alone)
    return Measured(
        model,
        memory,
        policy,
        alone.latency_s,
        counts["bus", "move"],
        counts["dram", "read"] + counts["dram", "write"],
        counts["dram", "activate"],
        _dram(machine).ceiling(WHOLE_BURSTS),
        points,
    )


def run_periodic(placement: Placement, machine: Hardware, period_s: float) -> ScenarioResult:
    """Runs a model every so often, and waits a period after the last run began."""
    every = Stream("run", placement.trace, Periodic(period_s, first_s=0.0))
    session = Scenario("periodic", (every,), (RUNS - 1) * period_s, silence_s=period_s)
    return replay_scenario(session, machine, {"run": placement})


def _counts(result: Result) -> dict[tuple[str, str], int]:
    """How often, or how many bytes, by component and action."""
    found: dict[tuple[str, str], int] = {}
    book = result.ledger
    columns = (book.component.tolist(), book.action.tolist(), book.count.tolist())
    for component, action, count in zip(*columns, strict=True):
        found[component, action] = found.get((component, action), 0) + count
    return found


def read_point(duty: float, result: Result, span_s: float, runs: int) -> Point:
    """What each run of a session took, with the idle time between them.

    Args:
        duty: share of the time in which they ran.
        result: of the one stream of the session.
        span_s: seconds of the session.
        runs: how many there were.
    """
    spent: dict[str, list[float]] = {part: [] for part in PARTS}
    book = result.ledger
    columns = (book.op.tolist(), book.component.tolist(), book.action.tolist())
    for op, component, action, joules in zip(*columns, book.energy.tolist(), strict=True):
        if op >= 0:  # what flows all the time has no operator, and is added below
            spent[_part(component, action)].append(joules)
    ticks = result.replay.uses["dram"].ticks
    spent[BACKGROUND] = [joules for _, joules in _dram(result.machine).background(ticks).values()]
    spent[LEAKAGE] = [part.leakage * span_s for part in result.machine.components.values()]
    return Point(
        duty,
        span_s / runs,
        {part: math.fsum(joules) / runs for part, joules in spent.items()},
        {state: time / PS_PER_S / runs for state, time in ticks.items()},
    )


def _part(component: str, action: str) -> str:
    if component != "dram":
        return CHIP
    return ROWS if action == "activate" else BYTES


def _dram(machine: Hardware) -> Memory:
    (memory,) = (memory for memory in machine.memories if memory.off_chip)
    return memory
