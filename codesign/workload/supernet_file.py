"""Captured blocks as files: strict JSON that holds a graph and never code."""

from __future__ import annotations

import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codesign.errors import TraceError
from codesign.whole_file import write_whole
from codesign.workload.cursor import MAX_INTEGER, Cursor
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.limits import MAX_BYTES, parse_json
from codesign.workload.record import ROLES, Role
from codesign.workload.supernet_part import Part, Shape

FORMAT = "codesign-block"
VERSION = 1


def save_part(part: Part, of: str, path: Path) -> None:
    """Writes a captured block, whole or not at all.

    Args:
        part: the block.
        of: what it is a capture of.
        path: where to.

    Raises:
        TraceError: the file cannot be written.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "of": of,
        "arguments": part.arguments,
        "results": [[place, shape and _shape(shape)] for place, shape in part.results],
        "declared": {name: str(dtype) for name, dtype in part.declared.items()},
        "graph": _graph(part.graph),
    }
    data = gzip.compress(json.dumps(document, allow_nan=False).encode(), mtime=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda draft: draft.write_bytes(data))
    except OSError as error:
        raise TraceError(f"{path}: cannot be written: {error.strerror}; choose another") from error


def load_part(path: Path, of: str) -> Part:
    """Reads a captured block.

    Args:
        path: where from.
        of: what it has to be a capture of.

    Raises:
        TraceError: no such block, or a file that breaks a rule or limit of the format.
    """
    try:
        root = Cursor(parse_json(_inflated(path)))
        root.fields(("format", "version", "of", "arguments", "results", "declared", "graph"))
        held = root["format"].text(), root["version"].integer(), root["of"].value
        if held != (FORMAT, VERSION, of):
            raise TraceError("it holds another block than its name says")
        found = {name: DType.parse(row.text()) for name, row in _mapping(root["declared"])}
        graph = _read_graph(root["graph"])
        results = tuple(_result(entry) for entry in root["results"])
        return Part(graph, root["arguments"].texts(), results, found)
    except TraceError as error:
        raise TraceError(f"{path}: {error}; delete it, and it is captured again") from error


def _inflated(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would be waited for
            raise TraceError("is no file")
        with path.open("rb") as packed:
            small = packed.read(MAX_BYTES + 1)
        with gzip.open(io.BytesIO(small)) as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"cannot be read: {error}") from error
    return data  # parse_json refuses more than MAX_BYTES


def _shape(shape: Shape) -> list[Any]:
    return [list(shape.extents), shape.format, list(shape.strides)]


def _graph(graph: Graph) -> dict[str, Any]:
    table: dict[Value, int] = {}

    def number(value: Value) -> int:
        return table.setdefault(value, len(table))

    def argument(given: Any) -> Any:
        if isinstance(given, Value):
            return {"value": number(given)}
        if isinstance(given, DType):
            return {"dtype": str(given)}
        if isinstance(given, Graph):
            return {"graph": _graph(given)}
        if isinstance(given, dict):
            return {"map": {key: argument(part) for key, part in given.items()}}
        if isinstance(given, (list, tuple)):
            return [argument(part) for part in given]
        if isinstance(given, float) and not math.isfinite(given):
            return {"float": str(given)}
        return given

    inputs = [[number(i.value), i.role, i.path, i.storage] for i in graph.inputs]
    nodes = [
        {
            "target": node.target,
            "args": argument(node.args),
            "kwargs": {key: argument(part) for key, part in node.kwargs.items()},
            "outputs": [number(value) for value in node.outputs],
            "module": node.module,
        }
        for node in graph.nodes
    ]
    rest = {"outputs": argument(graph.outputs), "mutations": [list(p) for p in graph.mutations]}
    values = [[value.name, list(value.shape), str(value.dtype)] for value in table]
    return {"values": values, "inputs": inputs, "nodes": nodes, **rest}


def _result(row: Cursor) -> tuple[str, Shape | None]:
    place, shape = _entries(row, 2)
    if shape.value is None:
        return place.text(), None
    extents, format_, strides = _entries(shape, 3)
    return place.text(), Shape(extents.extents(), format_.name(), strides.integers())


def _read_graph(row: Cursor) -> Graph:
    row.fields(("values", "inputs", "nodes", "outputs", "mutations"))
    values = [_value(entry) for entry in row["values"]]
    return Graph(
        tuple(_input(entry, values) for entry in row["inputs"]),
        tuple(_node(entry, values) for entry in row["nodes"]),
        tuple(_argument(entry, values) for entry in row["outputs"]),
        tuple(_pair(entry) for entry in row["mutations"]),
    )


def _value(row: Cursor) -> Value:
    name, shape, dtype = _entries(row, 3)
    return Value(name.name(), shape.extents(), DType.parse(dtype.text()))


def _input(row: Cursor, values: list[Value]) -> GraphInput:
    value, role, path, storage = _entries(row, 4)
    if role.value not in ROLES:
        role.fail(f"must be one of {', '.join(ROLES)}")
    found: Role = role.value
    return GraphInput(_numbered(value, values), found, path.text(), storage.text())


def _node(row: Cursor, values: list[Value]) -> Node:
    row.fields(("target", "args", "kwargs", "outputs", "module"))
    return Node(
        row["target"].name(),
        tuple(_argument(entry, values) for entry in row["args"]),
        {key: _argument(entry, values) for key, entry in _mapping(row["kwargs"])},
        tuple(_numbered(entry, values) for entry in row["outputs"]),
        row["module"].text(),
    )


def _argument(row: Cursor, values: list[Value]) -> Any:
    given = row.value
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, str):
        return row.text()
    if isinstance(given, list):
        return [_argument(entry, values) for entry in row]
    if not isinstance(given, dict):
        return row.integer(-MAX_INTEGER - 1) if isinstance(given, int) else row.real()
    if len(given) != 1:
        row.fail("must be an object with one key")
    return _tagged(row, next(iter(given)), values)


def _tagged(row: Cursor, tag: str, values: list[Value]) -> Any:
    inner = row[tag]
    if tag == "value":
        return _numbered(inner, values)
    if tag == "dtype":
        return DType.parse(inner.text())
    if tag == "graph":
        return _read_graph(inner)
    if tag == "map":
        return {key: _argument(entry, values) for key, entry in _mapping(inner)}
    if tag == "float" and inner.value in ("inf", "-inf", "nan"):
        return float(inner.value)
    return row.fail("must be a value, dtype, graph, map or float")


def _numbered(row: Cursor, values: list[Value]) -> Value:
    index = row.integer()
    if index >= len(values):
        row.fail(f"must be the number of one of {len(values)} values")
    return values[index]


def _mapping(row: Cursor) -> Iterator[tuple[str, Cursor]]:
    if not isinstance(row.value, dict):
        row.fail("must be an object")
    return ((key, row[key]) for key in row.value)


def _pair(row: Cursor) -> tuple[str, str]:
    first, second = _entries(row, 2)
    return first.text(), second.text()


def _entries(row: Cursor, count: int) -> list[Cursor]:
    found = list(row)
    if len(found) != count:
        row.fail(f"must have {count} entries")
    return found
