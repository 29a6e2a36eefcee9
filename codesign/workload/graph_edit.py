"""Changing a captured graph before it is lowered: values that are other values, inputs that go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.liveness import base_name, operands, values_in

VIEWS = frozenset(
    f"aten.{name}"
    for name in [
        "alias",
        "contiguous",
        "detach",
        "flatten",
        "permute",
        "reshape",
        "squeeze",
        "t",
        "transpose",
        "unflatten",
        "unsqueeze",
        "view",
        "_unsafe_view",
    ]
)
"""Targets that show all elements of one tensor in another shape or order."""
GUARDS = frozenset(f"aten.{name}" for name in ("_assert_tensor_metadata", "_assert_async"))
"""Targets that check what they read and make nothing."""
STORED = ("weight", "constant")
"""Roles of what is there before the model runs."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Who makes and who reads the values of a graph.

    Attributes:
        producers: node by the name of what it makes.
        readers: nodes by the name of what they read; guards do not count.
        ends: names of what the graph returns or writes back.
    """

    producers: Mapping[str, Node]
    readers: Mapping[str, list[Node]]
    ends: frozenset[str]

    @classmethod
    def of(cls, graph: Graph) -> Uses:
        """The uses in a graph, bodies of control flow not opened."""
        readers: dict[str, list[Node]] = {}
        for node in graph.nodes:
            if base_name(node.target) not in GUARDS:
                for name in dict.fromkeys(value.name for value in operands(node)):
                    readers.setdefault(name, []).append(node)
        ends = {value.name for value in values_in(graph.outputs)}
        ends |= {name for pair in graph.mutations for name in pair}
        producers = {value.name: node for node in graph.nodes for value in node.outputs}
        return cls(producers, readers, frozenset(ends))

    def of_value(self, value: Value) -> list[Node] | None:
        """The nodes that read a value; None where the graph also returns it."""
        return None if value.name in self.ends else self.readers.get(value.name, [])

    def origin(self, value: Value) -> Value:
        """The value that this one is a view of, or itself."""
        while (node := self.producers.get(value.name)) and base_name(node.target) in VIEWS:
            value = node.args[0]
        return value


def with_values(
    graph: Graph, values: Mapping[str, Value], inputs: Mapping[str, GraphInput]
) -> Graph:
    """The graph with other values in the place of some, and without what nobody reads any more.

    Args:
        graph: what to change.
        values: what comes in the place of a value, by its name; a node goes if all of its outputs
            are replaced, and a guard if what it checks is.
        inputs: what comes in the place of an input, by the name of its value.
    """
    full = {**{name: new.value for name, new in inputs.items()}, **values}
    nodes = [
        replace(node, args=_put(node.args, full), kwargs=_put(dict(node.kwargs), full))
        for node in graph.nodes
        if not node.outputs or any(value.name not in values for value in node.outputs)
    ]
    changed = replace(
        graph,
        inputs=tuple(inputs.get(given.value.name, given) for given in graph.inputs),
        nodes=tuple(nodes),
        outputs=_put(graph.outputs, full),
    )
    return without_dead(changed, graph)


def without_dead(graph: Graph, before: Graph) -> Graph:
    """The graph without the nodes and stored inputs that were read before and are no more.

    Args:
        graph: a changed graph.
        before: the graph as it was.
    """
    read, needed = _read(before), _read(replace(graph, nodes=()))
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        names = {value.name for value in node.outputs}
        if names and names & read and not names & needed:
            continue
        kept.append(node)
        if base_name(node.target) not in GUARDS:
            needed |= {value.name for value in operands(node)}
    lost = read - needed
    return replace(
        graph,
        inputs=tuple(i for i in graph.inputs if i.role not in STORED or i.value.name not in lost),
        nodes=tuple(node for node in reversed(kept) if not _is_guard_of(node, lost)),
    )


def without_unread(graph: Graph) -> Graph:
    """The graph without the stored inputs that nothing reads."""
    read = _read(graph)
    kept = (g for g in graph.inputs if g.role not in STORED or g.value.name in read)
    return replace(graph, inputs=tuple(kept))


def _is_guard_of(node: Node, names: set[str]) -> bool:
    is_guard = base_name(node.target) in GUARDS
    return is_guard and any(value.name in names for value in operands(node))


def _read(graph: Graph) -> set[str]:
    nodes = (node for node in graph.nodes if base_name(node.target) not in GUARDS)
    found = {value.name for node in nodes for value in operands(node)}
    found |= {value.name for value in values_in(graph.outputs)}
    return found | {name for pair in graph.mutations for name in pair}


def _put(argument: Any, values: Mapping[str, Value]) -> Any:
    """A nested argument with the values replaced, and their replacements in turn."""
    if isinstance(argument, Value):
        new = values.get(argument.name, argument)
        return argument if new == argument else _put(new, values)
    if isinstance(argument, (list, tuple)):
        return type(argument)(_put(part, values) for part in argument)
    if isinstance(argument, dict):
        return {key: _put(part, values) for key, part in argument.items()}
    return argument
