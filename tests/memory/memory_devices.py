"""Devices for the tests: no two timings alike, so that every gate can be told from the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codesign.memory.controller import Controller, Style
from codesign.memory.device import CommandBus, Device, Organisation, Rail, Timings
from codesign.memory.mapping import AddressMapping

RAIL = Rail(
    voltage=1.2,
    idd0=0.057,
    idd2n=0.037,
    idd2p=0.025,
    idd3n=0.052,
    idd3p=0.043,
    idd4r=0.168,
    idd4w=0.150,
    idd5=0.250,
    idd5_bank=0.100,
    idd6=0.030,
)
DEVICE = Device(
    name="test",
    organisation=Organisation(
        bank_groups=4,
        banks_per_group=4,
        rows=1024,
        columns=128,
        device_width=8,
        bus_width=64,
        burst_length=8,
    ),
    timings=Timings(
        tck_ps=625,
        cl=22,
        cwl=16,
        burst=4,
        trcd_read=21,
        trcd_write=19,
        trp=20,
        tras=51,
        trc=73,
        tccd_s=4,
        tccd_l=8,
        trrd_s=5,
        trrd_l=9,
        tfaw=38,
        twtr_s=3,
        twtr_l=11,
        trtw=12,
        trtp=13,
        twr=24,
        trtrs=2,
        trfc=410,
        trfc_bank=190,
        trrefd=17,
        trefi=9000,
    ),
    mapping=AddressMapping.parse("ro ra ba bg co"),
    rails=(("vdd", RAIL),),
)
"""A DDR4 with one rank."""

QUIET = replace(DEVICE, controller=Controller(refresh="none"))
"""The same without refresh."""


def styled(device: Device, style: Style) -> Device:
    """The device with another controller style, all else alike."""
    return replace(device, controller=replace(device.controller, style=style))


def variants() -> dict[str, Device]:
    """Devices that differ in what kind of gates and buses they have."""
    organisation, timings = DEVICE.organisation, DEVICE.timings
    two_ranks = replace(
        DEVICE,
        organisation=replace(organisation, ranks=2),
        timings=replace(timings, cl=18),
    )
    pseudo = replace(
        DEVICE,
        organisation=replace(organisation, pseudo_channels=2),
        mapping=AddressMapping.parse("ro ba bg co pc"),
        bus=CommandBus(activate=2, separate=True),
    )
    half = replace(pseudo, bus=CommandBus(activate=3, column=2, separate=True, half_clock=True))
    split = replace(
        DEVICE, timings=replace(timings, taad=8, twck_hold=1, tppd=2, trp_all=23, burst_long=6)
    )
    wide = replace(
        DEVICE,
        bus=CommandBus(activate=2, column=2),
        timings=replace(timings, tccd_s_write=6, tccd_l_write=40),
    )
    return {
        "ddr4": DEVICE,
        "ddr4_bank_queues": styled(DEVICE, "dramsim3"),
        "two_ranks": two_ranks,
        "two_ranks_bank_queues": styled(two_ranks, "dramsim3"),
        "per_bank_refresh": _controlled(DEVICE, refresh="per_bank"),
        "per_bank_refresh_bank_queues": styled(_controlled(DEVICE, refresh="per_bank"), "dramsim3"),
        "closed_rows": _controlled(DEVICE, row_policy="closed"),
        "closed_rows_bank_queues": styled(_controlled(DEVICE, row_policy="closed"), "dramsim3"),
        "pseudo_channels": pseudo,
        "pseudo_channels_bank_queues": styled(pseudo, "dramsim3"),
        "half_clock": half,
        "split_activate": split,
        "long_commands": wide,
        "ideal": styled(DEVICE, "ideal"),
    }


def _controlled(device: Device, **changes: Any) -> Device:
    return replace(device, controller=replace(device.controller, **changes))
