"""Conversions join the contraction that they surround, and only where that is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.plugins import registry
from codesign.testing.passes import Sketch, check_pass
from codesign.workload import view
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Op, Trace

PASSES = registry().get("codesign_fusion_passes")
READ, SCALE, ROUND = (PASSES[name] for name in ("15-read-quantised", "45-rescale", "65-requantise"))
BACK = "quantized_decomposed.dequantize_per_tensor.default"
THERE = "quantized_decomposed.quantize_per_tensor.default"
INT8 = DType("int", 8)
M, K, N = 4, 3, 6


def ops(made: Trace) -> list[Op]:
    return [op for op, _ in made.ops()]


def cast(s: Sketch, source: str, *inputs: Access, dtype: DType | None = None) -> Access:
    """A conversion, as its lowering writes it."""
    made = s.map("cast", *inputs)
    op = s.items[-1]
    assert isinstance(op, Op)
    written = made
    if dtype is not None:
        tensor = replace(made.tensor, dtype=dtype)
        s.tensors[s.tensors.index(made.tensor)] = tensor
        written = tensor.access()
    s.items[-1] = replace(op, source=source, outputs=(written,))
    return written


def integers(s: Sketch, name: str = "x", shape: tuple[int, ...] = (M, K)) -> Access:
    return s.tensor(name, shape, "input", INT8)


def weight(s: Sketch, dtype: DType = INT8) -> Access:
    return s.tensor("w", (K, N), "weight", dtype)


def test_a_product_reads_the_integers() -> None:
    s = Sketch()
    s.matmul(cast(s, BACK, integers(s)), weight(s))
    (op,) = ops(check_pass(READ, s.trace()))
    assert [str(access.tensor.dtype) for access in op.inputs] == ["int8", "int8"]


def test_a_product_of_two_converted_factors_reads_both() -> None:
    s = Sketch()
    first, second = (
        cast(s, BACK, integers(s, n, shape)) for n, shape in (("x", (M, K)), ("y", (K, N)))
    )
    s.matmul(first, second)
    (op,) = ops(check_pass(READ, s.trace()))
    assert [access.tensor.name for access in op.inputs] == ["x", "y"]


def test_a_view_of_the_numbers_is_the_view_of_the_integers() -> None:
    s = Sketch()
    numbers = cast(s, BACK, integers(s, shape=(K, M)))
    s.matmul(view.transpose(numbers, 0, 1), weight(s))
    (op,) = ops(check_pass(READ, s.trace()))
    assert (op.inputs[0].tensor.name, op.inputs[0].strides) == ("x", (1, M))


def test_what_another_reader_needs_as_numbers_is_still_converted() -> None:
    s = Sketch()
    numbers = cast(s, BACK, integers(s))
    s.matmul(numbers, weight(s))
    s.map("exp", numbers)
    found = ops(check_pass(READ, s.trace()))
    assert [label for op in found for label in (op.functions or (op.kind,))] == [
        "cast",
        "contraction",
        "exp",
    ]
    assert str(found[1].inputs[0].tensor.dtype) == "int8"


@pytest.mark.parametrize("function", ["exp", "sigmoid", "relu"])
def test_elementwise_work_keeps_its_conversion(function: str) -> None:
    s = Sketch()
    s.map(function, cast(s, BACK, integers(s)))
    made = s.trace()
    assert READ(made) is made


def test_a_cast_that_is_no_conversion_is_left_alone() -> None:
    s = Sketch()
    s.matmul(cast(s, "aten._to_copy.default", integers(s)), weight(s))
    made = s.trace()
    assert READ(made) is made


def test_a_converted_result_of_the_model_stays() -> None:
    s = Sketch()
    cast(s, BACK, integers(s))
    made = s.trace()
    assert READ(made) is made


def scaled(s: Sketch, scale: Access) -> Access:
    return cast(s, BACK, integers(s), view.expand(scale, (M, K)))


def test_a_scale_of_each_row_stands_behind_the_product() -> None:
    s = Sketch()
    rows = s.tensor("s", (M, 1), "input")
    s.matmul(scaled(s, rows), weight(s))
    (op,) = ops(check_pass(READ, s.trace()))
    assert op.functions == ("mul",)
    assert [access.tensor.name for access in op.inputs] == ["x", "w", "s"]
    assert op.inputs[2].shape == (M,)
    assert op.macs == M * K * N


def test_scales_of_the_rows_come_before_a_bias() -> None:
    s = Sketch()
    rows, points = s.tensor("s", (M, 1), "input"), s.tensor("z", (M, 1), "input", INT8)
    numbers = cast(s, BACK, integers(s), *(view.expand(part, (M, K)) for part in (rows, points)))
    bias = view.expand(s.tensor("b", (N,), "weight"), (M, N))
    s.map("add", s.matmul(numbers, weight(s)), bias)
    fused = PASSES["60-contraction-epilogue"](s.trace())
    (op,) = [op for op in ops(check_pass(READ, fused)) if op.kind == "contraction"]
    assert op.functions == ("mul", "sub", "add")
    assert [access.tensor.name for access in op.inputs] == ["x", "w", "s", "z", "b"]


def test_a_scale_that_changes_along_the_sum_needs_the_conversion() -> None:
    s = Sketch()
    s.matmul(scaled(s, s.tensor("s", (1, K), "input")), weight(s))
    made = s.trace()
    assert READ(made) is made


def test_a_scale_of_a_factor_that_is_read_as_a_view_needs_the_conversion() -> None:
    s = Sketch()
    numbers = scaled(s, s.tensor("s", (M, 1), "input"))
    s.matmul(view.reshape(numbers, (M * K // 3, 3)) or numbers, weight(s))
    s.matmul(view.slice_axis(numbers, 0, 0, 2, 1), weight(s))
    found = ops(check_pass(READ, s.trace()))
    assert [op.kind for op in found] == ["elementwise", "contraction", "contraction"]
    assert [op.inputs[0].tensor.name for op in found[1:]] == ["x", "cast0.out"]


def test_a_reduction_reads_integers() -> None:
    s = Sketch()
    s.op("reduce", ["mean"], [cast(s, BACK, integers(s))], (M,), width=K)
    (op,) = ops(check_pass(READ, s.trace()))
    assert str(op.inputs[0].tensor.dtype) == "int8"


# --- scales behind a product of narrow numbers ---


def columns(s: Sketch, shape: tuple[int, ...] = (N,)) -> Access:
    return view.expand(s.tensor("c", shape, "weight"), (M, N))


@pytest.mark.parametrize("shape", [(N,), (M, 1), (1,), (1, N)])
def test_a_scale_joins_the_product_of_integers(shape: tuple[int, ...]) -> None:
    s = Sketch()
    s.map("mul", cast(s, "", s.matmul(integers(s), weight(s))), columns(s, shape))
    (op,) = ops(check_pass(SCALE, s.trace()))
    assert op.functions == ("cast", "mul")


def test_a_product_with_as_many_numbers_as_results_is_no_scale() -> None:
    s = Sketch()
    s.map("mul", s.matmul(integers(s), weight(s)), s.tensor("gate", (M, N), "input"))
    made = s.trace()
    assert SCALE(made) is made


@pytest.mark.parametrize("name", ["fp32", "bf16", "int32", "bool"])
def test_a_product_of_wide_numbers_keeps_its_factors_apart(name: str) -> None:
    s, dtype = Sketch(), DType.parse(name)
    product = s.matmul(s.tensor("x", (M, K), "input", dtype), weight(s, dtype))
    s.map("mul", product, columns(s))
    made = s.trace()
    assert SCALE(made) is made


@pytest.mark.parametrize("source", [BACK, THERE])
def test_a_conversion_is_no_scale(source: str) -> None:
    s = Sketch()
    cast(s, source, s.matmul(integers(s), weight(s)))
    made = s.trace()
    assert SCALE(made) is made


# --- rounding ---


@given(functions=st.lists(st.sampled_from(("relu", "gelu", "sigmoid")), max_size=3))
def test_rounding_is_the_last_function_of_a_product(functions: list[str]) -> None:
    s = Sketch()
    value = s.matmul(integers(s), weight(s))
    for name in functions:
        value = s.map(name, value)
    cast(s, THERE, value, dtype=INT8)
    fused = PASSES["60-contraction-epilogue"](s.trace())
    (op,) = ops(check_pass(ROUND, fused))
    assert op.functions == (*functions, "cast")
    assert str(op.outputs[0].tensor.dtype) == "int8"


def test_rounding_with_a_scale_that_the_model_chooses_stays_apart() -> None:
    s = Sketch()
    scale = view.expand(s.tensor("s", (M, 1), "input"), (M, N))
    cast(s, THERE, s.matmul(integers(s), weight(s)), scale, dtype=INT8)
    made = s.trace()
    assert ROUND(made) is made


def test_a_result_that_is_also_needed_unrounded_is_kept() -> None:
    s = Sketch()
    value: Any = s.matmul(integers(s), weight(s))
    cast(s, THERE, value, dtype=INT8)
    s.map("exp", value)
    made = s.trace()
    assert ROUND(made) is made
