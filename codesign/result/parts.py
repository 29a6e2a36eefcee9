"""What a reader of a saved result has to know of each component, without the code of its kind."""

from __future__ import annotations

from typing import Any

from codesign.hardware.component import Component, Engine, Link, Memory
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.replay.run import Replay
from codesign.result.utilization import peak_bytes_per_s


def component_rows(machine: Hardware, placement: Placement, replay: Replay) -> list[dict[str, Any]]:
    """One row for each component: what it is, its peak, and how wrong its model is known to be.

    ``sort`` is ``engine``, ``memory`` or ``link``. ``macs_per_s`` of an engine is the most
    multiply-accumulate slots that it issued in a second of computing in any of its operators, used
    or not; null if it has booked none. ``bytes_per_s`` of a memory is what its utilisation refers
    to, of a link the rate of one channel. ``states`` of a memory with power states are
    picoseconds in each.

    Args:
        machine: the hardware.
        placement: what ran on it.
        replay: how it ran.
    """
    issued = _issue_rates(placement)
    rows = [_row(part, issued) for part in machine.components.values()]
    for row in rows:
        if row["name"] in replay.uses:
            row["states"] = dict(replay.uses[row["name"]].ticks)
    return rows


def _row(part: Component, issued: dict[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": part.name, "kind": part.kind, "notes": list(part.notes)}
    if isinstance(part, Engine):
        rate = issued.get(part.name)
        return row | {"sort": "engine", "buffer": part.buffer, "macs_per_s": rate}
    if isinstance(part, Link):
        joins = list(part.connects)
        return row | {"sort": "link", "connects": joins, "bytes_per_s": part.bytes_per_s}
    if not isinstance(part, Memory):
        return row | {"sort": "other"}
    row |= {"sort": "memory", "off_chip": part.off_chip, "size_bytes": part.size}
    row["bytes_per_s"] = peak_bytes_per_s(part)
    if part.bank_device is not None:
        shape = part.bank_device.organisation
        row |= {"device": part.bank_device.name, "channels": shape.channels}
        row["burst_bytes"] = shape.transaction_bytes
    return row


def _issue_rates(placement: Placement) -> dict[str, float]:
    found: dict[str, float] = {}
    for one, _ in placement.assignments():
        if one.plan is None or not one.plan.slots or not one.plan.cycles:
            continue
        issued = sum(count for _, count in one.plan.slots)
        rate = issued * one.plan.clock_hz / one.plan.cycles
        found[one.engine] = max(found.get(one.engine, 0.0), float(rate))
    return found
