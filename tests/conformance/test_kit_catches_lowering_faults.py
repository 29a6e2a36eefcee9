"""A lowering with one fault fails in one line; what nobody calls is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_plugins import failures, outcomes, written

LOWERING_FAULTS = {
    "one argument": (
        ("def lower_gate(node: Node, builder: Builder)", "def lower_gate(builder: Any)"),
        "must take a node and a builder",
    ),
    "something returned": (
        ('    builder.emit("elementwise"', '    return builder.emit("elementwise"'),
        "a lowering returns nothing: it tells the builder",
    ),
    "an output that nobody wrote": (
        ("    output = builder.new(node.outputs[0])\n", "    output = inputs[0]\n"),
        "bind every output of the node",
    ),
    "a target that is not in the graph": (
        ('{"probe.gate": lower_gate}', '{"probe.gate": lower_gate, "probe.door": lower_gate}'),
        "",
    ),
}


@pytest.mark.parametrize("fault", list(LOWERING_FAULTS)[:3])
def test_a_faulty_lowering_is_told_with_what_to_change(fault: str, tmp_path: Path) -> None:
    change, message = LOWERING_FAULTS[fault]
    module = written(tmp_path, "lowering", change)
    if fault == "something returned":
        module.write_text(
            module.read_text()
            .replace("return builder.emit(", "return [builder.emit(")
            .replace('functions=("sigmoid", "mul"))', 'functions=("sigmoid", "mul"))]')
        )
    assert message in failures(module)


def test_a_lowering_that_no_graph_is_found_for_is_skipped_and_says_so(tmp_path: Path) -> None:
    change, _ = LOWERING_FAULTS["a target that is not in the graph"]
    found = {one.title: one for one in outcomes(written(tmp_path, "lowering", change))}
    lost = found["lowering probe.door: lowers a small graph"]
    assert lost.state == "skipped"
    assert "offer (module, args) through codesign_examples" in lost.message


def test_an_operator_of_torch_is_called_without_an_example(tmp_path: Path) -> None:
    assert [one.state for one in outcomes("aten_elementwise", "aten.sigmoid")] == ["passed"] * 2
