"""Refuses values that no DRAM device can have, before anything runs."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from typing import TYPE_CHECKING

from codesign.errors import HardwareError
from codesign.memory.power import command_joules

if TYPE_CHECKING:
    from codesign.memory.device import Device


def check_device(device: Device) -> None:
    """Checks organisation, timings, command bus, currents, controller and mapping.

    Raises:
        HardwareError: the first rule that is broken, with the values, in one line.
    """
    _check_organisation(device)
    _check_timings(device)
    _check_bus(device)
    _check_currents(device)
    _check_costs(device)
    device.controller.check(device.name)
    device.mapping.check(device.organisation, device.name)


def _check_organisation(device: Device) -> None:
    organisation = device.organisation
    for field in fields(organisation):
        value = getattr(organisation, field.name)
        if value < 1 or value & (value - 1):
            raise HardwareError(
                f"{device.name}: organisation.{field.name} must be a power of two, got {value}"
            )
    for small, large in (
        ("device_width", "bus_width"),
        ("burst_length", "columns"),
    ):
        if getattr(organisation, small) > getattr(organisation, large):
            raise HardwareError(
                f"{device.name}: organisation.{small} must be <= {large}, got "
                f"{getattr(organisation, small)} > {getattr(organisation, large)}"
            )


_ORDER = (
    ("trcd_read", "tras"),
    ("trcd_write", "tras"),
    ("tras", "trc"),
    ("trp", "trc"),
    ("tccd_s", "tccd_l"),
    ("trrd_s", "trrd_l"),
    ("trrd_s", "tfaw"),
    ("twtr_s", "twtr_l"),
    ("trfc", "trefi"),
    ("trfc_bank", "trfc"),
)
"""A parameter and one that can never be shorter."""
_POSITIVE = ("tck_ps", "cl", "cwl", "burst", "trcd_read", "trcd_write", "trp", "tras", "trefi")


def _check_timings(device: Device) -> None:
    timings = device.timings
    for field in fields(timings):
        value = getattr(timings, field.name)
        least = 1 if field.name in _POSITIVE else -1 if field.name == "twck_hold" else 0
        if value < least:
            raise HardwareError(
                f"{device.name}: timings.{field.name} must be >= {least} clocks, got {value}"
            )
    for short, long in _ORDER:
        if getattr(timings, short) > getattr(timings, long):
            raise HardwareError(
                f"{device.name}: timings.{short} must be <= {long}, got "
                f"{getattr(timings, short)} > {getattr(timings, long)} clocks"
            )
    if 0 < timings.txs < timings.txp:
        raise HardwareError(
            f"{device.name}: timings.txs must be >= txp, or 0 for unknown, got {timings.txs} < "
            f"{timings.txp} clocks"
        )
    if timings.trc < timings.tras + timings.trp:
        raise HardwareError(
            f"{device.name}: timings.trc must be >= tras + trp, got {timings.trc} < "
            f"{timings.tras} + {timings.trp} clocks"
        )


def _check_currents(device: Device) -> None:
    for name, rail in device.rails:
        values = [(field.name, getattr(rail, field.name)) for field in fields(rail)]
        for field_name, value in values:
            if not 0 <= value < 100:
                raise HardwareError(
                    f"{device.name}: {name}.{field_name} must be 0 to 100 (V or A), got {value}"
                )
        order = ("idd2p", "idd2n", "idd3n", "idd4r")
        for low, high in pairwise(order):
            if getattr(rail, low) > getattr(rail, high):
                raise HardwareError(
                    f"{device.name}: {name}.{low} must be <= {high}, got "
                    f"{getattr(rail, low)} > {getattr(rail, high)} A"
                )


def _check_costs(device: Device) -> None:
    """What a command adds to the background is never negative."""
    costs = command_joules(device)
    used = {
        "activate": ("idd0", costs.activate),
        "read": ("idd4r", costs.read),
        "write": ("idd4w", costs.write),
        "refresh": ("idd5", costs.refresh),
        "refresh of one bank": ("idd5_bank", costs.refresh_bank),
    }
    for refresh, name in (("all_bank", "refresh"), ("per_bank", "refresh of one bank")):
        if device.controller.refresh != refresh:
            del used[name]
    for name, (field, joules) in used.items():
        if joules < 0:
            raise HardwareError(
                f"{device.name}: a {name} must cost >= 0 J beyond the background, got {joules:.3g} "
                f"over all rails; raise {field}"
            )


def _check_bus(device: Device) -> None:
    bus = device.bus
    for name in ("activate", "precharge", "column"):
        if not 1 <= getattr(bus, name) <= 16:
            raise HardwareError(
                f"{device.name}: bus.{name} must be 1 to 16 clocks, got {getattr(bus, name)}"
            )
    if device.timings.taad and (bus.separate or bus.activate != 1):
        raise HardwareError(
            f"{device.name}: timings.taad needs one command bus and bus.activate 1, got "
            f"{bus.activate}; an activate in two halves takes a slot for each"
        )
