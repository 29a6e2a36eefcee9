"""The registry of lowerings: which function turns which graph target into operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from codesign.workload.graph import Node

if TYPE_CHECKING:
    from codesign.workload.builder import Builder

Lowering: TypeAlias = "Callable[[Node, Builder], None]"
"""Lowers one node: binds each of its outputs to an access, emitting the operators it needs."""
