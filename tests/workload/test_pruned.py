"""A mask that is multiplied into a weight is part of the weight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hand_graph import given_input, node, value

from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput
from codesign.workload.pruned import fold_masks

X, W, M, Y = value("x", 2, 4), value("w", 4, 4), value("m", 4, 4), value("y", 2, 4)
PRODUCT = value("p", 4, 4)


def stored(weight: str = "fc.weight_orig", mask: str = "fc.weight_mask") -> tuple[GraphInput, ...]:
    return (
        given_input(X),
        GraphInput(W, "weight", weight, "w"),
        GraphInput(M, "constant", mask, "m"),
    )


def graph(inputs: Any = None, *more: Any, order: Any = (M, W)) -> Graph:
    nodes = (
        node("aten.mul.Tensor", PRODUCT, *order),
        node("aten.linear.default", Y, X, PRODUCT),
        *more,
    )
    return Graph(inputs or stored(), nodes, (Y, *(n.outputs[0] for n in more)))


@pytest.mark.parametrize("order", [(M, W), (W, M)])
def test_the_product_reads_the_weight_under_its_plain_name(order: Any) -> None:
    found = fold_masks(graph(order=order))
    assert [(i.path, i.role) for i in found.graph.inputs] == [
        ("x", "input"),
        ("fc.weight", "weight"),
    ]
    assert found.graph.nodes[0].args == (X, W)
    assert found.masks == {"w": "m"}


@pytest.mark.parametrize(
    ("weight", "mask", "plain"),
    [
        ("weight_hh_l0_orig", "weight_hh_l0_mask", "weight_hh_l0"),
        ("fc.parametrizations.weight.original", "fc.parametrizations.weight.0.mask", "fc.weight"),
        ("fc.weight", "fc.mask", "fc.weight"),
        ("parametrizations.weight.original", "parametrizations.weight.0.mask", "weight"),
    ],
)
def test_the_names_of_several_tools_are_known(weight: str, mask: str, plain: str) -> None:
    assert fold_masks(graph(stored(weight, mask))).graph.inputs[1].path == plain


def test_a_plain_name_that_another_tensor_has_is_not_given_twice() -> None:
    taken = GraphInput(value("t", 4), "weight", "fc.weight", "t")
    found = fold_masks(graph((*stored(), taken)))
    assert [i.path for i in found.graph.inputs[1:]] == ["fc.weight_orig", "fc.weight"]


@pytest.mark.parametrize("mask", ["fc.gain", "fc.maskless", "fc.unmask", "fc.mask_scale"])
def test_other_factors_are_no_masks(mask: str) -> None:
    before = graph(stored(mask=mask))
    assert fold_masks(before).graph is before


def test_a_weight_that_is_also_read_without_its_mask_is_left_alone() -> None:
    before = graph(None, node("aten.sum.default", value("e"), W))
    assert fold_masks(before).graph is before


def test_a_mask_of_the_input_is_no_pruning() -> None:
    inputs = stored()
    before = graph((inputs[0], replace(inputs[1], role="input"), inputs[2]))
    assert fold_masks(before).graph is before


def test_a_mask_that_changes_as_the_model_runs_is_no_pruning() -> None:
    inputs = stored()
    before = graph((*inputs[:2], replace(inputs[2], role="state")))
    assert fold_masks(before).graph is before


def test_a_mask_that_widens_the_weight_is_left_alone() -> None:
    wide = value("p", 4, 4, dtype=DType("fp", 64))
    nodes = (node("aten.mul.Tensor", wide, M, W), node("aten.linear.default", Y, X, wide))
    before = Graph(stored(), nodes, (Y,))
    assert fold_masks(before).graph is before
