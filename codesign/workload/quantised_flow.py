"""Activations that stay integers between two operators of a quantised graph.

A quantised export writes every operator in floating point, with a conversion back before it and
one there behind it. Where both use the same scale, and the operator only moves, picks or averages
elements, it gives the same on the integers: ``(f(s (q - z))) / s + z = f(q)``, up to rounding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, Node, Value
from codesign.workload.graph_edit import VIEWS, Uses, with_values, without_dead
from codesign.workload.liveness import base_name, operands
from codesign.workload.quantised_targets import DEQUANTISE, QUANTISE, Conversion, conversion

_ALIKE = VIEWS | {
    f"aten.{name}"
    for name in [
        "adaptive_avg_pool1d",
        "adaptive_avg_pool2d",
        "avg_pool1d",
        "avg_pool2d",
        "cat",
        "chunk",
        "clone",
        "dropout",
        "expand",
        "hardtanh",
        "max_pool1d",
        "max_pool2d",
        "max_pool3d",
        "mean",
        "relu",
        "relu6",
        "select",
        "slice",
        "upsample_nearest1d",
        "upsample_nearest2d",
    ]
}
"""Targets that give the same on integers as on what they stand for, clamps with their limits."""


def keep_integers(graph: Graph) -> Graph:
    """Drops pairs of conversions that undo each other around an operator that needs neither."""
    flow = _Flow(graph)
    values = {}
    for node in graph.nodes:
        if base_name(node.target) in QUANTISE:
            asked = conversion(node)
            if asked and _is_number(asked) and flow.is_integer(asked.source, asked):
                values[node.outputs[0].name] = flow.integers(asked.source, node.outputs[0].dtype)
    if not values:
        return graph
    changed = replace(graph, nodes=tuple(flow.nodes.get(id(node), node) for node in graph.nodes))
    return without_dead(with_values(changed, values, {}), graph)


def _is_number(asked: Conversion) -> bool:
    """Whether one scale, which the graph knows, holds for the whole tensor."""
    return not isinstance(asked.scale, Value) and not isinstance(asked.zero, Value)


class _Flow:
    """Walks from a conversion back to the integers that its operand was made from."""

    def __init__(self, graph: Graph) -> None:
        self._uses = Uses.of(graph)
        self.nodes: dict[int, Node] = {}

    def is_integer(self, value: Value, asked: Conversion) -> bool:
        """Whether a value is made of integers of the same scale and of nothing else."""
        node = self._uses.producers.get(value.name)
        if node is None:
            return False
        if base_name(node.target) in DEQUANTISE:
            found = conversion(node)
            return found is not None and found.key[:4] == asked.key[:4]
        if base_name(node.target) not in _ALIKE or len(node.outputs) != 1:
            return False
        alone = len(self._uses.of_value(value) or []) == 1
        return alone and all(self.is_integer(operand, asked) for operand in operands(node))

    def integers(self, value: Value, dtype: DType) -> Value:
        """The integers that stand for a value; the nodes on the way work on integers from now."""
        node = self._uses.producers[value.name]
        if base_name(node.target) in DEQUANTISE:
            source: Value = node.args[0]
            return source
        known = {operand.name: self.integers(operand, dtype) for operand in operands(node)}
        output = replace(node.outputs[0], dtype=dtype)
        self.nodes[id(node)] = replace(node, args=_with(node.args, known), outputs=(output,))
        return output


def _with(argument: Any, known: dict[str, Value]) -> Any:
    if isinstance(argument, Value):
        return known[argument.name]
    if isinstance(argument, (list, tuple)):
        return type(argument)(_with(part, known) for part in argument)
    return argument
