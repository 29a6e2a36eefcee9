"""Fixed mappings in a program: kept wherever an operator runs, and told beside the best found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from codesign_plugins.systolic import Systolic
from codesign_plugins.vector import Vector
from toy_machine import machine, priced

from codesign import Hardware, Trace, simulate
from codesign.errors import MappingError
from codesign.mapping.assign.ask import Engines
from codesign.mapping.fixed_file import read_mappings
from codesign.mapping.fixed_notes import compare
from codesign.mapping.place import place, place_planned
from codesign.mapping.placement import Assignment, Placement
from codesign.mapping.residency import Residency
from codesign.testing import elementwise, matmul
from codesign.workload.record import Item, Op, Region, Tensor

Content = Mapping[str, Mapping[str, object]]
BAD = {"tile": {"m": 4, "n": 4}, "order": ["m", "n"], "hold": []}


def npu(name: str = "npu", size: int = 16, **fields: Any) -> Systolic:
    return Systolic(name=name, buffer="sram", rows=size, cols=size, **fields)


def hardware(*engines: Any, buffer: int = 1 << 15) -> Hardware:
    lanes = Vector(name="lanes", buffer="sram")
    return machine(*(engines or (npu(), lanes)), buffer=buffer)


def product(name: str, **sizes: int) -> Op:
    op = matmul(sizes.get("m", 64), sizes.get("k", 64), sizes.get("n", 64))
    rename = {"x": f"{name}.x", "w": f"{name}.w", "y": f"{name}.y"}

    def renamed(access: Any) -> Any:
        return replace(access, tensor=replace(access.tensor, name=rename[access.tensor.name]))

    return replace(
        op,
        name=name,
        inputs=tuple(renamed(one) for one in op.inputs),
        outputs=tuple(renamed(one) for one in op.outputs),
    )


def trace_of(*items: Item) -> Trace:
    tensors: dict[str, Tensor] = {}
    for op, _ in Trace("t", items, ()).ops():
        tensors |= {access.tensor.name: access.tensor for access in op.operands}
    return Trace("t", items, tuple(tensors.values()))


def placed(trace: Trace, content: Content, **options: Any) -> Placement:
    parts = options.pop("hardware", hardware())
    return place(
        trace, parts, options.pop("residency", "none"), mappings=read_mappings(content), **options
    )


def unfixed(trace: Trace) -> Placement:
    return place(trace, hardware(), "none")


def assigned(found: Placement, name: str) -> Assignment:
    return next(one for one, _ in found.assignments() if one.op.name == name)


def notes(found: Placement) -> list[str]:
    return [note for note in found.notes if "fixed mapping" in note]


def test_only_the_operator_that_is_named_changes() -> None:
    trace = trace_of(product("a"), product("b"))
    free, fixed = unfixed(trace), placed(trace, {"a": BAD})
    assert assigned(fixed, "b").plan == assigned(free, "b").plan
    assert assigned(fixed, "a").plan != assigned(free, "a").plan
    assert [loop.name for loop in assigned(fixed, "a").plan.nest[:2]] == ["m", "n"]  # type: ignore[union-attr]


def test_operators_of_equal_content_may_differ_by_name() -> None:
    trace = trace_of(product("a"), product("b"))
    one, other = (assigned(placed(trace, {"b": BAD}), name).plan for name in "ab")
    assert one is not None
    assert other is not None
    assert one.tiles < other.tiles == 16 * 16


def test_a_note_tells_it_beside_the_best_one_found() -> None:
    (note,) = notes(placed(trace_of(product("a"), product("b")), {"a": BAD}))
    assert note.startswith("a: fixed mapping ")
    assert ", the best one found " in note


def test_the_best_one_found_is_the_one_without_the_mapping() -> None:
    trace = trace_of(product("a"))
    entries = read_mappings({"a": BAD})
    found, plans = place_planned(trace, hardware(), "none", mappings=entries)
    compared = compare(found.assignments()[0][0], plans)
    assert compared is not None
    assert compared.best is not None
    free = unfixed(trace)
    assert compared.best.plan == assigned(free, "a").plan
    assert compared.best.budget_bytes == assigned(free, "a").budget_bytes
    assert compared.seconds > compared.best_s


def best_sizes(trace: Trace) -> dict[str, int]:
    """Tiles of the best mapping of a product of 64 x 64 x 64."""
    best = assigned(unfixed(trace), "a").plan
    assert best is not None
    sizes = {"m": 64, "k": 64, "n": 64}
    for loop in best.nest:
        if loop.level == "dram":
            sizes[loop.name] = -(-64 // loop.count)
    return sizes


def test_a_mapping_as_good_as_the_best_is_told_so() -> None:
    trace = trace_of(product("a"))
    (note,) = notes(placed(trace, {"a": {"tile": best_sizes(trace)}}))
    words = note.removeprefix("a: fixed mapping ").split(" ms, the best one found ")
    assert words[0] == words[1].removesuffix(" ms")


def test_of_many_one_note_says_how_they_compare() -> None:
    trace = trace_of(*(product(f"a{n}") for n in range(5)))
    content: dict[str, Mapping[str, object]] = {
        "a0": {"tile": {"m": 2, "n": 2}, "hold": []},
        "a*": BAD,
    }
    (note,) = notes(placed(trace, content))
    assert note.startswith("5 operators with a fixed mapping take ")
    assert "furthest off is a0 with " in note
    few = placed(trace, {"a[012]": BAD})
    assert [note.partition(":")[0] for note in notes(few)] == ["a0", "a1", "a2"]


def test_of_many_that_are_as_good_as_the_best_none_is_furthest_off() -> None:
    sizes = best_sizes(trace_of(product("a")))
    trace = trace_of(*(product(f"a{n}") for n in range(4)))
    (note,) = notes(placed(trace, {"*": {"tile": sizes}}))
    total, best = note.removeprefix("4 operators with a fixed mapping take ").split(" alone, ")
    assert best == f"the best mappings found {total}"


def test_nothing_is_said_where_nothing_is_decided() -> None:
    assert notes(placed(trace_of(product("a")), {"a": {"engine": "npu"}})) == []
    assert notes(place(trace_of(product("a")), hardware())) == []


def test_the_engine_of_a_mapping_runs_it() -> None:
    twins = (npu("one"), npu("two", size=8), Vector(name="lanes", buffer="sram"))
    trace = trace_of(product("a"), product("b"))
    parts = hardware(*twins)
    for engine in ("one", "two"):
        found = placed(trace, {"a": {"engine": engine}}, hardware=parts)
        assert assigned(found, "a").engine == engine
    ruled = placed(
        trace, {"a": {"engine": "two"}}, hardware=parts, engines=Engines(rules={"*": "one"})
    )
    assert [assigned(ruled, name).engine for name in "ab"] == ["two", "one"]


def test_the_best_one_found_may_be_on_another_engine() -> None:
    parts = hardware(npu("one", size=4), npu("two", size=32))
    entries = {"a": {"engine": "one", "tile": {"m": 4}}}
    (note,) = notes(placed(trace_of(product("a", m=256)), entries, hardware=parts))
    assert note.endswith(" ms on two")


def test_an_operator_of_a_region_keeps_its_mapping_in_every_step() -> None:
    body = (product("a"),)
    trace = trace_of(Region("loop", 5, body))
    for policy in ("none", "region", "greedy"):
        found = placed(trace, {"a": {"tile": {"m": 16}}}, residency=policy)
        one = assigned(found, "a")
        assert one.plan is not None
        assert next(loop.count for loop in one.plan.nest if loop.name == "m") == 4


def test_what_stays_gets_the_room_that_a_mapping_leaves() -> None:
    # weights of 4 KiB and tiles that take the whole of the buffer do not fit together
    body = (product("a"),)
    trace = trace_of(Region("loop", 5, body))
    keeps = placed(trace, {"a": {"tile": {"m": 8}}}, residency="region")
    tight = hardware(buffer=2 * 4096 + 3 * 4096)
    full = placed(
        trace,
        {"a": {"tile": {"m": 64, "n": 64, "k": 64}}},
        residency="region",
        hardware=tight,
    )
    assert [stay.tensor.name for stay in keeps.stays] != []
    assert assigned(full, "a").plan is not None


def test_parts_of_an_operator_keep_to_it_as_far_as_they_reach() -> None:
    parts = hardware(npu("one"), npu("two"), buffer=1 << 17)
    trace = trace_of(product("a", m=512, n=96, k=512))
    engines = Engines(split=True)
    fixed = place(
        trace, parts, "none", engines, read_mappings({"a": {"tile": {"m": 64, "n": 80, "k": 128}}})
    )
    names = [one.op.name for one, _ in fixed.assignments()]
    assert len(names) == 2
    assert all(name.startswith("a[") for name in names)
    for one, _ in fixed.assignments():
        assert one.plan is not None
        columns = one.op.loops.extents[one.op.loops.dims.index("n")]
        assert one.plan.tiles == 8 * 4 * -(-columns // 80)


def test_a_mapping_that_fits_nowhere_is_one_line() -> None:
    with pytest.raises(MappingError) as caught:
        placed(
            trace_of(product("a")),
            {"a": {"hold": ["input", "weight"]}},
            hardware=hardware(buffer=4096),
        )
    text = str(caught.value)
    assert text.startswith("mapping: a: its tiles take ")
    assert "of sram, which grants 4,096 B" in text
    assert "\n" not in text


def test_a_mapping_that_no_engine_takes_is_one_line() -> None:
    parts = machine(priced("cpu", contraction=5))
    with pytest.raises(MappingError) as caught:
        placed(trace_of(product("a")), {"a": {"tile": {"m": 8}}}, hardware=parts)
    assert str(caught.value) == (
        "mapping: a: cpu (priced) plans by itself and takes no fixed mapping; name another "
        "engine, or remove the entry"
    )


def test_mistakes_are_told_before_anything_is_planned() -> None:
    class Never(Systolic):  # type: ignore[misc]
        def plan(self, op: Op, budget: Any) -> Any:
            raise AssertionError("planned")

    parts = hardware(Never(name="npu", buffer="sram"), Vector(name="lanes", buffer="sram"))
    mistakes: list[Content] = [
        {"b": {"hold": []}},
        {"a": {"tile": {"x": 1}}},
        {"a": {"engine": "nobody"}},
    ]
    for content in mistakes:
        with pytest.raises(MappingError):
            placed(trace_of(product("a")), content, hardware=parts)


def test_a_result_has_the_notes_and_the_bytes_of_the_mapping() -> None:
    trace = trace_of(product("a"), elementwise((8,)))
    free = simulate(trace, hardware(), residency="none")
    fixed = simulate(trace, hardware(), residency="none", mapping={"a": BAD})
    assert [note for note in fixed.assumptions if "fixed mapping" in note]
    plan = assigned(fixed.placement, "a").plan
    assert plan is not None
    # rows outside: the input once, the weight for each of 16 blocks of rows
    assert plan.loaded == {0: 64 * 64, 1: 16 * 64 * 64}
    assert sum(fixed.offchip_bytes.values()) > sum(free.offchip_bytes.values())
    assert fixed.latency_s > free.latency_s


def test_an_empty_file_is_told_before_a_model_is_captured(tmp_path: Any) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    with pytest.raises(MappingError, match="the file is empty"):
        simulate("no.such:model", hardware(), mapping=path)


def test_pinned_tensors_and_mappings_go_together() -> None:
    trace = trace_of(product("a"))
    asked = Residency("pinned", ("a.w",))
    found = placed(trace, {"a": {"tile": {"m": 16}}}, residency=asked)
    plan = assigned(found, "a").plan
    assert plan is not None
    assert 1 not in plan.loaded
    assert next(loop.count for loop in plan.nest if loop.name == "m") == 4


def test_another_engine_does_not_step_in_for_the_one_that_cannot_keep_to_a_mapping() -> None:
    """A slow engine that keeps to every mapping is hardly what the user means."""

    class Proud(Systolic):  # type: ignore[misc]
        kind = "proud"
        takes_mappings = False

    fast = dataclass(frozen=True, kw_only=True)(Proud)(name="fast", buffer="sram", rows=64, cols=64)
    slow = Systolic(name="slow", buffer="sram", rows=4, cols=4, clock=1e6)
    trace = trace_of(product("a"))
    fixed = read_mappings({"a": {"tile": {"m": 16}}})
    with pytest.raises(MappingError, match=r"fast \(proud\) plans by itself and takes no fixed"):
        place(trace, hardware(fast, slow), "none", mappings=fixed)
    named = read_mappings({"a": {"tile": {"m": 16}, "engine": "slow"}})
    (one,) = [x for x, _ in place(trace, hardware(fast, slow), mappings=named).assignments()]
    assert one.engine == "slow"
