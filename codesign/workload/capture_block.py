"""Capture of one block of a supernet: a module of known arguments becomes a part to join."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from codesign.errors import OF_OTHERS, CaptureError, CodesignError, ModelError, one_line
from codesign.workload.capture import export, make_functional
from codesign.workload.capture_weights import read_subclasses, refuse_sparse
from codesign.workload.convert import convert_graph
from codesign.workload.supernet_part import Part, Shape, numbered, shape_of, shapes_in


def capture_block(
    build: Callable[..., nn.Module], options: Mapping[str, Any], arguments: Sequence[Any]
) -> Part:
    """Builds a block on the meta device and captures it.

    Args:
        build: makes the module.
        options: its keyword arguments.
        arguments: what the module is called with: shapes, and tuples of them.

    Raises:
        ModelError: ``build`` fails, or makes no module.
        CaptureError: the module cannot be captured as one graph.
    """
    exported = export(_on_meta(build, options), tuple(map(_example, arguments)))
    refuse_sparse(exported)
    subclasses = read_subclasses(exported)
    functional = make_functional(exported)
    graph = convert_graph(functional, {}, {}, subclasses.names)
    signature = functional.graph_signature
    names = tuple(map(str, signature.user_inputs))
    if len(names) != sum(1 for _ in shapes_in(arguments)):
        raise CaptureError("the module must take tensors, and lists of them, as it is called")
    return Part(numbered(graph), names, tuple(_results(functional)), dict(subclasses.formats))


def _on_meta(build: Callable[..., nn.Module], options: Mapping[str, Any]) -> nn.Module:
    try:
        with torch.device("meta"):
            module = build(**options)
    except CodesignError:
        raise
    except OF_OTHERS as error:  # the user's code runs here; say what it raised
        raise ModelError(f"it failed to build: {one_line(error)}") from error
    if not isinstance(module, nn.Module):
        raise ModelError(f"it must be built as a torch.nn.Module, got {type(module).__name__}")
    # legacy constructors such as torch.Tensor(n) ignore the device context
    return module.eval().to("meta")


def _example(argument: Any) -> Any:
    if not isinstance(argument, Shape):
        return tuple(map(_example, argument))
    dtype = getattr(torch, argument.format)
    return torch.empty_strided(argument.extents, argument.strides, dtype=dtype, device="meta")


def _results(exported: ExportedProgram) -> Iterator[tuple[str, Shape | None]]:
    made = {node.name: node.meta.get("val") for node in exported.graph.nodes}
    names = list(exported.graph_signature.user_outputs)
    tree = pytree.tree_unflatten(list(range(len(names))), exported.call_spec.out_spec)
    for (keys, _), name in zip(pytree.tree_flatten_with_path(tree)[0], names, strict=True):
        yield "".join(f".{_key(key)}" for key in keys), _shape(made.get(str(name)))


def _key(key: Any) -> str:
    """An index, key or field of what a module returns."""
    return str(next(getattr(key, part) for part in ("idx", "key", "name") if hasattr(key, part)))


def _shape(example: Any) -> Shape | None:
    return shape_of(example) if isinstance(example, torch.Tensor) else None
