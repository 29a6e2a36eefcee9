"""The recorder: there is none in ordinary replays, and process engines are one activity."""

from __future__ import annotations

from collections import Counter

import pytest
from hand_built import NS, operator, placement, slow_link
from hypothesis import given, settings
from strategies import machine, machines, traces, uniform
from test_process import softmax_of, with_process

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.replay.run import Session, record, replay
from codesign.replay.trail import Activity
from codesign.result.why import find_why
from codesign.workload.record import Trace


def test_an_ordinary_session_has_no_path() -> None:
    session = Session(slow_link(), {"main": placement(operator("op", uniform(3, 100, 150, 50)))})
    session.invoke("main")
    measured = session.run()["main"]
    assert session.recording("main", measured).stretches == ()


def test_a_run_of_nothing_has_an_empty_path() -> None:
    found = record(placement(), slow_link())
    assert (found.stretches, found.replay.makespan) == ((), 0)
    why = find_why(placement(), slow_link())
    assert (why.parts, why.segments, why.makespan) == ((), (), 0)


@settings(max_examples=20)
@given(traces(), machines())
def test_processes_are_on_the_path_beside_plans(trace: Trace, hardware: Hardware) -> None:
    """The vector unit is a process: nothing recurs while it works, and the path has no gap."""
    result = simulate(trace, with_process(hardware))
    why = result.why()
    assert sum(part.ticks for part in why.parts) == why.makespan == result.replay.makespan
    exact = find_why(result.placement, result.machine, exact_events=True)
    assert exact.parts == why.parts
    engines = {a.op.name: a.engine for a, _ in result.placement.assignments()}
    for part in why.parts:
        assert (part.cause == "process engine") == (engines[part.op] == "vector")


@pytest.mark.parametrize("rows", [1, 4])
def test_a_process_takes_from_its_turn_to_its_end(rows: int) -> None:
    result = simulate(softmax_of(rows), with_process(machine(bandwidth=1e9)))
    spent: Counter[str] = Counter()
    for stretch in record(result.placement, result.machine).stretches:
        for (_, doing, _), ticks in stretch.ticks.items():
            assert isinstance(doing, Activity)
            spent[doing.phase] += ticks
    assert dict(spent) == {"process": result.replay.makespan}


def test_of_two_engines_the_slower_one_is_on_the_path() -> None:
    hardware = machine(systolics=2, bandwidth=1e12)
    quick = operator("quick", uniform(10, 10, 50, 0), engine="npu0")
    slow = operator("slow", uniform(10, 10, 500, 0), engine="npu1")
    spent: Counter[int] = Counter()
    found = record(placement(quick, slow), hardware)
    for stretch in found.stretches:
        for (op, _, _), ticks in stretch.ticks.items():
            spent[op] += ticks
    assert spent[1] > 4_990 * NS
    assert spent[0] < 1 * NS


def test_what_an_operator_waits_for_is_on_the_path_and_what_it_does_not_is_not() -> None:
    hardware = machine(systolics=2, bandwidth=1e12)
    for slow_first in (True, False):
        cycles = (900, 100) if slow_first else (100, 900)
        first = operator("first", uniform(1, 10, cycles[0], 10), engine="npu0")
        second = operator("second", uniform(1, 10, cycles[1], 10), engine="npu1")
        reads = (first if slow_first else second).op.outputs[0].tensor
        third = operator("third", uniform(1, 10, 10, 0, operand=1), reads=reads)
        found = record(placement(first, second, third), hardware)
        ops = {op for stretch in found.stretches for op, _, _ in stretch.ticks}
        assert ops == {0 if slow_first else 1, 2}
        assert found.replay.makespan == replay(placement(first, second, third), hardware).makespan
