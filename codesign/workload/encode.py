"""From a trace to the plain JSON values of the file format; ``traces/FORMAT.md`` has every key."""

from __future__ import annotations

import json
import math
from typing import Any

from codesign.workload.nest import LoopNest
from codesign.workload.record import (
    Access,
    Attribute,
    Branch,
    Carry,
    Item,
    Op,
    Region,
    Tensor,
    Trace,
)

_ROWS = ("tensors", "nests", "items")


def encode_trace(trace: Trace) -> dict[str, Any]:
    """The trace as JSON values: keys in a fixed order, defaults left out, equal nests stored once.

    It depends on nothing but the content, so that its bytes can be hashed.
    """
    nests: dict[LoopNest, int] = {}
    items = [_item(item, nests) for item in trace.items]
    coverage = trace.coverage
    return {
        "name": trace.name,
        "notes": list(trace.notes),
        "coverage": {
            "modelled": coverage.modelled,
            "views": coverage.views,
            "unsupported": [list(pair) for pair in coverage.unsupported],
        },
        "tensors": [_tensor(tensor) for tensor in trace.tensors],
        "nests": [_nest(nest) for nest in nests],
        "items": items,
    }


def canonical_bytes(document: dict[str, Any]) -> bytes:
    """The one spelling of a document that is hashed: sorted keys, no spaces, ASCII."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def layout(document: dict[str, Any]) -> bytes:
    """The bytes of a file: one line a tensor, nest or item, so that two files can be compared."""
    lines = [f"{json.dumps(key)}: {_value(key, value)}" for key, value in document.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


def _value(key: str, value: Any) -> str:
    if key not in _ROWS or not value:
        return json.dumps(value, allow_nan=False)
    return "[\n" + ",\n".join(json.dumps(row, allow_nan=False) for row in value) + "\n]"


def _tensor(tensor: Tensor) -> dict[str, Any]:
    shape, dtype = list(tensor.shape), str(tensor.dtype)
    row: dict[str, Any] = {"name": tensor.name, "shape": shape, "dtype": dtype, "role": tensor.role}
    if tensor.sparsity is not None:
        row["sparsity"] = tensor.sparsity.to_json()
    if tensor.stored is not None:
        stored = tensor.stored
        row["stored"] = {"codec": stored.codec, "data": str(stored.data), "meta": str(stored.meta)}
    return row


def _nest(nest: LoopNest) -> dict[str, Any]:
    operands = [
        [{"terms": [list(term) for term in axis.terms], "offset": axis.offset} for axis in axes]
        for axes in nest.operands
    ]
    return {"dims": list(nest.dims), "extents": list(nest.extents), "operands": operands}


def _item(item: Item, nests: dict[LoopNest, int]) -> dict[str, Any]:
    if isinstance(item, Op):
        return _op(item, nests)
    if isinstance(item, Region):
        return _region(item, nests)
    return _branch(item, nests)


def _op(op: Op, nests: dict[LoopNest, int]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "op": op.name,
        "kind": op.kind,
        "inputs": [_access(access) for access in op.inputs],
        "outputs": [_access(access) for access in op.outputs],
    }
    if op.nest is not None:
        row["nest"] = nests.setdefault(op.nest, len(nests))
    optional = {
        "functions": list(op.functions),
        "attributes": {name: _attribute(value) for name, value in op.attributes},
        "module": op.module,
        "source": op.source,
    }
    return row | {key: value for key, value in optional.items() if value}


def _region(region: Region, nests: dict[LoopNest, int]) -> dict[str, Any]:
    row: dict[str, Any] = {"region": region.name, "steps": region.steps}
    if region.module:
        row["module"] = region.module
    if region.carries:
        row["carries"] = [_carry(carry) for carry in region.carries]
    return row | {"body": [_item(item, nests) for item in region.body]}


def _carry(carry: Carry) -> dict[str, Any]:
    initial = carry.initial.name if carry.initial else None
    return {"state": carry.state.name, "update": carry.update.name, "initial": initial}


def _branch(branch: Branch, nests: dict[LoopNest, int]) -> dict[str, Any]:
    return {
        "branch": branch.name,
        "probability": _attribute(branch.probability),
        "taken": [_item(item, nests) for item in branch.taken],
        "otherwise": [_item(item, nests) for item in branch.otherwise],
    }


def _access(access: Access) -> str | dict[str, Any]:
    if access == access.tensor.access():
        return access.tensor.name
    row: dict[str, Any] = {
        "tensor": access.tensor.name,
        "shape": list(access.shape),
        "strides": list(access.strides),
    }
    if access.offset:
        row["offset"] = access.offset
    if access.advance:
        row["advance"] = list(access.advance)
    return row


def _attribute(value: Attribute) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}  # JSON has no spelling for it: a mask fills with -inf
    return list(value) if isinstance(value, tuple) else value
