"""What engines spend their cycles on: every slot that a shipped one books has a cause."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from strategies import Sketch, machine

from codesign import Trace, load_hardware, simulate
from codesign.errors import CodesignError
from codesign.hardware.spec import list_hardware
from codesign.models import resolve_model
from codesign.result.causes import CAUSES
from codesign.result.result import Result
from codesign.result.slots import SLOTS, slot
from codesign.result.why import Why
from codesign.testing import elementwise, matmul
from codesign.workload.record import Op

PRESETS = [one.name for one in list_hardware()]


def alone(op: Op) -> Trace:
    return Trace(op.name, (op,), tuple(access.tensor for access in op.operands))


@cache
def models() -> tuple[Trace, ...]:
    sketch = Sketch("convolutions")
    sketch.conv("conv", sketch.input("image", 3, 20, 20), 24, 3)
    products = [matmul(m, k, n) for m, k, n in ((1, 700, 300), (64, 256, 256), (33, 17, 5))]
    return (sketch.trace(), *map(alone, products), alone(elementwise((64,))))


@cache
def results(preset: str) -> tuple[Result, ...]:
    found = []
    for trace in (*models(), resolve_model("cell_lstm", steps=2)):
        try:
            found.append(simulate(trace, preset))
        except CodesignError:
            continue  # formats or kinds that the machine does not take
    return tuple(found)


def booked(preset: str) -> Iterator[str]:
    for result in results(preset):
        for one, _ in result.placement.assignments():
            for name, _ in one.plan.slots if one.plan else ():
                yield name


@pytest.mark.parametrize("preset", PRESETS)
def test_every_slot_of_a_preset_has_a_cause(preset: str) -> None:
    assert results(preset), "none of the models runs here: give one that does"
    unknown = set(booked(preset)) - set(SLOTS)
    assert not unknown, "classify them in codesign/result/slots.py"


def test_most_names_are_seen_so_that_the_table_is_of_what_there_is() -> None:
    seen = {name for preset in PRESETS for name in booked(preset)}
    assert len(seen & set(SLOTS)) > len(SLOTS) / 2
    assert {"effective", "memory", "call", "ports and filling", "shared cache"} <= seen


def test_causes_of_slots_are_causes_of_the_path() -> None:
    assert {one.cause for one in SLOTS.values()} <= set(CAUSES)


def test_a_name_that_nobody_knows_is_computing() -> None:
    assert slot("a plugin's own") == ("compute", "engine")


# -- what starts ---------------------------------------------------------------------------------


def of_engine(why: Why, engine: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in why.parts:
        if part.component == engine:
            found[part.cause] = found.get(part.cause, 0) + part.ticks
    return found


@pytest.mark.parametrize("start", [0, 8, 300])
def test_starts_of_pieces_are_launches(start: int) -> None:
    """One piece of 64 elements on 64 lanes: so many cycles to start, and one to compute."""
    hardware = machine().with_("vector.start", start).with_("vector.lanes", 64)
    result = simulate(alone(elementwise((64,))), hardware)
    found = of_engine(result.why(), "vector")
    ((one, _),) = [(a, n) for a, n in result.placement.assignments() if a.plan and a.plan.cycles]
    assert one.plan is not None
    assert one.plan.start_cycles == start * one.plan.tiles
    launched, total = found.get("launch overhead", 0), sum(found.values())
    assert launched == pytest.approx(total * one.plan.start_cycles / one.plan.cycles, abs=1)
    assert (launched > 0) == (start > 0)


@pytest.mark.parametrize("preset", ["a100-80gb", "h4h-edge", "edge-npu"])
def test_elementwise_work_of_shipped_machines_tells_its_launch(preset: str) -> None:
    result = next(one for one in results(preset) if one.model == alone(elementwise((64,))).name)
    assert result.why().by("cause")["launch overhead"] > 0


def test_a_gpu_that_waits_for_its_memory_waits_for_the_home_of_the_operands() -> None:
    result = simulate(alone(matmul(1, 4096, 4096)), load_hardware("h100"))
    (one, *_) = [a for a, _ in result.placement.assignments() if a.plan and a.plan.slots]
    assert "memory" in dict(one.plan.slots) if one.plan else False
    home = result.machine.home(one.engine).name
    assert any(p.cause == "bandwidth" and home in p.component for p in result.why().parts)
