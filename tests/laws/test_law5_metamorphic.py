"""Law 5: what must stay the same, or change in proportion, when the question is asked otherwise."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import AMPLE, KIB, Sketch, machine, machines, traces

from codesign import simulate
from codesign.hardware.component import Component
from codesign.hardware.spec import Hardware
from codesign.mapping.residency import Policy
from codesign.result.result import Result
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Carry, Item, Op, Region, Tensor, Trace


def at_speed(
    factor: int, duplex: Literal["half", "full"], setup: float, bandwidth: float
) -> Hardware:
    """A machine with every clock and rate times ``factor``, and set-up divided by it."""
    return machine(
        clock=1e9 * factor,
        bandwidth=bandwidth * factor,
        memory_rate=AMPLE * factor,
        setup=setup / factor,
        duplex=duplex,
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    traces(),
    st.sampled_from(["half", "full"]),
    st.sampled_from([0.0, 32e-9]),
    st.sampled_from([1e9, 4e9]),
)
def test_twice_every_rate_is_half_the_time(
    trace: Trace, duplex: Literal["half", "full"], setup: float, bandwidth: float
) -> None:
    slow = simulate(trace, at_speed(1, duplex, setup, bandwidth)).replay
    fast = simulate(trace, at_speed(2, duplex, setup, bandwidth)).replay
    # shares of odd parts are rounded up to a tick at each event
    assert abs(slow.makespan - 2 * fast.makespan) <= slow.events
    assert slow.moved == fast.moved


@pytest.mark.parametrize("setup", [0.0, 32e-9])
@pytest.mark.parametrize("factor", [2, 4])
def test_the_scaling_is_exact_where_every_time_is_a_whole_number(factor: int, setup: float) -> None:
    sketch = Sketch()
    x = sketch.matmul("b", sketch.matmul("a", sketch.input("x", 40, 100), 90), 70)
    sketch.matmul("c", x, 30)
    slow = simulate(sketch.trace(), at_speed(1, "full", setup, 1e9)).replay
    fast = simulate(sketch.trace(), at_speed(factor, "full", setup, 1e9)).replay
    assert [span.end for span in slow.spans] == [factor * span.end for span in fast.spans]
    assert (slow.lower, slow.events) == (factor * fast.lower, fast.events)


class Rename:
    """New names in another order: what sorted before sorts after."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        return self.names.setdefault(name, f"n{9999 - len(self.names)}")

    def tensor(self, tensor: Tensor) -> Tensor:
        return dataclasses.replace(tensor, name=self(tensor.name))

    def access(self, access: Access) -> Access:
        return dataclasses.replace(access, tensor=self.tensor(access.tensor))

    def item(self, item: Item) -> Item:
        if isinstance(item, Op):
            inputs, outputs = (
                tuple(self.access(a) for a in group) for group in (item.inputs, item.outputs)
            )
            return dataclasses.replace(item, name=self(item.name), inputs=inputs, outputs=outputs)
        assert isinstance(item, Region)
        carries = tuple(
            Carry(self.tensor(c.state), self.tensor(c.update), c.initial and self.tensor(c.initial))
            for c in item.carries
        )
        body = tuple(self.item(one) for one in item.body)
        return dataclasses.replace(item, name=self(item.name), body=body, carries=carries)

    def trace(self, trace: Trace) -> Trace:
        items = tuple(self.item(one) for one in trace.items)
        tensors = tuple(self.tensor(one) for one in trace.tensors)
        return Trace("renamed", items, tensors)

    def part(self, part: Component) -> Component:
        values: dict[str, object] = {"name": self(part.name)}
        if hasattr(part, "buffer"):
            values["buffer"] = self(part.buffer)
        if hasattr(part, "connects"):
            values["connects"] = tuple(self(end) for end in part.connects)
        return dataclasses.replace(part, **values)  # type: ignore[arg-type]

    def hardware(self, hardware: Hardware) -> Hardware:
        parts = [self.part(one) for one in hardware.components.values()]
        return Hardware("renamed", "", None, {part.name: part for part in parts})


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces(), machines(), st.sampled_from(["region", "none"]))
def test_names_change_nothing(trace: Trace, hardware: Hardware, residency: Policy) -> None:
    rename = Rename()
    one = simulate(trace, hardware, residency=residency)
    parts = rename.hardware(hardware)
    other = simulate(rename.trace(trace), parts, residency=residency)
    assert [(s.start, s.end) for s in one.replay.spans] == [
        (s.start, s.end) for s in other.replay.spans
    ]
    assert list(one.energy_by_component_j.values()) == list(other.energy_by_component_j.values())
    assert one.offchip_bytes == other.offchip_bytes
    assert list(one.utilization.values()) == list(other.utilization.values())
    assert list(one.ledger.energy) == list(other.ledger.energy)


