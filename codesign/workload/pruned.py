"""Pruned weights of a captured graph: a mask multiplied in is part of the weight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.graph_edit import Uses, with_values
from codesign.workload.liveness import base_name, operands

_MASK = re.compile(r"(^|[._])mask\d*$")
_PRUNED = re.compile(r"_orig$")
_PARAMETRISED = re.compile(r"(^|\.)parametrizations\.(\w+)\.original$")


@dataclass(frozen=True, slots=True)
class Pruned:
    """A graph whose products read pruned weights.

    Attributes:
        graph: the graph.
        masks: name of the mask of each weight, both by the names of their values.
    """

    graph: Graph
    masks: Mapping[str, str]


def fold_masks(graph: Graph) -> Pruned:
    """Lets what reads the product of a parameter and a stored mask read the parameter.

    ``torch.nn.utils.prune`` and parametrisations multiply the mask in at every call; what is
    deployed is the product, worked out once. A buffer is a mask if its name ends in ``mask``.
    """
    uses = Uses.of(graph)
    given = {i.value.name: i for i in graph.inputs}
    taken = {i.path for i in graph.inputs}
    values: dict[str, Value] = {}
    inputs: dict[str, GraphInput] = {}
    masks: dict[str, str] = {}
    for node in graph.nodes:
        pair = _masked(node, given, uses)
        if pair is None:
            continue
        weight, mask = pair
        path = _plain_name(weight.path)
        path = weight.path if path in taken else path
        taken.add(path)
        name = weight.value.name
        values[node.outputs[0].name] = weight.value
        inputs[name], masks[name] = replace(weight, path=path), mask.value.name
    return Pruned(with_values(graph, values, inputs) if values else graph, masks)


def _masked(
    node: Node, given: Mapping[str, GraphInput], uses: Uses
) -> tuple[GraphInput, GraphInput] | None:
    """The weight and the mask that a node multiplies, if it does no more than that."""
    pair = operands(node)
    if base_name(node.target) != "aten.mul" or len(pair) != 2:
        return None
    for value, other in (pair, pair[::-1]):
        weight, mask = given.get(value.name), given.get(other.name)
        if (
            weight is not None
            and mask is not None
            and weight.role == "weight"
            and mask.role == "constant"
            and _MASK.search(mask.path)
            and node.outputs[0].shape == value.shape
            and node.outputs[0].dtype == value.dtype
            and uses.of_value(value) == [node]
        ):
            return weight, mask
    return None


def _plain_name(path: str) -> str:
    return _PARAMETRISED.sub(r"\1\2", _PRUNED.sub("", path))
