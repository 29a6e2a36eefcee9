"""An engine plans once for all that it would read the same of, and what fails is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
from codesign_plugins.link import Bus
from strategies import Sketch
from toy_machine import Priced, machine, priced

from codesign.errors import MappingError, PluginError
from codesign.hardware.component import Component
from codesign.hardware.plan import Budget, Loop, TilePlan
from codesign.hardware.spec import load_hardware
from codesign.mapping.answers import content_of, plan_of, refusals
from codesign.mapping.kept import forget_all
from codesign.mapping.place import place
from codesign.testing import elementwise
from codesign.workload.record import Op, Trace

AMPLE = Budget(4096, 1e9, 1e9)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    Priced.asked.clear()
    forget_all()
    yield
    forget_all()


class Silent(Priced):
    kind = "silent"

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        self.asked.append((self.name, op.name, budget))
        return None  # type: ignore[return-value]


class Picky(Priced):
    """Shows in its plan what it has looked at: more of the budget where there is little of it."""

    kind = "picky"

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        plan = super().plan(op, budget)
        if budget.buffer_bytes < 100:
            return replace(plan, note=f"{budget.load_bytes_per_s}")
        return plan


def test_the_same_question_is_asked_once() -> None:
    engine, op = priced(elementwise=5), elementwise((8,))
    assert plan_of(engine, op, AMPLE) is plan_of(engine, replace(op, name="twin"), AMPLE)
    assert plan_of(engine, op, replace(AMPLE)) is plan_of(engine, op, AMPLE)
    assert len(Priced.asked) == 1


def test_what_an_engine_does_not_read_makes_no_other_question() -> None:
    op = elementwise((8,))
    first = plan_of(priced(elementwise=5), op, AMPLE)
    assert plan_of(priced(elementwise=5), op, AMPLE) is first
    assert plan_of(replace(priced(elementwise=5), leakage=1.0), op, AMPLE) is first
    assert plan_of(priced(elementwise=5), op, replace(AMPLE, load_bytes_per_s=2e9)) is first
    assert len(Priced.asked) == 1


def test_whatever_it_reads_makes_another_question() -> None:
    engine, op = priced(elementwise=5), elementwise((8,))
    questions = [
        (engine, op, AMPLE),
        (engine, op, replace(AMPLE, buffer_bytes=4095)),
        (engine, op, replace(AMPLE, resident=(True,))),
        (engine, elementwise((9,)), AMPLE),
        (priced(elementwise=6), op, AMPLE),
        (priced(tile=2, elementwise=5), op, AMPLE),
        (priced("other", elementwise=5), op, AMPLE),
        (Picky(name="cpu", buffer="sram", cycles={"elementwise": 5}), op, AMPLE),
    ]
    plans = [plan_of(*question) for question in questions]
    assert len(Priced.asked) == len(questions)
    assert [plan_of(*question) for question in questions] == plans
    assert len(Priced.asked) == len(questions)


def test_what_it_reads_only_now_and_then_counts_then() -> None:
    op, little = elementwise((8,)), replace(AMPLE, buffer_bytes=99)
    engine = Picky(name="picky", buffer="sram", cycles={"elementwise": 5})
    fast, faster = (replace(budget, load_bytes_per_s=2e9) for budget in (AMPLE, little))
    assert plan_of(engine, op, AMPLE) is plan_of(engine, op, fast)
    notes = [plan_of(engine, op, budget).note for budget in (little, faster)]
    assert notes == ["1000000000.0", "2000000000.0"]


def test_a_second_placement_on_the_same_engine_asks_nothing_anew() -> None:
    op = elementwise((8,))
    tensors = tuple(access.tensor for access in op.operands)
    trace, hardware = Trace("t", (op,), tensors), machine(priced(elementwise=5))
    first = place(trace, hardware)
    count = len(Priced.asked)
    assert count > 0
    assert place(trace, hardware).program == first.program
    assert place(trace, hardware.with_all({"dram.bandwidth": 1e9})).program == first.program
    assert len(Priced.asked) == count
    place(trace, hardware.with_all({"sram.size": 2048}))
    assert len(Priced.asked) > count


def test_a_failure_is_not_remembered() -> None:
    engine, op = priced(tile=9999, elementwise=5), elementwise((8,))
    for _ in range(2):
        with pytest.raises(MappingError, match="no room for 9999 B"):
            plan_of(engine, op, AMPLE)
    silent = Silent(name="silent", buffer="sram", cycles={"elementwise": 5})
    for _ in range(2):
        with pytest.raises(PluginError, match="must be a TilePlan, got NoneType"):
            plan_of(silent, op, AMPLE)
    assert [name for name, _, _ in Priced.asked] == ["cpu", "cpu", "silent", "silent"]


def test_refusals_are_told_by_engine() -> None:
    engines = priced("adds", elementwise=5), priced("idle")
    for _ in range(2):
        assert refusals(elementwise((8,)), engines) == {"idle": "has no price for elementwise"}
    assert refusals(elementwise((8,)), [priced("adds")]) == {"adds": "has no price for elementwise"}


def test_one_mark_stands_for_operators_of_one_content() -> None:
    op = elementwise((8,))
    assert content_of(op) is content_of(replace(op, name="twin"))
    assert content_of(op) is not content_of(elementwise((9,)))
    assert content_of(op).content == op.content


@pytest.mark.parametrize("cycles", [-1, 1.5, float("nan"), None, "4"])
def test_a_tile_of_no_whole_cycles_is_refused(cycles: Any) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Odd(Priced):
        def plan(self, op: Op, budget: Budget) -> TilePlan:
            plan = super().plan(op, budget)
            return replace(plan, loop=Loop((replace(plan.first, cycles=cycles),)))

    odd = Odd(name="odd", buffer="sram", cycles={"elementwise": 5})
    with pytest.raises(PluginError, match="must take whole cycles, at least 0, got"):
        plan_of(odd, elementwise((8,)), AMPLE)


def test_an_energy_below_zero_is_refused_before_anything_runs() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Generous(Bus):  # type: ignore[misc]  # mypy follows no entry point
        def energies_j(self) -> dict[str, float]:
            return dict.fromkeys(super().energies_j(), -1e-09)

    machine = load_hardware("edge-npu")
    bus = machine.components["bus"]
    given = {one.name: getattr(bus, one.name) for one in fields(bus)}
    parts: dict[str, Component] = {**machine.components, "bus": Generous(**given)}
    with pytest.raises(MappingError, match=r"bus .*: the energy of action 'move' must be >= 0 J"):
        place(one_product(), replace(machine, components=parts))


def one_product() -> Trace:
    sketch = Sketch("t")
    sketch.matmul("mm", sketch.input("x", 4, 8), 8)
    return sketch.trace()
