"""Fixed mappings beyond what the search can do: what is refused, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from slow_tiling import ideal
from test_fixed_search import AMPLE, CONV, MODEL, PRODUCT, K, fixed, refused, under

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget, Store
from codesign.mapping.tiling import search
from codesign.testing import matmul


def test_an_order_that_the_search_does_not_know_says_which_there_are() -> None:
    text = refused(PRODUCT, fixed(PRODUCT, "k", "m", "n"))
    assert "order: groups run outermost and a reduction innermost" in text
    assert "got [k, m, n], which may run as [m, n, k] or [n, m, k]" in text


def test_groups_run_outermost() -> None:
    op = matmul(8, 8, 8, batch=4)
    assert "got [m, b], which may run as [b, m]" in refused(op, fixed(op, "m", "b"))
    assert search(op, under(fixed(op, "b", "m")), MODEL)


def test_loops_of_one_class_run_together_and_as_in_the_nest() -> None:
    assert "got [ox, oy], which may run as [oy, ox]" in refused(CONV, fixed(CONV, "ox", "oy"))
    text = refused(CONV, fixed(CONV, "oy", "co", "ox"))
    assert "got [oy, co, ox], which may run as [oy, ox, co] or [co, oy, ox]" in text


def test_a_reduction_is_cut_in_one_loop() -> None:
    text = refused(CONV, fixed(CONV, ci=2, ky=2))
    assert "tile: a reduction is cut in one loop" in text
    assert "got ci 2 of 6, ky 2 of 3, kx 3 of 3; cut one of them" in text
    assert search(CONV, under(fixed(CONV, ci=2)), MODEL).splits[K].tile == (2, 3, 3)


def test_the_buffer_that_is_too_small_is_named_with_its_bytes() -> None:
    store = Store("sram", 500, 0.0, 0.0)
    budget = Budget(500, 1e9, 1e9, stores=(store, Store("dram", 1 << 30, 0.0, 0.0)))
    text = refused(PRODUCT, fixed(PRODUCT, m=24, n=40, k=32), budget)
    needed = 24 * 32 + 32 * 40 + 24 * 40
    assert f"its tiles take {needed:,} B of sram, which grants 500 B" in text
    assert "input 768 B, weight 1,280 B, output 960 B" in text


def test_what_is_held_counts_with_all_of_its_tiles() -> None:
    text = refused(PRODUCT, fixed(PRODUCT, held={1}, m=8, n=8, k=32), Budget(1000, 1e9, 1e9))
    needed = 5 * 8 * 32 + 2 * 8 * 32 + 2 * 64
    assert f"its tiles take {needed - 8 * 32:,} B of the buffer" in text or f"{needed:,} B" in text
    assert "weight 5 x 256 B held" in text


def test_resident_operands_take_no_room() -> None:
    mapping = fixed(PRODUCT, m=24, n=40, k=32)
    tight = Budget(24 * 32 + 24 * 40, 1e9, 1e9)
    assert "weight" in refused(PRODUCT, mapping, tight)
    assert search(PRODUCT, under(mapping, replace(tight, resident=(False, True))), MODEL)


def test_one_byte_more_or_less_decides() -> None:
    mapping = fixed(PRODUCT, m=24, n=40, k=32)
    needed = 24 * 32 + 32 * 40 + 24 * 40
    assert search(PRODUCT, under(mapping, Budget(needed, 1e9, 1e9)), MODEL)
    assert f"{needed:,} B" in refused(PRODUCT, mapping, Budget(needed - 1, 1e9, 1e9))


def test_a_store_of_the_engine_that_is_too_small_says_so_in_its_own_words() -> None:
    model = replace(ideal(63), overflow=lambda sizes: f"{int(sizes[1][0])} rows are too many")
    text = refused(PRODUCT, fixed(PRODUCT, m=8, n=8), model=model)
    assert text == "here: op: tile: 8 rows are too many; make it smaller"
    plain = refused(PRODUCT, fixed(PRODUCT, m=8, n=8), model=ideal(63))
    assert "one tile does not fit the engine's own stores" in plain
    assert search(PRODUCT, under(fixed(PRODUCT, m=8, n=8)), ideal(64))


@pytest.mark.parametrize(
    "mapping",
    [
        FixedMapping(unroll=(("x", ((1, 4),)),), place="here: op"),
        FixedMapping(inside=(1, 2), place="here: op"),
    ],
)
def test_what_is_of_arrays_is_refused(mapping: FixedMapping) -> None:
    key = "unroll" if mapping.unroll else "inside"
    assert f"{key} is of arrays of cells with axes of their own" in refused(PRODUCT, mapping)


def test_nothing_decided_is_told_as_ever() -> None:
    with pytest.raises(MappingError, match="no tile fits the 3 B of buffer"):
        search(PRODUCT, under(FixedMapping(), Budget(3, 1e9, 1e9)), MODEL)
    assert search(PRODUCT, under(FixedMapping()), MODEL) == search(PRODUCT, AMPLE, MODEL)
