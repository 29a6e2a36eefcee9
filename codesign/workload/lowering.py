"""The registry of lowerings: which function turns which graph target into operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from codesign.errors import OF_OTHERS, CodesignError, PluginError
from codesign.raised import raised
from codesign.workload.graph import Node

if TYPE_CHECKING:
    from codesign.workload.builder import Builder

Lowering: TypeAlias = "Callable[[Node, Builder], None]"
"""Lowers one node: binds each of its outputs to an access, emitting the operators it needs."""


def find_lowering(target: str, lowerings: Mapping[str, Lowering]) -> Lowering | None:
    """The lowering of a graph target, most specific name first.

    ``aten.add_.Tensor`` is looked up as itself, as ``aten.add_`` and, since an in-place call costs
    what the plain one does, as ``aten.add.Tensor`` and ``aten.add``.
    """
    parts = target.split(".")
    base = ".".join(parts[:2])
    names = [target, base]
    if base.endswith("_") and not base.endswith("__"):
        names += [".".join([base[:-1], *parts[2:]]), base[:-1]]
    return next((lowerings[name] for name in names if name in lowerings), None)


def run_lowering(lowering: Lowering, node: Node, builder: Builder) -> None:
    """Lets a lowering, which may be anybody's, lower a node.

    Raises:
        PluginError: it fails; with the target and where it failed.
    """
    try:
        lowering(node, builder)
    except CodesignError:
        raise
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        where = node.module or "the model itself"
        raise PluginError(
            f"the lowering of {node.target} in {where} raised {raised(error, lowering)}; mend it"
        ) from error
