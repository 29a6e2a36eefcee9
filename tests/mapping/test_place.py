"""Which engine runs what, and what is refused before any work starts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import ClassVar

import pytest
from toy_machine import Priced, machine, priced

from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.mapping.choice import estimate_s
from codesign.mapping.place import place
from codesign.mapping.placement import Assignment
from codesign.testing import elementwise, matmul, softmax
from codesign.testing.operators import whole
from codesign.workload.attention import attention_parts
from codesign.workload.record import Branch, Item, Op, Region, Tensor, Trace


@pytest.fixture(autouse=True)
def _forget() -> None:
    Priced.asked.clear()


def renamed(op: Op, name: str) -> Op:
    return replace(op, name=name)


def trace_of(*items: Item) -> Trace:
    tensors: dict[str, Tensor] = {}
    for op, _ in Trace("t", items, ()).ops():
        tensors |= {access.tensor.name: access.tensor for access in op.operands}
    return Trace("t", items, tuple(tensors.values()))


def attention(heads: int = 2) -> Op:
    shapes = {"q": (1, heads, 4, 8), "k": (1, heads, 6, 8), "v": (1, heads, 6, 8)}
    inputs = tuple(whole(name, shape, "input") for name, shape in shapes.items())
    return Op("attn", "attention", inputs, (whole("y", (1, heads, 4, 8), "output"),))


def engines_of(found: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(s.op.name, s.engine) for s in found if isinstance(s, Assignment)]


def test_an_operator_goes_to_the_engine_that_finishes_it_first_alone() -> None:
    slow, fast = priced("slow", elementwise=10**6), priced("fast", elementwise=10**5)
    for engines in ((slow, fast), (fast, slow)):
        found = place(trace_of(elementwise((8,))), machine(*engines))
        assert engines_of(found.program) == [("elementwise 8", "fast")]


def test_of_two_equally_fast_engines_the_first_in_the_file_wins() -> None:
    twins = priced("one", elementwise=5), priced("two", elementwise=5)
    assert engines_of(place(trace_of(elementwise((8,))), machine(*twins)).program)[0][1] == "one"
    assert engines_of(place(trace_of(elementwise((8,))), machine(*twins[::-1])).program)[0][1] == (
        "two"
    )


def test_each_kind_goes_to_an_engine_that_takes_it() -> None:
    array, lanes = priced("array", contraction=9), priced("lanes", softmax=5, elementwise=5)
    ops = matmul(4, 4, 4), renamed(softmax(4, 4), "s"), renamed(elementwise((4,)), "e")
    found = place(trace_of(*ops), machine(array, lanes))
    assert [engine for _, engine in engines_of(found.program)] == ["array", "lanes", "lanes"]


def test_where_the_faster_engine_has_no_room_the_other_takes_over() -> None:
    fast, roomy = priced("fast", tile=9999, elementwise=1), priced("roomy", elementwise=10**6)
    found = place(trace_of(elementwise((8,))), machine(fast, roomy))
    assert engines_of(found.program)[0][1] == "roomy"


def test_attention_stays_whole_on_an_engine_that_takes_it() -> None:
    taking = priced("taking", attention=5, contraction=1, softmax=1)
    assert engines_of(place(trace_of(attention()), machine(taking)).program) == [("attn", "taking")]


def test_attention_that_nobody_takes_falls_into_its_parts() -> None:
    array, lanes = priced("array", contraction=9), priced("lanes", softmax=5)
    found = place(trace_of(attention()), machine(array, lanes))
    assert engines_of(found.program) == [
        ("attn.qk", "array"),
        ("attn.softmax", "lanes"),
        ("attn.pv", "array"),
    ]
    assert sum(a.op.macs * times for a, times in found.assignments()) == attention().macs


def test_an_operator_that_nobody_takes_is_refused_with_every_reason() -> None:
    trace = trace_of(elementwise((8,)), renamed(elementwise((8,)), "twin"), matmul(2, 2, 2))
    hardware = machine(priced("one", contraction=1), priced("two", softmax=1))
    with pytest.raises(MappingError) as refused:
        place(trace, hardware)
    message = str(refused.value)
    assert "no engine of toy takes" in message
    assert "2 x e.g. 'elementwise 8'" in message
    assert "one: has no price for elementwise; two: has no price for elementwise" in message
    assert "add an engine" in message
    assert "\n" not in message
    assert Priced.asked == []  # nothing was planned before everything was checked


def test_an_attention_is_put_into_parts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def parts(op: Op) -> tuple[Op, ...]:
        asked.append(op.name)
        return attention_parts(op)

    monkeypatch.setattr("codesign.mapping.outline.attention_parts", parts)
    place(trace_of(attention()), machine(priced(contraction=9, softmax=5)), "greedy")
    assert asked == ["attn"]


def test_parts_of_an_attention_are_refused_by_their_names() -> None:
    with pytest.raises(MappingError, match=r"attn\.softmax"):
        place(trace_of(attention()), machine(priced("array", contraction=9)))


def test_an_operator_that_fits_no_engine_is_refused_with_each_engine_named() -> None:
    engines = priced("one", tile=5000, elementwise=1), priced("two", tile=6000, elementwise=1)
    rule = r"one: .*no room for 5000 B.* \| two: .*no room for 6000 B"
    with pytest.raises(MappingError, match=rule):
        place(trace_of(elementwise((8,))), machine(*engines))


def test_a_tensor_larger_than_its_memory_is_refused_by_name() -> None:
    with pytest.raises(MappingError, match=r"tensor 'x0' takes 2,000 B.*dram, has 1,500 B; enl"):
        place(trace_of(elementwise((2000,))), machine(priced(elementwise=1), home=1500))


def test_tensors_that_fit_one_by_one_but_not_together_are_refused() -> None:
    with pytest.raises(MappingError, match=r"take 4,000 B and dram has 3,000 B"):
        place(trace_of(elementwise((2000,))), machine(priced(elementwise=1), home=3000))


def test_activations_need_not_all_fit_at_once() -> None:
    made = [whole(name, (1000,), "activation") for name in "abcd"]
    ops = [Op("first", "elementwise", (), (made[0],), functions=("relu",))]
    ops += [
        Op(f"to {b.tensor.name}", "elementwise", (a,), (b,), functions=("relu",))
        for a, b in itertools.pairwise(made)
    ]
    assert place(trace_of(*ops), machine(priced(elementwise=1), home=2500)).program


def test_operators_of_equal_content_are_planned_once() -> None:
    ops = [renamed(matmul(4, 4, 4), f"m{number}") for number in range(5)]
    found = place(trace_of(*ops, renamed(matmul(4, 4, 5), "other")), machine(priced(contraction=1)))
    assert [name for _, name, _ in Priced.asked] == ["m0", "other"]
    assert [name for name, _ in engines_of(found.program)] == [
        *(f"m{number}" for number in range(5)),
        "other",
    ]


def test_a_product_is_not_planned_as_a_square() -> None:
    """``x * x`` and ``x * y`` differ in nothing but which tensors they read."""
    product = renamed(elementwise((64,), ("mul",), inputs=2), "product")
    square = replace(product, name="square", inputs=(product.inputs[0], product.inputs[0]))
    for ops in ((square, product), (product, square)):
        found = place(trace_of(*ops), machine(priced(elementwise=1)))
        loads = {a.op.name: a.plan.loaded for a, _ in found.assignments() if a.plan}
        assert loads["product"] == {0: 64, 1: 64}
        assert sum(loads["square"].values()) == 64


def test_of_a_branch_the_likelier_side_is_placed() -> None:
    yes, no = renamed(elementwise((8,)), "yes"), renamed(elementwise((8,)), "no")
    hardware = machine(priced(elementwise=1))
    for probability, name in ((0.75, "yes"), (0.5, "yes"), (0.25, "no")):
        found = place(trace_of(Branch("b", probability, (yes,), (no,))), hardware)
        assert engines_of(found.program)[0][0] == name


def test_a_region_is_placed_once_and_runs_every_step() -> None:
    body = renamed(elementwise((8,)), "step")
    found = place(trace_of(Region("loop", 7, (body,))), machine(priced(elementwise=1)), "none")
    assert [(a.op.name, times) for a, times in found.assignments()] == [("step", 7)]


def test_nested_regions_multiply_their_steps() -> None:
    inner = Region("inner", 3, (renamed(elementwise((8,)), "step"),))
    found = place(trace_of(Region("outer", 5, (inner,))), machine(priced(elementwise=1)), "none")
    assert [(a.op.name, times) for a, times in found.assignments()] == [("step", 15)]


def test_an_engine_that_is_a_process_takes_what_no_plan_can() -> None:
    class Live(Engine):
        kind: ClassVar[str] = "live"
        process: ClassVar[object] = staticmethod(lambda env, op, ports: iter(()))

        def supports(self, op: Op) -> str | None:
            return None

    live = Live(name="live", buffer="sram")
    found = place(
        trace_of(elementwise((8,)), matmul(4, 4, 4)), machine(live, priced(elementwise=10**9))
    )
    assert engines_of(found.program) == [
        ("elementwise 8", "cpu"),
        ("matmul 1x4x4x4", "live"),
    ]
    last = found.program[-1]
    assert isinstance(last, Assignment)
    assert last.plan is None


def test_an_unknown_residency_is_refused_with_the_known_ones() -> None:
    rule = r"residency must be one of region, none, pinned, .*, got .all."
    with pytest.raises(MappingError, match=rule):
        place(trace_of(elementwise((8,))), machine(priced(elementwise=1)), "all")


def test_the_estimate_is_the_link_or_the_compute_whichever_is_longer() -> None:
    op = elementwise((1000,))
    place(trace_of(op), machine(priced(elementwise=7)))
    _, _, budget = Priced.asked[0]
    plan = priced(elementwise=7).plan(op, budget)
    assert estimate_s(plan, budget) == pytest.approx(1000 / 2e9 + 1000 / 2e9 + 2e-8)
    slow = priced(elementwise=10**6).plan(op, budget)
    assert estimate_s(slow, budget) == pytest.approx(1e-3)


def test_where_tensors_live_is_noted() -> None:
    found = place(trace_of(elementwise((8,))), machine(priced(elementwise=1)), "none")
    assert found.home == "dram"
    assert found.notes == (
        "every operator takes its operands from dram and stores its results there",
    )
