"""What a tiling turns into, against a walk over its tiles one by one."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st
from slow_tiling import LAW, budgets, contractions, expand, ideal, tilings, totals, walk

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, Loop, Move, Tile, TilePlan
from codesign.mapping.emit import Emitted, emit, make_move, with_fill
from codesign.mapping.splits import splits
from codesign.mapping.tiling import Tiling, search
from codesign.testing import compulsory_bytes, convolution, matmul
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Op, Tensor

AMPLE = Budget(1 << 20, 1e9, 1e9)


def macs_of_tile(g: int, m: int, k: int, n: int) -> int:
    return g * m * k * n


def emitted(op: Op, tiling: Tiling, budget: Budget) -> Emitted:
    return emit(op, tiling, budget, macs_of_tile)


def drawn(data: st.DataObject) -> tuple[Op, Budget, Tiling]:
    """An operator, a budget, and the tiling that the search picks."""
    op = data.draw(contractions)
    budget = data.draw(budgets(op))
    model = ideal(data.draw(st.sampled_from([4, 64, 4096])), data.draw(st.sampled_from([1, 8])))
    try:
        tiling = search(op, budget, model)
    except MappingError:
        tiling = None
    assume(tiling is not None)
    assert tiling is not None
    assume(_tiles(tiling) < 5000)
    return op, budget, tiling


def _tiles(tiling: Tiling) -> int:
    count = 1
    for split in tiling.splits:
        count *= split.count
    return count


@LAW
@given(st.data())
def test_tiles_are_those_of_the_obvious_loops(data: st.DataObject) -> None:
    op, budget, tiling = drawn(data)
    steps = [(step.macs, step.loads, step.stores) for step in walk(op, tiling, budget)]
    assert expand(emitted(op, tiling, budget).loop) == steps


@LAW
@given(st.data())
def test_any_candidate_also_one_that_no_search_would_pick_is_walked_right(
    data: st.DataObject,
) -> None:
    op = data.draw(contractions)
    tiling = data.draw(st.sampled_from(list(tilings(op, ideal(grain=4)))))
    assume(_tiles(tiling) < 2000)
    steps = [(step.macs, step.loads, step.stores) for step in walk(op, tiling, AMPLE)]
    assert expand(emitted(op, tiling, AMPLE).loop) == steps


@LAW
@given(st.data())
def test_tiles_cover_every_mac_exactly_once(data: st.DataObject) -> None:
    op, budget, tiling = drawn(data)
    found = emitted(op, tiling, budget)
    assert sum(g * m * k * n * t for (g, m, k, n, _), t in found.sizes.items()) == op.macs
    assert TilePlan(found.loop, 1e9).cycles == op.macs


@LAW
@given(st.data())
def test_sizes_count_the_tiles_of_the_walk(data: st.DataObject) -> None:
    op, budget, tiling = drawn(data)
    counted: Counter[tuple[int, ...]] = Counter()
    for (g, m, k, n, _), times in emitted(op, tiling, budget).sizes.items():
        counted[g, m, k, n] += times
    assert counted == Counter(step.sizes for step in walk(op, tiling, budget))


@LAW
@given(st.data())
def test_inputs_cross_at_least_once_and_outputs_exactly_once(data: st.DataObject) -> None:
    op, budget, tiling = drawn(data)
    plan = TilePlan(emitted(op, tiling, budget).loop, 1e9)
    for operand in range(len(op.operands)):
        moved = (plan.loaded if operand < len(op.inputs) else plan.stored).get(operand, 0)
        if budget.is_resident(operand):
            assert moved == 0
        elif operand < len(op.inputs):
            assert moved >= compulsory_bytes(op, operand)
        elif op.operands[operand].tensor.dtype.bits == 8:
            assert moved == op.operands[operand].bytes


@LAW
@given(st.data())
def test_the_largest_tile_fits_its_slots_and_the_buffer(data: st.DataObject) -> None:
    op, budget, tiling = drawn(data)
    found = emitted(op, tiling, budget)
    plan = TilePlan(
        found.loop,
        1e9,
        found.held_bytes,
        found.slot_in_bytes,
        found.slot_out_bytes,
        slots_out=found.slots_out,
    )
    assert plan.buffer_bytes <= budget.buffer_bytes
    for tile, _ in plan.counts:
        assert sum(m.bytes for m in tile.loads) <= found.held_bytes + found.slot_in_bytes
        assert sum(m.bytes for m in tile.stores) <= found.slot_out_bytes


@LAW
@given(st.data())
def test_run_lengths_and_counts_tell_the_same_tiles(data: st.DataObject) -> None:
    op, budget, tiling = drawn(data)
    plan = TilePlan(emitted(op, tiling, budget).loop, 1e9)
    by_segment: Counter[Tile] = Counter()
    order = []
    for tile, times in plan.segments():
        by_segment[tile] += times
        order.append(tile)
    assert dict(plan.counts) == by_segment
    assert plan.tiles == sum(by_segment.values()) == _tiles(tiling)
    assert (plan.first, plan.last) == (order[0], order[-1])
    loaded, stored = totals(list(walk(op, tiling, budget)))
    assert (plan.loaded, plan.stored) == (loaded, stored)


def _cut(op: Op, sizes: tuple[int, int, int, int], held: set[int], rows_first: bool) -> Tiling:
    """The tiling with these tile sizes per class."""
    classes = op.loops.classes(len(op.inputs))
    g, m, k, n = (
        next(s for s in splits(op.loops.extents, dims, 1, 1000) if s.size == size)
        for dims, size in zip(classes, sizes, strict=True)
    )
    return Tiling((g, m, k, n), (0, 1, 3, 2) if rows_first else (0, 3, 1, 2), frozenset(held), 0.0)


def test_an_operand_without_halo_is_reloaded_once_for_each_loop_outside_it() -> None:
    op = matmul(32, 16, 24)
    rows_outside = TilePlan(emitted(op, _cut(op, (1, 8, 8, 8), set(), True), AMPLE).loop, 1e9)
    assert rows_outside.loaded == {0: 32 * 16 * 3, 1: 16 * 24 * 4}
    columns_outside = TilePlan(emitted(op, _cut(op, (1, 8, 8, 8), set(), False), AMPLE).loop, 1e9)
    assert columns_outside.loaded == {0: 32 * 16 * 3, 1: 16 * 24 * 4}
    whole_depth = TilePlan(emitted(op, _cut(op, (1, 8, 16, 8), set(), True), AMPLE).loop, 1e9)
    assert whole_depth.loaded == {0: 32 * 16, 1: 16 * 24 * 4}


def test_a_held_operand_is_fetched_once() -> None:
    op = matmul(32, 16, 24)
    plan = TilePlan(emitted(op, _cut(op, (1, 8, 8, 8), {1}, True), AMPLE).loop, 1e9)
    assert plan.loaded == {0: 32 * 16 * 3, 1: 16 * 24}
    both = emitted(op, _cut(op, (1, 8, 8, 8), {0, 1}, True), AMPLE)
    assert TilePlan(both.loop, 1e9).loaded == {0: 32 * 16, 1: 16 * 24}
    assert (both.held_bytes, both.slot_in_bytes) == (32 * 16 + 16 * 24, 0)


def test_a_halo_is_loaded_again_by_each_row_of_tiles() -> None:
    op = convolution(2, 2, 10, 3)
    tiling = _cut(op, (1, 8, 18, 2), set(), True)
    # one output row of 8 pixels reads 3 image rows of 10 pixels and 2 channels
    assert TilePlan(emitted(op, tiling, AMPLE).loop, 1e9).loaded[0] == 8 * (3 * 10 * 2)


def test_a_single_tile_has_one_slot_and_holds_its_operands() -> None:
    op = matmul(8, 8, 8)
    found = emitted(op, _cut(op, (1, 8, 8, 8), set(), True), AMPLE)
    assert (found.held_bytes, found.slot_in_bytes, found.slots_out) == (128, 0, 1)


LEAVES = st.builds(
    lambda cycles, loads, stores: Tile(cycles, loads, stores),
    st.integers(0, 50),
    st.sampled_from([(), (Move(0, 8),)]),
    st.sampled_from([(), (Move(1, 4),)]),
)
LOOPS: st.SearchStrategy[Loop] = st.recursive(
    st.builds(lambda tile, times: Loop((tile,), times), LEAVES, st.integers(1, 4)),
    lambda inner: st.builds(
        lambda body, times: Loop(tuple(body), times),
        st.lists(st.one_of(LEAVES, inner), min_size=1, max_size=3),
        st.integers(1, 3),
    ),
    max_leaves=6,
)


@LAW
@given(LOOPS, st.integers(0, 9), st.integers(0, 9))
def test_fill_and_drain_go_to_the_first_and_last_tile_and_nowhere_else(
    loop: Loop, fill: int, drain: int
) -> None:
    before, after = expand(loop), expand(with_fill(loop, fill, drain))
    wanted = [list(tile) for tile in before]
    wanted[0][0] = before[0][0] + fill
    wanted[-1][0] = wanted[-1][0] + drain  # type: ignore[operator]  # cycles are integers
    assert [list(tile) for tile in after] == wanted


def _view(shape: tuple[int, ...], strides: tuple[int, ...], dtype: str = "int8") -> Access:
    return Access(Tensor("t", (4096,), DType.parse(dtype), "input"), shape, strides)


def test_a_block_of_whole_rows_is_one_run() -> None:
    assert make_move(0, _view((8, 16), (16, 1)), (3, 16)) == Move(0, 48)


def test_a_block_of_part_rows_is_one_run_a_row_and_knows_the_pitch() -> None:
    assert make_move(0, _view((8, 16), (16, 1)), (3, 4)) == Move(0, 12, 3, 16)


def test_a_column_is_one_element_a_run() -> None:
    assert make_move(1, _view((8, 16), (16, 1), "fp32"), (5, 1)) == Move(1, 20, 5, 64)


def test_a_broadcast_axis_moves_once() -> None:
    assert make_move(0, _view((8, 16), (0, 1)), (8, 16)) == Move(0, 16)


def test_a_transposed_view_has_the_runs_of_its_storage() -> None:
    assert make_move(0, _view((16, 8), (1, 16)), (16, 2)) == Move(0, 32)
