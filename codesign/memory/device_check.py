"""Refuses values that no DRAM device can have, before anything runs."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from typing import TYPE_CHECKING

from codesign.errors import HardwareError
from codesign.memory.power import command_joules

if TYPE_CHECKING:
    from codesign.memory.device import Device


MOST_CHANNELS = 1024
"""Channels of one memory: each has queues and banks of its own in the kernel, and a window has
4,096 to 16,384 transactions of a pattern for all of them."""

MOST_CLOCKS = 1 << 24
"""A longer timing is a wrong unit; the kernel ranks what is nearer than four of them."""

_VOLTS = 0.1, 20.0
_MOST_AMPERES = 100.0


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
                f"{device.name}: organisation.{field.name} must be a power of two, got {value}; "
                f"take {1 << max(0, value).bit_length() >> 1 or 1}"
            )
    if organisation.channels > MOST_CHANNELS:
        raise HardwareError(
            f"{device.name}: organisation.channels must be <= {MOST_CHANNELS}, since each is a "
            f"controller of its own, got {organisation.channels}; lower it"
        )
    for small, large in (
        ("device_width", "bus_width"),
        ("burst_length", "columns"),
    ):
        if getattr(organisation, small) > getattr(organisation, large):
            raise HardwareError(
                f"{device.name}: organisation.{small} must be <= {large}, got "
                f"{getattr(organisation, small)} > {getattr(organisation, large)}; mend one of them"
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
                f"{device.name}: timings.{field.name} must be >= {least} clocks, got {value}; "
                "raise it"
            )
        if value > MOST_CLOCKS and field.name != "tck_ps":
            raise HardwareError(
                f"{device.name}: timings.{field.name} must be <= {MOST_CLOCKS} clocks, got "
                f"{value}; a timing counts clocks, not picoseconds"
            )
    for short, long in _ORDER:
        if getattr(timings, short) > getattr(timings, long):
            raise HardwareError(
                f"{device.name}: timings.{short} must be <= {long}, got "
                f"{getattr(timings, short)} > {getattr(timings, long)} clocks; mend one of them"
            )
    if 0 < timings.txs < timings.txp:
        raise HardwareError(
            f"{device.name}: timings.txs must be >= txp, or 0 for unknown, got {timings.txs} < "
            f"{timings.txp} clocks; raise it"
        )
    if timings.trc < timings.tras + timings.trp:
        raise HardwareError(
            f"{device.name}: timings.trc must be >= tras + trp, got {timings.trc} < "
            f"{timings.tras} + {timings.trp} clocks; raise it"
        )


def _check_currents(device: Device) -> None:
    for name, rail in device.rails:
        least, most = _VOLTS
        if not least <= rail.voltage <= most:
            raise HardwareError(
                f"{device.name}: {name}.voltage must be {least:g} to {most:g} V, got "
                f"{rail.voltage:g} V; check its unit"
            )
        for field in fields(rail):
            value = getattr(rail, field.name)
            if field.name != "voltage" and not 0 <= value <= _MOST_AMPERES:
                raise HardwareError(
                    f"{device.name}: {name}.{field.name} must be 0 to {_MOST_AMPERES:g} A, got "
                    f"{value:g} A; check its unit"
                )
        order = ("idd2p", "idd2n", "idd3n", "idd4r")
        for low, high in pairwise(order):
            if getattr(rail, low) > getattr(rail, high):
                raise HardwareError(
                    f"{device.name}: {name}.{low} must be <= {high}, got "
                    f"{getattr(rail, low)} > {getattr(rail, high)} A; mend one of them"
                )
    if device.rails and not any(rail.idd2n for _, rail in device.rails):
        names = ", ".join(f"{name}.idd2n" for name, _ in device.rails)
        raise HardwareError(
            f"{device.name}: {names} must be > 0 A on one rail, got 0, and all that is more than "
            "standby follows from it; give it, or leave out all rails"
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
                f"{device.name}: bus.{name} must be 1 to 16 clocks, got {getattr(bus, name)}; "
                "correct it"
            )
    if device.timings.taad and (bus.separate or bus.activate != 1):
        raise HardwareError(
            f"{device.name}: timings.taad needs one command bus and bus.activate 1, got "
            f"{bus.activate} since an activate in two halves takes a slot for each; leave taad out"
        )
