"""Stored integers are read as they are, where nothing else reads them as something else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hand_graph import given_input, node, value

from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.quantised import Zeros, fold_weights

INT8, INT32, FP32, BF16 = (DType.parse(name) for name in ("int8", "int32", "fp32", "bf16"))
PER_CHANNEL = "quantized_decomposed.dequantize_per_channel.default"
PER_TENSOR = "quantized_decomposed.dequantize_per_tensor.default"
X = value("x", 2, 16)
W = value("w", 8, 16, dtype=INT8)
S, Z = value("s", 8), value("z", 8, dtype=INT8)
D, Y = value("d", 8, 16), value("y", 2, 8)
INPUTS = (
    given_input(X),
    given_input(W, "constant"),
    given_input(S, "constant"),
    given_input(Z, "constant"),
)


def dequantised(of: Value = W, into: Value = D, low: int = -8, high: int = 7) -> Node:
    return node(PER_CHANNEL, into, of, S, Z, 0, low, high)


def linear(weight: Value, into: Value = Y, module: str = "") -> Node:
    return node("aten.linear.default", into, X, weight, module=module)


def graph(*nodes: Node, inputs: tuple[GraphInput, ...] = INPUTS, outputs: Any = (Y,)) -> Graph:
    return Graph(inputs, nodes, outputs)


def weight(of: Graph, name: str = "w") -> GraphInput:
    return next(i for i in of.inputs if i.value.name == name)


def test_the_product_reads_what_is_stored_and_the_scales_go_with_it() -> None:
    folded = fold_weights(graph(dequantised(), linear(D)))
    assert [n.target for n in folded.graph.nodes] == ["aten.linear.default"]
    assert [i.value.name for i in folded.graph.inputs] == ["x", "w"]
    stored = weight(folded.graph)
    assert (str(stored.value.dtype), stored.role) == ("int4[16x40]", "weight")
    assert folded.graph.nodes[0].args[1] == stored.value
    assert folded.zeros == {"w": Zeros("z", (1, 16))}


def test_a_cast_behind_the_conversion_goes_too() -> None:
    half = value("h", 8, 16, dtype=BF16)
    cast = Node("aten._to_copy.default", (D,), {"dtype": BF16}, (half,))
    folded = fold_weights(graph(dequantised(), cast, linear(half)))
    assert [n.target for n in folded.graph.nodes] == ["aten.linear.default"]


def test_a_view_in_between_stays_a_view() -> None:
    turned = value("t", 16, 8, dtype=INT8)
    args = (turned, S, Z, 1, -8, 7)
    nodes = (
        node("aten.t.default", turned, W),
        node(PER_CHANNEL, value("d", 16, 8), *args),
        node("aten.mm.default", Y, X, value("d", 16, 8)),
    )
    folded = fold_weights(graph(*nodes))
    assert [n.target for n in folded.graph.nodes] == ["aten.t.default", "aten.mm.default"]
    assert str(weight(folded.graph).value.dtype) == "int4[16x40]"


@pytest.mark.parametrize(
    "other",
    [
        node("aten.sum.default", value("e"), W),
        dequantised(into=value("e", 8, 16), low=-128, high=127),
        node("aten._to_copy.default", value("e", 8, 16), W),
    ],
)
def test_integers_that_serve_something_else_too_are_left_alone(other: Node) -> None:
    before = graph(dequantised(), linear(D), other, outputs=(Y, *other.outputs))
    assert fold_weights(before).graph == before
    assert fold_weights(before).zeros == {}


def test_integers_that_the_model_returns_are_left_alone() -> None:
    before = graph(dequantised(), linear(D), outputs=(Y, W))
    assert fold_weights(before).graph == before


def test_tied_weights_are_folded_together_or_not_at_all() -> None:
    twin = value("v", 8, 16, dtype=INT8)
    inputs = (
        *(replace(i, storage="same") if i.value == W else i for i in INPUTS),
        given_input(twin, "constant", "same"),
    )
    again = dequantised(twin, value("e", 8, 16))
    second = linear(value("e", 8, 16), value("y2", 2, 8))
    both = fold_weights(graph(dequantised(), linear(D), again, second, inputs=inputs)).graph
    assert {str(weight(both, name).value.dtype) for name in "wv"} == {"int4[16x40]"}
    other = node("aten.sum.default", value("e"), twin)
    before = graph(dequantised(), linear(D), other, inputs=inputs, outputs=(Y, value("e")))
    assert fold_weights(before).graph == before


@pytest.mark.parametrize("bits", [3, 5, 8])
def test_what_the_model_declares_counts_before_the_range(bits: int) -> None:
    found = fold_weights(graph(dequantised(), linear(D)), {"w": DType("int", bits)})
    assert weight(found.graph).value.dtype == DType("int", bits, 16, 40)


def test_activations_are_no_stored_integers() -> None:
    inputs = (replace(INPUTS[1], role="input"), *INPUTS[2:])
    before = graph(dequantised(), linear(D), inputs=inputs)
    assert fold_weights(before).graph == before


def test_a_scale_spelled_out_behind_a_cast_is_read_as_one() -> None:
    wide, scaled, column = D, value("m", 8, 16), value("c", 8, 1)
    nodes = (
        node("aten._to_copy.default", wide, W),
        node("aten.view.default", column, S, [8, 1]),
        node("aten.mul.Tensor", scaled, wide, column),
        linear(scaled),
    )
    folded = fold_weights(graph(*nodes))
    assert [n.target for n in folded.graph.nodes] == ["aten.linear.default"]
    assert [i.value.name for i in folded.graph.inputs] == ["x", "w"]
    assert str(weight(folded.graph).value.dtype) == "int8[16x32]"


def test_a_factor_that_is_not_stored_is_no_scale() -> None:
    gate, scaled = value("g", 8, 16), value("m", 8, 16)
    nodes = (
        node("aten._to_copy.default", D, W),
        node("toy.gate", gate, X),
        node("aten.mul.Tensor", scaled, D, gate),
        linear(scaled),
    )
    before = graph(*nodes)
    assert fold_weights(before).graph == before


@pytest.mark.parametrize("dtype", ["int64", "bool", "int16"])
def test_wide_integers_and_flags_are_no_weights(dtype: str) -> None:
    table = value("w", 8, 16, dtype=DType.parse(dtype))
    inputs = (INPUTS[0], given_input(table, "constant"))
    before = graph(node("aten._to_copy.default", D, table), linear(D), inputs=inputs)
    assert fold_weights(before).graph == before


def test_scales_that_the_name_of_a_format_cannot_hold_are_told() -> None:
    huge = value("w", 400, 500, dtype=INT8)
    one = value("s", 1)
    inputs = (INPUTS[0], given_input(huge, "weight"), given_input(one, "constant"))
    convert = node(
        "quantized_decomposed.dequantize_per_tensor.tensor",
        value("d", 400, 500),
        huge,
        one,
        0,
        -8,
        7,
    )
    folded = fold_weights(graph(convert, linear(value("d", 400, 500)), inputs=inputs))
    assert str(weight(folded.graph).value.dtype) == "int4"
    assert folded.notes == ["w: 32 bits of scale for every 200000 elements not counted"]


def test_numbered_weights_are_named_after_what_reads_them() -> None:
    def numbered(of: Value, number: int) -> GraphInput:
        return GraphInput(of, "constant", f"_frozen_param{number}", of.name)

    bias = value("b", 8, dtype=INT32)
    wide = value("f", 8)
    inputs = (INPUTS[0], numbered(W, 0), numbered(bias, 1), *INPUTS[2:])
    nodes = (
        dequantised(),
        node(PER_TENSOR, wide, bias, 0.1, 0, -(2**31), 2**31 - 1),
        node("aten.linear.default", Y, X, D, wide, module="head"),
    )
    folded = fold_weights(graph(*nodes, inputs=inputs)).graph
    assert [(i.path, str(i.value.dtype)) for i in folded.inputs[1:]] == [
        ("head.weight", "int4[16x40]"),
        ("head.bias", "int32"),
    ]


def test_a_numbered_weight_without_a_module_keeps_its_number() -> None:
    inputs = (INPUTS[0], replace(INPUTS[1], path="_frozen_param0"), *INPUTS[2:])
    folded = fold_weights(graph(dequantised(), linear(D), inputs=inputs)).graph
    assert folded.inputs[1].path == "_frozen_param0"


def test_a_graph_without_quantised_weights_is_left_as_it_is() -> None:
    before = Graph((given_input(X), given_input(D, "weight")), (linear(D),), (Y,))
    assert fold_weights(before).graph is before
