"""Operators without reuse: every byte flows once a sweep, in pieces that fit."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from slow_tiling import LAW

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping.streaming import Stream, Streamed, stream
from codesign.testing import elementwise, move, normalize, reduce, softmax
from codesign.testing.operators import whole
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Op, Tensor

SIZES = st.integers(1, 90)
FORMATS = st.sampled_from(["int8", "bf16", "int4", "int6"])
WORKLOADS: st.SearchStrategy[Op] = st.one_of(
    st.builds(
        lambda rows, width, inputs, dtype: elementwise(
            (rows, width), ("add",), inputs=inputs, dtype=dtype
        ),
        SIZES,
        SIZES,
        st.integers(1, 3),
        FORMATS,
    ),
    st.builds(lambda rows, width, dtype: reduce(rows, width, dtype=dtype), SIZES, SIZES, FORMATS),
    st.builds(
        lambda rows, width, dtype: normalize(rows, width, dtype=dtype), SIZES, SIZES, FORMATS
    ),
)


def identity(units: int) -> int:
    return units


def flow(op: Op, sweeps: int = 1) -> Stream:
    return Stream(max(access.elements for access in op.operands), identity, sweeps)


def planned(op: Op, budget: Budget, sweeps: int = 1) -> tuple[Streamed, TilePlan]:
    found = stream(op, budget, flow(op, sweeps))
    return found, TilePlan(
        found.loop, 1e9, found.held_bytes, found.slot_in_bytes, found.slot_out_bytes
    )


@st.composite
def budgets(draw: st.DrawFn, op: Op) -> Budget:
    resident = tuple(draw(st.integers(0, 4)) == 0 for _ in op.operands)
    return Budget(draw(st.integers(6, 40000)), 1e9, 1e9, resident=resident)


def _try(op: Op, budget: Budget, sweeps: int = 1) -> tuple[Streamed, TilePlan] | None:
    try:
        return planned(op, budget, sweeps)
    except MappingError:
        return None


@LAW
@given(st.data(), st.integers(1, 2))
def test_every_byte_moves_once_a_sweep_and_outputs_once(data: st.DataObject, sweeps: int) -> None:
    op = data.draw(WORKLOADS)
    budget = data.draw(budgets(op))
    found = _try(op, budget, sweeps)
    assume(found is not None)
    assert found is not None
    _, plan = found
    held = sum(plan.loaded.get(i, 0) for i in range(len(op.inputs)))
    for operand, access in enumerate(op.operands):
        moved = (plan.loaded if operand < len(op.inputs) else plan.stored).get(operand, 0)
        if budget.is_resident(operand):
            assert moved == 0
        elif operand < len(op.inputs):
            assert moved in (access.bytes, sweeps * access.bytes)
        else:
            assert moved == access.bytes
    assert held == sum(plan.loaded.values())


@LAW
@given(st.data(), st.integers(1, 2))
def test_pieces_fit_the_buffer_and_their_slots(data: st.DataObject, sweeps: int) -> None:
    op = data.draw(WORKLOADS)
    budget = data.draw(budgets(op))
    found = _try(op, budget, sweeps)
    assume(found is not None)
    assert found is not None
    streamed, plan = found
    assert plan.buffer_bytes <= budget.buffer_bytes
    for tile, _ in plan.counts:
        loads = sum(m.bytes for m in tile.loads)
        assert loads <= streamed.held_bytes + streamed.slot_in_bytes
        assert sum(m.bytes for m in tile.stores) <= streamed.slot_out_bytes


@LAW
@given(st.data(), st.integers(1, 3))
def test_all_the_work_is_done_in_every_sweep(data: st.DataObject, sweeps: int) -> None:
    op = data.draw(WORKLOADS)
    found = _try(op, data.draw(budgets(op)), sweeps)
    assume(found is not None)
    assert found is not None
    _, plan = found
    assert plan.cycles == sweeps * flow(op).units


@LAW
@given(st.data())
def test_a_refusal_is_right_no_number_of_pieces_would_have_fitted(data: st.DataObject) -> None:
    op = data.draw(WORKLOADS)
    budget = data.draw(budgets(op))
    units = flow(op).units
    moved = [a.bytes for o, a in enumerate(op.operands) if not budget.is_resident(o)]
    smallest = 2 * sum(-(-size // units) for size in moved)
    if _try(op, budget) is None:
        # held operands may take up to a quarter of the buffer beside the pieces
        assert smallest > budget.buffer_bytes - budget.buffer_bytes // 4 - 1
    elif moved:
        assert smallest <= budget.buffer_bytes or moved == []


def test_large_operators_are_cut_in_four_so_that_loads_and_work_overlap() -> None:
    _, plan = planned(move((256, 256)), Budget(1 << 20, 1e9, 1e9))
    assert plan.tiles == 4


def test_small_operators_stay_in_one_piece() -> None:
    _, plan = planned(move((8, 8)), Budget(1 << 20, 1e9, 1e9))
    assert plan.tiles == 1


def test_pieces_are_the_fewest_that_fit_twice() -> None:
    # 64 KiB in and 64 KiB out through 8 KiB: pieces of 2 KiB each way, twice
    _, plan = planned(move((256, 256)), Budget(8192, 1e9, 1e9))
    assert plan.tiles == 32


def test_small_operands_are_loaded_once_and_held() -> None:
    streamed, plan = planned(normalize(512, 64), Budget(4096, 1e9, 1e9))
    assert streamed.held_bytes == 128
    assert (plan.loaded[1], plan.loaded[2]) == (64, 64)
    later = [tile for tile, _ in list(plan.segments())[1:]]
    assert all(move.operand == 0 for tile in later for move in tile.loads)


def test_many_small_inputs_flow_instead_of_filling_the_buffer() -> None:
    inputs = tuple(whole(f"x{number}", (100,), "input") for number in range(20))
    joined = Op("cat", "move", inputs, (whole("y", (2000,), "output"),), functions=("move",))
    streamed, plan = planned(joined, Budget(1000, 1e9, 1e9))
    assert streamed.held_bytes <= 250
    assert plan.buffer_bytes <= 1000
    assert sum(plan.loaded.values()) == 2000


def test_resident_operands_need_no_room() -> None:
    op = move((64, 64))
    _, plan = planned(op, Budget(0, 1e9, 1e9, resident=(True, True)))
    assert (plan.loaded, plan.stored, plan.buffer_bytes) == ({}, {}, 0)


def test_the_second_sweep_loads_again_and_only_the_last_stores() -> None:
    _, plan = planned(softmax(2, 4096), Budget(2048, 1e9, 1e9), sweeps=2)
    assert plan.loaded == {0: 2 * 8192}
    assert plan.stored == {1: 8192}
    half = plan.tiles // 2
    stores = [bool(tile.stores) for tile, times in plan.segments() for _ in range(times)]
    assert stores == [False] * half + [True] * half


def test_a_unit_that_does_not_fit_is_refused_with_sizes_and_a_way_out() -> None:
    op = elementwise((4, 4), dtype="fp32")
    rule = "one piece takes 8 B twice, the buffer grants 14 B; enlarge the buffer"
    with pytest.raises(MappingError, match=re.escape(rule)):
        planned(op, Budget(15, 1e9, 1e9))


def test_pieces_of_strided_views_know_their_rows() -> None:
    source = Access(Tensor("x", (64, 128), DType.parse("int8"), "input"), (64, 32), (128, 1))
    op = Op("slice", "move", (source,), (whole("y", (64, 32), "output"),), functions=("move",))
    _, plan = planned(op, Budget(1 << 20, 1e9, 1e9))
    (load,) = plan.first.loads
    assert (load.bytes, load.rows, load.pitch) == (2048, 64, 128)


def test_work_is_counted_in_whole_units_up_to_the_last() -> None:
    op = elementwise((5, 1000))
    found = stream(op, Budget(4000, 1e9, 1e9), Stream(5, lambda units: 10 * math.ceil(units)))
    plan = TilePlan(found.loop, 1e9)
    assert plan.cycles == 50
