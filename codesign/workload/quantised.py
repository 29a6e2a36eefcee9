"""Quantised weights of a captured graph: stored integers are read with the width that they have.

A weight that the graph turns into floating-point numbers before a product is stored as integers,
and a machine reads those. The conversion disappears into its reader, and the stored tensor takes
the format that the conversion states: bits from the range of the integers, and the scales and zero
points as what the elements of a block share. Without this a weight of 4 bits would be counted as
the 8 of the container it travels in, and again as the 32 of what it is turned into.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.graph_edit import STORED, VIEWS, Uses, with_values, without_unread
from codesign.workload.liveness import base_name
from codesign.workload.quantised_targets import (
    DEQUANTISE,
    conversion,
    is_float_cast,
    with_scales,
)

_PRODUCTS = frozenset(
    f"aten.{name}"
    for name in [
        "linear",
        "matmul",
        "mm",
        "bmm",
        "addmm",
        "baddbmm",
        "einsum",
        "conv1d",
        "conv2d",
        "conv3d",
        "convolution",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "embedding",
    ]
)
_NARROW = 8
_FROZEN = re.compile(r"_frozen_param\d+$")
_ARGUMENTS = ("", "weight", "bias")
# what the name of a format in a trace has room for
_MOST_BLOCK, _MOST_SCALE_BITS = 99_999, 99


@dataclass(frozen=True, slots=True)
class Zeros:
    """What stands for zero in the elements of a folded weight.

    Attributes:
        point: name of the input with the zero points, a number, or None for 0.
        block: extents of the part of the weight that shares one.
    """

    point: str | int | None
    block: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One place where stored integers become numbers.

    Attributes:
        output: the numbers.
        data: the integers in the same shape.
        dtype: their true format.
        zeros: what stands for zero in them.
    """

    output: Value
    data: Value
    dtype: DType
    zeros: Zeros


@dataclass(frozen=True, slots=True)
class Folded:
    """A graph whose products read stored integers.

    Attributes:
        graph: the graph.
        zeros: for each folded input by the name of its value.
        notes: what could not be told.
    """

    graph: Graph
    zeros: Mapping[str, Zeros]
    notes: Sequence[str] = ()


def fold_weights(graph: Graph, declared: Mapping[str, DType] | None = None) -> Folded:
    """Lets the readers of dequantised weights read what is stored.

    Args:
        graph: the captured graph.
        declared: format of the elements by path of an input, where the model itself states it:
            the bits of a tensor subclass count before the range that a conversion states, and that
            before the format of the container.
    """
    uses = Uses.of(graph)
    values: dict[str, Value] = {}
    inputs: dict[str, GraphInput] = {}
    zeros: dict[str, Zeros] = {}
    notes: list[str] = []
    for group in _by_storage(graph):
        readings = list(_readings(group, uses, (declared or {}).get(group[0].path)))
        if not readings or None in readings:
            continue
        found = [reading for reading in readings if reading]
        if len({(reading.dtype, reading.zeros) for reading in found}) > 1:
            continue
        dtype, told = _in_bounds(found[0].dtype, group[0].path)
        notes += told
        values |= {reading.output.name: reading.data for reading in found}
        for given in group:
            new = replace(given.value, dtype=dtype)
            inputs[new.name] = replace(given, value=new, role="weight")
            zeros[new.name] = found[0].zeros
    if not values:
        return Folded(graph, {})
    changed = _named(without_unread(with_values(graph, values, inputs)))
    return Folded(changed, zeros, notes)


def _by_storage(graph: Graph) -> Iterator[list[GraphInput]]:
    """Stored inputs, tied ones together."""
    groups: dict[str, list[GraphInput]] = {}
    for given in graph.inputs:
        if given.role in STORED:
            groups.setdefault(given.storage, []).append(given)
    yield from groups.values()


def _readings(
    group: Sequence[GraphInput], uses: Uses, declared: DType | None
) -> Iterator[_Reading | None]:
    """Every place where the data of some tied inputs become numbers; None for any other use."""
    for given in group:
        pending = [given.value]
        while pending:
            value = pending.pop()
            readers = uses.of_value(value)
            if readers is None:
                yield None
                return
            for node in readers:
                if base_name(node.target) in VIEWS:
                    pending += node.outputs
                else:
                    yield _reading(node, value, declared, uses)


def _reading(node: Node, value: Value, declared: DType | None, uses: Uses) -> _Reading | None:
    if base_name(node.target) in DEQUANTISE:
        found = conversion(node)
        if found is None or found.source != value:
            return None
        dtype = found.stored(declared or value.dtype, is_known=declared is not None)
        point = found.zero
        zero = uses.origin(point).name if isinstance(point, Value) else point
        output = _after_cast(node.outputs[0], uses)
        return _Reading(output, value, dtype, Zeros(zero, found.block))
    if is_float_cast(node) and value.dtype.bits <= _NARROW and value.dtype.kind != "bool":
        return _spelled_out(node.outputs[0], value, declared or value.dtype, uses)
    return None


def _after_cast(value: Value, uses: Uses) -> Value:
    """What a conversion is turned into right away, if that is all that happens to it."""
    readers = uses.of_value(value)
    if readers and len(readers) == 1 and is_float_cast(readers[0]):
        return readers[0].outputs[0]
    return value


def _spelled_out(cast: Value, data: Value, dtype: DType, uses: Uses) -> _Reading | None:
    """A conversion written as a cast, and perhaps a product with stored scales, before products."""
    readers = uses.of_value(cast) or []
    if len(readers) == 1 and base_name(readers[0].target) == "aten.mul":
        others = [value for value in readers[0].args if value != cast]
        scale = others[0] if others and isinstance(others[0], Value) else None
        if scale is None or not _is_stored(scale, uses):
            return None
        scaled = with_scales(dtype, math.prod(data.shape), uses.origin(scale), None)
        cast = _after_cast(readers[0].outputs[0], uses)
        readers, dtype = uses.of_value(cast) or [], scaled
    if not readers or any(base_name(node.target) not in _PRODUCTS for node in readers):
        return None
    return _Reading(cast, data, dtype, Zeros(None, data.shape))


def _is_stored(value: Value, uses: Uses) -> bool:
    return uses.origin(value).name not in uses.producers


def _in_bounds(dtype: DType, path: str) -> tuple[DType, list[str]]:
    """The format without scales that its name has no room for, and what to say of that."""
    if dtype.block <= _MOST_BLOCK and dtype.scale_bits <= _MOST_SCALE_BITS:
        return dtype, []
    note = f"{path}: {dtype.scale_bits} bits of scale for every {dtype.block} elements not counted"
    return DType(dtype.kind, dtype.bits), [note]


def _named(graph: Graph) -> Graph:
    """The graph with the weights that an exporter has numbered named after their module."""
    taken = {given.path for given in graph.inputs}
    uses = Uses.of(graph)
    named = {}
    for given in graph.inputs:
        path = _name_from_reader(given.value, uses) if _FROZEN.search(given.path) else None
        if path and path not in taken:
            taken.add(path)
            named[given.value.name] = replace(given, path=path)
    return with_values(graph, {}, named)


def _name_from_reader(value: Value, uses: Uses) -> str | None:
    for node in uses.readers.get(value.name, []):
        positions = [n for n, argument in enumerate(node.args) if argument == value]
        if node.module and positions and 0 < positions[0] < len(_ARGUMENTS):
            return f"{node.module}.{_ARGUMENTS[positions[0]]}"
    return None
