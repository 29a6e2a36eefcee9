"""The systolic array against the figures of other tools, and what crosses its ports."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from slow_array import (
    BUDGETS,
    INSTANT,
    Sizes,
    array,
    cut,
    products,
    reference,
    tile_sizes,
    tiles,
)

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=60, deadline=None, derandomize=True)

SCALESIM = reference("scalesim_ws.csv")


def scalesim_op(row: dict[str, str]) -> Op:
    sizes = [int(part) for part in row["layer"].split("x")]
    if row["kind"] == "gemm":
        m, n, k = sizes
        return matmul(m, k, n)
    height, _, kernel, _, channels, filters, stride = sizes
    return convolution(channels, filters, height, kernel, stride)


def _even(row: dict[str, str]) -> bool:
    return int(row["K"]) % int(row["rows"]) == 0 and int(row["N"]) % int(row["cols"]) == 0


EVEN = [row for row in SCALESIM if _even(row)]
EDGED = [row for row in SCALESIM if not _even(row)]


def scalesim_plan(row: dict[str, str]) -> tuple[Op, TilePlan]:
    op = scalesim_op(row)
    assert op.gemm == (1, int(row["M"]), int(row["K"]), int(row["N"]))
    engine = array(int(row["rows"]), int(row["cols"]), weight_preload="serial")
    return op, engine.plan(op, INSTANT)


@pytest.mark.parametrize("row", EVEN, ids=lambda row: row["case"])
def test_serial_cycles_equal_scale_sim_where_no_fold_is_at_an_edge(row: dict[str, str]) -> None:
    _, plan = scalesim_plan(row)
    assert plan.cycles == int(row["total_cycles"]) + 1  # the tool prints the last cycle's index


@pytest.mark.parametrize("row", EDGED, ids=lambda row: row["case"])
def test_exact_edges_are_never_slower_than_scale_sim_which_counts_them_full(
    row: dict[str, str],
) -> None:
    _, plan = scalesim_plan(row)
    assert plan.cycles < int(row["total_cycles"]) + 1


@pytest.mark.parametrize("row", SCALESIM, ids=lambda row: row["case"])
def test_buffer_and_accumulator_traffic_equal_scale_sim(row: dict[str, str]) -> None:
    op, plan = scalesim_plan(row)
    actions = {(component, action): count for component, action, count in plan.actions}
    reads = int(row["ifmap_reads"]) + int(row["filter_reads"])
    assert actions["buffer", "read"] == reads
    assert actions["", "accumulator write"] == 4 * int(row["ofmap_writes"])
    results = op.outputs[0].elements
    assert actions.get(("", "accumulator read"), 0) == 4 * (int(row["ofmap_writes"]) - results)
    assert actions["buffer", "write"] == results


@LAW
@given(products(), BUDGETS)
def test_port_traffic_follows_the_folds(product: tuple[Op, Sizes], budget: Budget) -> None:
    op, whole = product
    engine = array(8, 4, pack_groups=False)
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return
    actions = {(component, action): count for component, action, count in plan.actions}
    reads = sums = 0
    for g, m, k, n in tiles(tile_sizes(plan), whole):
        reads += g * m * k * len(cut(n, 4)) + g * k * n
        sums += g * m * n * len(cut(k, 8))
    g, m, k, n = whole
    assert actions["buffer", "read"] == reads
    assert actions["", "accumulator write"] == 4 * sums
    assert actions.get(("", "accumulator read"), 0) == 4 * (sums - g * m * n)
    assert actions["buffer", "write"] == g * m * n
    assert actions["", "mac int8*int8"] == op.macs


@pytest.mark.parametrize("row", reference("compulsory_traffic.csv"), ids=lambda row: row["case"])
def test_where_everything_fits_only_compulsory_bytes_cross(row: dict[str, str]) -> None:
    g, m, k, n = (int(row[name]) for name in ("groups", "M", "K", "N"))
    plan = array(accumulator=1 << 16).plan(matmul(m, k, n, batch=g), Budget(1 << 26, 25e9, 25e9))
    assert plan.loaded == {0: int(row["input_bytes"]), 1: int(row["weight_bytes"])}
    assert plan.stored == {2: int(row["output_bytes"])}
    assert sum(plan.loaded.values()) + sum(plan.stored.values()) == int(row["total_bytes"])


def test_fused_functions_are_charged_once_a_result() -> None:
    plan = array().plan(matmul(8, 200, 8, bias=True), INSTANT)
    assert ("", "function", 64) in plan.actions
    assert "function" not in {
        action for _, action, _ in array().plan(matmul(8, 8, 8), INSTANT).actions
    }
