"""Who is charged for a transfer or an action: one answer for the price check and the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from codesign.hardware.component import Engine
from codesign.hardware.spec import Hardware
from codesign.mapping.codec import decoding, find_decoder

if TYPE_CHECKING:
    from codesign.hardware.plan import TilePlan
    from codesign.mapping.placement import Assignment


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


def crossing(
    one: Assignment, operand: int, size: int, is_load: bool, hardware: Hardware
) -> Iterator[tuple[str, str, int]]:
    """Component, action and count of so many bytes of a buffer that an operand loads or stores.

    Home and links count the bytes of its codec, if it has one, the engine's side plain bytes.
    """
    tensor = one.op.operands[operand].tensor
    engine = hardware.engine(one.engine)
    home, stage = one.homes[operand], one.stage(operand, engine)
    sent = tensor.home_bytes(size)
    link = find_decoder(home, stage, tensor, hardware) if is_load else None
    for name, action in way(*((home, stage) if is_load else (stage, home)), hardware):
        yield name, action, size if name == stage and link else sent
    if link:
        yield link.name, decoding(tensor), tensor.elements_in(size)


def owner(component: str, engine: Engine) -> str:
    """Who a plan means: ``""`` is its engine, ``"buffer"`` the engine's buffer, else a name."""
    return {"": engine.name, "buffer": engine.buffer}.get(component, component)


def charged(one: Assignment, plan: TilePlan, hardware: Hardware) -> Counter[tuple[str, str]]:
    """How often each (component, action) is charged: moves first, from home to the engine.

    Args:
        one: an operator on its engine, with the homes of its operands.
        plan: its tiles.
        hardware: the machine.

    Returns:
        Counts; of ``read``, ``write`` and ``move`` bytes.
    """
    engine, total = hardware.engine(one.engine), Counter[tuple[str, str]]()
    for moved, is_load in ((plan.loaded, True), (plan.stored, False)):
        for operand, size in moved.items():
            for component, action, count in crossing(one, operand, size, is_load, hardware):
                total[component, action] += count
    for component, action, count in plan.actions:
        total[owner(component, engine), action] += count
    return total