def halves(*parts: tuple[str, str]) -> Trace:
    """For each (name, format) a chain of products of its own, taking turns in program order."""
    sketches = [Sketch(name, DType.parse(form)) for name, form in parts]
    heads = [s.input(f"{s.name}.x", 24 if s.name == "first" else 40, 64) for s in sketches]
    for number in range(3):
        heads = [s.matmul(f"{s.name}{number}", x, 64) for s, x in zip(sketches, heads, strict=True)]
    items = [item for group in zip(*(s.items for s in sketches), strict=True) for item in group]
    return Trace("halves", tuple(items), tuple(t for s in sketches for t in s.tensors))


@pytest.mark.parametrize("duplex", ["half", "full"])
@pytest.mark.parametrize("setup", [0.0, 32e-9])
def test_independent_halves_on_parts_of_their_own_cost_the_longer_of_the_two(
    duplex: Literal["half", "full"], setup: float
) -> None:
    # the format sends each half to its own array; only the DRAM is common, and it has rate to spare
    hardware = machine(
        systolics=2, buffers=2, links=2, formats=("int8", "int4"), duplex=duplex, setup=setup
    )
    first, second = ("first", "int8"), ("second", "int4")
    alone = [simulate(halves(half), hardware) for half in (first, second)]
    both = simulate(halves(first, second), hardware)
    assert {span.assignment.engine for span in both.replay.spans} == {"npu0", "npu1"}
    assert both.latency_s == max(one.latency_s for one in alone)
    assert sum(both.offchip_bytes.values()) == sum(sum(o.offchip_bytes.values()) for o in alone)
    assert both.energy_j == pytest.approx(sum(one.energy_j for one in alone), rel=1e-12)


def test_halves_that_share_a_link_take_longer_than_either_and_no_longer_than_both() -> None:
    hardware = machine(systolics=2, buffers=2, formats=("int8", "int4"), bandwidth=1e9)
    first, second = ("first", "int8"), ("second", "int4")
    alone = [simulate(halves(half), hardware).latency_s for half in (first, second)]
    both = simulate(halves(first, second), hardware).latency_s
    assert max(alone) < both <= sum(alone)


def recurrent(steps: int, residency: Policy, size: int = 64 * KIB) -> Result:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", steps, 48), 64)
    return simulate(sketch.trace(), machine(size=size), residency=residency)


WEIGHTS = 48 * 64 + 64 * 64


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_resident_weights_are_fetched_once_whatever_the_number_of_steps(steps: int) -> None:
    result = recurrent(steps, "region")
    assert result.offchip_bytes["weight"] == WEIGHTS
    assert result.offchip_bytes["input"] == steps * 48 + 64  # the sequence and the first state


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_weights_that_may_not_stay_are_fetched_at_every_step(steps: int) -> None:
    assert recurrent(steps, "none").offchip_bytes["weight"] == steps * WEIGHTS


@pytest.mark.parametrize("steps", [1, 9])
def test_weights_that_do_not_fit_are_fetched_at_every_step(steps: int) -> None:
    assert recurrent(steps, "region", size=6 * KIB).offchip_bytes["weight"] == steps * WEIGHTS


def test_more_steps_cost_their_share_of_time_once_all_is_resident() -> None:
    five, ten, fifteen = (recurrent(steps, "region").replay.makespan for steps in (5, 10, 15))
    assert ten - five == pytest.approx(fifteen - ten, rel=0.01)
