"""The driver: nothing is lost in silence, passes run in order, ties are one tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hand_graph import LOWERINGS, given_input, node, value

from codesign.errors import UnsupportedOperatorError
from codesign.plugins import Registry, registry
from codesign.workload.check import check_trace
from codesign.workload.graph import Graph
from codesign.workload.lower import all_nodes, lower
from codesign.workload.lowering import find_lowering
from codesign.workload.record import Trace

X = value("x", 4, 8)


class Toy(Registry):
    """A registry with the toy dialect and some passes, and nothing installed."""

    def __init__(self, passes: Mapping[str, Callable[[Trace], Trace]] | None = None) -> None:
        self.passes = dict(passes or {})

    def get(self, hook: str) -> dict[str, Any]:
        return dict(LOWERINGS) if hook == "codesign_register_lowerings" else self.passes

    def lost(self) -> str:
        return ""


def chain(*targets: str) -> Graph:
    values = [X, *(value(f"y{i}", 4, 8) for i in range(len(targets)))]
    steps = zip(targets, values, values[1:], strict=False)
    nodes = [node(target, out, given, module="body.3") for target, given, out in steps]
    return Graph((given_input(X),), tuple(nodes), (values[-1],))


def test_every_unknown_target_is_named_with_count_place_shape_and_hook() -> None:
    graph = chain("toy.work", "lib.gate.default", "lib.gate.default", "lib.other")
    with pytest.raises(UnsupportedOperatorError) as caught:
        lower(graph, Toy())
    message = str(caught.value)
    assert "lib.gate.default x2" in message
    assert "lib.other x1" in message
    assert "body.3" in message
    assert "[4, 8]" in message
    assert "codesign_register_lowerings" in message
    assert "allow_unsupported" in message
    assert "\n" not in message


def test_unknown_targets_in_a_body_are_found_too() -> None:
    inner = chain("lib.gate")
    outer = Graph((given_input(X),), (node("scan", value("y", 4, 8), inner, X),), ())
    assert [n.target for n in all_nodes(outer)] == ["scan", "lib.gate"]
    with pytest.raises(UnsupportedOperatorError, match=r"lib\.gate x1"):
        lower(outer, Toy())


def test_allowed_unknown_targets_are_reported_in_the_result() -> None:
    found = lower(chain("toy.work", "lib.gate", "toy.work"), Toy(), allow_unsupported=True)
    assert found.coverage.unsupported == (("lib.gate", 1),)
    assert found.coverage.share == pytest.approx(2 / 3)
    assert any("lib.gate" in note for note in found.notes)
    check_trace(found)


def test_passes_run_in_the_order_of_their_names_and_can_be_left_out() -> None:
    def adding(text: str) -> Callable[[Trace], Trace]:
        return lambda t: t.replace(notes=(*t.notes, text))

    toy = Toy({"20-b": adding("b"), "10-a": adding("a"), "5-c": adding("c")})
    assert lower(chain("toy.work"), toy).notes == ("a", "b", "c")
    assert lower(chain("toy.work"), toy, fuse=False).notes == ()


def test_inputs_with_one_storage_are_one_tensor() -> None:
    first, second, y = value("a", 4), value("b", 4), value("y", 4)
    inputs = (given_input(first, "weight", "s"), given_input(second, "weight", "s"))
    found = lower(Graph(inputs, (node("toy.work", y, first, second),), (y,)), Toy())
    assert found.parameters == 4
    assert [t.name for t in found.tensors if t.role == "weight"] == ["a"]


def test_a_weight_that_nothing_reads_is_not_in_the_trace_but_an_input_is() -> None:
    weight, y = value("w", 4), value("y", 4, 8)
    inputs = (given_input(X), given_input(weight, "weight"), given_input(value("idle", 2)))
    found = lower(Graph(inputs, (node("toy.work", y, X),), (y,)), Toy())
    assert [t.name for t in found.tensors] == ["x", "idle", "work"]


def test_what_the_graph_returns_becomes_an_output_wherever_it_is_read() -> None:
    y, z = value("y", 4, 8), value("z", 4, 8)
    nodes = (node("toy.work", y, X), node("toy.work", z, y))
    found = lower(Graph((given_input(X),), nodes, (y, z)), Toy())
    first, second = (op for op, _ in found.ops())
    assert first.outputs[0].tensor.role == "output"
    assert second.inputs[0].tensor == first.outputs[0].tensor


@pytest.mark.parametrize(
    ("target", "known", "expected"),
    [
        ("aten.add.Tensor", ["aten.add", "aten.add.Tensor"], "aten.add.Tensor"),
        ("aten.add.Scalar", ["aten.add"], "aten.add"),
        ("aten.add_.Tensor", ["aten.add"], "aten.add"),
        ("aten.add_.Tensor", ["aten.add", "aten.add_"], "aten.add_"),
        ("aten.div_.Tensor_mode", ["aten.div", "aten.div.Tensor_mode"], "aten.div.Tensor_mode"),
        ("aten.__and__.Tensor", ["aten.__and_", "aten.__and__"], "aten.__and__"),
        ("scan", ["scan"], "scan"),
        ("aten.addition", ["aten.add"], None),
    ],
)
def test_the_most_specific_lowering_wins(
    target: str, known: list[str], expected: str | None
) -> None:
    table: dict[str, Any] = {name: name for name in known}
    found: Any = find_lowering(target, table)
    assert found == expected


def test_the_installed_plugins_offer_lowerings_through_the_public_hook() -> None:
    offers = registry().offers("codesign_register_lowerings")
    assert offers["aten.linear"].owner == "aten_contraction"
