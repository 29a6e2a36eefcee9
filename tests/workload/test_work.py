"""Words and amounts for the work of an operator."""

from __future__ import annotations

import math

import pytest

from codesign.testing import (
    convolution,
    elementwise,
    every_operator,
    gather,
    matmul,
    move,
    normalize,
    reduce,
)
from codesign.testing.operators import whole
from codesign.workload.attention import attention_parts
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access, Op, Tensor
from codesign.workload.work import (
    MOVEMENTS,
    PRODUCTS,
    Amount,
    amount,
    cuts,
    elements,
    format_pair,
    functions,
    movement,
    number_format,
    product,
    width,
)

STATE = Tensor("state", (8, 6), whole("x", (1,)).tensor.dtype, "state")


def grouped(groups: int, rows: int, inner: int, columns: int) -> Op:
    """``[g, m, k] x [g, k, n]`` with stored weights and nothing that slides."""
    nest = LoopNest(
        ("g", "m", "k", "n"),
        (groups, rows, inner, columns),
        tuple(
            tuple(Axis(((dim, 1),)) for dim in dims) for dims in ((0, 1, 2), (0, 2, 3), (0, 1, 3))
        ),
    )
    first, second = (
        whole("x", (groups, rows, inner)),
        whole("w", (groups, inner, columns), "weight"),
    )
    return Op("p", "contraction", (first, second), (whole("y", (groups, rows, columns)),), nest)


def window(extent: int, taps: int, channels: int = 1) -> Op:
    """A one-dimensional convolution of each of 8 groups at ``extent`` places."""
    place, tap, group, channel = (Axis(((dim, 1),)) for dim in (1, 3, 0, 2))
    slide = Axis(((1, 1), (3, 1)))
    nest = LoopNest(
        ("g", "o", "ci", "k"),
        (8, extent, channels, taps),
        ((group, channel, slide), (group, channel, tap), (group, place)),
    )
    source = whole("x", (8, channels, extent + taps - 1))
    weight = whole("w", (8, channels, taps), "weight")
    return Op("c", "contraction", (source, weight), (whole("y", (8, extent)),), nest)


