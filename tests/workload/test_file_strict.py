"""Each rule of the trace format, broken once: one line with the path, the value and the remedy."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from sample_traces import chain, elementwise, everything, tensor

from codesign.errors import TraceError
from codesign.workload.check import check_trace
from codesign.workload.encode import encode_trace
from codesign.workload.file import load_trace, save_trace
from codesign.workload.record import Access, Branch, Carry, Coverage, Region, Role, Trace

DOCUMENT = {"format": "codesign-trace", "version": 1} | encode_trace(everything())
CELL = "items.0.body.0"


def _load(document: object, folder: Path) -> Trace:
    path = folder / "t.json"
    path.write_text(json.dumps(document))
    return load_trace(path)


def _edited(place: str, value: object) -> dict[str, Any]:
    """The document with one value set; a dotted path of keys and indices."""
    document: dict[str, Any] = copy.deepcopy(DOCUMENT)
    *head, last = [int(key) if key.isdigit() else key for key in place.split(".")]
    parent: Any = document
    for key in head:
        parent = parent[key]
    parent[last] = value
    return document


def test_the_document_that_these_tests_edit_is_valid(tmp_path: Path) -> None:
    assert _load(DOCUMENT, tmp_path) == everything()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("format", "onnx", 'not a trace file: it must be an object with "format"'),
        ("version", "1", "version must be 1, got 1"),
        ("version", True, "version must be 1, got True"),
        ("colour", 1, "document: unknown key 'colour'"),
        ("name", 7, "name: must be a printable string of at most 4096 characters, got 7"),
        ("name", "a\x1b[31m", "name: must be a printable string"),
        ("name", "a\ud800", "name: must be a printable string"),
        ("name", "x" * 5000, "name: must be a printable string"),
        ("notes", "none", "notes: must be an array, got 'none'"),
        ("notes.0", None, r"notes\[0\]: must be a printable string"),
        ("coverage", [], r"coverage: must be an object, got \[\]"),
        (
            "coverage.views",
            -1,
            r"coverage\.views: must be an integer from 0 to 2\*\*63 - 1, got -1",
        ),
        ("coverage.unsupported.0", ["a"], r"coverage\.unsupported\[0\]: must be a target and its"),
        ("tensors.0.name", "", r"tensors\[0\]\.name: must not be empty"),
        ("tensors.1.name", "x", "tensors: duplicate tensor name 'x'; rename one"),
        ("tensors.0.shape", [2, 2.0], r"tensors\[0\]\.shape\[1\]: must be an integer"),
        ("tensors.0.shape", [True], r"tensors\[0\]\.shape\[0\]: must be an integer.*got True"),
        ("tensors.0.shape", [2**63], r"tensors\[0\]\.shape\[0\]: must be an integer"),
        ("tensors.0.shape", [2**32, 2**32], r"tensors\[0\]\.shape: must have fewer than 2\*\*63"),
        ("tensors.0.shape", [1] * 65, r"tensors\[0\]\.shape: must have at most 64 elements"),
        ("tensors.0.dtype", "float16", r"tensors\[0\]\.dtype: unknown dtype 'float16'"),
        ("tensors.0.dtype", "int200", r"tensors\[0\]\.dtype: a dtype must have 1 to 128 bits"),
        ("tensors.0.role", "weigth", "unknown role 'weigth'; did you mean 'weight'"),
        ("tensors.0.bits", 8, r"tensors\[0\]: unknown key 'bits'"),
        ("nests.0.extents", [1, 16], r"nests\[0\]: must have one extent for each of dims"),
        ("nests.0.extents", [1, 0, 8], r"nests\[0\]\.extents\[1\]: must be an integer from 1"),
        ("nests.0.operands.0.0.terms.0", [9, 1], "must be the index of one of 3 dims"),
        ("nests.0.operands.0.0.terms.0", [0, 0], "must be an integer from 1"),
        ("nests.0.operands.0.0.terms.0", [0], "must be the index of one of 3 dims"),
        ("nests.0.operands", [], "its nest describes 0 operands, the operator has 5"),
        (f"{CELL}.nest", 1, r"items\[0\]\.body\[0\]\.nest: must be the index of one of the 1"),
        (f"{CELL}.kind", "matmul", r"items\[0\]\.body\[0\]: cell: unknown kind 'matmul'"),
        (f"{CELL}.functions", "relu", r"body\[0\]\.functions: must be an array, got 'relu'"),
        (f"{CELL}.attributes", [1], r"attributes: must be an object"),
        (f"{CELL}.attributes", {"": 1}, "must not be empty"),
        (f"{CELL}.attributes", {"a": None}, r"attributes\.a: must be a finite number, got None"),
        (f"{CELL}.attributes", {"a": [1, "b"]}, r"attributes\.a\[1\]: must be an integer"),
        (f"{CELL}.attributes", {"a": [1.5]}, r"attributes\.a\[0\]: must be an integer"),
        (f"{CELL}.attributes", {"a": {"float": "1"}}, "must be 'inf', '-inf' or 'nan'"),
        (f"{CELL}.attributes", {"a": {"int": "1"}}, "unknown key 'int'"),
        (f"{CELL}.attributes", {"a": 2**64}, r"attributes\.a: must be an integer"),
        (f"{CELL}.inputs.0", "q", r"body\[0\]\.inputs\[0\]: unknown tensor 'q'.*add it to tensors"),
        (f"{CELL}.inputs.0", 3, r"inputs\[0\]: must be an object, got 3"),
        (f"{CELL}.inputs.0.tensor", "y2", "unknown tensor 'y2'; did you mean 'y'"),
        (f"{CELL}.inputs.0.strides", [8], "must have a stride for each axis, got 2 axes and 1"),
        (f"{CELL}.inputs.0.offset", -1, r"inputs\[0\]\.offset: must be an integer from 0"),
        (
            f"{CELL}.inputs.0.offset",
            1,
            "must stay inside tensor 'x' of 40 elements, got elements 1",
        ),
        (f"{CELL}.inputs.0.strides", [8, -1], r"must stay inside tensor 'x'.*got elements -7 to"),
        (f"{CELL}.inputs.0.advance", [9], "must stay inside tensor 'x' of 40 .* elements 0 to 43"),
        (f"{CELL}.inputs.0.advance", [8, 8], "must advance with at most its 1 enclosing regions"),
        ("items", {}, r"items: must be an array, got \{\}"),
        ("items.0", {}, r"items\[0\]: must be an object with the key 'op', 'region' or 'branch'"),
        ("items.0", "rnn", r"items\[0\]: must be an object with the key"),
        ("items.0.steps", 0, r"items\[0\]\.steps: must be an integer from 1"),
        ("items.0.carries.0.state", "q", r"items\[0\]\.carries\[0\]\.state: unknown tensor 'q'"),
        ("items.0.carries.0.initial", 0, r"carries\[0\]\.initial: must be a printable string"),
        ("items.1.op", "attend", "items: duplicate operator name 'attend'; rename one"),
        ("items.1.op", "", r"items\[1\]\.op: must not be empty"),
        ("items.2.inputs", ["query", "query"], "must read query, key and value of 4 axes"),
        ("items.2.inputs", ["query", "query", "x"], "must read query, key and value of 4 axes"),
        ("items.3.probability", 1.5, r"items\[3\]\.probability: must be from 0 to 1, got 1\.5"),
        ("items.3.probability", "half", r"items\[3\]\.probability: must be a finite number"),
    ],
)
def test_a_broken_rule_is_told_with_its_place(
    place: str, value: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TraceError, match=message) as caught:
        _load(_edited(place, value), tmp_path)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 't.json'}: ")
    assert "\n" not in text
    assert len(text) < 500


@pytest.mark.parametrize(
    "place",
    [
        *DOCUMENT,
        *(f"coverage.{key}" for key in ("modelled", "views", "unsupported")),
        *(f"tensors.0.{key}" for key in ("name", "shape", "dtype", "role")),
        *(f"nests.0.{key}" for key in ("dims", "extents", "operands")),
        *(f"{CELL}.{key}" for key in ("op", "kind", "inputs", "outputs")),
        *(f"{CELL}.inputs.0.{key}" for key in ("tensor", "shape", "strides")),
        *(f"items.0.{key}" for key in ("region", "steps", "body")),
        *(f"items.0.carries.0.{key}" for key in ("state", "update", "initial")),
        *(f"items.3.{key}" for key in ("branch", "probability", "taken", "otherwise")),
    ],
)
def test_a_missing_key_is_named(place: str, tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    *head, last = [int(key) if key.isdigit() else key for key in place.split(".")]
    parent: Any = document
    for key in head:
        parent = parent[key]
    del parent[last]
    with pytest.raises(TraceError, match=f"{last}"):
        _load(document, tmp_path)


def test_an_axis_count_that_differs_from_the_view_is_refused(tmp_path: Path) -> None:
    document = _edited("nests.0.operands.0", [{"terms": [[2, 1]], "offset": 0}])
    with pytest.raises(TraceError, match="gives operand 0 1 axes, its view has 2"):
        _load(document, tmp_path)


def test_a_contraction_of_one_factor_is_refused(tmp_path: Path) -> None:
    document = _edited(f"{CELL}.inputs", ["x"])
    document["nests"][0]["operands"] = document["nests"][0]["operands"][:2]
    with pytest.raises(TraceError, match="contraction 'cell' must read two factors"):
        _load(document, tmp_path)


def test_regions_that_run_longer_than_any_clock_are_refused() -> None:
    body = chain("a")
    items = (Region("outer", 2**62, (Region("inner", 4, body.items),)),)
    with pytest.raises(TraceError, match=r"items\[0\]\.body\[0\]: nested regions must run at most"):
        check_trace(body.replace(items=items))


def test_a_read_that_only_a_later_operator_writes_is_a_cycle() -> None:
    trace = chain("a", "b")
    with pytest.raises(
        TraceError,
        match=r"items\[0\]\.inputs\[0\]: cyclic graph: 'b' reads tensor 'a.out' before 'a' writes",
    ):
        check_trace(trace.replace(items=trace.items[::-1]))


def test_two_operators_that_wait_for_each_other_are_a_cycle(tmp_path: Path) -> None:
    first, second = tensor("p", (4,), "activation"), tensor("q", (4,), "activation")
    items = (elementwise("a", first, second), elementwise("b", second, first))
    with pytest.raises(TraceError, match=r"was not written.*cyclic graph.*carry of a region"):
        save_trace(Trace("t", items, (first, second)), tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_a_read_that_nothing_writes_names_the_roles_that_need_no_write() -> None:
    trace = chain("a", "b")
    with pytest.raises(TraceError, match=r"'a.out', which no operator writes; .* the role input"):
        check_trace(trace.replace(items=trace.items[1:]))


def test_a_trace_with_gaps_may_read_what_the_gap_would_have_written() -> None:
    trace = chain("a", "b")
    gap = Coverage(1, 0, (("aten.mystery.default", 1),))
    check_trace(trace.replace(items=trace.items[1:], coverage=gap))


@pytest.mark.parametrize("role", ["weight", "constant", "state", "input"])
def test_stored_tensors_can_be_read_from_the_start(role: Role) -> None:
    source, target = tensor("s", (4,), role), tensor("t", (4,), "output")
    check_trace(Trace("t", (elementwise("a", source, target),), (source, target)))


def _loop(carries: tuple[Carry, ...], *, update: bool = True) -> Trace:
    state, following = tensor("h", (4,), "activation"), tensor("h.next", (4,), "activation")
    body = (elementwise("step", state, following),) if update else ()
    return Trace("t", (Region("r", 3, body, carries),), (state, following))


def test_a_carry_closes_the_only_cycle_that_is_allowed() -> None:
    state, following = _loop(()).tensors
    check_trace(_loop((Carry(state, following),)))
    with pytest.raises(TraceError, match="'h', which no operator writes"):
        check_trace(_loop(()))


def test_a_carry_must_be_written_by_the_body() -> None:
    state, following = _loop(()).tensors
    with pytest.raises(TraceError, match=r"carries\[0\]\.update: 'r' reads tensor 'h.next'"):
        check_trace(_loop((Carry(state, following),), update=False))


def test_an_initial_state_must_be_there_before_the_first_step() -> None:
    state, following = _loop(()).tensors
    with pytest.raises(TraceError, match=r"carries\[0\]\.initial: cyclic graph: 'r' reads"):
        check_trace(_loop((Carry(state, following, following),)))


def test_what_a_region_wrote_can_be_read_after_it() -> None:
    trace = chain("a", "b")
    check_trace(trace.replace(items=(Region("r", 3, trace.items[:1]), *trace.items[1:])))


def _forked(otherwise: bool) -> Trace:
    x, y = tensor("x", (4,), "input"), tensor("y", (4,), "activation")
    z = tensor("z", (4,), "output")
    other = (elementwise("no", x, y),) if otherwise else ()
    branch = Branch("b", 0.9, (elementwise("yes", x, y),), other)
    return Trace("t", (branch, elementwise("after", y, z)), (x, y, z))


def test_a_branch_gives_only_what_both_sides_write() -> None:
    check_trace(_forked(otherwise=True))
    with pytest.raises(TraceError, match=r"items\[1\]\.inputs\[0\].*'after' reads tensor 'y'"):
        check_trace(_forked(otherwise=False))


def test_the_sides_of_a_branch_do_not_see_each_other() -> None:
    x, y = tensor("x", (4,), "input"), tensor("y", (4,), "activation")
    branch = Branch("b", 0.5, (elementwise("yes", x, y),), (elementwise("no", y, x),))
    with pytest.raises(TraceError, match=r"items\[0\]\.otherwise\[0\]\.inputs\[0\]"):
        check_trace(Trace("t", (branch,), (x, y)))


def test_a_view_of_an_empty_tensor_touches_nothing() -> None:
    source, target = tensor("s", (0, 4), "input"), tensor("t", (0, 4), "output")
    check_trace(Trace("t", (elementwise("a", source, target),), (source, target)))


def test_a_reversed_view_inside_its_tensor_is_fine() -> None:
    x, y = tensor("x", (4,), "input"), tensor("y", (4,), "output")
    op = elementwise("a", x, y)
    flipped = type(op)("flip", "move", (Access(x, (4,), (-1,), 3),), op.outputs)
    check_trace(Trace("t", (flipped,), (x, y)))
