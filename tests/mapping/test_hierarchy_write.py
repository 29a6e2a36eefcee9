"""Loops of tiles of a mapping: all of the work, what was counted, within the room."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_hierarchy import OPS, array
from slow_tiling import LAW

from codesign.errors import MappingError
from codesign.hardware.objective import Objective
from codesign.hardware.plan import Loop, Tile, TilePlan
from codesign.mapping.hierarchy.choose import Mapping, Rates, choose
from codesign.mapping.hierarchy.spec import RESULT, Stage
from codesign.mapping.hierarchy.write import Writer, cells_cycles
from codesign.testing import compulsory_bytes, convolution, matmul
from codesign.workload.record import Op

RATES = Rates(1e9, 64e9, 64e9, 1e-9, True)
OBJECTIVES = LATENCY, ENERGY, EDP = Objective(), Objective(0, 1), Objective(1, 1)


def chosen(op: Op, bits: int, objective: Objective = ENERGY) -> Mapping:
    small = array(stages=(Stage((0, 1, 2), bits, 1e-13, 2e-13, 32),))
    return choose(op, small, RATES, objective)


def written(mapping: Mapping) -> tuple[TilePlan, Counter[tuple[int, ...]]]:
    """The tiles, and the extents of all of them."""
    seen: list[tuple[int, ...]] = []

    def cycles(extents: tuple[int, ...]) -> int:
        seen.append(extents)
        return len(seen)  # tells tiles apart, so that each is known by its number

    loop = Writer(mapping, cycles).loop()
    count: Counter[tuple[int, ...]] = Counter()
    for tile, times in TilePlan(loop, 1e9).segments():
        count[seen[tile.cycles - 1]] += times
    return TilePlan(loop, 1e9), count


@settings(LAW, max_examples=60)
@given(OPS, st.sampled_from([8 * 400, 8 * 3000, 1 << 20]), st.sampled_from(OBJECTIVES))
def test_tiles_do_all_of_the_work_once(op: Op, bits: int, objective: Objective) -> None:
    try:
        mapping = chosen(op, bits, objective)
    except MappingError:
        return
    plan, extents = written(mapping)
    assert sum(math.prod(e) * times for e, times in extents.items()) == op.loops.points
    output = len(op.inputs)
    assert plan.stored == {output: op.outputs[0].bytes}
    assert set(plan.loaded) == {0, 1}
    assert all(plan.loaded[x] >= compulsory_bytes(op, x) for x in (0, 1))


@settings(LAW, max_examples=60)
@given(OPS, st.sampled_from([8 * 400, 8 * 3000, 1 << 20]))
def test_tiles_move_what_was_counted_where_cuts_are_even(op: Op, bits: int) -> None:
    try:
        mapping = chosen(op, bits)
    except MappingError:
        return
    plan, extents = written(mapping)
    moved = [int(one) // 8 for one in mapping.counted.homes.moved[mapping.row]]
    found = [plan.loaded[0], plan.loaded[1], plan.stored[len(op.inputs)]]
    if len(extents) == 1:
        assert found == moved
    else:  # a tile at an edge is counted as a full one
        assert all(one <= most for one, most in zip(found, moved, strict=True))


@settings(LAW, max_examples=60)
@given(OPS, st.sampled_from([8 * 400, 8 * 3000]))
def test_tiles_and_the_next_ones_fit_the_buffer(op: Op, bits: int) -> None:
    try:
        mapping = chosen(op, bits)
    except MappingError:
        return
    (room,) = Writer(mapping, lambda _: 1).rooms()
    assert room.held + 2 * room.slot_in + 2 * room.slot_out <= bits // 8
    plan, _ = written(mapping)
    for tile, _ in plan.counts:
        assert sum(move.bytes for move in tile.loads) <= room.held + 2 * room.slot_in
        assert sum(move.bytes for move in tile.stores) <= room.held + room.slot_out


def test_cycles_are_steps_after_one_another_with_edges_as_steps_of_their_own() -> None:
    mapping = chosen(matmul(5, 10, 6), 1 << 20)  # columns 4 and 2, reduction 4, 4 and 2
    assert cells_cycles(mapping, op_extents(mapping)) == 5 * 3 * 2


def op_extents(mapping: Mapping) -> tuple[int, ...]:
    return mapping.problem.states.op.loops.extents


def test_a_whole_operand_comes_with_the_first_tile_and_never_again() -> None:
    mapping = chosen(matmul(16, 64, 64), 1 << 20, LATENCY)
    plan, _ = written(mapping)
    whole = [
        x for x in (0, 1) if mapping.counted.homes.chunks[mapping.row, x] == 8 * size(mapping, x)
    ]
    assert whole
    for operand in whole:
        times = sum(n for tile, n in plan.counts if any(m.operand == operand for m in tile.loads))
        assert times == 1
        assert any(move.operand == operand for move in plan.first.loads)


def size(mapping: Mapping, operand: int) -> int:
    return mapping.problem.states.op.inputs[operand].bytes


def test_fused_inputs_come_with_the_results_that_they_are_added_to() -> None:
    op = matmul(16, 64, 64, bias=True)
    mapping = chosen(op, 8 * 1200)
    plan, _ = written(mapping)
    assert plan.loaded[2] >= 64
    for tile, _ in plan.counts:
        assert bool(tile.stores) == any(move.operand == RESULT for move in tile.loads)


def test_the_note_names_the_spread_and_the_loops() -> None:
    note = Writer(chosen(matmul(16, 64, 64), 8 * 1200), lambda _: 1).note
    assert note.startswith("unrolled x: n 4, y: k 4; tiles ")


@pytest.mark.parametrize("groups", [1, 6])
def test_alike_tiles_are_one_loop(groups: int) -> None:
    mapping = chosen(convolution(6, 6, 32, 3, 1, 1, groups=groups), 8 * 3000, LATENCY)
    loop = Writer(mapping, lambda _: 1).loop()

    def parts(part: Tile | Loop) -> int:
        return 1 if isinstance(part, Tile) else sum(map(parts, part.body))

    assert TilePlan(loop, 1e9).tiles > parts(loop)
