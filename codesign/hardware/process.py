"""Engines that are no plan but a SimPy generator, and what the replay hands to them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Protocol, TypeAlias


class Ports(Protocol):
    """What the replay hands to ``Engine.process``: each call returns a SimPy event to yield."""

    def load(self, operand: int, bytes: int) -> Any:
        """Starts a load of so many bytes of an operand into the engine's buffer."""

    def store(self, operand: int, bytes: int) -> Any:
        """Starts a store of so many bytes of an operand to its home."""

    def compute(self, cycles: int, clock_hz: float) -> Any:
        """Lets so many cycles pass."""

    def act(self, component: str, action: str, count: int) -> None:
        """Charges ``count`` actions, as in ``TilePlan.actions``."""


Process: TypeAlias = "Generator[Any, Any, None]"
"""What ``Engine.process`` returns."""
