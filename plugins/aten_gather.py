"""Gathers and scatters by index: what is read or written are rows, never the whole table.

The table appears as an access of ``rows x width``: as many rows as the lookups can touch, from the
start of the table, since which ones they are is data. ``rows`` and ``row_bytes`` are attributes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from codesign.hookspecs import hookimpl
from codesign.workload.builder import Builder
from codesign.workload.graph import Node, Value
from codesign.workload.liveness import values_in
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access


def _rows_of(table: Access, lookups: int, width: int) -> Access:
    """``lookups`` rows of ``width`` elements of a table, at most as many as it has."""
    rows = min(lookups, max(1, table.elements // max(1, width)))
    start = table.offset if min(table.strides, default=1) >= 0 else 0
    return Access(table.tensor, (rows, width), (width, 1), start, table.advance)


def _gather(
    builder: Builder,
    table: Access,
    indices: Sequence[Access],
    output: Access,
    size: tuple[int, int],
    functions: Sequence[str] = (),
) -> None:
    lookups, width = size
    builder.emit(
        "gather",
        [_rows_of(table, lookups, width), *indices],
        [output],
        functions=functions,
        rows=lookups,
        row_bytes=table.tensor.dtype.storage_bytes(width),
    )


def _embedding(node: Node, builder: Builder) -> None:
    """``embedding(weight, indices)``."""
    table, indices = (builder.access(value) for value in node.args[:2])
    output = builder.new(node.outputs[0])
    _gather(builder, table, [indices], output, (math.prod(indices.shape), table.shape[1]))


def _embedding_bag(node: Node, builder: Builder) -> None:
    """``embedding_bag(weight, indices, offsets, ...)``: rows are looked up, then combined."""
    table = builder.access(node.args[0])
    lookups = math.prod(node.args[1].shape)
    indices = [builder.access(v) for v in values_in(node.args[1:3])]
    mode = ("sum", "mean", "max")[node.argument(4, "mode", 0)]
    output = builder.new(node.outputs[0])
    _gather(builder, table, indices, output, (lookups, table.shape[1]), (mode,))


def _run(access: Access, axis: int) -> int:
    """Elements behind one position of ``axis``: the adjacent run that a lookup fetches."""
    return math.prod(access.shape[axis + 1 :])


def _index_select(node: Node, builder: Builder) -> None:
    """``index_select(input, axis, index)``."""
    table, index = builder.access(node.args[0]), builder.access(node.args[2])
    output = builder.new(node.outputs[0])
    width = _run(table, node.args[1] % max(1, len(table.shape)))
    _gather(builder, table, [index], output, (_lookups(output, width), width))


def _gather_axis(node: Node, builder: Builder) -> None:
    """``gather(input, axis, index)`` and take: one element per lookup."""
    table, output = builder.access(node.args[0]), builder.new(node.outputs[0])
    indices = [builder.access(v) for v in values_in(node.args[1:])]
    _gather(builder, table, indices, output, (_lookups(output, 1), 1))


def _index(node: Node, builder: Builder) -> None:
    """``input[i, :, j]``: axes behind the last index are fetched together."""
    table, output = builder.access(node.args[0]), builder.new(node.outputs[0])
    indices = [builder.access(v) for v in values_in(node.args[1])]
    width = _run(table, _last_index(node.args[1]))
    _gather(builder, table, indices, output, (_lookups(output, width), width))


def _last_index(indices: Sequence[Any]) -> int:
    return max(axis for axis, index in enumerate(indices) if isinstance(index, Value))


def _lookups(output: Access, width: int) -> int:
    return math.prod(output.shape) // max(1, width)


def _scatter(
    builder: Builder, node: Node, inputs: Sequence[Any], size: tuple[int, int], functions: Any = ()
) -> None:
    """Writes rows into the first argument, in place where nobody needs its old content."""
    lookups, width = size
    target = builder.updatable(node.args[0])
    rows = _rows_of(target, lookups, width)
    sources = [builder.access(v) for v in values_in(list(inputs))]
    builder.emit(
        "scatter",
        [*sources, *([rows] if functions else [])],
        [rows],
        functions=functions,
        rows=lookups,
        row_bytes=target.tensor.dtype.storage_bytes(width),
    )
    builder.bind(node.outputs[0], target)


def _index_put(node: Node, builder: Builder) -> None:
    """``index_put(input, indices, values, accumulate)``."""
    table = builder.access(node.args[0])
    indices, values = node.args[1:3]
    last = _last_index(indices)
    width = _run(table, last)
    kept = math.prod(table.shape[axis] for axis in range(last) if indices[axis] is None)
    picked = math.prod(_broadcast([v.shape for v in values_in(indices)]))
    functions = ("add",) if node.argument(3, "accumulate", False) else ()
    _scatter(builder, node, [values, indices], (picked * kept, width), functions)


def _broadcast(shapes: Sequence[Sequence[int]]) -> list[int]:
    rank = max(map(len, shapes))
    padded = [[1] * (rank - len(shape)) + list(shape) for shape in shapes]
    return [max(extents) for extents in zip(*padded, strict=True)]


def _index_copy(node: Node, builder: Builder, *, functions: Sequence[str] = ()) -> None:
    """``index_copy(input, axis, index, source)``, also index_add and index_fill."""
    table = builder.access(node.args[0])
    _, axis, index, source = node.args[:4]
    axis %= max(1, len(table.shape))
    width = _run(table, axis)
    lookups = math.prod(index.shape) * math.prod(table.shape[:axis])
    _scatter(builder, node, [source, index], (lookups, width), tuple(functions))


def _scatter_axis(node: Node, builder: Builder, *, functions: Sequence[str] = ()) -> None:
    """``scatter(input, axis, index, source)``: one element per index."""
    index, source = node.args[2:4]
    lookups = math.prod(index.shape)
    _scatter(builder, node, [source, index], (lookups, 1), tuple(functions))


def _scatter_reduce(node: Node, builder: Builder) -> None:
    """``scatter_reduce(input, axis, index, source, reduce)``; the reduction by its plain name."""
    _scatter_axis(node, builder, functions=(str(node.args[4]).removeprefix("a"),))


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Gathers and scatters of aten."""
    found: dict[str, Lowering] = {
        "embedding": _embedding,
        "embedding_bag": _embedding_bag,
        "_embedding_bag": _embedding_bag,
        "_embedding_bag_forward_only": _embedding_bag,
        "index_select": _index_select,
        "gather": _gather_axis,
        "take_along_dim": _gather_axis,
        "take": _gather_axis,
        "index": _index,
        "_unsafe_index": _index,
        "index_put": _index_put,
        "_unsafe_index_put": _index_put,
        "index_copy": _index_copy,
        "index_fill": _index_copy,
        "index_add": partial(_index_copy, functions=("add",)),
        "scatter": _scatter_axis,
        "scatter_add": partial(_scatter_axis, functions=("add",)),
        "scatter_reduce": _scatter_reduce,
    }
    return {f"aten.{name}": lowering for name, lowering in found.items()}
