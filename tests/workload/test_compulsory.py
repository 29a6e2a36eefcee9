"""What must cross once: the elements touched, and what several inputs read alike only once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.testing import convolution, elementwise, every_operator, gather, matmul
from codesign.workload.compulsory import alike, compulsory_bytes
from codesign.workload.record import Op


def squared(size: int = 8) -> Op:
    """``x * x``."""
    op = elementwise((size,), ("mul",), inputs=2)
    return replace(op, inputs=(op.inputs[0], op.inputs[0]))


@pytest.mark.parametrize("op", every_operator(), ids=lambda op: op.name)
def test_operands_that_differ_are_alike_to_none(op: Op) -> None:
    assert alike(op) == tuple(range(len(op.operands)))
    assert all(0 < compulsory_bytes(op, i) <= op.operands[i].bytes for i in range(len(op.operands)))


def test_one_access_read_twice_crosses_once() -> None:
    assert alike(squared()) == (0, 0, 2)
    assert [compulsory_bytes(squared(), operand) for operand in range(3)] == [8, 0, 8]


@settings(max_examples=50, derandomize=True)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_the_bytes_of_all_inputs_are_those_of_the_different_ones(picks: list[int]) -> None:
    op = elementwise((5,), ("add",), inputs=4)
    joined = replace(op, inputs=tuple(op.inputs[pick] for pick in picks))
    total = sum(compulsory_bytes(joined, operand) for operand in range(len(picks)))
    assert total == 5 * len(set(picks))


def test_two_views_of_one_tensor_are_not_alike() -> None:
    (source,) = elementwise((8,)).inputs
    low, high = replace(source, shape=(4,)), replace(source, shape=(4,), offset=4)
    op = replace(elementwise((4,), ("add",), inputs=2), inputs=(low, high))
    assert [compulsory_bytes(op, operand) for operand in range(3)] == [4, 4, 4]


def test_an_output_is_never_alike_an_input_that_it_overwrites() -> None:
    op = elementwise((8,))
    in_place = replace(op, outputs=op.inputs)
    assert alike(in_place) == (0, 1)
    assert [compulsory_bytes(in_place, operand) for operand in range(2)] == [8, 8]


def test_both_factors_of_a_product_may_be_one_access() -> None:
    op = matmul(6, 6, 6)
    gram = replace(op, inputs=(op.inputs[0], op.inputs[0]))
    assert [compulsory_bytes(gram, operand) for operand in range(3)] == [36, 0, 36]


def test_of_inputs_that_are_alike_the_one_that_touches_most_counts() -> None:
    op = convolution(2, 2, 9, 1, stride=2)  # touches 2 x 5 x 5 of its image of 2 x 9 x 9
    assert op.nest is not None
    image, weight, output = op.nest.operands
    nest = replace(op.nest, operands=(image, weight, (), output))
    # a fused operand without axes is taken whole
    both = replace(op, inputs=(*op.inputs, op.inputs[0]), nest=nest, functions=("add",))
    assert [compulsory_bytes(both, operand) for operand in range(4)] == [162, 4, 0, 50]


def test_a_gather_reads_its_rows_only() -> None:
    assert compulsory_bytes(gather(1000, 10, 32), 0) == 320
