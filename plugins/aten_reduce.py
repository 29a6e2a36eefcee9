"""Reductions over whole axes: reduced axes are last in the access, ``width`` counts them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node
from codesign.workload.lowering import Lowering

_AXES_SECOND = "sum nansum mean nanmean amax amin prod any all logsumexp argmax argmin median mode"
_RENAMED = {"amax": "max", "amin": "min", "nanmean": "mean", "nansum": "sum"}


def _reduce(node: Node, builder: Builder, *, function: str, position: int = 1) -> None:
    """Reduces the axes that an argument lists, all of them if it lists none.

    Args:
        node: the call.
        builder: what it is lowered with.
        function: name of the reduction.
        position: which argument holds the axes.
    """
    axes = node.argument(position, "dim")
    _emit(node, builder, function, axes)


def _extreme(node: Node, builder: Builder, *, function: str) -> None:
    """``max.dim`` and ``min.dim`` give values and indices; without an axis one value."""
    _emit(node, builder, function, node.argument(1, "dim"))


def _norm(node: Node, builder: Builder) -> None:
    """``linalg_vector_norm(input, order, axes)`` and ``norm(input, order, axes)``."""
    _emit(node, builder, "norm", node.argument(2, "dim"))


def _emit(node: Node, builder: Builder, function: str, axes: Any) -> None:
    source = builder.access(node.args[0])
    reduced = _positions(axes, len(source.shape))
    kept = [axis for axis in range(len(source.shape)) if axis not in reduced]
    outputs = [builder.new(value) for value in node.outputs if builder.is_used(value)]
    if not outputs:
        return
    builder.emit(
        "reduce",
        [view.permute(source, [*kept, *reduced])],
        outputs,
        functions=(function,),
        width=math.prod(source.shape[axis] for axis in reduced),
    )


def _positions(axes: Any, rank: int) -> list[int]:
    if axes is None or axes == []:
        return list(range(rank))
    listed: Sequence[int] = [axes] if isinstance(axes, int) else axes
    return sorted({axis % rank for axis in listed if rank})


def _histogram(node: Node, builder: Builder) -> None:
    """Histc and bincount: each element is put into one of the bins."""
    source = builder.access(node.args[0])
    output = builder.new(node.outputs[0])
    builder.emit(
        "reduce", [source], [output], functions=("histogram",), width=math.prod(source.shape)
    )


def _sort(node: Node, builder: Builder, *, function: str, position: int) -> None:
    """Sorts rows: the sorted axis is last in every access. An unused result is not written."""
    source = builder.access(node.args[0])
    rank = len(source.shape)
    axis = node.argument(position, "dim", -1) % rank if rank else 0
    order = [i for i in range(rank) if i != axis] + [axis] * bool(rank)
    written = [builder.new(value) for value in node.outputs if builder.is_used(value)]
    # kthvalue drops the axis unless told to keep it
    whole = [view.unsqueeze(one, axis) if len(one.shape) < rank else one for one in written]
    outputs = [view.permute(one, order) for one in whole]
    width = source.shape[axis] if rank else 1
    keep = outputs[0].shape[-1] if outputs and rank else width
    inputs = [view.permute(source, order)]
    builder.emit("sort", inputs, outputs, functions=(function,), width=width, keep=keep)


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Reductions and sorts of aten."""
    found: dict[str, Lowering] = {
        name: partial(_reduce, function=_RENAMED.get(name, name)) for name in _AXES_SECOND.split()
    }
    found |= {name: partial(_reduce, function="var") for name in ("var", "std", "var_mean")}
    found |= {
        "nansum": partial(_reduce, function="sum"),
        "nanmean": partial(_reduce, function="mean"),
    }
    found |= {name: partial(_extreme, function=name) for name in ("max", "min")}
    found |= dict.fromkeys(("linalg_vector_norm", "norm"), _norm)
    found |= dict.fromkeys(("histc", "bincount"), _histogram)
    found["sort"] = partial(_sort, function="sort", position=1)
    found["argsort"] = partial(_sort, function="sort", position=1)
    found["sort.stable"] = partial(_sort, function="sort", position=2)
    found["argsort.stable"] = partial(_sort, function="sort", position=2)
    found["topk"] = partial(_sort, function="topk", position=2)
    found["kthvalue"] = partial(_sort, function="topk", position=2)
    return {f"aten.{name}": lowering for name, lowering in found.items()}
