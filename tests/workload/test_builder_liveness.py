"""Who still needs a value: the rules that make an update in place safe."""

from __future__ import annotations

import pytest
from hand_graph import given_input, node, value

from codesign.workload.graph import Graph, Node
from codesign.workload.liveness import Liveness, base_name, operands, short_name, values_in

X, ROW = value("x", 4, 8), value("row", 8)
A, B, C, D = (value(name, 4, 8) for name in "abcd")


def live(*nodes: Node, outputs: tuple[object, ...] = ()) -> Liveness:
    return Liveness(Graph((given_input(X), given_input(ROW)), nodes, outputs))


@pytest.mark.parametrize(
    ("target", "base", "short"),
    [
        ("aten.add_.Tensor", "aten.add_", "add"),
        ("aten._to_copy.default", "aten._to_copy", "to_copy"),
        ("aten.__and__.Tensor", "aten.__and__", "and"),
        ("aten.linear", "aten.linear", "linear"),
        ("scan", "scan", "scan"),
    ],
)
def test_a_target_has_a_base_and_a_short_name(target: str, base: str, short: str) -> None:
    assert (base_name(target), short_name(target)) == (base, short)


def test_values_are_found_in_nested_arguments_in_order() -> None:
    call = Node("aten.cat", ([X, [ROW]], 0, None), {"out": A}, ())
    assert list(values_in([1, (X, None), "text"])) == [X]
    assert operands(call) == (X, ROW, A)


def test_a_value_is_needed_until_its_last_reader() -> None:
    uses = live(node("aten.relu", A, X), node("aten.relu", B, X), outputs=(B,))
    assert uses.needed_after(["x"], 0)
    assert not uses.needed_after(["x"], 1)
    assert uses.needed_after(["b"], 1), "the end of the graph reads it"
    assert not uses.is_used(A)


def test_the_target_of_a_functional_copy_is_not_read() -> None:
    uses = live(node("aten.relu", A, ROW), node("aten.copy.default", B, X, A), outputs=(B,))
    assert not uses.is_used(X)
    assert uses.users(A) == (node("aten.copy.default", B, X, A),)


def test_an_update_that_folds_this_one_into_a_larger_tensor_does_not_read_the_old() -> None:
    inner = node("aten.slice_scatter", B, A, ROW, 0, 1, 2)
    outer = node("aten.select_scatter", C, X, B, 0, 1)
    nodes = (node("aten.select", A, X, 0, 1), inner, outer)
    assert not live(*nodes, outputs=(C,)).needed_after(["x", "a"], 1)


def test_a_view_between_the_two_updates_changes_nothing() -> None:
    nodes = (
        node("aten.select", A, X, 0, 1),
        node("aten.index_put", B, A, [ROW], ROW),
        node("aten.transpose", C, B, 0, 1),
        node("aten.select_scatter", D, X, C, 0, 1),
    )
    assert not live(*nodes, outputs=(D,)).needed_after(["x", "a"], 1)


def test_an_unrelated_update_of_the_same_tensor_still_needs_the_old() -> None:
    nodes = (
        node("aten.slice_scatter", A, X, ROW, 0, 1, 2),
        node("aten.slice_scatter", B, X, ROW, 0, 2, 3),
    )
    assert live(*nodes, outputs=(A, B)).needed_after(["x"], 0)


def test_a_value_lives_as_long_as_its_views() -> None:
    nodes = (
        node("aten.slice", A, X, 0, 0, 2),
        node("aten.relu", B, ROW),
        node("aten.relu", C, A),
    )
    assert live(*nodes, outputs=(C,)).last_use(X) == 2
    assert live(*nodes).last_use(C) == -1


def test_updates_are_followed_back_to_the_input() -> None:
    nodes = (
        node("aten.slice_scatter", A, X, ROW, 0, 1, 2),
        node("aten.relu", D, ROW),
        node("aten.index_put", B, A, [ROW], ROW),
    )
    assert live(*nodes).updates("b") == [2, 0]
    assert live(*nodes).updates("d") == [1]
    assert live(*nodes).updates("x") == []
