"""Tensors that are known before the model runs: they cost nothing until an operator reads them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering


def _constant(node: Node, builder: Builder, *, fill: float | None) -> None:
    builder.fold(node.outputs[0], fill)


def _full(node: Node, builder: Builder, *, position: int) -> None:
    """full, new_full, full_like and scalar_tensor: every element is one argument."""
    number = node.args[position]
    if isinstance(number, Value):
        builder.bind(node.outputs[0], view.expand(builder.access(number), node.outputs[0].shape))
        return
    builder.fold(node.outputs[0], float(number))


_FILLS = {"zeros": 0.0, "ones": 1.0, "empty": 0.0, "empty_strided": 0.0, "empty_permuted": 0.0}
_UNKNOWN = (
    "arange linspace logspace eye rand randn rand_like randn_like randint randperm "
    "hann_window hamming_window bartlett_window tril_indices triu_indices"
)


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Constant creation of aten."""
    found: dict[str, Lowering] = {}
    for name, fill in _FILLS.items():
        for form in (name, f"new_{name}", f"{name}_like"):
            found[f"aten.{form}"] = partial(_constant, fill=fill)
    for name in _UNKNOWN.split():
        found[f"aten.{name}"] = partial(_constant, fill=None)
    found["aten.full"] = partial(_full, position=1)
    found["aten.new_full"] = partial(_full, position=2)
    found["aten.full_like"] = partial(_full, position=1)
    found["aten.fill"] = partial(_full, position=1)
    found["aten.zero"] = partial(_constant, fill=0.0)
    found["aten.scalar_tensor"] = partial(_full, position=0)
    return found
