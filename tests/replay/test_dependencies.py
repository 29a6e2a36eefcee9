"""Order: producers before consumers, readers before overwriters, and what may run ahead."""

from __future__ import annotations

import itertools
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    LATE,
    Sketch,
    assignment,
    machine,
    machines,
    matmul_op,
    output,
    play,
    traces,
    uniform,
)
from unrolled import Order

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.mapping.place import place
from codesign.mapping.placement import Assignment, Block, Placement
from codesign.mapping.residency import Policy
from codesign.replay.fabric import Fabric
from codesign.replay.lane import Lane
from codesign.replay.run import Replay, replay
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Carry, Op, Region, Tensor, Trace

NS = 1000


def observed(placement: Placement, hardware: Hardware) -> tuple[Replay, dict[int, int]]:
    """A replay, and the tick at which each run first computed."""
    first: dict[int, int] = {}

    class Noting(Fabric):
        def _compute(self, lane: Lane) -> bool:
            head = lane.loaded[0][0] if lane.loaded else None
            began = super()._compute(lane)
            if began and head is not None:
                first.setdefault(head.number, self.now)
            return began

    with mock.patch("codesign.replay.dispatch.Fabric", Noting):
        return replay(placement, hardware, exact_events=True), first


@settings(max_examples=40, deadline=None, derandomize=True)
@given(traces(), machines(), st.sampled_from(["region", "none"]))
def test_no_run_computes_before_what_it_needs_has_ended(
    trace: Trace, hardware: Hardware, residency: Policy
) -> None:
    placement = place(trace, hardware, residency)
    result, first = observed(placement, hardware)
    order = Order(placement, tuple(engine.name for engine in hardware.engines))
    assert [step for step, _ in order.runs] == [span.assignment for span in result.spans]
    for number, (_, after) in enumerate(order.runs):
        assert all(first[number] >= result.spans[earlier].end for earlier in after)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(traces(), machines())
def test_what_stays_in_the_buffer_changes_hands_between_barriers(
    trace: Trace, hardware: Hardware
) -> None:
    placement = place(trace, hardware)
    result = replay(placement, hardware)
    inside = {
        id(one)
        for block in placement.program
        if isinstance(block, Block) and block.residences
        for one in (block.preload, *block.body, block.writeback)
    }
    spans = result.spans
    for number, span in enumerate(spans[1:], 1):
        crosses = (id(span.assignment) in inside) != (id(spans[number - 1].assignment) in inside)
        if crosses:
            assert span.start >= max(earlier.end for earlier in spans[:number])


def test_weights_of_the_next_operator_load_while_this_one_computes() -> None:
    first = assignment("first", uniform(1, 100, 1000, 0))
    second = assignment("second", uniform(1, 300, 50, 0), reads=output(first))
    result = play(machine(bandwidth=1e9), first, second)
    assert [(span.start, span.end) for span in result.spans] == [
        (0, 1100 * NS),
        (100 * NS, 1150 * NS),
    ]


def test_an_activation_loads_only_when_its_producer_has_stored_it() -> None:
    first = assignment("first", uniform(1, 100, 1000, 70))
    second = assignment("second", uniform(1, 300, 50, 0, operand=LATE), reads=output(first))
    result = play(machine(bandwidth=1e9), first, second)
    assert result.spans[0].end == 1170 * NS
    assert (result.spans[1].start, result.spans[1].end) == (1170 * NS, 1520 * NS)


def two_engines(first: Op, second: Op, tensors: tuple[Tensor, ...]) -> Replay:
    """Two operators with slow tiles on engines of their own, in program order."""
    plans = [uniform(1, 0, 1000, 100), uniform(1, 100, 1000, 0)]
    steps = tuple(
        Assignment(op, f"npu{number}", plan, ("dram",) * 3, 2**30)
        for number, (op, plan) in enumerate(zip((first, second), plans, strict=True))
    )
    hardware = machine(systolics=2, buffers=2, bandwidth=1e9)
    return replay(Placement(Trace("two", (first, second), tensors), steps, "dram"), hardware)


def tensor(name: str, role: str) -> Tensor:
    return Tensor(name, (1,), DType.parse("int8"), role)  # type: ignore[arg-type]


def move(name: str, reads: tuple[Tensor, ...], writes: tuple[Tensor, ...]) -> Op:
    def whole(group: tuple[Tensor, ...]) -> tuple[Access, ...]:
        return tuple(one.access() for one in group)

    return Op(name, "move", whole(reads), whole(writes))


