"""The systolic array against closed forms, worked out fold by fold."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from codesign_plugins.systolic import Systolic
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_array import (
    BUDGETS,
    INSTANT,
    Sizes,
    array,
    closed_form,
    products,
    tile_sizes,
)

from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget
from codesign.testing import convolution, elementwise, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=80, deadline=None, derandomize=True)
Preload = Literal["shadow", "skewed", "serial"]


def check_closed_form(engine: Systolic, op: Op, whole: Sizes, budget: Budget) -> None:
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    assert plan.cycles == closed_form(engine, tile_sizes(plan), whole)
    assert min(tile.cycles for tile, _ in plan.counts) >= 0


@LAW
@given(
    products(),
    BUDGETS,
    st.sampled_from([4, 8, 16]),
    st.sampled_from([4, 8, 16]),
    st.sampled_from([16, 400, 1 << 20]),
    st.sampled_from(["shadow", "skewed", "serial"]),
)
def test_cycles_of_a_lone_tile_sequence_equal_the_closed_form(
    product: tuple[Op, Sizes], budget: Budget, rows: int, cols: int, accumulator: int, how: Preload
) -> None:
    engine = array(rows, cols, accumulator=accumulator, weight_preload=how)
    check_closed_form(engine, *product, budget)


@LAW
@given(
    products(batches=1),
    BUDGETS,
    st.integers(2, 3),
    st.sampled_from(["shadow", "skewed", "serial"]),
    st.integers(0, 3),
)
def test_several_arrays_take_as_long_as_the_one_with_the_most_folds(
    product: tuple[Op, Sizes], budget: Budget, arrays: int, how: Preload, overhead: int
) -> None:
    engine = array(8, 4, arrays=arrays, weight_preload=how, tile_overhead=overhead)
    check_closed_form(engine, *product, budget)


@LAW
@given(st.data())
def test_slots_add_up_to_what_the_array_issued(data: st.DataObject) -> None:
    (op, _), budget = data.draw(products()), data.draw(BUDGETS)
    engine = array(8, 8, arrays=data.draw(st.integers(1, 3)), tile_overhead=2)
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    slots = dict(plan.slots)
    assert sum(slots.values()) == 8 * 8 * engine.arrays * plan.cycles
    assert slots["effective"] == op.macs
    assert min(slots.values()) >= 0


def lone(engine: Systolic, op: Op) -> int:
    """Cycles where the memory takes no time."""
    cycles: int = engine.plan(op, INSTANT).cycles
    return cycles


@pytest.mark.parametrize(("m", "k", "n"), [(64, 64, 64), (100, 256, 192), (64, 640, 64)])
def test_streams_longer_than_weight_loads_hide_all_but_the_first(m: int, k: int, n: int) -> None:
    folds = (k // 64) * (n // 64)
    assert lone(array(), matmul(m, k, n)) == 64 + folds * m + 64 + 64 - 2


@pytest.mark.parametrize(("m", "k", "n"), [(1, 64, 64), (1, 1024, 256), (17, 256, 192)])
def test_for_matrix_vector_products_the_weight_shift_dominates(m: int, k: int, n: int) -> None:
    folds = (k // 64) * (n // 64)
    assert lone(array(), matmul(m, k, n)) == folds * 64 + m + 64 + 64 - 2


@pytest.mark.parametrize(("size", "cycles"), [(2048, 524_670), (512, 8_574)])
def test_square_products_take_the_hand_computed_cycles(size: int, cycles: int) -> None:
    assert lone(array(128, 128), matmul(size, size, size)) == cycles


def test_edge_folds_count_at_their_true_size() -> None:
    # folds (r, c): (64, 64) (1, 64) (64, 6) (1, 6), M = 10 each
    expected = 64 + max(10, 1) + max(10, 64) + max(10, 1) + 10 + 1 + 6 - 2
    assert lone(array(), matmul(10, 65, 70)) == expected
    each = [2 * r + 10 + c - 2 for r, c in ((64, 64), (1, 64), (64, 6), (1, 6))]
    assert lone(array(weight_preload="serial"), matmul(10, 65, 70)) == sum(each)


def test_a_single_cell_product_is_one_load_and_one_step() -> None:
    assert lone(array(), matmul(1, 1, 1)) == 1 + 1 + 1 + 1 - 2
    assert lone(array(weight_preload="serial"), matmul(1, 1, 1)) == 2 + 1 + 1 - 2


@pytest.mark.parametrize("product", [(64, 64, 64), (1, 1024, 256), (100, 256, 192)], ids=str)
def test_a_skewed_load_costs_the_way_across_the_columns_once(product: tuple[int, int, int]) -> None:
    op = matmul(*product)
    shadow, skewed = array(64, 32), array(64, 32, weight_preload="skewed")
    assert lone(skewed, op) == lone(shadow, op) + 32 - 1
    slots = [dict(engine.plan(op, INSTANT).slots) for engine in (shadow, skewed)]
    more = slots[1].pop("weight load") - slots[0].pop("weight load", 0)
    assert more == 64 * 32 * 31
    assert slots[0] == slots[1]


def test_onnxim_loads_an_empty_array_of_n_rows_and_columns_in_2n_minus_1_cycles() -> None:
    # 128 rows stream behind the load, and the last sum leaves 254 cycles after its row entered
    engine = array(128, 128, weight_preload="skewed")
    assert lone(engine, matmul(128, 128, 128)) == (128 + 128 - 1) + 128 + 254


def test_a_last_tile_shorter_than_a_weight_load_takes_no_negative_time() -> None:
    # 65 steps of reduction on 64 rows, in tiles too small for both
    plan = array().plan(matmul(1, 65, 1), Budget(140, 1e9, 1e9))
    assert all(tile.cycles >= 0 for tile, _ in plan.counts)
    assert plan.cycles == closed_form(array(), tile_sizes(plan), (1, 1, 65, 1))


# -- arrays, groups, formats ----------------------------------------------------------------------


def test_two_arrays_halve_the_folds_of_wide_products() -> None:
    # 4 column blocks of 2 folds: each array streams 100 rows 4 times
    assert lone(array(arrays=2), matmul(100, 128, 256)) == 64 + 4 * 100 + 64 + 64 - 2


def test_two_arrays_share_the_rows_of_narrow_products() -> None:
    assert lone(array(arrays=2), matmul(200, 64, 64)) == 64 + 100 + 64 + 64 - 2


def test_an_uneven_deal_takes_as_long_as_the_fuller_array() -> None:
    # blocks of 64, 64 and 2 columns: the first array gets two of them
    engine = array(arrays=2, weight_preload="serial")
    dealt = (2 * 64 + 8 + 64 - 2) + (2 * 64 + 8 + 2 - 2)
    assert lone(engine, matmul(8, 64, 130)) == dealt


def test_depthwise_groups_are_packed_block_diagonally() -> None:
    # 9 taps a group: 7 groups take 63 rows and 7 columns, the other 5 take 45 rows
    op, pixels = convolution(12, 12, 10, 3, groups=12), 64
    assert lone(array(), op) == 63 + max(pixels, 45) + pixels + 45 + 5 - 2
    alone = array(pack_groups=False)
    assert lone(alone, op) == 9 + 11 * pixels + pixels + 9 + 1 - 2


def test_packed_groups_waste_the_same_slots_that_they_save_cycles() -> None:
    op = convolution(12, 12, 10, 3, groups=12)
    packed, alone = (array(pack_groups=p).plan(op, INSTANT) for p in (True, False))
    assert dict(packed.slots)["effective"] == dict(alone.slots)["effective"] == op.macs
    assert sum(dict(packed.slots).values()) < sum(dict(alone.slots).values())


def formats(pair: str, rate: float) -> dict[str, Any]:
    return {"macs_per_cell": {pair: rate}, "mac_energy": {pair: 1e-12}}


def test_a_format_at_half_rate_streams_half_as_fast() -> None:
    engine = array(**formats("bf16*bf16", 0.5))
    op = matmul(100, 128, 64, dtype="bf16")
    assert lone(engine, op) == 64 + 2 * 200 + 64 + 64 - 2
    assert sum(dict(engine.plan(op, INSTANT).slots).values()) == 64 * 64 * lone(engine, op) // 2


def test_a_format_at_twice_the_rate_packs_two_steps_into_a_cell() -> None:
    engine = array(**formats("int4*int4", 2.0))
    assert lone(engine, matmul(100, 256, 64, dtype="int4")) == 64 + 2 * 100 + 64 + 64 - 2
    # 129 steps: a full fold and one of a single cell row
    assert lone(engine, matmul(100, 129, 64, dtype="int4")) == 64 + 2 * 100 + 1 + 64 - 2


def test_a_fractional_rate_above_one_is_refused() -> None:
    with pytest.raises(HardwareError, match=r"npu\.macs_per_cell\['int8\*int8'\] must be whole"):
        array(**formats("int8*int8", 1.5)).check()
    array(**formats("int8*int8", 4.0)).check()
    array(**formats("int8*int8", 0.25)).check()


def test_a_missing_pair_is_refused_by_name() -> None:
    answer = array().supports(matmul(4, 4, 4, weight_dtype="int4"))
    assert answer == "no MAC rate or energy for int8*int4; has int8*int8"


def test_a_pair_with_a_rate_but_no_energy_is_refused() -> None:
    engine = array(macs_per_cell={"int8*int8": 1.0, "int8*int4": 1.0})
    assert engine.supports(matmul(4, 4, 4)) is None
    assert engine.supports(matmul(4, 4, 4, weight_dtype="int4")) is not None


def test_only_contractions_are_taken() -> None:
    assert array().supports(elementwise((8,))) == "takes contractions only, not elementwise"


def test_every_tile_pays_its_overhead() -> None:
    op = matmul(64, 64, 64)
    plan = array(tile_overhead=7).plan(op, INSTANT)
    assert plan.cycles == lone(array(), op) + 7 * plan.tiles
    assert dict(plan.slots)["tile start"] == 7 * plan.tiles * 64 * 64


# -- stores ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("accumulator", [4, 64, 1024])
def test_a_tile_never_has_more_partial_sums_than_the_accumulator_holds(accumulator: int) -> None:
    plan = array(8, 8, accumulator=accumulator).plan(matmul(40, 40, 40), INSTANT)
    _, m, _, n = tile_sizes(plan)
    assert 4 * m * n <= accumulator


def test_sums_of_several_groups_wait_together_only_if_the_reduction_is_cut() -> None:
    engine = array(8, 8, accumulator=4 * 16 * 8)
    g, m, k, n = tile_sizes(engine.plan(matmul(16, 8, 8, batch=6), INSTANT))
    assert (g, m, k, n) == (6, 16, 8, 8)  # one group after the other
    g, m, k, n = tile_sizes(engine.plan(matmul(16, 64, 8, batch=6), Budget(900, 1e9, 1e9)))
    assert k == 64 or g * m * n * 4 <= engine.accumulator


def test_packed_groups_have_their_sums_at_the_same_time() -> None:
    op = convolution(7, 7, 10, 3, groups=7)
    sums = 7 * 64 * 4
    assert array(accumulator=sums).plan(op, INSTANT).tiles == 1
    assert array(accumulator=sums - 1).plan(op, INSTANT).tiles > 1


def test_a_wider_accumulator_element_moves_more_bytes() -> None:
    op = matmul(8, 8, 8)
    wide = array(accumulator_bits=64).plan(op, INSTANT)
    assert ("", "accumulator write", 8 * 64) in wide.actions


def test_more_than_the_buffer_is_refused() -> None:
    with pytest.raises(MappingError, match="no tile fits the 2 B"):
        array().plan(matmul(8, 8, 8), Budget(2, 1e9, 1e9))


def test_the_table_of_energies_is_complete() -> None:
    engine = array(function_energy=3e-12, accumulator_energy=2e-12)
    assert engine.energies_j() == {
        "mac int8*int8": 0.3e-12,
        "accumulator read": 2e-12,
        "accumulator write": 2e-12,
        "function": 3e-12,
    }
