"""``codesign trace MODEL``: the names that pins, rules and mapping files ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign

from codesign import Residency, Trace, load_trace, save_trace, simulate
from codesign.errors import MappingError
from codesign.mapping.assign.ask import Engines
from codesign.testing import elementwise, matmul
from codesign.workload.record import Access, Branch, Item, Op, Region


def named(op: Op, name: str, module: str = "") -> Op:
    """An operator with tensors of its own."""

    def own(access: Access) -> Access:
        return replace(access, tensor=replace(access.tensor, name=f"{name}.{access.tensor.name}"))

    inputs, outputs = (tuple(map(own, some)) for some in (op.inputs, op.outputs))
    return replace(op, name=name, module=module, inputs=inputs, outputs=outputs)


LINEAR = named(matmul(48, 64, 40, bias=True, dtype="int8"), "head.linear", "head")
ADD = named(elementwise((64, 100), ("add",), inputs=2), "add")
STEP = named(matmul(1, 64, 32), "cell.gate.step", "cell.gate")
LESS = named(elementwise((8,), ("neg",)), "cell.less", "cell")
MORE = named(elementwise((8,), ("exp",)), "cell.more", "cell")
LOOP = Region("loop", 5, (STEP, Branch("if", 0.25, (LESS,), (MORE,))))


def saved(folder: Path, items: Sequence[Item]) -> Path:
    tensors = {
        a.tensor.name: a.tensor for op, _ in Trace("t", (*items,), ()).ops() for a in op.operands
    }
    for item in items:
        for other in (LESS,) if item is LOOP else ():
            tensors |= {a.tensor.name: a.tensor for a in other.operands}
    path = folder / "model.json"
    save_trace(Trace("t", (*items,), tuple(tensors.values())), path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return saved(tmp_path, (LINEAR, ADD, LOOP))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Ten thousand operators."""
    one = elementwise((4,), ("neg",))
    return saved(tmp_path, [named(one, f"l{n}.neg", f"l{n}") for n in range(10_000)])


def rows(codesign: Codesign, *words: str | Path) -> list[dict[str, Any]]:
    found = json.loads(codesign("trace", *words, "--json").out)
    assert found.pop("model") == "t"
    ((_, listed),) = found.items()
    return list(listed)


def test_it_prints_a_row_for_each_operator(model: Path, codesign: Codesign) -> None:
    lines = codesign("trace", model).out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "operator", "head.linear", "add", "cell.gate.step", "cell.more",
    ]  # fmt: skip
    shapes = [
        ["x".join(map(str, a.shape)) for a in some] for some in (LINEAR.inputs, LINEAR.outputs)
    ]
    assert " -> ".join(", ".join(one) for one in shapes) in lines[1]
    assert lines[1].split()[1:3] == ["contraction", "1"]
    assert lines[3].split()[1:3] == ["contraction", "5"]


def test_the_document_has_every_figure_of_an_operator(model: Path, codesign: Codesign) -> None:
    by_name = {row["name"]: row for row in rows(codesign, model)}
    linear = by_name["head.linear"]
    assert linear["kind"] == "contraction"
    assert linear["module"] == "head"
    assert linear["runs"] == 1
    assert linear["macs"] == 48 * 64 * 40
    assert linear["bytes"] == sum(a.tensor.bytes for a in LINEAR.operands)
    assert sorted(linear["loops"].values()) == sorted(LINEAR.loops.extents)
    assert linear["tensors"] == [a.tensor.name for a in LINEAR.operands]
    assert linear["inputs"] == [list(a.shape) for a in LINEAR.inputs]
    assert linear["outputs"] == [list(a.shape) for a in LINEAR.outputs]
    assert linear["formats"] == [*dict.fromkeys(str(a.tensor.dtype) for a in LINEAR.operands)]
    assert by_name["cell.gate.step"]["runs"] == 5
    assert by_name["add"]["loops"] == {}


