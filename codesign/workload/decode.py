"""From the JSON values of a trace file back to a trace; every key and type is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from fractions import Fraction
from typing import Any, TypeVar

from codesign.errors import TraceError, did_you_mean
from codesign.workload.cursor import MAX_INTEGER, MAX_RANK, Cursor
from codesign.workload.dtype import DType
from codesign.workload.limits import first_repeated
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import (
    ROLES,
    Access,
    Attribute,
    Branch,
    Carry,
    Coverage,
    Item,
    Op,
    Region,
    Tensor,
    Trace,
)
from codesign.workload.sparsity import Sparsity
from codesign.workload.stored import Stored

_FRACTION = re.compile(r"\d{1,12}(/[1-9]\d{0,11})?")
MAX_OPERATORS = 1_000_000
"""Most operators, regions and branches of a trace, and most tensors."""
_DOCUMENT = ("name", "notes", "coverage", "tensors", "nests", "items")
T = TypeVar("T")


def decode_trace(document: Any) -> Trace:
    """Builds the trace that ``encode_trace`` turned into these JSON values.

    Raises:
        TraceError: a key, type, name or number that breaks the format, with its JSON path.
    """
    root = Cursor(document)
    root.fields(_DOCUMENT)
    decoder = _Decoder(root)
    return Trace(
        root["name"].text(),
        decoder.items(root["items"]),
        tuple(decoder.tensors.values()),
        _coverage(root["coverage"]),
        root["notes"].texts(),
    )


class _Decoder:
    """The tables that items refer to: tensors by name, nests by index."""

    def __init__(self, root: Cursor) -> None:
        tensors = [_tensor(row) for row in root["tensors"].at_most(MAX_OPERATORS)]
        self.tensors = {tensor.name: tensor for tensor in tensors}
        if len(self.tensors) != len(tensors):
            twice = first_repeated(tensor.name for tensor in tensors)
            raise TraceError(f"tensors: duplicate tensor name {twice!r}; rename one")
        self.whole = {name: tensor.access() for name, tensor in self.tensors.items()}
        self.nests = [_nest(row) for row in root["nests"].at_most(MAX_OPERATORS)]
        self.items_left = MAX_OPERATORS

    def items(self, rows: Cursor) -> tuple[Item, ...]:
        return tuple(self.item(row) for row in rows)

    def item(self, row: Cursor) -> Item:
        self.items_left -= 1
        if self.items_left < 0:
            raise TraceError(f"must have at most {MAX_OPERATORS:,} items; use regions for repeats")
        readers: tuple[tuple[str, Callable[[Cursor], Item]], ...]
        readers = (("op", self.op), ("region", self.region), ("branch", self.branch))
        for key, read in readers:
            if isinstance(row.value, dict) and key in row:
                return read(row)
        return row.fail("must be an object with the key 'op', 'region' or 'branch'")

    def op(self, row: Cursor) -> Op:
        optional = ("nest", "functions", "attributes", "module", "source")
        row.fields(("op", "kind", "inputs", "outputs"), optional)
        return _build(
            row,
            Op,
            row["op"].name(),
            row["kind"].text(),
            tuple(self.access(entry) for entry in row["inputs"]),
            tuple(self.access(entry) for entry in row["outputs"]),
            self.nest(row["nest"]) if "nest" in row else None,
            row["functions"].texts() if "functions" in row else (),
            _attributes(row["attributes"]) if "attributes" in row else (),
            row["module"].text() if "module" in row else "",
            row["source"].text() if "source" in row else "",
        )

    def region(self, row: Cursor) -> Region:
        row.fields(("region", "steps", "body"), ("carries", "module"))
        return Region(
            row["region"].name(),
            row["steps"].integer(1),
            self.items(row["body"]),
            tuple(self.carry(entry) for entry in row["carries"]) if "carries" in row else (),
            row["module"].text() if "module" in row else "",
        )

    def carry(self, row: Cursor) -> Carry:
        row.fields(("state", "update", "initial"))
        initial = None if row["initial"].value is None else self.tensor(row["initial"])
        return Carry(self.tensor(row["state"]), self.tensor(row["update"]), initial)

    def branch(self, row: Cursor) -> Branch:
        row.fields(("branch", "probability", "taken", "otherwise"))
        chance = row["probability"].real()
        if not 0 <= chance <= 1:
            row["probability"].fail("must be from 0 to 1")
        taken, otherwise = self.items(row["taken"]), self.items(row["otherwise"])
        return Branch(row["branch"].name(), chance, taken, otherwise)

    def tensor(self, row: Cursor) -> Tensor:
        name = row.name()
        if name not in self.tensors:
            raise TraceError(f"{row.path}: {_unknown(name, self.tensors)}")
        return self.tensors[name]

    def access(self, row: Cursor) -> Access:
        if isinstance(row.value, str):
            return self.whole[self.tensor(row).name]
        row.fields(("tensor", "shape", "strides"), ("offset", "advance"))
        return Access(
            self.tensor(row["tensor"]),
            row["shape"].extents(),
            row["strides"].integers(-MAX_INTEGER),
            row["offset"].integer() if "offset" in row else 0,
            row["advance"].integers(-MAX_INTEGER) if "advance" in row else (),
        )

    def nest(self, row: Cursor) -> LoopNest:
        index = row.integer()
        if index >= len(self.nests):
            row.fail(f"must be the index of one of the {len(self.nests)} nests")
        return self.nests[index]


def _unknown(name: str, tensors: Collection[str]) -> str:
    # a long table is not searched for similar names: that takes minutes
    hint = did_you_mean(name[:60], [other[:60] for other in tensors]) if len(tensors) < 20 else ""
    return f"unknown tensor {name[:60]!r}{hint}; add it to tensors"


def _build(row: Cursor, make: Callable[..., T], *parts: Any) -> T:
    """Calls a constructor and puts the path before what it complains about."""
    try:
        return make(*parts)
    except TraceError as error:
        raise TraceError(f"{row.path}: {error}") from error


def _tensor(row: Cursor) -> Tensor:
    row.fields(("name", "shape", "dtype", "role"), ("sparsity", "stored"))
    role = row["role"].text()
    if role not in ROLES:
        raise TraceError(
            f"{row['role'].path}: unknown role {role[:60]!r}{did_you_mean(role, ROLES)}"
        )
    dtype = _build(row["dtype"], DType.parse, row["dtype"].text()[:60])
    name, shape = row["name"].name(), row["shape"].extents()
    sparsity = _sparsity(row["sparsity"], shape, name) if "sparsity" in row else None
    stored = _stored(row["stored"]) if "stored" in row else None
    return Tensor(name, shape, dtype, role, sparsity, stored)


def _sparsity(row: Cursor, shape: tuple[int, ...], name: str) -> Sparsity:
    return _build(row, _build(row, Sparsity.from_json, row.value).on, shape, name)


def _stored(row: Cursor) -> Stored:
    row.fields(("codec", "data", "meta"))
    data, meta = _bits(row["data"]), _bits(row["meta"])
    return _build(row, Stored, row["codec"].name(), data, meta)


def _bits(row: Cursor) -> Fraction:
    """Bits of an element as a fraction, such as ``5/2``."""
    if not _FRACTION.fullmatch(row.text()):
        row.fail("must be bits of an element as a whole number or a fraction, such as '5/2'")
    return Fraction(row.text())


def _coverage(row: Cursor) -> Coverage:
    row.fields(("modelled", "views", "unsupported"))
    unsupported = []
    for entry in row["unsupported"]:
        pair = list(entry)
        if len(pair) != 2:
            entry.fail("must be a target and its count")
        unsupported.append((pair[0].text(), pair[1].integer()))
    return Coverage(row["modelled"].integer(), row["views"].integer(), tuple(unsupported))


def _nest(row: Cursor) -> LoopNest:
    row.fields(("dims", "extents", "operands"))
    dims, extents = row["dims"].at_most(MAX_RANK).texts(), row["extents"].extents(1)
    if len(dims) != len(extents):
        row.fail("must have one extent for each of dims")
    operands = tuple(
        tuple(_axis(axis, len(dims)) for axis in axes.at_most(MAX_RANK)) for axes in row["operands"]
    )
    return LoopNest(dims, extents, operands)


def _axis(row: Cursor, dims: int) -> Axis:
    row.fields(("terms", "offset"))
    terms = []
    for entry in row["terms"].at_most(MAX_RANK):
        pair = list(entry)
        if len(pair) != 2 or pair[0].integer() >= dims:
            entry.fail(f"must be the index of one of {dims} dims and its coefficient")
        terms.append((pair[0].integer(), pair[1].integer(1)))
    return Axis(tuple(terms), row["offset"].integer(-MAX_INTEGER))


def _attributes(row: Cursor) -> tuple[tuple[str, Attribute], ...]:
    if not isinstance(row.value, dict):
        row.fail("must be an object")
    return tuple(
        (Cursor(name, row, name).name(), _attribute(row[name])) for name in sorted(row.value)
    )


def _attribute(row: Cursor) -> Attribute:
    value = row.value
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return row.text()
    if isinstance(value, list):
        return _sequence(row)
    return _non_finite(row) if isinstance(value, dict) else row.real()


def _sequence(row: Cursor) -> tuple[int, ...] | tuple[str, ...]:
    if all(isinstance(value, str) for value in row.value):
        return row.texts()
    return tuple(entry.integer(-MAX_INTEGER) for entry in row)


def _non_finite(row: Cursor) -> float:
    row.fields(("float",))
    if row["float"].text() not in ("inf", "-inf", "nan"):
        row["float"].fail("must be 'inf', '-inf' or 'nan'")
    return float(row["float"].value)
