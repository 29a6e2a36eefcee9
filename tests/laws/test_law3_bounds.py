"""Law 3: no schedule beats the lower bound, none is worse than serial, no port is outrun."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import assignment, machine, machines, output, plans, play, traces, uniform

from codesign import simulate
from codesign.hardware.component import Descriptor
from codesign.hardware.plan import TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment
from codesign.mapping.residency import Policy
from codesign.replay.run import Replay
from codesign.units import PS_PER_S
from codesign.workload.record import Trace

STREAM = (Descriptor(64, 1, 0, "read"),)


def check_ports(hardware: Hardware, replay: Replay, home: str) -> None:
    """Bytes through every channel and memory, at its full rate, take no more than the makespan."""
    served: Counter[tuple[str, int]] = Counter()
    rates: dict[tuple[str, int], int] = {}
    for (source, target), size in replay.moved.items():
        for link in hardware.links:
            if link.name in hardware.route(source, target):
                key = link.name, int(link.separate and target == home)
                served[key] += size
                rates[key] = link.bytes_per_s
        for memory in hardware.memories:
            if memory.name in (source, target):
                served[memory.name, -1] += size
                rates[memory.name, -1] = memory.service(STREAM).bytes_per_s
    for key, size in served.items():
        assert size * PS_PER_S <= replay.makespan * rates[key]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(traces(), machines(), st.sampled_from(["region", "none"]))
def test_every_result_lies_between_its_bounds_and_within_its_ports(
    trace: Trace, hardware: Hardware, residency: Policy
) -> None:
    result = simulate(trace, hardware, residency=residency)
    assert 0 < result.lower_bound_s <= result.latency_s <= result.serial_bound_s
    check_ports(hardware, result.replay, result.placement.home)
    assert all(ticks <= result.replay.makespan for ticks in result.replay.busy.values())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(plans(), st.booleans(), st.integers(0, 1)), min_size=1, max_size=5),
    machines(),
)
def test_any_tiles_lie_between_the_bounds(
    sequence: list[tuple[TilePlan, bool, int]], hardware: Hardware
) -> None:
    engines = [engine.name for engine in hardware.engines]
    placed: list[Assignment] = []
    for number, (plan, chained, place) in enumerate(sequence):
        reads = output(placed[-1]) if placed and chained else None
        placed.append(assignment(f"op{number}", plan, engine=engines[place], reads=reads))
    replay = play(hardware, *placed)
    assert replay.lower <= replay.makespan <= replay.serial
    check_ports(hardware, replay, "dram")


def test_the_serial_bound_holds_where_sharing_loses_part_of_a_tick() -> None:
    shapes = [(1, 4, 9, "npu0"), (2, 9, 3, "npu0"), (5, 9, 9, "npu1"), (2, 5, 2, "npu1")]
    placed = [
        assignment(f"op{number}", uniform(count, load, 0, store), engine=engine)
        for number, (count, load, store, engine) in enumerate(shapes)
    ]
    for rate in (10**12, 3 * 10**12, 7 * 10**11):
        replay = play(machine(systolics=2, buffers=2, bandwidth=rate), *placed)
        assert replay.lower <= replay.makespan <= replay.serial
