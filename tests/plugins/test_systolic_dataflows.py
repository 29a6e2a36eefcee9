"""Every dataflow and convention of the systolic array against a loop over its folds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_array import BUDGETS, INSTANT, Sizes, array, products, tile_sizes, tiles
from slow_folds import CONVENTIONS, SCALE_SIM, cycles, dealt, folds

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=60, deadline=None, derandomize=True)
EDGES = st.sampled_from([4, 8, 16])
ALL = ("ws", "os", "is")


def lone(op: Op, rows: int = 8, cols: int = 8, **fields: Any) -> TilePlan:
    """The plan where the memory takes no time, which is one tile."""
    plan: TilePlan = array(rows, cols, **fields).plan(op, INSTANT)
    assert plan.tiles == 1
    return plan


@LAW
@given(products(), EDGES, EDGES, CONVENTIONS, st.booleans())
def test_cycles_of_a_tile_equal_the_loop_over_its_folds(
    product: tuple[Op, Sizes], rows: int, cols: int, convention: dict[str, Any], packs: bool
) -> None:
    op, whole = product
    engine = array(rows, cols, pack_groups=packs, **convention)
    assert lone(op, rows, cols, pack_groups=packs, **convention).cycles == cycles(
        engine, folds(engine, whole)
    )


@LAW
@given(products(), BUDGETS, EDGES, EDGES, st.sampled_from(["serial", "shadow", "skewed"]))
def test_tiles_of_a_stationary_input_follow_one_another_as_the_folds_do(
    product: tuple[Op, Sizes], budget: Budget, rows: int, cols: int, preload: str
) -> None:
    op, whole = product
    engine = array(rows, cols, dataflow="is", weight_preload=preload)
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    sequence = [f for tile in tiles(tile_sizes(plan), whole) for f in folds(engine, tile)]
    assert plan.cycles == cycles(engine, sequence)


@LAW
@given(products(), BUDGETS, EDGES, EDGES, CONVENTIONS)
def test_tiles_of_stationary_outputs_follow_one_another_as_the_folds_do(
    product: tuple[Op, Sizes], budget: Budget, rows: int, cols: int, convention: dict[str, Any]
) -> None:
    op, (g, m, k, n) = product
    engine = array(rows, cols, **{**convention, "dataflow": "os"})
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    groups, height, step, width = tile_sizes(plan)
    outputs = tiles((groups, height, k, width), (g, m, k, n))
    expected = cycles(engine, [fold for tile in outputs for fold in folds(engine, tile)])
    # each part of a reduction rounds its share of what the whole pays up, twice at most
    parts = 2 * plan.tiles * (step < k)
    assert expected <= plan.cycles <= expected + parts


@LAW
@given(products(), EDGES, EDGES, st.sampled_from(["serial", "shadow", "skewed"]), st.booleans())
def test_a_stationary_input_is_a_stationary_weight_of_the_transposed_product(
    product: tuple[Op, Sizes], rows: int, cols: int, preload: str, overlap: bool
) -> None:
    op, (g, m, k, n) = product
    fields: dict[str, Any] = {"weight_preload": preload, "fold_overlap": overlap}
    turned = lone(matmul(n, k, m, batch=g), rows, cols, **fields)
    plan = lone(op, rows, cols, dataflow="is", **fields)
    assert plan.cycles == turned.cycles
    assert sorted(n for _, n in plan.slots) == sorted(n for _, n in turned.slots)


@LAW
@given(products(), EDGES, EDGES, CONVENTIONS)
def test_no_convention_is_faster_than_the_one_with_more_registers(
    product: tuple[Op, Sizes], rows: int, cols: int, convention: dict[str, Any]
) -> None:
    op, _ = product
    base = lone(op, rows, cols, **convention).cycles
    for better in (
        {"weight_preload": "shadow"},
        {"output_drain": "hidden"},
        {"edge_tiles": "exact"},
        {"fold_overlap": True},
    ):
        assert lone(op, rows, cols, **{**convention, **better}).cycles <= base


# -- output-stationary: sums stay in the cells -----------------------------------------------------


@LAW
@given(products(), BUDGETS, EDGES, EDGES, CONVENTIONS, st.integers(1, 3))
def test_a_tile_with_a_part_of_the_reduction_has_at_most_a_fold_an_array(
    product: tuple[Op, Sizes],
    budget: Budget,
    rows: int,
    cols: int,
    convention: dict[str, Any],
    arrays: int,
) -> None:
    op, whole = product
    engine = array(rows, cols, arrays=arrays, **{**convention, "dataflow": "os"})
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    tile = tile_sizes(plan)
    assert tile[2] == whole[2] or len(folds(engine, tile)) <= arrays


def test_a_long_reduction_is_cut_where_the_buffer_is_small() -> None:
    engine = array(dataflow="os")
    plan = engine.plan(matmul(64, 1 << 14, 64), Budget(1 << 17, 1e18, 1e18))
    assert tile_sizes(plan)[2] < 1 << 14
    sums = {action: count for owner, action, count in plan.actions if owner == ""}
    assert sums["accumulator write"] == 4 * 64 * 64
    assert "accumulator read" not in sums


@LAW
@given(products(), EDGES, EDGES, st.sampled_from(["shift", "hidden"]), st.integers(2, 4))
def test_output_blocks_are_dealt_to_the_arrays(
    product: tuple[Op, Sizes], rows: int, cols: int, drain: str, arrays: int
) -> None:
    op, whole = product
    fields: dict[str, Any] = {"dataflow": "os", "output_drain": drain, "arrays": arrays}
    engine = array(rows, cols, **fields)
    assert lone(op, rows, cols, **fields).cycles == dealt(engine, whole)


def test_output_stationary_folds_take_their_closed_forms() -> None:
    op = matmul(128, 100, 192)  # 6 folds on 64 x 64
    forms = {
        ("hidden", False): 6 * (100 + 126),
        ("shift", False): 6 * (100 + 126 + 64),
        ("hidden", True): 6 * 100 + 126,
        ("shift", True): 6 * (100 + 64) + 126,
    }
    for (drain, overlap), expected in forms.items():
        fields: dict[str, Any] = {"output_drain": drain, "fold_overlap": overlap}
        assert lone(op, 64, 64, dataflow="os", **fields).cycles == expected


def test_a_short_reduction_waits_for_the_sums_before_it() -> None:
    op = matmul(128, 10, 64)
    assert lone(op, 64, 64, dataflow="os", output_drain="hidden").cycles == 64 + 10 + 126


# -- formats, taps of a kernel ---------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "stream"), [(0.5, 200), (1.0, 100), (2.0, 50), (4.0, 25)])
def test_a_faster_format_streams_a_reduction_faster(rate: float, stream: int) -> None:
    plan = lone(matmul(8, 100, 8), dataflow="os", macs_per_cell={"int8*int8": rate})
    assert plan.cycles == stream + 8 + 8 - 2 + 8
    assert sum(count for _, count in plan.slots) == plan.cycles * 64 * rate


def test_taps_with_folds_of_their_own_use_the_rows_of_channels_only() -> None:
    # the hand check: 9 folds of 3,136 pixels, one load and one skew
    op = convolution(64, 64, 56, 3, padding=1)
    apart = lone(op, 128, 128, row_merge=False, edge_tiles="full")
    merged = lone(op, 128, 128, edge_tiles="full")
    assert apart.cycles == 9 * 3136 + 382 == 28_606
    assert merged.cycles == 5 * 3136 + 382 == 16_062


@LAW
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["ws", "is"]),
    CONVENTIONS,
)
def test_every_tap_of_a_convolution_has_its_folds(
    channels: int, filters: int, kernel: int, dataflow: str, convention: dict[str, Any]
) -> None:
    op = convolution(channels, filters, 7, kernel)
    fields = {**convention, "dataflow": dataflow, "row_merge": False}
    engine = array(8, 8, **fields)
    expected = cycles(engine, folds(engine, op.gemm, taps=kernel**2))
    assert lone(op, **fields).cycles == expected


@pytest.mark.parametrize("dataflow", ["ws", "is"])
def test_taps_are_told_from_channels_in_a_part_of_the_reduction(dataflow: str) -> None:
    op = convolution(24, 8, 10, 3)
    engine = array(8, 8, dataflow=dataflow, row_merge=False, accumulator=1 << 20)
    plan = engine.plan(op, Budget(700, 1e9, 1e18))
    assert tile_sizes(plan)[2] < 24 * 9
    sums = {action: count for owner, action, count in plan.actions if owner == ""}
    # 3 folds of 8 channels for each of 9 taps, or as many more as tiles cut channels
    assert sums["accumulator write"] >= 4 * 27 * 64 * 8


def test_a_matrix_product_has_no_taps() -> None:
    op = matmul(20, 72, 16)
    assert lone(op, row_merge=False) == lone(op)


def test_groups_are_packed_in_every_dataflow() -> None:
    op = convolution(12, 12, 10, 3, groups=12)  # 64 pixels, 9 taps a group
    for dataflow, together in (("ws", 7), ("is", 1), ("os", 1)):
        packed, alone = (
            lone(op, 64, 64, dataflow=dataflow, pack_groups=pack).cycles for pack in (True, False)
        )
        assert (packed < alone) == (together > 1)
    small = matmul(8, 30, 8, batch=8)
    wide = lone(small, 64, 64, dataflow="os")
    assert wide.cycles == 30 + 64 + 64 - 2 + 64


# -- slots -----------------------------------------------------------------------------------------


@LAW
@given(products(), BUDGETS, CONVENTIONS, st.data())
def test_every_slot_has_one_cause(
    product: tuple[Op, Sizes], budget: Budget, convention: dict[str, Any], data: st.DataObject
) -> None:
    op, _ = product
    widths = ("input_width", "weight_width", "accumulator_width")
    engine = array(
        8,
        4,
        arrays=data.draw(st.integers(1, 3)),
        tile_overhead=data.draw(st.integers(0, 2)),
        row_merge=data.draw(st.booleans()),
        **{width: data.draw(st.sampled_from([None, 1.0, 7.5])) for width in widths},
        **convention,
    )
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    slots = dict(plan.slots)
    assert len(slots) == len(plan.slots)
    assert sum(slots.values()) == 8 * 4 * engine.arrays * plan.cycles
    assert slots["effective"] == op.macs
    assert min(slots.values()) > 0


@pytest.mark.parametrize("dataflow", ALL)
def test_a_full_array_wastes_nothing_but_the_ends(dataflow: str) -> None:
    plan = lone(matmul(16, 16, 16), 16, 16, dataflow=dataflow)
    first = {"ws": "weight load", "is": "input load", "os": "output drain"}[dataflow]
    assert dict(plan.slots) == {
        "effective": 16**3,
        "fill and drain": 30 * 256,
        first: 16 * 256,
    }


def test_each_cause_is_what_the_fields_make_it() -> None:
    # folds (r, c): (8, 8) and (4, 8); 5 rows stream
    op = matmul(5, 12, 8)
    apart = dict(lone(op, **SCALE_SIM).slots)
    assert apart["weight load"] == 2 * 8 * 64
    assert apart["fill and drain"] == 2 * 14 * 64
    assert apart["edge"] == 2 * 5 * 64 - op.macs
    exact = dict(lone(op).slots)
    assert exact["weight load"] == 8 * 64
    assert exact["fill and drain"] == (4 + 8 - 2) * 64
