"""Law 2: nothing is lost between the plans, the fabric and the ledger; energy is its parts."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Sketch, machine, machines, matmul_op, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.mapping.residency import Policy
from codesign.result.result import Result
from codesign.workload.record import Access, Region, Trace

RESIDENCY = st.sampled_from(["region", "none"])


def ledger_bytes(result: Result) -> Counter[tuple[str, str]]:
    """Bytes moved by (memory, direction)."""
    ledger = result.ledger
    total: Counter[tuple[str, str]] = Counter()
    rows = zip(ledger.component, ledger.action, ledger.role, ledger.count, strict=True)
    for component, action, role, count in rows:
        if role and action in ("read", "write"):
            total[str(component), str(action)] += int(count)
    return total


def plan_bytes(result: Result) -> Counter[tuple[str, str]]:
    """Bytes by (source, target), from the plans times their runs."""
    total: Counter[tuple[str, str]] = Counter()
    home = result.placement.home
    for assignment, times in result.placement.assignments():
        assert assignment.plan is not None
        buffer = result.machine.engine(assignment.engine).buffer
        total[home, buffer] += sum(assignment.plan.loaded.values()) * times
        total[buffer, home] += sum(assignment.plan.stored.values()) * times
    return +total


@settings(max_examples=40, deadline=None, derandomize=True)
@given(traces(), machines(), RESIDENCY)
def test_bytes_are_the_same_in_plans_fabric_and_ledger(
    trace: Trace, hardware: Hardware, residency: Policy
) -> None:
    result = simulate(trace, hardware, residency=residency)
    moved = result.replay.moved
    assert moved == plan_bytes(result)
    out: Counter[tuple[str, str]] = Counter()
    for (source, target), size in moved.items():
        out[source, "read"] += size
        out[target, "write"] += size
    assert out == ledger_bytes(result)
    carried = result.ledger.count[result.ledger.action == "move"].sum()
    assert carried == sum(moved.values())
    assert sum(result.offchip_bytes.values()) == sum(moved.values())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces(), machines(), RESIDENCY)
def test_energy_is_the_sum_of_its_parts_by_any_column(
    trace: Trace, hardware: Hardware, residency: Policy
) -> None:
    result = simulate(trace, hardware.with_("vector.leakage", 1e-3), residency=residency)
    assert result.energy_j == math.fsum(result.energy_by_component_j.values()) > 0
    for column in ("op", "component", "role", "action"):
        total = math.fsum(result.table(column).values())
        assert total == pytest.approx(result.energy_j, rel=1e-12)
    assert result.energy_by_component_j["vector"] >= result.latency_s * 1e-3


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces(), machines(), RESIDENCY)
def test_issued_slots_are_effective_and_wasted_ones(
    trace: Trace, hardware: Hardware, residency: Policy
) -> None:
    result = simulate(trace, hardware, residency=residency)
    issued = 0
    for assignment, times in result.placement.assignments():
        engine = hardware.engine(assignment.engine)
        if engine.kind == "systolic" and assignment.plan and assignment.op.macs:
            cells = engine.rows * engine.cols  # type: ignore[attr-defined]
            issued += assignment.plan.cycles * cells * times
    assert sum(result.mac_slots.values()) == issued
    assert result.mac_slots.get("effective", 0) == result.macs
    assert all(count >= 0 for count in result.mac_slots.values())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces(), machines())
def test_every_weight_and_input_crosses_the_link_at_least_once(
    trace: Trace, hardware: Hardware
) -> None:
    result = simulate(trace, hardware)
    read = {a.tensor.name: a.tensor for op, _ in trace.ops() for a in op.inputs}
    for role in ("weight", "input"):
        least = sum(tensor.bytes for tensor in read.values() if tensor.role == role)
        assert result.offchip_bytes.get(role, 0) >= least


def off_chip(result: Result, action: str) -> dict[str, int]:
    """Bytes read from or written to DRAM, by operator."""
    ledger = result.ledger
    rows = (ledger.component == "dram") & (ledger.action == action)
    total: Counter[str] = Counter()
    for op, count in zip(ledger.op[rows], ledger.count[rows], strict=True):
        total[ledger.ops[op]] += int(count)
    return dict(total)


def test_the_last_state_of_a_resident_region_is_stored_for_those_who_read_it() -> None:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 10, 32), 32)
    last = next(one for one in sketch.tensors if one.name == "rnn.next")
    sketch.matmul("head", last, 16)
    result = simulate(sketch.trace(), machine())
    assert off_chip(result, "write")["rnn.writeback"] == 32
    assert off_chip(result, "read")["head"] == 32 + 32 * 16


def test_a_state_that_nobody_reads_later_is_not_stored() -> None:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 10, 32), 32)
    assert "rnn.writeback" not in off_chip(simulate(sketch.trace(), machine()), "write")


def test_what_a_region_reads_at_every_step_is_fetched_whatever_its_role() -> None:
    sketch = Sketch()
    memory = sketch.matmul("encode", sketch.input("m", 32, 32), 32)
    x, score = sketch.input("x", 10, 32), sketch.tensor("score", (1, 32), "activation")
    row = Access(x, (1, 32), (32, 1), advance=(32,))
    attend = matmul_op("attend", row, memory.access(), score.access())
    sketch.items.append(Region("decode", 10, (attend,)))
    assert off_chip(simulate(sketch.trace(), machine()), "read") == {
        "encode": 2 * 32 * 32,
        "decode.preload": 32 * 32,
        "attend": 10 * 32,
    }


def test_an_inner_region_begins_every_time_with_its_initial_state() -> None:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 10, 32), 48, repeats=3)
    read = off_chip(simulate(sketch.trace(), machine()), "read")
    assert read["rnn.outer.preload"] == 32 * 48 + 48 * 48
    assert read["rnn.preload"] == 3 * 48
