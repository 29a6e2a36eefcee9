"""An engine plans once for the same question, and what fails is asked again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import pytest
from toy_machine import Priced, machine, priced

from codesign.errors import MappingError, PluginError
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping import answers
from codesign.mapping.answers import plan_of, refusals
from codesign.mapping.place import place
from codesign.testing import elementwise
from codesign.workload.record import Op, Trace

AMPLE = Budget(4096, 1e9, 1e9)


@pytest.fixture(autouse=True)
def _forget() -> None:
    Priced.asked.clear()


class Silent(Priced):
    kind = "silent"

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        self.asked.append((self.name, op.name, budget))
        return None  # type: ignore[return-value]


def test_the_same_question_is_asked_once() -> None:
    engine, op = priced(elementwise=5), elementwise((8,))
    assert plan_of(engine, op, AMPLE) is plan_of(engine, replace(op, name="twin"), AMPLE)
    assert plan_of(engine, op, replace(AMPLE)) is plan_of(engine, op, AMPLE)
    assert len(Priced.asked) == 1


def test_another_budget_content_or_engine_is_another_question() -> None:
    engine, op = priced(elementwise=5), elementwise((8,))
    questions = [
        (engine, op, AMPLE),
        (engine, op, replace(AMPLE, buffer_bytes=4095)),
        (engine, op, replace(AMPLE, load_bytes_per_s=2e9)),
        (engine, op, replace(AMPLE, resident=(True,))),
        (engine, elementwise((9,)), AMPLE),
        (priced(elementwise=5), op, AMPLE),
    ]
    for question in questions:
        plan_of(*question)
    assert len(Priced.asked) == len(questions)


def test_a_second_placement_on_the_same_engine_asks_nothing_anew() -> None:
    op = elementwise((8,))
    tensors = tuple(access.tensor for access in op.operands)
    trace, hardware = Trace("t", (op,), tensors), machine(priced(elementwise=5))
    first = place(trace, hardware)
    count = len(Priced.asked)
    assert count > 0
    assert place(trace, hardware).program == first.program
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


def test_the_plan_used_longest_ago_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_KEPT", 2)
    monkeypatch.setattr(answers, "_made", OrderedDict())
    engine = priced(elementwise=5)
    one, two, three = (elementwise((size,)) for size in (1, 2, 3))
    for op in (one, two, one, three, one):
        plan_of(engine, op, AMPLE)
    assert [name for _, name, _ in Priced.asked] == [op.name for op in (one, two, three)]
    plan_of(engine, two, AMPLE)
    assert Priced.asked[-1][1] == two.name
    assert len(answers._made) == 2


def test_refusals_are_told_by_engine() -> None:
    engines = priced("adds", elementwise=5), priced("idle")
    assert refusals(elementwise((8,)), engines) == {"idle": "has no price for elementwise"}