@pytest.mark.parametrize(
    ("op", "word"),
    [
        (matmul(1, 64, 32), "linear"),
        (matmul(5, 64, 32, batch=3), "linear"),
        (convolution(4, 8, 9, 1), "linear"),
        (convolution(4, 4, 9, 1, stride=2), "linear"),
        (convolution(4, 8, 9, 3, padding=1), "convolution"),
        (convolution(1, 8, 9, 3), "convolution"),
        (convolution(8, 16, 6, 3, groups=4), "convolution"),
        (convolution(12, 12, 8, 3, groups=12), "depthwise"),
        (convolution(12, 24, 8, 3, groups=12), "depthwise"),
        (convolution(12, 12, 8, 1, groups=12), "depthwise"),
        (convolution(12, 12, 3, 3, groups=12), "temporal_filter"),
        (window(20, 10), "depthwise"),
        (window(1, 10), "temporal_filter"),
        (window(20, 10, channels=2), "convolution"),
        (grouped(16, 1, 10, 1), "temporal_filter"),
        (grouped(16, 7, 10, 1), "temporal_filter"),
        (grouped(16, 1, 10, 4), "linear"),
        (grouped(1, 1, 10, 1), "linear"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_contraction_has_the_word_of_its_loops(op: Op, word: str) -> None:
    assert product(op) == word


def test_weights_may_be_either_factor_and_constants_are_stored_too() -> None:
    op = matmul(4, 8, 6)
    flipped = Op(
        "f", "contraction", (whole("w", (4, 8), "weight"), whole("x", (8, 6))), op.outputs, op.nest
    )
    table = Op(
        "t",
        "contraction",
        (whole("x", (4, 8)), whole("c", (8, 6), "constant")),
        op.outputs,
        op.nest,
    )
    assert product(flipped) == product(table) == "linear"


def test_a_product_of_two_activations_is_that_of_an_attention() -> None:
    inputs = tuple(whole(name, (1, 2, 8, 16)) for name in "qkv")
    scores, _, values = attention_parts(Op("a", "attention", inputs, (whole("y", (1, 2, 8, 16)),)))
    assert product(scores) == product(values) == "attention"


def test_every_word_for_a_product_is_one_of_the_list() -> None:
    found = {product(op) for op in every_operator() if op.kind == "contraction"}
    assert found == set(PRODUCTS) - {"temporal_filter", "attention"}


def test_a_move_is_told_by_the_state_that_takes_part() -> None:
    kept, slot = Access(STATE, (8, 5), (6, 1), 1), Access(STATE, (8, 1), (6, 1))
    new, copy = whole("new", (8, 1)), whole("copy", (8, 6))
    shift = Op("s", "move", (kept, new), (STATE.access(),))
    assert movement(shift) == "state_shift"
    assert movement(Op("r", "move", (new,), (slot,))) == "ring_buffer"
    assert movement(Op("c", "move", (STATE.access(),), (copy,))) == "state_shift"
    assert movement(move((8, 6))) == "move"
    assert set(MOVEMENTS) == {"move", "state_shift", "ring_buffer"}


def test_functions_have_the_kind_whose_price_they_may_take() -> None:
    assert functions(elementwise((4,), ("add", "gelu"))) == (
        ("add", "elementwise"),
        ("gelu", "elementwise"),
    )
    assert functions(matmul(2, 2, 2, bias=True)) == (("add", "elementwise"),)
    assert functions(matmul(2, 2, 2)) == ()
    assert functions(move((4,))) == ()
    assert functions(reduce(4, 4, "amax")) == (("amax", "reduce"),)
    assert functions(gather(9, 3, 4)) == (("gather", "gather"),)
    assert functions(normalize(4, 8, "rms_norm")) == (("rms_norm", "normalize"),)
    fused = Op("s", "softmax", *_ends((2, 8)), functions=("mul", "log_softmax"))
    assert functions(fused) == (("mul", "elementwise"), ("log_softmax", "softmax"))


def _ends(shape: tuple[int, ...]) -> tuple[tuple[Access, ...], tuple[Access, ...]]:
    return (whole("x", shape),), (whole("y", shape),)


def test_amounts_are_macs_and_results_or_elements_or_bytes_written() -> None:
    assert amount(matmul(3, 5, 7)) == Amount(macs=105, elements=21)
    assert amount(elementwise((6, 7), inputs=2)) == Amount(elements=42)
    assert amount(reduce(6, 50)) == Amount(elements=300)
    assert amount(move((6, 7), dtype="int16")) == Amount(moved=84)
    assert amount(Op("t", "sort", *_ends((4, 12)))).elements == pytest.approx(48 * math.log2(12))
    assert amount(Op("t", "sort", *_ends(()))) == Amount(elements=1)


def test_elements_are_those_of_the_largest_operand_or_of_every_window() -> None:
    assert elements(gather(1000, 10, 32)) == 320
    assert elements(reduce(6, 50)) == 300
    assert elements(Op("s", "elementwise", *_ends(()))) == 1


@pytest.mark.parametrize(
    ("attributes", "expected"), [((), 40), ((("width", 8),), 8), ((("width", 0),), 1)], ids=str
)
def test_the_width_of_a_row_is_told_or_is_the_last_axis(
    attributes: tuple[tuple[str, int], ...], expected: int
) -> None:
    assert width(Op("s", "softmax", *_ends((6, 40)), attributes=attributes)) == expected


def test_the_number_format_is_that_of_the_data_not_of_flags_or_positions() -> None:
    flags, data = whole("flags", (64,), dtype="bool"), whole("x", (64,), dtype="int16")
    chosen = Op("w", "elementwise", (flags, data, data), (data,), functions=("where",))
    assert str(number_format(chosen)) == "int16"
    best = Op("m", "reduce", (whole("x", (64,)),), (whole("i", (1,), dtype="int64"),))
    assert str(number_format(best)) == "int8"
    assert str(number_format(gather(1000, 10, 32, dtype="int8"))) == "int8"
    wide = Op("c", "elementwise", (data,), (whole("y", (64,), dtype="fp32"),), functions=("cast",))
    assert str(number_format(wide)) == "fp32"


def test_the_formats_of_both_factors_are_told() -> None:
    assert format_pair(matmul(2, 2, 2, dtype="bf16", weight_dtype="int4")) == "bf16*int4"


@pytest.mark.parametrize("weight", ["int4", "int4[32x16]", "int4[256x40]"])
def test_the_scale_of_a_block_is_no_part_of_a_factor(weight: str) -> None:
    assert format_pair(matmul(2, 2, 2, dtype="int8", weight_dtype=weight)) == "int8*int4"


@pytest.mark.parametrize("op", every_operator(), ids=lambda op: op.name)
def test_every_cut_covers_the_work(op: Op) -> None:
    if op.kind == "contraction":
        return
    for units, per_unit, sweeps in cuts(op):
        assert units * per_unit >= elements(op) > units * per_unit - per_unit
        assert sweeps in (1, 2)
    assert len(cuts(op)) == (2 if op.kind in ("softmax", "normalize") else 1)
