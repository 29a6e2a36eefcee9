"""The vector unit: lanes, passes and a price for every function."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from codesign_plugins.vector import OPERATIONS, Vector
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import (
    elementwise,
    gather,
    matmul,
    move,
    normalize,
    reduce,
    softmax,
    vector_work,
)
from codesign.testing.operators import whole
from codesign.workload.record import Op

AMPLE = Budget(1 << 24, 1e9, 1e9)
LAW = settings(max_examples=60, deadline=None, derandomize=True)


def unit(**fields: Any) -> Vector:
    return Vector(**{"name": "vector", "buffer": "sram", "lanes": 8, "start": 3, **fields})


def plan(op: Op, budget: Budget = AMPLE, **fields: Any) -> TilePlan:
    found: TilePlan = unit(**fields).plan(op, budget)
    return found


def actions(found: TilePlan) -> Counter[tuple[str, str]]:
    return Counter({(component, action): n for component, action, n in found.actions})


@LAW
@given(
    st.integers(1, 300),
    st.integers(1, 70),
    st.sampled_from(["add", "gelu", "prelu"]),
    st.sampled_from([1, 3, 64]),
    st.integers(0, 9),
)
def test_a_piece_takes_its_start_and_its_turns_of_the_lanes(
    elements: int, lanes: int, function: str, pieces: int, start: int
) -> None:
    op = elementwise((elements,), (function,))
    found = plan(op, Budget(max(4, 4 * elements // pieces), 1e9, 1e9), lanes=lanes, start=start)
    for tile, _ in found.counts:
        done = sum(move.bytes for move in tile.stores)
        assert tile.cycles == start + -(-done // lanes) * OPERATIONS[function]


def test_functions_of_a_chain_add_up() -> None:
    op = elementwise((80,), ("add", "gelu", "prelu"))
    assert plan(op).cycles == 3 + 10 * (1 + 4 + 2)


def test_operations_may_be_fractions_and_are_rounded_up_once_a_piece() -> None:
    op = elementwise((24,), ("add",))
    assert plan(op, operations={"add": 0.4}).cycles == 3 + math.ceil(3 * 0.4)


def test_a_windowed_reduction_works_on_every_input_of_every_window() -> None:
    assert plan(reduce(16, 100)).cycles == 3 + 16 * 100 // 8


def test_softmax_works_row_by_row_where_a_row_fits() -> None:
    found = plan(softmax(6, 40))
    assert found.cycles == 3 + 6 * 40 // 8 * OPERATIONS["softmax"]
    assert (found.loaded, found.stored) == ({0: 240}, {1: 240})


@pytest.mark.parametrize("op", [softmax(2, 1000), normalize(2, 1000)], ids=["softmax", "norm"])
def test_a_row_that_does_not_fit_is_read_twice_and_written_once(op: Op) -> None:
    found = plan(op, Budget(3999, 1e9, 1e9))
    assert found.loaded[0] == 2 * op.inputs[0].bytes
    assert found.stored == {len(op.inputs): 2000}
    roomy = plan(op, Budget(1 << 20, 1e9, 1e9))
    assert roomy.loaded[0] == op.inputs[0].bytes


def test_the_second_pass_reads_the_buffer_again() -> None:
    op = softmax(2, 1000)
    assert actions(plan(op))["buffer", "read"] == 2000
    assert actions(plan(op, Budget(3999, 1e9, 1e9)))["buffer", "read"] == 4000


def test_two_passes_do_the_same_work_in_two_halves() -> None:
    op = softmax(2, 1000)
    narrow = plan(op, Budget(3999, 1e9, 1e9), lanes=1, start=0)
    assert narrow.tiles > plan(op).tiles
    assert narrow.cycles == plan(op, lanes=1, start=0).cycles == 2000 * OPERATIONS["softmax"]


def test_a_row_is_what_the_operator_normalises_over_not_the_last_axis() -> None:
    # group norm: 4 groups of 8 channels of 8 x 8, each group a row of 512
    source, target = whole("x", (32, 8, 8), "input"), whole("y", (32, 8, 8), "output")
    op = Op("gn", "normalize", (source,), (target,), None, ("group_norm",), (("width", 512),))
    assert plan(op, Budget(2048, 1e9, 1e9)).loaded == {0: 2048}
    assert plan(op, Budget(2047, 1e9, 1e9)).loaded == {0: 4096}


def test_vectors_beside_the_row_may_force_the_second_pass_instead_of_a_refusal() -> None:
    found = plan(normalize(2, 1000), Budget(4500, 1e9, 1e9))
    assert found.loaded[0] == 4000
    assert found.buffer_bytes <= 4500


def test_a_gather_reads_only_the_rows_it_looks_up() -> None:
    found = plan(gather(1000, 10, 32))
    assert found.loaded == {0: 320, 1: 40}
    assert found.stored == {2: 320}


@pytest.mark.parametrize("op", vector_work(), ids=lambda op: op.name)
def test_energy_counts_every_lane_operation_and_every_byte(op: Op) -> None:
    found = actions(plan(op, lanes=1, start=0))
    assert found["buffer", "read"] == sum(access.bytes for access in op.inputs)
    assert found["buffer", "write"] == sum(access.bytes for access in op.outputs)
    work = math.prod(op.nest.extents) if op.nest else max(a.elements for a in op.operands)
    names = op.functions or (op.kind,)
    assert found["", "operation"] == work * sum(OPERATIONS[name] for name in names)


def test_the_energy_of_an_operation_is_the_field() -> None:
    assert unit(operation_energy=2e-12).energy_j("operation", 3) == pytest.approx(6e-12)


def test_an_unknown_function_is_refused_by_name() -> None:
    op = elementwise((8,), ("add", "airy", "relu", "bessel"))
    assert unit().supports(op) == "no entry in operations for airy, bessel"
    known = unit(operations={**OPERATIONS, "airy": 9, "bessel": 9})
    assert known.supports(op) is None


def test_matrix_work_and_whole_attentions_are_refused() -> None:
    assert unit().supports(matmul(4, 4, 4)) == "takes no contraction"
    shape = (1, 1, 4, 4)
    inputs = tuple(whole(name, shape) for name in "qkv")
    assert unit().supports(Op("a", "attention", inputs, (whole("y", shape),))) == (
        "takes no attention"
    )


def test_kinds_without_functions_are_priced_by_their_kind() -> None:
    op = Op("s", "softmax", (whole("x", (4, 16)),), (whole("y", (4, 16)),))
    assert unit().supports(op) is None
    assert plan(op).cycles == 3 + 8 * OPERATIONS["softmax"]


def test_sorting_takes_a_logarithm_of_the_row_more() -> None:
    op = Op("t", "sort", (whole("x", (4, 256)),), (whole("y", (4, 256)),))
    assert plan(op).cycles == 3 + 128 * OPERATIONS["sort"] * 8


@LAW
@given(st.integers(1, 5000), st.integers(8, 4000))
def test_smaller_buffers_only_add_starts_and_rounding(elements: int, buffer: int) -> None:
    found = plan(move((elements,)), Budget(buffer, 1e9, 1e9))
    least = -(-elements // 8)
    assert least + 3 * found.tiles <= found.cycles <= least + 4 * found.tiles
