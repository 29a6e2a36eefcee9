"""DDR4-3200 as DRAMsim3 (2981759) ships it in DDR4_8Gb_x8_3200.ini, with one rank."""

from __future__ import annotations

from dataclasses import replace

from codesign.memory.controller import Controller
from codesign.memory.device import Device, Organisation, Timings
from codesign.memory.mapping import AddressMapping, Xor

DDR4 = Device(
    name="DDR4-3200",
    organisation=Organisation(
        bank_groups=4,
        banks_per_group=4,
        rows=65536,
        columns=1024,
        device_width=8,
        bus_width=64,
        burst_length=8,
    ),
    timings=Timings(
        tck_ps=630,
        cl=22,
        cwl=16,
        burst=4,
        trcd_read=22,
        trcd_write=22,
        trp=22,
        tras=52,
        trc=74,
        tccd_s=4,
        tccd_l=8,
        trrd_s=4,
        trrd_l=8,
        tfaw=34,
        twtr_s=4,
        twtr_l=12,
        trtw=11,
        trtp=12,
        twr=24,
        trtrs=1,
        trfc=560,
        trefi=12480,
        txp=10,
        txs=576,
    ),
    mapping=AddressMapping.parse("ro ch ra ba bg co"),
    controller=Controller(style="dramsim3"),
)
INTERLEAVED = replace(
    DDR4, name="bank groups lowest", mapping=AddressMapping.parse("ro ch ra ba co bg")
)
HASHED = replace(
    DDR4,
    name="hashed",
    mapping=AddressMapping(
        ("ro", "ba", "co", "bg"),
        (Xor("bg", "co", 2), Xor("bg", "ro", 2), Xor("bg", "ro", 6), Xor("ba", "ro", 0)),
    ),
    controller=Controller(style="ramulator"),
)
"""Banks and bank groups are hashed with rows, and the controller does not go by their numbers."""
