"""Nothing is free by accident, and nothing that costs is found out only after the replay."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from strategies import Sketch
from strategies import machine as real_machine
from toy_machine import Priced, machine, priced

from codesign.errors import MappingError
from codesign.hardware.component import Component, Engine
from codesign.hardware.plan import Budget, TilePlan
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.place import place
from codesign.mapping.placement import Assignment, Placement
from codesign.mapping.prices import check_charge, check_prices
from codesign.testing import elementwise
from codesign.workload.record import Op, Region, Trace


def trace(*ops: Op) -> Trace:
    tensors = {access.tensor: None for op in ops for access in op.operands}
    return Trace("t", ops, tuple(tensors))


def charging(*actions: tuple[str, str, int]) -> Placement:
    """Two operators on the engine ``cpu``, of which the second charges ``actions``."""
    first, second = elementwise((8,)), replace(elementwise((9,)), name="second")
    found = place(trace(first, second), machine(priced(elementwise=1)))
    steps = [step for step in found.program if isinstance(step, Assignment)]
    assert steps[1].plan is not None
    steps[1] = replace(steps[1], plan=replace(steps[1].plan, actions=actions))
    return replace(found, program=tuple(steps))


@dataclass(frozen=True, kw_only=True)
class Pricing(Priced):
    """As ``Priced``, with energies of its own."""

    kind: ClassVar[str] = "pricing"

    def energies_j(self) -> dict[str, float]:
        return {"mac": 1e-12, "free": 0.0}


CPU = Pricing(name="cpu", buffer="sram", cycles={"elementwise": 1})


def unpriced(kind: type[Component], *actions: str) -> type[Any]:
    """A kind that prices some actions only."""

    class Partly(kind):  # type: ignore[misc,valid-type]
        def energies_j(self) -> dict[str, float]:
            return dict.fromkeys(actions, 1e-12)

    return dataclass(frozen=True, kw_only=True)(Partly)


def with_part(hardware: Hardware, part: Component) -> Hardware:
    return replace(hardware, components={**hardware.components, part.name: part})


def refused(placement: Placement, hardware: Hardware, rule: str) -> None:
    with pytest.raises(MappingError, match=re.escape(rule)) as fault:
        check_prices(placement, hardware)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("preset", ["edge-npu", "server-npu"])
def test_the_presets_price_all_that_happens_on_them(preset: str) -> None:
    sketch = Sketch()
    x = sketch.matmul("mm", sketch.input("x", 16, 64), 64)
    sketch.softmax("soft", sketch.pointwise("relu", x))
    sketch.recurrent("rnn", x, 64)
    hardware = load_hardware(preset)
    check_prices(place(sketch.trace(), hardware), hardware)


def test_actions_of_the_engine_and_its_buffer_are_priced() -> None:
    done = charging(("", "mac", 8), ("", "free", 2), ("buffer", "read", 8), ("dram", "write", 1))
    check_prices(done, machine(CPU))


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        (("", "add", 1), "cpu (pricing) has no energy for action 'add'"),
        (("buffer", "erase", 1), "sram (sram) has no energy for action 'erase'"),
        (("bus", "jump", 1), "bus (link) has no energy for action 'jump'"),
    ],
)
def test_an_action_without_a_price_is_named_with_its_operator_and_the_way_out(
    action: tuple[str, str, int], rule: str
) -> None:
    rest = ", which operator 'second' needs on engine 'cpu'; add it to energies_j of kind "
    refused(charging(("", "mac", 8), action), machine(CPU), rule + rest)


def test_an_action_of_an_unknown_component_is_named_with_the_known_ones() -> None:
    refused(
        charging(("drum", "read", 1)),
        machine(CPU),
        "second: engine 'cpu' charges action 'read' to an unknown component 'drum'; "
        "did you mean 'dram'? known: bus, cpu, dram, sram; charge one of them, '' for the engine",
    )


def test_the_first_operator_that_needs_the_action_is_named() -> None:
    found = charging(("", "add", 1))
    again = replace(found.program[1], op=replace(elementwise((9,)), name="third"))  # type: ignore[arg-type]
    refused(replace(found, program=(*found.program, again)), machine(CPU), "operator 'second'")


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        (unpriced(FlatDram, "write")(name="dram", device="d", size=1 << 20, bandwidth=1e9), "read"),
        (unpriced(FlatDram, "read")(name="dram", device="d", size=1 << 20, bandwidth=1e9), "write"),
        (unpriced(Sram, "write")(name="sram", size=4096), "read"),
        (unpriced(Sram, "read")(name="sram", size=4096), "write"),
        (unpriced(Bus)(name="bus", connects=("dram", "sram")), "move"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_transfers_need_prices_at_both_ends_and_between(part: Component, missing: str) -> None:
    hardware = with_part(machine(CPU), part)
    found = place(trace(elementwise((8,))), machine(CPU))
    refused(found, hardware, f"{part.name} ({part.kind}) has no energy for action {missing!r}")


def deep(middle: Component) -> Hardware:
    """``dram - l2 - sram`` with the engine at the end."""
    parts: list[Component] = [
        CPU,
        Sram(name="sram", size=4096),
        Bus(name="near", connects=("l2", "sram")),
        middle,
        Bus(name="far", connects=("dram", "l2")),
        FlatDram(name="dram", device="toy", size=1 << 20, bandwidth=8e9),
    ]
    return Hardware("deep", "", None, {part.name: part for part in parts})


@pytest.mark.parametrize("missing", ["read", "write"])
def test_a_memory_on_the_way_is_read_and_written(missing: str) -> None:
    whole = deep(Sram(name="l2", size=65536))
    found = place(trace(elementwise((8,))), whole)
    check_prices(found, whole)
    other = {"read": "write", "write": "read"}[missing]
    partly = deep(unpriced(Sram, other)(name="l2", size=65536))
    refused(found, partly, f"l2 (sram) has no energy for action {missing!r}")


def test_a_way_that_no_operand_takes_needs_no_price() -> None:
    """What lies in the buffer moves nothing, and a home on the way ends the way there."""
    hardware = deep(Sram(name="l2", size=65536))
    (step,) = place(trace(elementwise((8,))), hardware).program
    assert isinstance(step, Assignment)
    found = Placement(trace(step.op), (replace(step, homes=("l2", "sram")),), "dram")
    without_dram = unpriced(FlatDram)(name="dram", device="toy", size=1 << 20, bandwidth=8e9)
    without_far = unpriced(Bus)(name="far", connects=("dram", "l2"))
    check_prices(found, with_part(with_part(hardware, without_dram), without_far))
    without_near = unpriced(Bus)(name="near", connects=("l2", "sram"))
    refused(found, with_part(hardware, without_near), "near (link) has no energy for action 'move'")


def test_what_stays_in_the_buffer_needs_no_price_of_a_link() -> None:
    hardware = machine(CPU)
    (step,) = place(trace(elementwise((8,))), hardware).program
    assert isinstance(step, Assignment)
    here = Placement(trace(step.op), (replace(step, homes=("sram", "sram")),), "dram")
    check_prices(here, with_part(hardware, unpriced(Bus)(name="bus", connects=("dram", "sram"))))


def test_preloads_and_steps_of_regions_are_checked() -> None:
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 6, 32), 32)
    hardware = real_machine()
    found = place(sketch.trace(), hardware)
    check_prices(found, hardware)
    unpaid = unpriced(Bus)(name="bus0", connects=("dram", "sram0"))
    refused(found, with_part(hardware, unpaid), "which operator 'rnn.preload' needs on engine")


class Live(Engine):
    """A process engine."""

    kind: ClassVar[str] = "live"
    process: ClassVar[Callable[..., Any]] = staticmethod(lambda env, op, ports: iter(()))

    def supports(self, op: Op) -> str | None:
        return None


def test_transfers_of_a_process_engine_are_checked_too() -> None:
    hardware = machine(Live(name="live", buffer="sram"))
    found = place(trace(elementwise((8,))), hardware)
    check_prices(found, hardware)
    partly = unpriced(FlatDram, "read")(name="dram", device="d", size=1 << 20, bandwidth=1e9)
    refused(found, with_part(hardware, partly), "dram (flat_dram) has no energy for action 'write'")


def test_a_single_charge_can_be_checked_when_it_is_made() -> None:
    hardware = machine(CPU)
    (step,) = place(trace(elementwise((8,))), hardware).program
    assert isinstance(step, Assignment)
    for component, action in (("", "mac"), ("buffer", "read"), ("cpu", "free"), ("bus", "move")):
        check_charge(component, action, step, hardware)
    for component, action, rule in (
        ("", "add", "cpu (pricing) has no energy for action 'add', which operator 'elementwise 8'"),
        ("buffer", "move", "sram (sram) has no energy for action 'move'"),
        ("noc", "hop", "charges action 'hop' to an unknown component 'noc'"),
    ):
        with pytest.raises(MappingError, match=re.escape(rule)):
            check_charge(component, action, step, hardware)


def test_each_plan_is_looked_at_once_however_many_operators_share_it() -> None:
    looked: list[str] = []

    @dataclass(frozen=True, kw_only=True)
    class Counting(Pricing):
        def energies_j(self) -> dict[str, float]:
            looked.append(self.name)
            return {"mac": 1e-12}

        def plan(self, op: Op, budget: Budget) -> TilePlan:
            return replace(super().plan(op, budget), actions=(("", "mac", 1),))

    hardware = machine(Counting(name="cpu", buffer="sram", cycles={"elementwise": 1}))
    ops = tuple(replace(elementwise((8,)), name=f"op{number}") for number in range(50))
    found = place(replace(trace(*ops), items=(Region("loop", 9, ops),)), hardware, "none")
    looked.clear()
    check_prices(found, hardware)
    assert looked == ["cpu"]
