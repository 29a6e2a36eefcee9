"""Fixed sizes of pieces: what flows through the buffer is cut as decided, or one line why not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow_tiling import LAW

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget, Store, TilePlan
from codesign.mapping.fixed_pieces import fixed_pieces
from codesign.mapping.streaming import Stream, Streamed, stream
from codesign.testing import elementwise, softmax
from codesign.testing.operators import whole
from codesign.workload.record import Op
from codesign.workload.work import elements

AMPLE = Budget(1 << 20, 1e9, 1e9)
ADD = elementwise((8, 100), ("add",), inputs=2)
SOFT = softmax(16, 32)


def under(size: int | None, budget: Budget = AMPLE) -> Budget:
    return replace(budget, fixed=FixedMapping((size,), place="here: op"))


def flowing(op: Op, budget: Budget, units: int | None = None, sweeps: int = 1) -> Streamed:
    return stream(op, budget, Stream(units or elements(op), lambda piece: piece, sweeps))


def plan_of(found: Streamed) -> TilePlan:
    return TilePlan(found.loop, 1e9, found.held_bytes, found.slot_in_bytes, found.slot_out_bytes)


def refused(op: Op, budget: Budget, units: int | None = None) -> str:
    with pytest.raises(MappingError) as caught:
        flowing(op, budget, units)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("size", [1, 7, 100, 399, 400, 799, 800])
def test_pieces_are_at_most_as_large_as_decided(size: int) -> None:
    plan = plan_of(flowing(ADD, under(size)))
    assert plan.tiles == math.ceil(800 / size)
    assert max(tile.cycles for tile, _ in plan.counts) <= size
    assert plan.cycles == 800


@LAW
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 3), st.data())
def test_every_byte_still_moves_once(
    rows: int, width: int, inputs: int, data: st.DataObject
) -> None:
    op = elementwise((rows, width), ("add",), inputs=inputs)
    size = data.draw(st.integers(1, rows * width))
    plan = plan_of(flowing(op, under(size)))
    assert plan.loaded == {n: op.inputs[n].bytes for n in op.distinct_inputs}
    assert plan.stored == {len(op.inputs): op.outputs[0].bytes}
    assert plan.tiles == math.ceil(rows * width / size)


def test_an_open_size_is_searched_as_ever() -> None:
    free = flowing(ADD, AMPLE)
    assert flowing(ADD, under(None)) == free
    assert flowing(ADD, replace(AMPLE, fixed=FixedMapping())) == free
    assert fixed_pieces(ADD, AMPLE, 800, (0,)) == 0


def test_rows_stay_whole() -> None:
    assert plan_of(flowing(SOFT, under(64), units=16)).tiles == 8
    assert plan_of(flowing(SOFT, under(32), units=16)).tiles == 16
    text = refused(SOFT, under(31), units=16)
    assert text == (
        "here: op: tile: elements must be at least 32, since a row stays whole, got 31; raise it"
    )


def test_two_sweeps_take_the_same_pieces_twice() -> None:
    plan = plan_of(flowing(SOFT, under(64), sweeps=2))
    assert plan.tiles == 2 * 8
    assert plan.loaded == {0: 2 * 16 * 32}


def test_the_memory_that_is_too_small_is_named_with_its_bytes() -> None:
    stores = (Store("sram", 900, 0.0, 0.0), Store("dram", 1 << 30, 0.0, 0.0))
    text = refused(ADD, under(400, Budget(900, 1e9, 1e9, stores=stores)))
    # two inputs and a result of 400 B, two pieces of each
    assert text == (
        "here: op: tile: pieces of 400 elements take 2,400 B of sram, two at a time, which grants "
        "900 B; lower elements"
    )
    assert "of the buffer" in refused(ADD, under(400, Budget(900, 1e9, 1e9)))


def test_one_byte_more_or_less_decides() -> None:
    assert flowing(ADD, under(400, Budget(2400, 1e9, 1e9)))
    assert "2,400 B" in refused(ADD, under(400, Budget(2399, 1e9, 1e9)))


def test_what_stays_counts_too() -> None:
    table = whole("table", (16,), "weight")
    rows = whole("x", (64, 16), "activation")
    op = replace(elementwise((64, 16), ("add",), inputs=2), inputs=(rows, table))
    assert "2,064 B" in refused(op, under(512, Budget(2000, 1e9, 1e9)))
    assert plan_of(flowing(op, under(512, Budget(2064, 1e9, 1e9)))).tiles == 2


def test_what_lies_there_already_takes_nothing() -> None:
    resident = Budget(1600, 1e9, 1e9, resident=(True, False, False))
    assert flowing(ADD, under(400, resident))
    assert "1,600 B" in refused(ADD, under(400, replace(resident, buffer_bytes=1599)))
