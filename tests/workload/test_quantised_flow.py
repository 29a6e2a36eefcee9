"""Activations stay integers where the conversions around an operator undo each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hand_graph import given_input, node, value

from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, Node, Value
from codesign.workload.quantised_flow import keep_integers

INT8 = DType("int", 8)
BACK, THERE = (
    f"quantized_decomposed.{verb}_per_tensor.default" for verb in ("dequantize", "quantize")
)


def integers(name: str) -> Value:
    return value(name, 4, dtype=INT8)


Q, P = integers("q"), integers("p")


def back(into: str, of: Value, scale: Any = 0.5, zero: int = 3) -> Node:
    return node(BACK, value(into, 4), of, scale, zero, -128, 127)


def there(into: str, of: Node, scale: Any = 0.5, zero: int = 3) -> Node:
    return node(THERE, integers(into), of.outputs[0], scale, zero, -128, 127)


def between(target: str, into: str, *of: Node) -> Node:
    args = [value for part in of for value in part.outputs]
    return node(target, value(into, 4), args if len(args) > 1 else args[0])


def graph(*nodes: Node, ends: tuple[Value, ...] | None = None) -> Graph:
    return Graph((given_input(Q), given_input(P)), nodes, ends or nodes[-1].outputs)


def chain(target: str, **other: Any) -> Graph:
    first = back("a", Q)
    middle = between(target, "b", first)
    return graph(first, middle, there("c", middle, **other))


@pytest.mark.parametrize(
    "target", ["aten.max_pool2d.default", "aten.view.default", "aten.mean.dim", "aten.relu.default"]
)
def test_an_operator_between_equal_scales_works_on_integers(target: str) -> None:
    changed = keep_integers(chain(target))
    (only,) = changed.nodes
    assert (only.target, only.args) == (target, (Q,))
    assert only.outputs[0].dtype == INT8
    assert changed.outputs == only.outputs


def test_a_bare_round_trip_is_nothing() -> None:
    first = back("a", Q)
    assert keep_integers(graph(first, there("c", first))) == Graph(
        (given_input(Q), given_input(P)), (), (Q,)
    )


@pytest.mark.parametrize("other", [{"scale": 0.25}, {"zero": 4}])
def test_another_scale_needs_the_conversions(other: dict[str, Any]) -> None:
    before = chain("aten.view.default", **other)
    assert keep_integers(before) is before


@pytest.mark.parametrize("target", ["aten.gelu.default", "aten.softmax.int", "aten.exp.default"])
def test_a_function_of_the_number_itself_needs_them_too(target: str) -> None:
    before = chain(target)
    assert keep_integers(before) is before


def test_scales_chosen_as_the_model_runs_are_not_compared() -> None:
    scale = value("s", 1)
    first = back("a", Q, scale)
    before = graph(first, there("c", first, scale))
    assert keep_integers(before) is before


def test_a_join_stays_integer_if_all_of_its_parts_are() -> None:
    parts = back("a", Q), back("b", P)
    joined = between("aten.cat.default", "j", *parts)
    changed = keep_integers(graph(*parts, joined, there("c", joined)))
    assert [n.args for n in changed.nodes] == [([Q, P],)]
    mixed = back("b", P, 0.25)
    joined = between("aten.cat.default", "j", parts[0], mixed)
    before = graph(parts[0], mixed, joined, there("c", joined))
    assert keep_integers(before) is before


def test_what_a_second_reader_needs_as_a_number_stays_one() -> None:
    first = back("a", Q)
    pooled = between("aten.max_pool2d.default", "b", first)
    other = between("toy.work", "d", pooled)
    before = graph(first, pooled, there("c", pooled), other)
    assert keep_integers(before) is before


def test_a_conversion_that_others_read_stays_for_them() -> None:
    first = back("a", Q)
    moved, other = between("aten.view.default", "b", first), between("toy.work", "d", first)
    end = there("c", moved)
    changed = keep_integers(graph(first, moved, end, other, ends=(*end.outputs, *other.outputs)))
    assert [n.target for n in changed.nodes] == [BACK, "aten.view.default", "toy.work"]
    assert changed.nodes[1].args == (Q,)


def test_several_operators_in_a_row_all_work_on_integers() -> None:
    first = back("a", Q)
    pooled = between("aten.max_pool2d.default", "b", first)
    second = back("d", integers("c"))
    end = there("f", moved := between("aten.view.default", "e", second))
    changed = keep_integers(graph(first, pooled, there("c", pooled), second, moved, end))
    assert [n.target for n in changed.nodes] == ["aten.max_pool2d.default", "aten.view.default"]
    assert {n.outputs[0].dtype for n in changed.nodes} == {INT8}
    assert changed.nodes[1].args == changed.nodes[0].outputs


def test_a_graph_without_conversions_is_left_as_it_is() -> None:
    before = Graph((given_input(Q),), (replace(node("toy.work", value("y", 4), Q)),), ())
    assert keep_integers(before) is before
