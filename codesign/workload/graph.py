"""The captured graph in neutral terms: what lowerings read, with no torch in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codesign.workload.dtype import DType
from codesign.workload.record import Role


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor in the graph, before it is known whether it is stored or a view.

    Attributes:
        name: unique in its graph.
        shape: extents.
        dtype: number format.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType


@dataclass(frozen=True, slots=True)
class GraphInput:
    """A placeholder of a graph.

    Attributes:
        value: the tensor.
        role: what it is for.
        path: qualified name in the model ("layer1.0.conv1.weight") or argument path.
        storage: identity of the storage; equal for tied weights.
    """

    value: Value
    role: Role
    path: str
    storage: str


@dataclass(frozen=True, slots=True)
class Node:
    """One call in the graph.

    Attributes:
        target: name such as ``aten.linear.default`` or ``scan``.
        args: positional arguments: ``Value``, ``Graph``, numbers, strings, None, and lists of them.
        kwargs: keyword arguments.
        outputs: tensors produced; more than one where the call returns a tuple.
        module: path of the module that made the call.
    """

    target: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[Value, ...]
    module: str = ""

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """The argument at a position or of a name; ``default`` where the call leaves it out."""
        if position < len(self.args):
            return self.args[position]
        return self.kwargs.get(name, default)


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole graph or the body of a control-flow operator.

    Attributes:
        inputs: placeholders in order.
        nodes: calls in execution order.
        outputs: returned values in order (None and numbers are kept in place).
        mutations: (output value name, input value name) pairs: that input ends as that output.
    """

    inputs: tuple[GraphInput, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Any, ...]
    mutations: tuple[tuple[str, str], ...] = field(default=())
