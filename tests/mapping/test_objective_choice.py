"""Which engine runs an operator where energy is weighed, and what a result says of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from codesign_plugins.systolic import Systolic
from codesign_plugins.vector import Vector
from strategies import Sketch
from toy_machine import machine, priced

import codesign
from codesign import Engines, Objective, Result, Trace
from codesign.errors import MappingError
from codesign.hardware.component import Component
from codesign.hardware.spec import Hardware
from codesign.mapping.choice import choose, energy_of
from codesign.mapping.explain import explain
from codesign.mapping.paths import Paths
from codesign.mapping.place import place, place_planned
from codesign.mapping.placement import Placement
from codesign.mapping.prices import planned_j
from codesign.testing import matmul
from codesign.workload.record import Op

LATENCY, ENERGY, EDP = Objective(), Objective(0, 1), Objective(1, 1)
DEAR, FRUGAL = "large", "small"


def hardware(price: float = 3e-12) -> Hardware:
    """A fast array whose products are dear, and a slow one whose products are cheap."""
    parts: list[Component] = []
    for name, rows, energy in ((DEAR, 32, price), (FRUGAL, 8, 1e-13)):
        sram = f"sram_{name}"
        parts += [
            Systolic(name=name, buffer=sram, rows=rows, cols=32, mac_energy={"int8*int8": energy}),
            Sram(name=sram, size=64 * 1024, bandwidth=64e9),
            Bus(name=f"bus_{name}", connects=("dram", sram), bandwidth=16e9, setup=2e-8),
        ]
    dram = FlatDram(name="dram", device="toy", size=1 << 30, bandwidth=25e9, efficiency=1.0)
    vector = Vector(name="vector", buffer=f"sram_{DEAR}")
    return Hardware("two", "", None, {part.name: part for part in (*parts, vector, dram)})


def chain(length: int = 4) -> Trace:
    sketch = Sketch("chain")
    x = sketch.input("x", 128, 256)
    for number in range(length):
        x = sketch.matmul(f"m{number}", x, 256)
    return sketch.trace()


def one_on(op: Op, objective: Objective | None, machine_: Hardware) -> str:
    paths = Paths(machine_, objective)
    return choose(op, paths, {}, [paths.home] * len(op.operands)).engine.name


def engines_of(placement: Placement) -> set[str]:
    return {one.engine for one, _ in placement.assignments()}


def planned(placement: Placement, machine_: Hardware) -> float:
    """Joules of all plans."""
    return sum(
        planned_j(one, one.plan, machine_) * times
        for one, times in placement.assignments()
        if one.plan is not None
    )


def run(objective: Objective | str | None, **options: object) -> Result:
    found: Result = codesign.simulate(chain(), hardware(), objective=objective, **options)  # type: ignore[arg-type]
    return found


# -- one operator --------------------------------------------------------------------------------


def test_energy_takes_the_engine_that_spends_less_and_latency_the_faster_one() -> None:
    op, both = matmul(128, 256, 256), hardware()
    assert one_on(op, None, both) == one_on(op, LATENCY, both) == DEAR
    assert one_on(op, ENERGY, both) == FRUGAL


def test_the_product_of_both_takes_the_better_of_the_two() -> None:
    op = matmul(128, 256, 256)
    assert one_on(op, EDP, hardware(price=2e-13)) == DEAR
    assert one_on(op, EDP, hardware(price=1e-10)) == FRUGAL
    assert one_on(op, Objective(10, 1), hardware(price=3e-12)) == DEAR


def test_the_energy_of_a_choice_is_the_one_that_is_explained() -> None:
    placement, plans = place_planned(chain(1), hardware(), "none", objective=ENERGY)
    for one, times in placement.assignments():
        explained = explain(one, times, plans.paths)
        assert explained is not None
        assert one.plan is not None
        assert explained.energy_j == planned_j(one, one.plan, hardware()) > 0
        choice = plans.choose(one.op, {}, one.homes)
        assert energy_of(one.op, choice, plans.paths, one.homes) == explained.energy_j


def test_a_price_that_is_missing_is_told_before_engines_are_compared() -> None:
    trace = Sketch("t")
    trace.matmul("m", trace.input("x", 16, 16), 16)
    broken = machine(priced(contraction=1))
    assert planned(place(trace.trace(), broken), broken) > 0  # moves have prices
    one = place(trace.trace(), broken).assignments()[0][0]
    assert one.plan is not None
    free = replace(one.plan, actions=(("", "magic", 1),))
    with pytest.raises(MappingError, match="no energy for action 'magic'"):
        planned_j(one, free, broken)
    nobody = replace(one.plan, actions=(("ghost", "read", 1),))
    with pytest.raises(MappingError, match="unknown component 'ghost'"):
        planned_j(one, nobody, broken)


# -- programs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["earliest", "alone", "optimal"])
def test_every_operator_runs_where_its_own_score_is_least(policy: str) -> None:
    fast = place(chain(), hardware(), "none", policy)
    frugal = place(chain(), hardware(), "none", policy, objective="energy")
    assert DEAR in engines_of(fast)
    assert engines_of(frugal) == {FRUGAL}
    assert planned(frugal, hardware()) < planned(fast, hardware())
    (note,) = [note for note in frugal.notes if note.startswith("engines")]
    assert note == (
        "engines by objective energy: operators run 4 on small, each where its own score is least"
    )


def test_rules_hold_under_any_objective() -> None:
    asked = Engines(rules={"m1": DEAR})
    found = place(chain(), hardware(), "none", asked, objective=ENERGY)
    ran = {one.op.name: one.engine for one, _ in found.assignments()}
    assert ran == {"m0": FRUGAL, "m1": DEAR, "m2": FRUGAL, "m3": FRUGAL}


def test_an_operator_is_shared_only_where_that_scores_better() -> None:
    share = Engines(split=True)
    alone = place(chain(1), hardware(), "none", share, objective=ENERGY)
    assert engines_of(alone) == {FRUGAL}
    quick = place(chain(1), hardware(2e-13), "none", share, objective=Objective(10, 1))
    assert engines_of(quick) == {DEAR, FRUGAL}


# -- results -------------------------------------------------------------------------------------


def test_a_result_names_an_objective_other_than_latency() -> None:
    said = "objective edp: plans are searched for the least edp"
    assert said in run("edp").placement.notes
    assert said in run(EDP).placement.notes
    weighted = run("latency^2*energy").placement.notes
    assert (
        "objective latency^2*energy: plans are searched for the least latency^2*energy" in weighted
    )
    for nothing in (None, "latency", LATENCY):
        assert not [note for note in run(nothing).placement.notes if "objective" in note]


def test_latency_changes_nothing() -> None:
    assert run("latency").digest == run(None).digest == run(Objective(2, 0)).digest


def test_a_run_for_energy_spends_less_and_takes_longer() -> None:
    fast, frugal = run("latency"), run("energy")
    assert frugal.energy_j < fast.energy_j
    assert frugal.latency_s > fast.latency_s
    assert frugal.macs == fast.macs


def test_a_mistake_is_told_before_a_model_is_read() -> None:
    with pytest.raises(MappingError, match="did you mean 'energy'"):
        codesign.simulate("no_such_model", "edge-npu", objective="enrgy")


def test_a_fixed_mapping_is_compared_in_both_where_energy_is_weighed() -> None:
    mapping = {"m0": {"tile": {"n": 8}}}
    weighed = [
        note for note in run("energy", mapping=mapping).placement.notes if note.startswith("m0: ")
    ]
    (note,) = weighed
    assert " ms and " in note
    assert "µJ, the best one found" in note
    (note,) = [
        note for note in run(None, mapping=mapping).placement.notes if note.startswith("m0: ")
    ]
    assert "µJ" not in note
