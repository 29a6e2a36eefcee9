"""The small operators that the kit plans are valid, and cover what engines get to see."""

from __future__ import annotations

import pytest

from codesign.testing import (
    check_plan,
    compulsory_bytes,
    contractions,
    convolution,
    every_operator,
    gather,
    matmul,
    reduce,
)
from codesign.workload.check import check_trace
from codesign.workload.record import KINDS, Op, Trace


@pytest.mark.parametrize("dtype", ["int8", "fp4[16x8]"])
@pytest.mark.parametrize("index", range(len(every_operator())))
def test_every_operator_is_a_valid_trace(index: int, dtype: str) -> None:
    op = every_operator(dtype)[index]
    tensors = tuple(access.tensor for access in op.operands)
    check_trace(Trace("t", (op,), tensors))
    formats = {str(t.dtype) for t in tensors if t.name != "index"}
    assert formats == {dtype}


def test_they_have_different_names_and_contents() -> None:
    ops = every_operator()
    assert len({op.name for op in ops}) >= len(ops) - 1  # two functions on one shape
    assert len({op.content for op in ops}) == len(ops)


def test_they_cover_every_kind_that_an_engine_plans_alone() -> None:
    kinds = {op.kind for op in every_operator()}
    assert kinds == set(KINDS) - {"attention", "scatter", "sort"}


def test_they_reach_the_corners_of_a_contraction() -> None:
    sizes = [op.gemm for op in contractions()]
    assert (1, 1, 1, 1) in sizes
    assert any(g > 1 for g, *_ in sizes)
    assert any(m == 1 < k for _, m, k, _ in sizes)
    assert any(n == 1 < k for *_, k, n in sizes)


@pytest.mark.parametrize(
    ("op", "macs"),
    [
        (matmul(3, 4, 5, batch=2), 120),
        (convolution(4, 8, 10, 3), 4 * 8 * 64 * 9),
        (convolution(4, 8, 10, 3, padding=1), 4 * 8 * 100 * 9),
        (convolution(4, 8, 10, 3, stride=2, padding=1), 4 * 8 * 25 * 9),
        (convolution(4, 8, 10, 3, dilation=2), 4 * 8 * 36 * 9),
        (convolution(4, 8, 10, 3, groups=4), 4 * 2 * 64 * 9),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_macs_follow_the_textbook(op: Op, macs: int) -> None:
    assert op.macs == macs


def test_compulsory_bytes_skip_what_a_stride_jumps_over() -> None:
    op = convolution(2, 2, 9, 1, stride=2)
    assert op.inputs[0].bytes == 2 * 81
    assert compulsory_bytes(op, 0) == 2 * 25


def test_compulsory_bytes_of_other_operators_are_those_of_the_access() -> None:
    op = gather(1000, 10, 32)
    assert [compulsory_bytes(op, operand) for operand in range(3)] == [320, 40, 320]
    assert compulsory_bytes(reduce(6, 7), 0) == 42


def test_the_kit_is_public_by_name() -> None:
    from codesign import testing

    assert sorted(testing.__all__) == testing.__all__
    assert testing.check_plan is check_plan
    assert all(hasattr(testing, name) for name in testing.__all__)
