"""Every shipped engine under a fixed mapping: the plan keeps its promises, and is as decided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cell_arrays import SHAPES, SUMS, cell_array
from codesign_plugins.systolic import Systolic
from codesign_plugins.vector import Vector

from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget, NestLoop, TilePlan
from codesign.mapping.answers import plan_of
from codesign.mapping.fixed import find_fixed
from codesign.mapping.fixed_file import read_mappings
from codesign.testing import check_plan, convolution, elementwise, matmul, softmax
from codesign.workload.record import Op

AMPLE = Budget(1 << 20, 1e9, 1e9)
CONV = convolution(8, 16, 12, 3, padding=1)
PRODUCT = matmul(16, 32, 24)
ARRAYS: dict[str, dict[str, Any]] = {
    "ws": {},
    "is": {"dataflow": "is"},
    "os": {"dataflow": "os"},
    "alone": {"fold_overlap": False, "weight_preload": "serial", "edge_tiles": "full"},
    "taps": {"row_merge": False},
    "many": {"arrays": 3},
}
DECIDED: list[tuple[Op, dict[str, Any]]] = [
    (PRODUCT, {"tile": {"m": 8, "n": 8}}),
    (PRODUCT, {"tile": {"m": 5, "n": 8, "k": 32}, "order": ["n", "m"], "hold": []}),
    (PRODUCT, {"tile": {"m": 8, "n": 8, "k": 8}, "hold": ["weight"]}),
    (PRODUCT, {"hold": ["input", "weight"]}),
    (CONV, {"tile": {"oy": 4, "ox": 6, "co": 8}}),
    (CONV, {"tile": {"oy": 3, "ox": 12, "co": 16, "ci": 4}, "order": ["oy", "co"]}),
    (CONV, {"tile": {"m": 24, "n": 8, "k": 72}}),
]


def systolic(**fields: Any) -> Systolic:
    return Systolic(name="npu", buffer="sram", rows=8, cols=8, **fields)


def fixed(op: Op, engine: Engine, keys: dict[str, Any]) -> FixedMapping:
    found = find_fixed(read_mappings({op.name.replace("[", "?"): keys}), [op], [engine]).of(op)
    assert found is not None
    return found


def planned(engine: Engine, op: Op, keys: dict[str, Any], budget: Budget = AMPLE) -> TilePlan:
    return plan_of(engine, op, replace(budget, fixed=fixed(op, engine, keys)))


def turns(plan: TilePlan, name: str) -> int:
    """Trip count of a loop all over the nest."""
    found = 1
    for loop in plan.nest:
        if loop.name == name:
            found *= loop.count
    return found


def over_tiles(plan: TilePlan) -> list[NestLoop]:
    return [loop for loop in plan.nest if loop.level == "home"]


@pytest.mark.parametrize("fields", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize(("op", "keys"), DECIDED)
def test_a_systolic_array_keeps_every_promise(
    fields: dict[str, Any], op: Op, keys: dict[str, Any]
) -> None:
    engine = systolic(**fields)
    if fields.get("dataflow") == "os" and "ci" in keys.get("tile", {}):
        with pytest.raises(MappingError, match="fold of sums in the cells"):
            planned(engine, op, keys)
        return
    plan = planned(engine, op, keys)
    check_plan(engine, op, AMPLE, plan)
    sizes = keys.get("tile", {})
    for loop in over_tiles(plan):
        if loop.name in sizes:
            extent = op.loops.extents[op.loops.dims.index(loop.name)]
            assert loop.count == -(-extent // sizes[loop.name])


def array_of(name: str) -> Any:
    empty: dict[str, Any] = {table: {} for table in SUMS}
    return cell_array(**{**empty, **SHAPES[name]})


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("op", "keys"),
    [
        (PRODUCT, {"tile": {"m": 8, "n": 8}}),
        (PRODUCT, {"tile": {"m": 4, "n": 8, "k": 8}, "order": ["k", "n", "m"]}),
        (PRODUCT, {"hold": ["input", "weight"]}),
        (CONV, {"tile": {"oy": 4, "ox": 6, "co": 8}}),
        (CONV, {"tile": {"oy": 4}, "hold": ["weight"]}),
    ],
)
def test_a_cell_array_keeps_every_promise(shape: str, op: Op, keys: dict[str, Any]) -> None:
    engine = array_of(shape)
    check_plan(engine, op, AMPLE, planned(engine, op, keys))


@pytest.mark.parametrize("size", [1, 50, 100, 799, 800])
def test_a_vector_unit_keeps_every_promise(size: int) -> None:
    engine = Vector(name="lanes", buffer="sram")
    op = elementwise((8, 100), ("add",), inputs=2)
    plan = planned(engine, op, {"tile": {"elements": size}})
    check_plan(engine, op, AMPLE, plan)
    assert plan.tiles == -(-800 // size)
    assert plan.nest == ()


def test_a_row_that_a_piece_cuts_is_read_twice() -> None:
    engine, op = Vector(name="lanes", buffer="sram"), softmax(8, 64)
    whole = planned(engine, op, {"tile": {"elements": 64}})
    cut = planned(engine, op, {"tile": {"elements": 16}})
    assert (whole.tiles, whole.loaded[0]) == (8, 512)
    assert (cut.tiles, cut.loaded[0]) == (2 * 32, 2 * 512)


def test_an_accumulator_that_is_too_small_is_told_with_its_bytes() -> None:
    engine = systolic(accumulator=1024)
    with pytest.raises(MappingError) as caught:
        planned(engine, PRODUCT, {"tile": {"m": 16, "n": 24}})
    assert "its 384 partial sums take 1,536 B of the 1,024 B of accumulator of npu" in str(
        caught.value
    )
    assert planned(engine, PRODUCT, {"tile": {"m": 16, "n": 16}})


def test_cells_that_hold_no_more_sums_say_so() -> None:
    with pytest.raises(MappingError) as caught:
        planned(systolic(dataflow="os"), PRODUCT, {"tile": {"m": 16, "n": 24, "k": 8}})
    text = str(caught.value)
    assert "a tile with 8 of 32 steps of the reduction has one fold of sums in the cells" in text
    assert "its 16 x 24 results are more" in text


# -- nests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("op", [PRODUCT, CONV, matmul(8, 8, 8, batch=3, bias=True)])
def test_the_loops_of_a_nest_cover_every_point(fields: dict[str, Any], op: Op) -> None:
    plan = systolic(**fields).plan(op, replace(AMPLE, buffer_bytes=1200))
    covered = 1
    for loop in plan.nest:
        covered *= loop.count
    assert covered >= op.macs
    tiles = 1
    for loop in over_tiles(plan):
        tiles *= loop.count
    assert tiles == plan.tiles


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("op", [PRODUCT, CONV])
def test_those_of_a_cell_array_do_too(shape: str, op: Op) -> None:
    plan = array_of(shape).plan(op, replace(AMPLE, buffer_bytes=1500))
    for dim, extent in zip(op.loops.dims, op.loops.extents, strict=True):
        assert turns(plan, dim) >= extent
    tiles = 1
    for loop in over_tiles(plan):
        tiles *= loop.count
    assert tiles == plan.tiles
    beside = [loop for loop in plan.nest if loop.spatial]
    assert {loop.level for loop in beside} <= {"x", "y", "z"}


@pytest.mark.parametrize(
    ("dataflow", "lanes"),
    [
        ("ws", {"columns": "n", "rows": "k"}),
        ("is", {"columns": "m", "rows": "k"}),
        ("os", {"columns": "n", "rows": "m"}),
    ],
)
def test_what_runs_side_by_side_follows_the_dataflow(dataflow: Any, lanes: dict[str, str]) -> None:
    plan = planned(systolic(dataflow=dataflow), PRODUCT, {"tile": {"m": 16, "n": 24, "k": 32}})
    beside = {loop.level: loop.name for loop in plan.nest if loop.spatial}
    assert beside == lanes
    assert all(loop.count <= 8 for loop in plan.nest if loop.spatial)


def test_what_a_turn_brings_is_what_the_tiles_load() -> None:
    engine = systolic()
    keys = {"tile": {"m": 8, "n": 8, "k": 32}, "order": ["m", "n"], "hold": []}
    outer, inner = over_tiles(planned(engine, PRODUCT, keys))
    assert (outer.name, outer.count, outer.brings, outer.stays) == ("m", 2, (0, 2), ())
    assert (inner.name, inner.count, inner.brings, inner.stays) == ("n", 3, (1, 2), (0,))
    held = {**keys, "hold": ["weight"]}
    outer, inner = over_tiles(planned(engine, PRODUCT, held))
    assert (outer.stays, inner.brings) == ((1,), (1, 2))


def test_operands_that_lie_there_are_brought_by_nobody() -> None:
    budget = replace(AMPLE, resident=(True, False, True))
    loops = over_tiles(planned(systolic(), PRODUCT, {"tile": {"m": 8, "n": 8}}, budget))
    assert {x for loop in loops for x in (*loop.brings, *loop.stays)} == {1}
