"""Joining captured blocks: their graphs become one, as if the whole model had been captured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codesign.errors import CaptureError
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.graph_edit import without_dead
from codesign.workload.liveness import values_in
from codesign.workload.record import Role
from codesign.workload.supernet_part import Part


class Joint:
    """A graph that grows block by block.

    Attributes:
        declared: format of stored tensors that say so themselves, by path.
    """

    def __init__(self) -> None:
        self.declared: dict[str, DType] = {}
        self._given: dict[str, Value] = {}
        self._stored: list[GraphInput] = []
        self._results: list[Value] = []
        self._nodes: list[Node] = []
        self._states: list[tuple[str, str]] = []
        self._changed: dict[str, Value] = {}

    def given(self, name: str, shape: tuple[int, ...], dtype: DType) -> Value:
        """A new input of the network."""
        value = Value(f":{name}", shape, dtype)
        self._given[value.name] = value
        return value

    def add(self, name: str, part: Part, arguments: Sequence[Value]) -> tuple[Any, ...]:
        """Appends a block.

        Args:
            name: of the block; it comes before all names in it.
            part: the block.
            arguments: what it is called with.

        Returns:
            What the block gives, in order; what is no tensor as it is.

        Raises:
            CaptureError: the block writes into what another block made.
        """
        graph = part.graph
        given = [self._changed.get(value.name, value) for value in arguments]
        names = _Names(name, dict(zip(part.arguments, given, strict=True)))
        self._stored += [
            names.stored(one) for one in graph.inputs if one.value.name not in part.arguments
        ]
        self._nodes += map(names.node, graph.nodes)
        self.declared |= {f"{name}.{path}": dtype for path, dtype in part.declared.items()}
        self._write(part, names, arguments)
        results = tuple(map(names.argument, graph.outputs))
        self._results += values_in(results)
        return results

    @property
    def formats(self) -> set[DType]:
        """Number formats of the parameters of all blocks."""
        return {given.value.dtype for given in self._stored if given.role == "weight"}

    def graph(self, outputs: Sequence[Value], roles: Mapping[str, Role]) -> Graph:
        """The whole graph, without what only results that nobody reads need.

        Args:
            outputs: what the network returns.
            roles: of inputs of the network by their names, where the user gave one.
        """
        # parameters, then buffers, then inputs, as torch orders those of a whole model
        stored = sorted(self._stored, key=lambda one: one.role != "weight")
        given = tuple(self._input(value, roles) for value in self._given.values())
        ends = tuple(self._changed.get(value.name, value) for value in outputs)
        changed = tuple((value.name, name) for name, value in self._changed.items())
        nodes, mutations = tuple(self._nodes), (*self._states, *changed)
        before = Graph((*stored, *given), nodes, (*self._results, *ends), mutations)
        return without_dead(replace(before, outputs=ends), before)

    def _input(self, value: Value, roles: Mapping[str, Role]) -> GraphInput:
        path = value.name.removeprefix(":")
        default: Role = "state" if value.name in self._changed else "input"
        return GraphInput(value, roles.get(path, default), path, value.name)

    def _write(self, part: Part, names: _Names, arguments: Sequence[Value]) -> None:
        """Notes what the block leaves changed: buffers of its own, and inputs of the network."""
        given = dict(zip(part.arguments, arguments, strict=True))
        for output, target in part.graph.mutations:
            value = names.known[output]
            if target not in given:
                self._states.append((value.name, names.spelled(target)))
            elif given[target].name in self._given:
                self._changed[given[target].name] = value
            else:
                raise CaptureError(
                    "it writes into a tensor that another block made; let it return the new values"
                )


@dataclass(slots=True)
class _Names:
    """The names of one block in the whole graph."""

    block: str
    known: dict[str, Value]

    def spelled(self, name: str) -> str:
        return f"{self.block}:{name}"

    def value(self, value: Value) -> Value:
        found = self.known.get(value.name)
        if found is None:
            found = Value(self.spelled(value.name), value.shape, value.dtype)
            self.known[value.name] = found
        return found

    def stored(self, given: GraphInput) -> GraphInput:
        return GraphInput(
            self.value(given.value),
            given.role,
            f"{self.block}.{given.path}",
            self.spelled(given.storage),
        )

    def node(self, node: Node) -> Node:
        return Node(
            node.target,
            tuple(map(self.argument, node.args)),
            {key: self.argument(value) for key, value in node.kwargs.items()},
            tuple(map(self.value, node.outputs)),
            self.module(node.module),
        )

    def argument(self, argument: Any) -> Any:
        if isinstance(argument, Value):
            return self.value(argument)
        if isinstance(argument, list):
            return [self.argument(part) for part in argument]
        if isinstance(argument, dict):
            return {key: self.argument(part) for key, part in argument.items()}
        return self.body(argument) if isinstance(argument, Graph) else argument

    def body(self, graph: Graph) -> Graph:
        """The body of a control-flow operator, whose values are known in it alone.

        A node of no module has none there either: it is named after the operator around it.
        """
        nodes = tuple(
            replace(
                node,
                args=tuple(map(self._inner, node.args)),
                kwargs={key: self._inner(value) for key, value in node.kwargs.items()},
                module=node.module and self.module(node.module),
            )
            for node in graph.nodes
        )
        return replace(graph, nodes=nodes)

    def _inner(self, argument: Any) -> Any:
        return self.body(argument) if isinstance(argument, Graph) else argument

    def module(self, path: str) -> str:
        return f"{self.block}.{path}" if path else self.block
