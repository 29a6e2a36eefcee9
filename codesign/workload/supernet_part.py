"""What a captured block of a supernet is, beside its graph: how it is called and what it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from codesign.workload.dtype import DType
from codesign.workload.graph import Graph


@dataclass(frozen=True, slots=True)
class Shape:
    """A tensor that a block is called with or returns.

    Attributes:
        extents: of its axes.
        format: number format as torch calls it, such as ``float32``.
        strides: of its axes in elements; torch asks them whether a reshape has to copy.
    """

    extents: tuple[int, ...]
    format: str
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A captured block.

    Attributes:
        graph: as converted from torch, before anything is folded or lowered.
        arguments: names of the values that it is called with, in order.
        results: of each output where it stands in what the module returns, ``""`` where it returns
            one tensor and for example ``.0`` in a tuple; and its shape, None for what is no tensor.
        declared: format of stored tensors that say so themselves, by path.
    """

    graph: Graph
    arguments: tuple[str, ...]
    results: tuple[tuple[str, Shape | None], ...]
    declared: Mapping[str, DType] = field(default_factory=dict)


def shape_of(tensor: Any) -> Shape:
    """The shape of a torch tensor, a fake one too."""
    extents, strides = tuple(map(int, tensor.shape)), tuple(map(int, tensor.stride()))
    return Shape(extents, str(tensor.dtype).removeprefix("torch."), strides)


def shapes_in(arguments: Any) -> Iterator[Shape]:
    """Every shape in nested arguments, in order."""
    if isinstance(arguments, Shape):
        yield arguments
    else:
        for argument in arguments:
            yield from shapes_in(argument)


def numbered(graph: Graph) -> Graph:
    """The graph with storages numbered in order: an address would differ from run to run."""
    numbers: dict[str, str] = {}
    inputs = tuple(
        replace(given, storage=numbers.setdefault(given.storage, str(len(numbers))))
        for given in graph.inputs
    )
    return replace(graph, inputs=inputs)
