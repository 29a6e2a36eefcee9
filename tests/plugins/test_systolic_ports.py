"""Widths of the ports of a systolic array: what they hold up, and under whose name it is booked."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_array import BUDGETS, INSTANT, Sizes, array, products, tile_sizes, tiles
from slow_folds import CONVENTIONS

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=60, deadline=None, derandomize=True)
WIDTHS = ("input_width", "weight_width", "accumulator_width")
PORTS = {"input_width": "input port", "weight_width": "weight port"}
PORTS["accumulator_width"] = "accumulator port"
GRANTED = Budget(1 << 30, 1e18, 1e18, setup_s=1.0, port_bytes_per_s=4e9)


def crossing(dataflow: str, rows: int, cols: int, tile: Sizes) -> dict[str, int]:
    """Bytes at each port of an int8 tile with all of its reduction."""
    g, m, k, n = tile
    first = g * m * k * (1 if dataflow == "is" else -(-n // cols))
    second = g * k * n * {"ws": 1, "is": -(-m // cols), "os": -(-m // rows)}[dataflow]
    added = 1 if dataflow == "os" else 2 * -(-k // rows) - 1
    return {
        "input_width": first,
        "weight_width": second,
        "accumulator_width": 4 * g * m * n * added,
    }


def lone(op: Op, *, budget: Budget = INSTANT, **fields: Any) -> TilePlan:
    """The plan of one tile, on 8 x 8 cells unless given."""
    plan: TilePlan = array(**{"rows": 8, "cols": 8, **fields}).plan(op, budget)
    assert plan.tiles == 1
    return plan


@pytest.mark.parametrize("dataflow", ["ws", "os", "is"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_narrow_port_sets_the_pace_and_gets_the_blame(dataflow: str, width: str) -> None:
    op = matmul(20, 24, 30)
    free = lone(op, dataflow=dataflow)
    narrow: dict[str, Any] = {width: 0.5}
    bound = lone(op, dataflow=dataflow, **narrow)
    bytes_there = crossing(dataflow, 8, 8, op.gemm)[width]
    held_up = dict(bound.slots)[PORTS[width]]
    assert held_up == (bound.cycles - free.cycles) * 64
    # what is paid once an operator, to fill and to empty the array, is not at the port's pace
    steady = bound.cycles - 2 * bytes_there
    assert 0 <= steady <= 3 * 8
    others = {cause: n for cause, n in bound.slots if cause != PORTS[width]}
    assert others == dict(free.slots)


@LAW
@given(products(), BUDGETS, CONVENTIONS, st.sampled_from(WIDTHS), st.sampled_from([0.3, 2.0, 9.0]))
def test_no_tile_is_faster_than_a_port(
    product: tuple[Op, Sizes],
    budget: Budget,
    convention: dict[str, Any],
    width: str,
    bytes_per_cycle: float,
) -> None:
    op, whole = product
    fields = {"pack_groups": False, width: bytes_per_cycle, **convention}
    try:
        plan = array(8, 4, **fields).plan(op, budget)
    except MappingError:
        return
    cut = tiles(tile_sizes(plan), whole)
    # a tile with a part of the reduction goes on with the sums of the one before
    least = sum(
        crossing(convention["dataflow"], 8, 4, tile)[width]
        for tile in cut
        if width != "accumulator_width" or tile[2] == whole[2]
    )
    assert plan.cycles >= least / bytes_per_cycle - 1e-6 * plan.tiles


@LAW
@given(products(), CONVENTIONS, st.sampled_from(WIDTHS))
def test_a_port_wide_enough_for_every_cell_never_stalls_overlapping_weight_folds(
    product: tuple[Op, Sizes], convention: dict[str, Any], width: str
) -> None:
    op, _ = product
    fields = {**convention, "dataflow": "ws", "pack_groups": False}
    # rows of inputs, columns of weights, and a sum read and written in each column
    ample = {"input_width": 8.0, "weight_width": 4.0, "accumulator_width": 2 * 4 * 4.0}[width]
    plan = lone(op, rows=8, cols=4, **{**fields, width: ample})
    assert plan == lone(op, rows=8, cols=4, **fields)


def test_the_slowest_of_several_ports_gets_all_the_blame() -> None:
    op = matmul(20, 24, 30)
    slots = dict(lone(op, input_width=0.5, weight_width=0.5, accumulator_width=64.0).slots)
    assert "input port" in slots
    assert not slots.keys() & {"weight port", "accumulator port"}


def test_the_port_of_the_buffer_counts_beside_the_others() -> None:
    op = matmul(20, 24, 30)
    everything = lone(op, budget=GRANTED).actions
    touched = sum(count for owner, _, count in everything if owner == "buffer")
    bound = lone(op, budget=GRANTED, input_width=64.0)
    assert math.ceil(touched / 4) <= bound.cycles <= math.ceil(touched / 4) + 3 * 8
    slots = dict(bound.slots)
    assert slots["buffer port"] > 0
    assert "input port" not in slots


def test_a_tile_start_is_no_stall() -> None:
    op = matmul(20, 24, 30)
    slots = dict(lone(op, input_width=0.5, tile_overhead=5).slots)
    apart = dict(lone(op, input_width=0.5).slots)
    assert slots["tile start"] == 5 * 64
    assert slots["input port"] == apart["input port"] - 5 * 64


def test_taps_add_up_in_the_accumulator_one_after_the_other() -> None:
    # 36 steps are 5 folds of 8 rows, 9 taps of 4 channels are 9 folds that are half empty
    op = convolution(4, 8, 6, 3)
    sums = [lone(op, row_merge=merge).actions for merge in (True, False)]
    assert ("", "accumulator write", 4 * 16 * 8 * 5) in sums[0]
    assert ("", "accumulator write", 4 * 16 * 8 * 9) in sums[1]
