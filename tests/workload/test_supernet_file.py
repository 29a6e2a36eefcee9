"""Files of captured blocks: strict JSON, read within limits, and never a traceback."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from supernet_models import Choice, Halves, layer, linear, x

from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.supernet import Block, Supernet
from codesign.workload.supernet_file import load_part, save_part
from codesign.workload.supernet_part import Part, Shape

FP32, INT8 = DType("fp", 32), DType("int", 8)
VALUE, OTHER = Value("x", (2, 3), FP32), Value("y", (), INT8)
BODY = Graph((GraphInput(VALUE, "input", "x", "x"),), (), (VALUE,))
ARGS = (
    VALUE,
    None,
    True,
    False,
    -3,
    2**63 - 1,
    -(2**63),
    0.5,
    float("inf"),
    float("-inf"),
    "mean",
    "",
    INT8,
    BODY,
    [VALUE, [1, OTHER], []],
    {"key": OTHER, "empty": {}},
)
PART = Part(
    Graph(
        (GraphInput(VALUE, "input", "x", "0"), GraphInput(OTHER, "weight", "a.w", "1")),
        (Node("aten.odd.default", ARGS, {"scale": 1.0, "out": OTHER}, (VALUE, OTHER), "a.b"),),
        (VALUE, None, 3),
        (("y", "x"),),
    ),
    ("x",),
    ((".0", Shape((2, 3), "float32", (3, 1))), (".1", None), ("", Shape((), "int8", ()))),
    {"a.w": DType.parse("int4[32x16]")},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file may be."""
    return tmp_path / "deep" / "block.json.gz"


def test_a_part_is_read_as_it_was_written(path: Path) -> None:
    save_part(PART, "this", path)
    assert load_part(path, "this") == PART
    assert [type(one) for one in load_part(path, "this").graph.nodes[0].args] == [
        type(one) for one in ARGS
    ]


def test_numbers_that_are_none_are_kept(path: Path) -> None:
    node = Node("aten.fill", (float("nan"),), {}, (VALUE,))
    save_part(Part(Graph((), (node,), (VALUE,)), (), ()), "this", path)
    (found,) = load_part(path, "this").graph.nodes[0].args
    assert found != found


def test_no_draft_is_left(path: Path) -> None:
    save_part(PART, "this", path)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "block",
    [layer("a"), Block("a", Halves), Block("a", Choice, {"width": 8})],
    ids=["layer", "halves", "branch"],
)
def test_a_captured_block_survives_its_file(tmp_path: Path, block: Block) -> None:
    one = Supernet(tmp_path).trace([block], x(), branch_probability=0.75)
    assert Supernet(tmp_path).trace([block], x(), branch_probability=0.75) == one


def document(path: Path) -> Any:
    """What is in a file that was just written."""
    save_part(PART, "this", path)
    return json.loads(gzip.decompress(path.read_bytes()))


CHANGES: dict[str, Callable[[Any], object]] = {
    "another format": lambda d: d.update(format="codesign-trace"),
    "another version": lambda d: d.update(version=2),
    "a version that is no number": lambda d: d.update(version=True),
    "another block": lambda d: d.update(of="that"),
    "a missing key": lambda d: d.pop("graph"),
    "an unknown key": lambda d: d.update(code="import os"),
    "arguments that are no texts": lambda d: d.update(arguments=[1]),
    "arguments that are none": lambda d: d.update(arguments=None),
    "results of another form": lambda d: d.update(results=[["x"]]),
    "a shape of another form": lambda d: d["results"][0].__setitem__(1, [[2, 3], "float32"]),
    "a shape below zero": lambda d: d["results"][0].__setitem__(1, [[-2], "float32", [1]]),
    "formats that are none": lambda d: d.update(declared=["int8"]),
    "a format that is none": lambda d: d.update(declared={"a": "int"}),
    "a graph that is none": lambda d: d.update(graph=[]),
    "values of another form": lambda d: d["graph"].update(values=[["x", [1]]]),
    "a value beyond the last": lambda d: d["graph"]["nodes"][0].update(outputs=[99]),
    "a value that is no number": lambda d: d["graph"]["nodes"][0].update(outputs=["x"]),
    "a role that is none": lambda d: d["graph"]["inputs"][0].__setitem__(1, "weigth"),
    "a role that is no text": lambda d: d["graph"]["inputs"][0].__setitem__(1, [1]),
    "a target that is empty": lambda d: d["graph"]["nodes"][0].update(target=""),
    "arguments that are an object": lambda d: d["graph"]["nodes"][0].update(args={"value": 0}),
    "keywords that are a list": lambda d: d["graph"]["nodes"][0].update(kwargs=[1]),
    "an object of two keys": lambda d: d["graph"]["nodes"][0]["args"].append(
        {"value": 0, "dtype": "int8"}
    ),
    "an object of no key": lambda d: d["graph"]["nodes"][0]["args"].append({}),
    "an object of an unknown key": lambda d: d["graph"]["nodes"][0]["args"].append({"eval": "1"}),
    "a map that is a list": lambda d: d["graph"]["nodes"][0]["args"].append({"map": [1]}),
    "a float that is none": lambda d: d["graph"]["nodes"][0]["args"].append({"float": "1e5"}),
    "a number of many digits": lambda d: d["graph"]["nodes"][0]["args"].append(10**30),
    "a text with a control character": lambda d: d["graph"]["nodes"][0]["args"].append("a\x1b"),
    "a pair of three": lambda d: d["graph"].update(mutations=[["a", "b", "c"]]),
    "a body that is none": lambda d: d["graph"]["nodes"][0]["args"].append({"graph": 1}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_breaks_a_rule_is_one_line(path: Path, change: str) -> None:
    found = document(path)
    CHANGES[change](found)
    path.write_bytes(gzip.compress(json.dumps(found).encode()))
    with pytest.raises(TraceError) as error:
        load_part(path, "this")
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).endswith("; delete it, and it is captured again")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no gzip",
        gzip.compress(b"{}")[:-9],
        gzip.compress(b"{"),
        gzip.compress(b"\xff"),
        gzip.compress(b"[]"),
        gzip.compress(b'{"format": NaN}'),
        gzip.compress(b"[" * 1000 + b"]" * 1000),
        gzip.compress(b" " * (101 * 2**20), 1),
    ],
    ids=["empty", "text", "torn", "open", "bytes", "list", "nan", "deep", "large"],
)
def test_a_file_that_is_none_is_one_line(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(TraceError) as error:
        load_part(path, "this")
    assert "\n" not in str(error.value)


def test_a_torn_file_stops_the_search_and_says_which(tmp_path: Path) -> None:
    blocks = [linear("a", 8, 8)]
    Supernet(tmp_path).trace(blocks, x())
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(TraceError, match=rf"block 'a': {path}: .*; delete it"):
        Supernet(tmp_path).trace(blocks, x())
    path.unlink()
    Supernet(tmp_path).trace(blocks, x())
    assert list(tmp_path.iterdir()) == [path]