def test_an_operand_that_is_read_twice_counts_its_bytes_once(
    tmp_path: Path, codesign: Codesign
) -> None:
    square = named(elementwise((64,), ("mul",), inputs=2), "square")
    square = replace(square, inputs=(square.inputs[0], square.inputs[0]))
    (row,) = rows(codesign, saved(tmp_path, [square]))
    assert row["bytes"] == square.inputs[0].bytes + square.outputs[0].bytes


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("linear", ["head.linear"]),
        ("cell.*", ["cell.gate.step", "cell.more"]),
        ("kind:elementwise", ["add", "cell.more"]),
        ("kind:contr*", ["head.linear", "cell.gate.step"]),
        ("gate", ["cell.gate.step"]),
        ("?dd", ["add"]),
    ],
)
def test_grep_takes_what_rules_take_and_parts_of_names(
    pattern: str, names: list[str], model: Path, codesign: Codesign
) -> None:
    assert [row["name"] for row in rows(codesign, model, "--grep", pattern)] == names


def test_tensors_are_listed_as_pins_name_them(model: Path, codesign: Codesign) -> None:
    found = {row["name"]: row for row in rows(codesign, model, "--tensors")}
    tensor = LINEAR.inputs[1].tensor
    assert found[tensor.name] == {
        "name": tensor.name,
        "role": tensor.role,
        "shape": list(tensor.shape),
        "format": str(tensor.dtype),
        "bytes": tensor.bytes,
        "uses": 1,
    }
    weights = rows(codesign, model, "--tensors", "--grep", "role:weight")
    assert {row["role"] for row in weights} == {"weight"}
    assert len(weights) < len(found)


def test_every_listed_tensor_can_be_pinned_and_every_operator_ruled(
    model: Path, codesign: Codesign
) -> None:
    for row in rows(codesign, model, "--tensors", "--grep", "head.linear"):
        simulate(str(model), "edge-npu", residency=Residency(pins=(row["name"],)))
    for row in rows(codesign, model):
        engine = "npu" if row["kind"] == "contraction" else "vector"
        simulate(str(model), "edge-npu", engines=Engines(rules={row["name"]: engine}))


def test_the_tree_sums_modules_and_all_that_is_in_them(model: Path, codesign: Codesign) -> None:
    found = {row["path"]: row for row in rows(codesign, model, "--tree")}
    assert list(found) == ["", "head", "cell", "cell.gate"]
    assert found[""]["operators"] == 4
    assert found[""]["macs"] == LINEAR.macs + 5 * STEP.macs
    assert found["cell"]["macs"] == found["cell.gate"]["macs"] == 5 * STEP.macs
    more = sum(a.tensor.bytes for a in MORE.operands)
    assert found["cell"]["bytes"] - found["cell.gate"]["bytes"] == 5 * more
    lines = codesign("trace", model, "--tree").out.splitlines()
    assert [line.split("  ")[0] for line in lines[:2]] == ["module", "the model"]
    assert lines[-1].startswith("    gate ")


def test_a_large_model_shows_forty_rows_and_says_how_to_see_the_rest(
    large: Path, codesign: Codesign
) -> None:
    lines = codesign("trace", large).out.splitlines()
    assert len(lines) == 42
    assert lines[-1] == "… 9,960 more, use --all"
    assert len(codesign("trace", large, "--grep", "l12.*").out.splitlines()) == 2
    assert len(rows(codesign, large)) == 10_000
    assert (
        codesign("trace", large, "--grep", "l99*", "--all").out.splitlines()[-1].startswith("l99")
    )


def test_a_file_is_written_as_before_and_takes_no_options_of_lists(
    model: Path, codesign: Codesign, tmp_path: Path
) -> None:
    ran = codesign("trace", model, "-o", tmp_path / "again.json")
    assert ran.out.startswith(f"{tmp_path / 'again.json'}: 4 operators")
    digest = load_trace(tmp_path / "again.json").digest
    assert ran.out.endswith(f", digest {digest[:12]} as captured, before any hardware\n")
    for words in (("--tensors",), ("--grep", "x"), ("--tree",), ("--all",)):
        ran = codesign("trace", model, "-o", tmp_path / "no.json", *words)
        assert ran.code == 2
        assert ran.err.startswith(f"error: {words[0]} lists a trace, got -o ")
    assert not (tmp_path / "no.json").exists()
    ran = codesign("trace", model, "--tree", "--tensors")
    assert "--tree sums operators by module, got --tensors beside it; drop one" in ran.err


