"""Equal tiles of a kernel: nothing is lost, nothing is late, and the buffer is asked."""

from __future__ import annotations

import pytest
from codesign_plugins.gpu.pieces import cut
from hypothesis import given
from hypothesis import strategies as st

from codesign import Op
from codesign.errors import MappingError
from codesign.hardware.plan import Budget, Loop, Tile, TilePlan
from codesign.testing import elementwise, every_operator, matmul

AMPLE = Budget(1 << 26, 1e12, 1e12)


def plan(op: Op, start: int = 0, cycles: int = 1000, budget: Budget = AMPLE) -> TilePlan:
    pieces = cut(op, budget, start, cycles)
    return TilePlan(
        pieces.loop,
        1e9,
        slot_in_bytes=pieces.slot_in_bytes,
        slot_out_bytes=pieces.slot_out_bytes,
    )


@given(
    m=st.integers(1, 300),
    n=st.integers(1, 300),
    start=st.integers(0, 10_000),
    cycles=st.integers(1, 100_000),
)
def test_all_bytes_and_all_cycles_are_there(m: int, n: int, start: int, cycles: int) -> None:
    op = matmul(m, 64, n, bias=True, dtype="fp16")
    found = plan(op, start, cycles)
    assert found.cycles == start + cycles
    loaded = {place: access.bytes for place, access in enumerate(op.inputs)}
    assert found.loaded == loaded
    assert found.stored == {len(op.inputs): op.outputs[0].bytes}


@pytest.mark.parametrize("op", every_operator("fp16"), ids=lambda op: op.name)
def test_no_tile_is_larger_than_its_slots(op: Op) -> None:
    found = plan(op)
    for tile, _ in found.counts:
        assert sum(move.bytes for move in tile.loads) <= found.slot_in_bytes
        assert sum(move.bytes for move in tile.stores) <= found.slot_out_bytes


def test_the_first_tile_only_waits_for_the_start() -> None:
    found = plan(matmul(64, 64, 64), start=700)
    assert found.first == Tile(700)
    assert plan(matmul(64, 64, 64)).first.loads


@given(
    m=st.integers(1, 200),
    n=st.integers(1, 200),
    cycles=st.integers(1, 50_000),
    burst=st.sampled_from([1, 32]),
)
def test_tiles_differ_by_a_cycle_and_move_bytes_by_their_cycles(
    m: int, n: int, cycles: int, burst: int
) -> None:
    op = matmul(m, 77, n, dtype="fp16")
    found = plan(op, cycles=cycles, budget=Budget(1 << 26, 1e12, 1e12, burst_bytes=burst))
    *tiles, last = [tile for tile, _ in found.segments()]
    lengths = {tile.cycles for tile in (*tiles, last)}
    assert max(lengths) - min(lengths) <= 1
    for operand in range(2):
        whole = op.inputs[operand].bytes
        for tile in tiles:
            mine = sum(move.bytes for move in tile.loads if move.operand == operand)
            # of a run of tiles and of a tile in it, a burst each
            assert abs(mine - whole * tile.cycles / cycles) <= 2 * burst


def test_a_kernel_has_no_more_tiles_than_cycles_unless_the_buffer_asks_for_them() -> None:
    op = elementwise((4096,), dtype="fp16")
    assert plan(op, cycles=3).tiles == 3
    assert plan(op, cycles=3, budget=Budget(4096, 1e12, 1e12)).tiles > 3


@given(size=st.integers(2, 5000), cycles=st.integers(1, 300), buffer=st.integers(300, 3000))
def test_tiles_of_uneven_cycles_fit_a_small_buffer(size: int, cycles: int, buffer: int) -> None:
    op = elementwise((size,), ("add",), inputs=2, dtype="fp16")
    found = plan(op, cycles=cycles, budget=Budget(buffer, 1e12, 1e12, burst_bytes=32))
    assert found.buffer_bytes <= buffer
    assert found.cycles == cycles


def test_a_kernel_that_is_all_start_is_one_tile_of_work() -> None:
    assert plan(matmul(64, 64, 64), start=1_000_000, cycles=1).tiles == 2


def test_a_long_kernel_has_enough_tiles_for_its_last_store_to_be_less_than_a_hundredth() -> None:
    found = plan(elementwise((4096, 4096), dtype="fp16"), start=10, cycles=100_000)
    last = sum(move.bytes for move in found.last.stores)
    assert last * 100 < found.stored[1]


def test_equal_tiles_are_one_loop() -> None:
    found = plan(elementwise((1024, 1024), dtype="fp16"), cycles=256_000)
    assert len(found.counts) == 1
    assert isinstance(found.loop.body[0], Loop)
    assert found.loop.body[0].repeats == 255


def test_a_small_buffer_asks_for_more_tiles() -> None:
    op = elementwise((1024, 1024), dtype="fp16")
    small = plan(op, budget=Budget(8192, 1e12, 1e12))
    assert small.tiles > plan(op).tiles
    assert small.buffer_bytes <= 8192


def test_what_lies_in_the_buffer_is_not_moved() -> None:
    op = matmul(64, 64, 64, dtype="fp16")
    found = plan(op, budget=Budget(1 << 26, 1e12, 1e12, resident=(True, False, True)))
    assert set(found.loaded) == {1}
    assert not found.stored
    everything = plan(op, budget=Budget(1 << 26, 1e12, 1e12, resident=(True,) * 3))
    assert not everything.loaded
    assert everything.cycles == 1000


def test_an_operand_that_is_read_twice_is_loaded_once() -> None:
    op = elementwise((64, 64), ("mul",), inputs=2)
    same = Op(op.name, op.kind, (op.inputs[0],) * 2, op.outputs, None, op.functions)
    assert set(plan(same).loaded) == {0}


def test_a_buffer_without_room_for_a_byte_of_each_operand_is_refused() -> None:
    with pytest.raises(MappingError, match=r"the buffer grants 3 B; enlarge the buffer"):
        plan(matmul(64, 64, 64), budget=Budget(3, 1e12, 1e12))


def test_rows_of_a_view_are_told_to_the_memory() -> None:
    op = matmul(64, 64, 64)
    wide = elementwise((64, 128)).inputs[0]
    part = type(wide)(wide.tensor, (64, 64), (128, 1))
    found = plan(Op(op.name, op.kind, (part, op.inputs[1]), op.outputs, op.nest), 999, cycles=1)
    (move,) = [move for move in found.last.loads if move.operand == 0]
    assert (move.rows, move.pitch) == (64, 128)


@given(m=st.integers(1, 200), n=st.integers(1, 200), burst=st.sampled_from([1, 32, 64]))
def test_pieces_are_whole_bursts_but_for_the_last(m: int, n: int, burst: int) -> None:
    op = matmul(m, 33, n, dtype="int8")
    found = plan(op, budget=Budget(1 << 26, 1e12, 1e12, burst_bytes=burst))
    assert found.loaded == {place: access.bytes for place, access in enumerate(op.inputs)}
    for operand, access in enumerate(op.inputs):
        sizes = [
            m.bytes for tile, _ in found.segments() for m in tile.loads if m.operand == operand
        ]
        odd = [size for size in sizes if size % burst]
        assert len(odd) <= 1
        assert sum(odd) % burst == access.bytes % burst
