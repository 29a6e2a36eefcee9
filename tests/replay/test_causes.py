"""Ticks shared out, and what each kind of activity is attributed to."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hand_built import NS, ROOMY, placement
from hypothesis import given
from hypothesis import strategies as st
from random_work import Owner
from strategies import KIB, LOADED, Sketch, machine, uniform
from test_process import softmax_of, with_process

from codesign import load_hardware, simulate
from codesign.hardware.plan import TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment
from codesign.result.causes import CAUSES, Label, share_out
from codesign.result.why import Why, find_why
from codesign.workload.dtype import DType
from codesign.workload.record import Op, Tensor


def labels(count: int) -> list[Label]:
    return [Label("compute", f"npu{number}", "op") for number in range(count)]


@given(
    st.integers(0, 10**15),
    st.lists(st.fractions(min_value=0, max_value=9), min_size=1, max_size=8).filter(any),
)
def test_shares_are_whole_and_sum_to_the_total(total: int, weights: list[Fraction]) -> None:
    names = labels(len(weights))
    found = dict(share_out(total, list(zip(names, weights, strict=True))))
    assert sum(found.values()) == total
    for name, weight in zip(names, weights, strict=True):
        assert abs(found.get(name, 0) - total * weight / sum(weights)) < 1


def test_what_is_left_goes_to_the_earlier_of_equal_remainders() -> None:
    found = share_out(5, [(label, Fraction(1)) for label in labels(3)])
    assert [ticks for _, ticks in found] == [2, 2, 1]


def causes(why: Why) -> dict[tuple[str, str], int]:
    """Nanoseconds by cause and component."""
    found: dict[tuple[str, str], int] = {}
    for one in why.parts:
        key = one.cause, one.component
        found[key] = found.get(key, 0) + one.ticks
    return {key: round(ticks / NS) for key, ticks in found.items()}


def sized(name: str, plan: TilePlan, engine: str = "npu0") -> Assignment:
    """An operator whose weight is as large as what its plan loads of it."""
    byte = DType.parse("int8")
    weight = Tensor(f"{name}.weight", (plan.loaded.get(LOADED, 1),), byte, "weight")
    late, out = (Tensor(f"{name}.{end}", (1,), byte, "activation") for end in ("late", "out"))
    op = Op(name, "move", (weight.access(), late.access()), (out.access(),))
    return Assignment(op, engine, plan, ("dram",) * 3, ROOMY)


def why_of(plan: TilePlan, hardware: Hardware) -> dict[tuple[str, str], int]:
    return causes(find_why(placement(sized("op", plan)), hardware))


def test_three_tiles_by_hand() -> None:
    hardware = machine(bandwidth=1e9)
    assert why_of(uniform(3, 100, 150, 50), hardware) == {
        ("compute", "npu0"): 450,
        ("bandwidth", "bus0"): 150,
    }


def test_a_transfer_that_shares_a_link_queues() -> None:
    # loads of 100 B and stores of 100 B on one link bound every tile: half of each load's time is
    # the store's, and the other way round
    found = why_of(uniform(1000, 100, 1, 100), machine(bandwidth=1e9))
    assert set(found) == {("bandwidth", "bus0"), ("queueing", "bus0"), ("compute", "npu0")}
    assert found["queueing", "bus0"] == pytest.approx(100_000, rel=0.01)
    apart = why_of(uniform(1000, 100, 1, 100), machine(bandwidth=1e9, duplex="full"))
    assert set(apart) == {("bandwidth", "bus0"), ("compute", "npu0")}


def test_the_resource_that_bounds_the_rate_is_named() -> None:
    plan = uniform(100, 100, 1, 0)
    slow_memory = why_of(plan, machine(bandwidth=4e9, memory_rate=1e9))
    assert ("bandwidth", "dram, sram0") in slow_memory  # both have that rate
    assert ("bandwidth", "bus0") not in slow_memory


def test_set_up_is_the_links() -> None:
    # no double buffering hides the set-up of each load: 10 ns and 100 ns, a hundred times
    found = why_of(uniform(100, 100, 1, 0), machine(bandwidth=1e9, setup=10e-9))
    assert found["set-up", "bus0"] == 1000
    assert found["bandwidth", "bus0"] == 10_000


def test_a_process_engine_is_one_cause() -> None:
    result = simulate(softmax_of(4), with_process(machine(bandwidth=1e9)))
    why = result.why()
    assert why.by("cause") == {"process engine": why.makespan}
    assert why.by("component") == {"vector": why.makespan}


def test_fill_and_drain_are_apart_where_the_plan_names_them() -> None:
    sketch = Sketch()
    sketch.matmul("op", sketch.input("x", 1, 256), 256)
    result = simulate(sketch.trace(), machine(bandwidth=1e12, rows=16))
    why = result.why()
    slots = result.mac_slots
    names = ("weight load", "fill and drain")
    spent = why.by("cause")
    on_engine = spent["fill and drain"] + spent["compute"]
    share = sum(slots.get(name, 0) for name in names) / sum(slots.values())
    assert spent["fill and drain"] / on_engine == pytest.approx(share, rel=1e-3)


def recurrent(size: int) -> Why:
    """Four steps of a cell whose 64 KiB of weights fit the buffer or do not."""
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", 4, 256), 256)
    hardware = machine(bandwidth=1e9, size=size, clock=1e10)
    return simulate(sketch.trace(), hardware, residency="region").why()


def test_weights_that_come_again_are_reloaded() -> None:
    assert recurrent(1024 * KIB).by("cause").get("weight reload", 0) == 0
    why = recurrent(32 * KIB)
    weights = [one for one in why.parts if one.role == "weight" and one.cause != "set-up"]
    reloaded = sum(one.ticks for one in weights if one.cause == "weight reload")
    # of four loads of each weight the first is none
    assert reloaded / sum(one.ticks for one in weights) == pytest.approx(3 / 4, rel=1e-6)


def test_a_memory_with_banks_misses_rows_and_wakes_up() -> None:
    sketch = Sketch()
    sketch.matmul("op", sketch.input("x", 1, 1024), 1024)
    why = simulate(sketch.trace(), load_hardware("edge-npu-lpddr5")).why()
    banks = {cause: ticks for cause, ticks in why.by("cause").items() if ticks}
    assert banks["row misses"] > 0
    flat = simulate(sketch.trace(), load_hardware("edge-npu")).why()
    assert "row misses" not in flat.by("cause")


def test_an_engine_that_waits_for_another_ones_memory_queues() -> None:
    parts = dict(machine(bandwidth=1e9, systolics=2).components)
    given = {name: getattr(parts["npu0"], name) for name in ("buffer", "rows", "cols", "clock")}
    parts["npu0"] = Owner(
        name="npu0", owns=("dram",), macs_per_cell={"int8*int8": 1.0},
        mac_energy={"int8*int8": 0.0}, **given,
    )  # fmt: skip
    hardware = Hardware("owned", "", None, parts)
    busy = sized("busy", uniform(4, 1, 500, 0))
    loads = sized("loads", uniform(1, 2000, 1, 0), "npu1")
    found = causes(find_why(placement(busy, loads), hardware))
    assert found["queueing", "dram"] > 0
    assert sum(found.values()) == pytest.approx(
        find_why(placement(busy, loads), hardware).makespan / NS, abs=3
    )


def test_all_causes_are_known() -> None:
    assert len(set(CAUSES)) == len(CAUSES)
    assert set(recurrent(32 * KIB).by("cause")) <= set(CAUSES)