def test_a_pattern_that_matches_nothing_is_an_error(model: Path, codesign: Codesign) -> None:
    ran = codesign("trace", model, "--grep", "head.liner")
    assert ran.code == 2
    assert ran.err == (
        "error: 'head.liner' matches no operator of t; did you mean 'head.linear'?\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--tensors", "--grep", "role:wight"),
            "role: takes one of its values, got 'role:wight'; did you mean 'role:weight'? known: ",
        ),
        (("--grep", "role:wight"), "role: takes one of its values, got 'role:wight'; did you mean"),
        (("--grep", "kind:softmx"), "got 'kind:softmx'; did you mean 'kind:softmax'? known: "),
        (("--grep", "role:weight"), "'role:weight' is about tensors, and operators are listed; "),
        (("--tensors", "--grep", "kind:sort"), "is about operators, and tensors are listed; leave"),
        (
            ("--grep", "kind:softmax"),
            "'kind:softmax' matches no operator of t; there are kind:contraction, kind:elementwise",
        ),
    ],
)
def test_a_value_that_a_prefix_does_not_have_is_told_with_those_it_has(
    model: Path, codesign: Codesign, words: tuple[str, ...], told: str
) -> None:
    ran = codesign("trace", model, *words)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_part_of_a_value_and_a_pattern_of_values_still_match(
    model: Path, codesign: Codesign
) -> None:
    assert len(rows(codesign, model, "--grep", "kind:contr")) == 2
    assert len(rows(codesign, model, "--grep", "kind:*")) == 4


def test_a_model_without_operators_has_none_to_list(tmp_path: Path, codesign: Codesign) -> None:
    save_trace(Trace("idle", (), ()), tmp_path / "idle.json")
    ran = codesign("trace", tmp_path / "idle.json")
    assert ran.err.startswith("error: idle has no operator to list: its model computes nothing")


def test_a_digest_says_of_what_it_is(model: Path, codesign: Codesign, tmp_path: Path) -> None:
    ran = codesign("trace", model, "-o", tmp_path / "again.json")
    assert " as captured, before any hardware" in ran.out
    ran = codesign("simulate", model, "--hardware", "edge-npu", "--dtype", "int8")
    assert " of the result; trace as run " in ran.out


def test_a_written_trace_is_told_as_a_document_too(
    model: Path, codesign: Codesign, tmp_path: Path
) -> None:
    path = tmp_path / "again.json"
    found = json.loads(codesign("trace", model, "-o", path, "--json").out)
    assert found == {"file": str(path), "operators": 4, "digest": load_trace(path).digest}


def test_a_rule_of_an_unknown_kind_names_the_kinds(model: Path, codesign: Codesign) -> None:
    ran = codesign("simulate", model, "--hardware", "edge-npu", "--on", "kind:softmx=vector")
    assert "the rule 'kind:softmx' names an unknown kind; did you mean 'softmax'?" in ran.err
    assert "known: attention, " in ran.err


def test_errors_of_pins_and_rules_point_here(model: Path, codesign: Codesign) -> None:
    words = ("simulate", model, "--hardware", "edge-npu")
    weight = LINEAR.inputs[1].tensor.name
    told = codesign(*words, "--pin", weight.replace("linear", "linera")).err
    assert f"did you mean {weight!r}? (listed by 'codesign trace MODEL --tensors')" in told
    told = codesign(*words, "--on", "head.linar=npu").err
    assert "did you mean 'head.linear'? (listed by 'codesign trace MODEL')" in told


def test_a_pin_that_names_an_operator_is_told_its_tensors(model: Path) -> None:
    names = ", ".join(a.tensor.name for a in LINEAR.operands)
    with pytest.raises(MappingError, match=f"'head.linear' is an operator, pin one of {names} "):
        simulate(str(model), "edge-npu", residency=Residency(pins=("head.linear",)))
