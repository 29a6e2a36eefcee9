"""Values that are other values, and what goes with what nobody reads any more."""

from __future__ import annotations

from dataclasses import replace

from hand_graph import given_input, node, value

from codesign.workload.dtype import DType
from codesign.workload.graph import Graph
from codesign.workload.graph_edit import Uses, with_values, without_dead, without_unread

X, W, S = value("x", 4), value("w", 4), value("s", 4)
T, U, Y = value("t", 4), value("u", 4), value("y", 4)
GUARD = replace(node("aten._assert_tensor_metadata.default", Y, S), outputs=())
GRAPH = Graph(
    (given_input(X), given_input(W, "weight"), given_input(S, "constant")),
    (node("aten.t.default", T, S), GUARD, node("toy.scale", U, W, T), node("toy.add", Y, X, [U])),
    (Y,),
)


def names(graph: Graph) -> tuple[list[str], list[str]]:
    return [i.value.name for i in graph.inputs], [n.target for n in graph.nodes]


def test_a_value_in_the_place_of_another_takes_along_what_made_it() -> None:
    changed = with_values(GRAPH, {"u": W}, {})
    assert names(changed) == (["x", "w"], ["toy.add"])
    assert changed.nodes[0].args == (X, [W])


def test_replacements_are_followed_to_the_end() -> None:
    narrow = replace(W, dtype=DType("int", 4))
    changed = with_values(GRAPH, {"y": U, "u": W}, {"w": replace(GRAPH.inputs[1], value=narrow)})
    assert changed.outputs == (narrow,)
    assert changed.inputs[1].value == narrow
    assert changed.nodes == ()


def test_inputs_of_the_model_stay_though_nothing_reads_them() -> None:
    changed = with_values(GRAPH, {"y": W}, {})
    assert names(changed)[0] == ["x", "w"]


def test_what_was_dead_before_is_none_of_our_business() -> None:
    spare = replace(GRAPH, nodes=(*GRAPH.nodes, node("toy.spare", value("d", 4), X)))
    assert "toy.spare" in names(with_values(spare, {"u": W}, {}))[1]


def test_nothing_changes_where_nothing_is_replaced() -> None:
    assert with_values(GRAPH, {}, {}) == GRAPH
    assert without_dead(GRAPH, GRAPH) == GRAPH
    assert without_unread(GRAPH) == GRAPH


def test_stored_inputs_that_nothing_reads_go() -> None:
    graph = replace(GRAPH, nodes=GRAPH.nodes[:2], outputs=(X,))
    assert names(without_unread(graph))[0] == ["x", "s"]


def test_readers_are_known_but_not_of_what_the_graph_returns() -> None:
    uses = Uses.of(GRAPH)
    assert uses.of_value(S) == [GRAPH.nodes[0]], "a guard does not count"
    assert uses.of_value(Y) is None
    assert uses.of_value(value("other", 4)) == []


def test_the_origin_of_a_view_is_what_it_shows() -> None:
    uses = Uses.of(GRAPH)
    assert uses.origin(T) == S
    assert uses.origin(U) == U
