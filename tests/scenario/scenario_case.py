"""Scenarios small enough to check by hand: streams that only compute, on one array or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from strategies import assignment, machine, uniform

from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.replay.run import Invocation, Session
from codesign.scenario.play import Played, play
from codesign.scenario.release import Arrival
from codesign.scenario.schedule import schedule
from codesign.scenario.spec import Scenario, Stream
from codesign.workload.record import Trace

US = 10**6
"""Ticks of a microsecond."""


def work(cycles: int, *, engine: str = "npu0", load: int = 0, name: str = "work") -> Placement:
    """One operator of so many cycles (nanoseconds), which moves nothing unless told."""
    placed = assignment(name, uniform(1, load, cycles, 0), engine=engine)
    tensors = {access.tensor.name: access.tensor for access in placed.op.operands}
    return Placement(Trace(name, (placed.op,), tuple(tensors.values())), (placed,), "dram")


def stream(name: str, arrival: Arrival, **values: Any) -> Stream:
    """A stream whose model nobody looks at."""
    return Stream(name, "none", arrival, **values)


def scenario(*streams: Stream, duration_s: float = 1e-3, **values: Any) -> Scenario:
    return Scenario("case", streams, duration_s, **values)


def played(
    case: Scenario,
    placements: Mapping[str, Placement] | int,
    hardware: Hardware | None = None,
    *,
    exact_events: bool = False,
) -> Played:
    """Plays a scenario; a number gives every stream that many cycles on one array."""
    if isinstance(placements, int):
        placements = dict.fromkeys(case.by_name, work(placements))
    session = Session(hardware or machine(), placements, exact_events=exact_events)
    return play(case, schedule(case), session)


def run(asked: int, start: int, end: int, number: int = 0) -> Invocation:
    """A finished run."""
    return Invocation("case", number, asked, start, end)


def ticks_of(runs: Sequence[Invocation]) -> list[tuple[int, int, int]]:
    """Asked, start and end of each run."""
    return [(one.asked, one.start, one.end) for one in runs]
