"""Who is charged for a transfer or an action: one answer for the price check and the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from codesign.hardware.component import Engine
from codesign.hardware.spec import Hardware


def way(source: str, target: str, hardware: Hardware) -> Iterator[tuple[str, str]]:
    """(component, action) of a transfer between two memories; nothing within one.

    It charges the memory it leaves, the links and memories it crosses, and the memory it reaches.
    """
    if source == target:
        return
    yield source, "read"
    yield from ((link, "move") for link in hardware.route(source, target))
    for memory in hardware.crossed(source, target):
        yield memory, "write"
        yield memory, "read"
    yield target, "write"


def owner(component: str, engine: Engine) -> str:
    """Who a plan means: ``""`` is its engine, ``"buffer"`` the engine's buffer, else a name."""
    return {"": engine.name, "buffer": engine.buffer}.get(component, component)
