"""The escape hatch: an engine that is a SimPy generator instead of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from strategies import KIB, Sketch, machine, traces

from codesign import simulate
from codesign.errors import CodesignError
from codesign.hardware.component import Engine
from codesign.hardware.process import Ports, Process
from codesign.hardware.spec import Hardware
from codesign.result.result import Result
from codesign.testing import check_timeline
from codesign.workload.record import Op, Trace

NS = 1000


@dataclass(frozen=True, kw_only=True)
class Streamer(Engine):
    """Loads every input in chunks, works on each, then stores the outputs."""

    kind: ClassVar[str] = "streamer"

    chunk: int = 64
    behaviour: str = "stream"

    def supports(self, op: Op) -> str | None:
        return f"takes no {op.kind}" if op.kind == "contraction" else None

    def energies_j(self) -> Mapping[str, float]:
        return {"byte": 1e-12}

    def process(self, env: Any, op: Op, ports: Ports) -> Process:
        if self.behaviour == "wait for nothing":
            yield env.event()
        if self.behaviour == "half a tick":
            yield env.timeout(0.5)
        for number, access in enumerate(op.inputs):
            for size in chunks(access.bytes, self.chunk):
                yield ports.load(number, size)
                yield ports.compute(size, 1e9)
                ports.act("", "byte", size)
                ports.act("buffer", "read", size)
        for number, access in enumerate(op.outputs):
            stored = ports.store(len(op.inputs) + number, access.bytes)
            if self.behaviour != "leave early":
                yield stored


def chunks(total: int, chunk: int) -> Iterator[int]:
    while total > 0:
        yield min(chunk, total)
        total -= chunk


def with_process(hardware: Hardware, **values: Any) -> Hardware:
    """The same machine with a process in place of its vector unit."""
    parts = dict(hardware.components)
    buffer = hardware.engine("vector").buffer
    parts["vector"] = Streamer(name="vector", buffer=buffer, **values)
    return Hardware("process", "", None, parts)


def softmax_of(rows: int) -> Trace:
    sketch = Sketch()
    sketch.softmax("op", sketch.input("x", rows, 64))
    return sketch.trace()


def spans(result: Result) -> dict[str, tuple[int, int]]:
    return {s.assignment.op.name: (s.start, s.end) for s in result.replay.spans}


def test_a_process_pays_for_its_transfers_and_its_cycles_in_order() -> None:
    result = simulate(softmax_of(4), with_process(machine(bandwidth=1e9, setup=10e-9)))
    # four chunks of 64 B: 10 ns set-up, 64 ns transfer, 64 ns compute; then 10 + 256 ns store
    assert spans(result) == {"op": (0, (4 * 138 + 266) * NS)}
    assert result.replay.busy["vector"] == 256 * NS


def test_a_process_is_charged_for_bytes_and_actions() -> None:
    result = simulate(softmax_of(4), with_process(machine(bandwidth=1e9)))
    assert result.replay.moved == {("dram", "sram0"): 256, ("sram0", "dram"): 256}
    assert result.offchip_bytes == {"input": 256, "activation": 256}
    assert result.energy_by_component_j["vector"] == pytest.approx(256e-12)
    assert result.energy_by_component_j["bus0"] == pytest.approx(512e-12)
    assert result.operators["moved_bytes"] == [512]
    sram = result.ledger.component == "sram0"
    counts = zip(result.ledger.action[sram], result.ledger.role[sram], strict=True)
    assert sorted(counts) == [("read", ""), ("read", "activation"), ("write", "input")]


def test_a_process_contends_with_a_planned_engine_on_the_link() -> None:
    sketch = Sketch()
    sketch.softmax("soft", sketch.input("x", 64, 64))
    sketch.matmul("product", sketch.input("y", 64, 512), 8)
    together = spans(simulate(sketch.trace(), with_process(machine(bandwidth=1e9), chunk=4096)))
    alone = Sketch()
    alone.matmul("product", alone.input("y", 64, 512), 8)
    lone = spans(simulate(alone.trace(), machine(bandwidth=1e9)))["product"][1]
    assert together["product"][1] > lone
    assert together["soft"][1] > 3 * 4096 * NS  # alone: 4096 of load, compute and store each


def test_a_process_runs_in_turn_with_planned_operators_around_it() -> None:
    sketch = Sketch()
    x = sketch.matmul("before", sketch.input("x", 16, 64), 64)
    y = sketch.softmax("soft", x)
    sketch.matmul("after", y, 64)
    found = spans(simulate(sketch.trace(), with_process(machine(bandwidth=1e9))))
    assert found["soft"][0] == found["before"][1]
    assert found["after"][1] > found["soft"][1]


def test_a_process_inside_a_resident_region_moves_only_what_is_not_resident() -> None:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 6, 32), 32)
    result = simulate(sketch.trace(), with_process(machine(size=64 * KIB)))
    moved = dict(zip(result.operators["name"], result.operators["moved_bytes"], strict=True))
    assert moved["rnn.keep"] == 6 * 32  # the update is in the buffer, the sequence is not
    assert result.offchip_bytes["weight"] == 2 * 32 * 32


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces())
def test_processes_keep_the_laws_and_repeat_themselves(trace: Trace) -> None:
    hardware = with_process(machine(bandwidth=3e9, setup=5e-9))
    result, again = simulate(trace, hardware), simulate(trace, hardware)
    assert result.digest == again.digest
    assert result.replay.lower <= result.replay.makespan <= result.replay.serial
    moved = sum(result.replay.moved.values())
    assert moved == sum(result.offchip_bytes.values())
    assert moved * NS / 3 <= result.replay.makespan
    assert all(0 <= share <= 1 for share in result.utilization.values())


def test_a_process_that_waits_for_nothing_is_named() -> None:
    hardware = with_process(machine(), behaviour="wait for nothing")
    with pytest.raises(CodesignError, match="1 operators waiting, first 'op'"):
        simulate(softmax_of(1), hardware)


def test_a_process_that_waits_for_half_a_tick_is_refused() -> None:
    hardware = with_process(machine(), behaviour="half a tick")
    with pytest.raises(CodesignError, match=r"tick 0\.5; times must be whole picoseconds"):
        simulate(softmax_of(1), hardware)


def test_a_process_ends_when_its_last_transfer_does_also_if_it_does_not_wait() -> None:
    waits, leaves = (
        simulate(softmax_of(8), with_process(machine(), behaviour=behaviour))
        for behaviour in ("stream", "leave early")
    )
    assert spans(waits) == spans(leaves)


def test_a_process_that_moves_an_operand_that_is_not_there_is_told_so() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Stray(Streamer):
        """Loads an operand too many."""

        kind: ClassVar[str] = "stray"

        def process(self, env: Any, op: Op, ports: Ports) -> Process:
            yield ports.load(7, 64)

    parts = dict(machine().components)
    buffer = machine().engine("vector").buffer
    parts["vector"] = Stray(name="vector", buffer=buffer)
    with pytest.raises(CodesignError, match="moves operand 7, the operator has 2; count inputs"):
        simulate(softmax_of(8), Hardware("stray", "", None, parts))


def test_a_timeline_spreads_what_a_process_charged_over_its_runs() -> None:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 6, 32), 32)
    result = simulate(sketch.trace(), with_process(machine()), residency="none")
    document = result.timeline()
    check_timeline(document)
    kept = [e["args"] for e in document["traceEvents"] if (e["ph"], e["name"]) == ("X", "rnn.keep")]
    assert len(kept) == 6
    assert {args["tiles"] for args in kept} == {None}
    assert {tuple(args["bytes"].items()) for args in kept} == {(("activation", 2 * 32),)}
    spent = sum(args["energy_j"] for args in kept)
    assert spent == pytest.approx(result.table("op")["rnn.keep"])