def test_an_update_in_place_waits_for_the_readers_of_the_old_value() -> None:
    state, x, y = tensor("state", "state"), tensor("x", "input"), tensor("y", "activation")
    reader, writer = move("read", (state, x), (y,)), move("write", (x, x), (state,))
    result = two_engines(reader, writer, (state, x, y))
    assert result.spans[1].end == result.spans[0].end + 1000 * NS


def test_an_input_that_the_model_overwrites_is_not_loaded_before_it_is_written() -> None:
    x, y, z = tensor("x", "input"), tensor("y", "input"), tensor("z", "activation")
    result = two_engines(move("write", (x, x), (y,)), move("read", (y, y), (z,)), (x, y, z))
    assert result.spans[1].start == result.spans[0].end


def test_a_step_of_a_region_begins_with_the_state_of_the_step_before() -> None:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 5, 16), 16)
    result = simulate(sketch.trace(), machine(size=2**20))
    cells = [s for s in result.replay.spans if s.assignment.op.name == "rnn.cell"]
    assert len(cells) == 5
    assert all(b.end > a.end for a, b in itertools.pairwise(cells))


def carried(slow: Op, quick: Op, steps: int, *carries: Carry) -> list[int]:
    """When each run of ``quick`` ends, 10 ns on an engine of its own beside ``slow`` of 1000."""
    plans = uniform(1, 0, 1000, 0), uniform(1, 0, 10, 0)
    body = tuple(
        Assignment(op, f"npu{number}", plan, ("dram",) * 3, 2**30)
        for number, (op, plan) in enumerate(zip((slow, quick), plans, strict=True))
    )
    region = Region("loop", steps, (slow, quick), carries)
    tensors = {access.tensor for op in (slow, quick) for access in op.operands}
    tensors |= {one for carry in carries for one in (carry.state, carry.update)}
    trace = Trace("carried", (region,), tuple(sorted(tensors, key=lambda one: one.name)))
    result = replay(Placement(trace, (Block(region, body),), "dram"), machine(systolics=2))
    return [span.end for span in result.spans if span.assignment.op is quick]


def test_a_reader_of_the_state_waits_for_the_update_of_the_step_before() -> None:
    state, update = tensor("state", "activation"), tensor("update", "activation")
    x, y = tensor("x", "input"), tensor("y", "activation")
    slow, quick = move("slow", (x,), (update,)), move("quick", (state,), (y,))
    assert carried(slow, quick, 3, Carry(state, update)) == [10 * NS, 1010 * NS, 2010 * NS]


def test_an_update_waits_for_the_readers_of_the_state_that_it_takes_the_place_of() -> None:
    """State and update lie in two buffers that change places at every step.

    The second update is written over the state that the first step still reads, until 1000 ns.
    """
    state, update = tensor("state", "activation"), tensor("update", "activation")
    x, y = tensor("x", "input"), tensor("y", "activation")
    slow, quick = move("slow", (state,), (y,)), move("quick", (x,), (update,))
    assert carried(slow, quick, 3, Carry(state, update)) == [10 * NS, 1010 * NS, 2010 * NS]


def test_a_delay_line_frees_the_place_of_its_oldest_value() -> None:
    """Values move a to b to c: the next a is written where the old c was read."""
    a, b, c = (tensor(name, "activation") for name in "abc")
    x, y = tensor("x", "input"), tensor("y", "activation")
    slow, quick = move("slow", (c,), (y,)), move("quick", (x,), (a,))
    assert carried(slow, quick, 3, Carry(b, a), Carry(c, b)) == [10 * NS, 1010 * NS, 2010 * NS]


def test_steps_that_carry_nothing_overlap() -> None:
    sketch = Sketch()
    x = sketch.input("x", 8, 512)
    w, out = sketch.weight("w", 512, 64), sketch.tensor("out", (8, 64), "activation")
    row = Access(x, (1, 512), (512, 1), advance=(512,))
    kept = Access(out, (1, 64), (64, 1), advance=(64,))
    sketch.items.append(Region("map", 8, (matmul_op("mm", row, w.access(), kept),)))
    result = simulate(sketch.trace(), machine(size=2**20, setup=1e-6))
    spans = [s for s in result.replay.spans if s.assignment.op.name == "mm"]
    assert all(b.start < a.end for a, b in itertools.pairwise(spans))
