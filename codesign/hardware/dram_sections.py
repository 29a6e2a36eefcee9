"""The sections of a DRAM device file and the device that they make up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from codesign.errors import HardwareError, UnitError, did_you_mean
from codesign.hardware.dram_values import (
    Schema,
    amperes,
    clocks,
    joules_per_bit,
    picoseconds,
    read_section,
    schema,
    text,
    volts,
)
from codesign.hardware.refusals import Lines
from codesign.memory.controller import Controller
from codesign.memory.device import CommandBus, Device, Organisation, Rail, Timings
from codesign.memory.mapping import FIELDS, AddressMapping, Xor

SECTIONS = ("organisation", "timings", "command_bus", "mapping", "controller", "rails", "io")
"""All of them are required: what a file leaves out, it leaves out by name."""

ABSENT = (
    "burst_long",
    "trp_all",
    "tccd_s_write",
    "tccd_l_write",
    "tppd",
    "trfc_bank",
    "trrefd",
    "taad",
    "twck_hold",
    "idd5_bank",
)
"""Keys that stand for a thing that the device does not have when the file leaves them out."""

MOST_BANKS = 2**20
"""Banks of all channels: a run keeps the state of each."""
MOST_BYTES = 2**60
"""Largest memory, as in hardware files."""

_LIMITS = ("trefi", "taad")
"""Timings that are the longest allowed, not the shortest."""
_XOR = re.compile(r"(\w\w) \^= (\w\w) >> ([0-9]{1,2})")
_RAIL_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")
_MAPPING: Schema = {"fields": (text, True), "xors": (lambda value: _xors(value), False)}
_IO: Schema = {"energy": (joules_per_bit, True)}
_RAIL: Schema = {
    key: (volts if key == "voltage" else amperes, needed)
    for key, (_, needed) in schema(Rail).items()
}


def build_device(name: str, values: Mapping[str, object], lines: Lines) -> Device:
    """Makes a device of the plain values of all sections.

    Args:
        name: of the device.
        values: of each section.
        lines: places in the file.

    Raises:
        HardwareError: see ``dram_values.read_section``.
    """
    mapping = read_section(("mapping",), values["mapping"], _MAPPING, lines)
    return Device(
        name=name,
        organisation=_organisation(values, lines),
        timings=_timings(values["timings"], lines),
        bus=CommandBus(**_section("command_bus", CommandBus, values, lines)),
        mapping=AddressMapping(
            AddressMapping.parse(mapping["fields"]).fields, mapping.get("xors", ())
        ),
        controller=Controller(**_section("controller", Controller, values, lines)),
        rails=_rails(values["rails"], lines),
        io_j_per_bit=read_section(("io",), values["io"], _IO, lines)["energy"],
    )


def defaults(device: Device) -> dict[str, object]:
    """Value of every optional key, by ``section.key``, as in the device."""
    parts = {
        "organisation": device.organisation,
        "timings": device.timings,
        "command_bus": device.bus,
        "controller": device.controller,
    }
    parts |= {f"rails.{name}": rail for name, rail in device.rails}
    return {
        f"{section}.{key}": getattr(part, key)
        for section, part in parts.items()
        for key, (_, is_required) in schema(type(part)).items()
        if not is_required
    }


def _organisation(values: Mapping[str, object], lines: Lines) -> Organisation:
    made = Organisation(**_section("organisation", Organisation, values, lines))
    banks = made.channels * made.channel_ranks * made.rank_banks
    if banks > MOST_BANKS or made.capacity_bytes > MOST_BYTES:
        place = lines.place(("organisation",))
        raise HardwareError(
            f"{place}organisation must have at most {MOST_BANKS:,} banks and 1 EiB, got {banks:,} "
            f"banks and {made.capacity_bytes:,} B; make it smaller"
        )
    return made


def _section(
    name: str, cls: type[Any], values: Mapping[str, object], lines: Lines
) -> dict[str, Any]:
    return read_section((name,), values[name], schema(cls), lines)


def _timings(values: object, lines: Lines) -> Timings:
    """The clock first: it turns times into clocks."""
    tck: Schema = {"tck": (picoseconds, True)}
    given = values if isinstance(values, dict) else {}
    clock = {key: value for key, value in given.items() if key == "tck"}
    tck_ps = read_section(("timings",), clock if given else values, tck, lines)["tck"]
    keys = {
        key: (partial(clocks, tck_ps=tck_ps, is_limit=key in _LIMITS), needed)
        for key, (_, needed) in _TIMINGS.items()
    }
    read = read_section(("timings",), values, {**tck, **keys}, lines)
    return Timings(tck_ps=read.pop("tck"), **read)


_TIMINGS: Schema = {key: rule for key, rule in schema(Timings).items() if key != "tck_ps"}


def _rails(values: object, lines: Lines) -> tuple[tuple[str, Rail], ...]:
    if not isinstance(values, dict):
        place = lines.place(("rails",))
        raise HardwareError(f"{place}rails must be a map from rail to its currents; {{}} for none")
    for name in values:
        if not _RAIL_NAME.fullmatch(name):
            place = lines.place(("rails", name))
            raise HardwareError(
                f"{place}a rail is a word such as 'vdd2', got {name[:60]!r}; rename it"
            )
    return tuple(
        (name, Rail(**read_section(("rails", name), rail, _RAIL, lines)))
        for name, rail in values.items()
    )


def _xors(value: object) -> tuple[Xor, ...]:
    """A list of ``field ^= source >> shift``."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        match = _XOR.fullmatch(str(item))
        if not match:
            got = repr(str(item)[:60])
            raise UnitError(f"expected 'field ^= source >> shift', got {got}; e.g. 'ba ^= ro >> 0'")
        for field in match[1], match[2]:
            if field not in FIELDS:
                raise UnitError(f"unknown field {field!r}{did_you_mean(field, FIELDS)}")
        found.append(Xor(match[1], match[2], int(match[3])))
    return tuple(found)
