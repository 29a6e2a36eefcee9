"""A lowering: ``my_plugin::gate(x, y)``, an operator of one's own, as one pass over memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codesign import hookimpl
from codesign.testing.examples import Example

if TYPE_CHECKING:
    from codesign.workload.builder import Builder
    from codesign.workload.graph import Node
    from codesign.workload.lowering import Lowering


def lower_gate(node: Node, builder: Builder) -> None:
    """The product of x and the sigmoid of y, elementwise."""
    inputs = [builder.access(node.argument(0, "x")), builder.access(node.argument(1, "y"))]
    output = builder.new(node.outputs[0])
    builder.emit("elementwise", inputs, [output], functions=("sigmoid", "mul"))


def gated() -> tuple[Any, tuple[Any, ...]]:
    """A module that calls the operator, and its arguments: what the conformance kit tries."""
    import torch
    from torch import library

    if not hasattr(torch.ops.my_plugin, "gate"):
        made = library.custom_op(
            "my_plugin::gate",
            lambda x, y: x * torch.sigmoid(y),
            mutates_args=(),
            schema="(Tensor x, Tensor y) -> Tensor",
        )
        made.register_fake(lambda x, _: torch.empty_like(x))

    class Gated(torch.nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> Any:
            return torch.ops.my_plugin.gate(x, y)

    return Gated(), (torch.zeros(4, 8), torch.zeros(4, 8))


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """The target of the graph, and what lowers it."""
    return {"my_plugin.gate": lower_gate}


@hookimpl
def codesign_examples() -> Mapping[str, Example]:
    """A graph that has the target."""
    return {"my_plugin.gate": Example(gated)}
