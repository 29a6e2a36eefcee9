"""DRAM that behaves like DRAM: banks, rows, refresh, turnarounds, command slots and power states.

A ``Device`` is data. ``simulate`` replays a ``Stream`` of transactions on it, command by command,
and gives ``Counts``; ``energy`` turns those into joules. Read in this order: ``device``,
``mapping``, ``gates``, ``layout``, ``state``, the two controllers ``bank_queues`` and
``shared_queues``, ``loop``, ``kernel``. ``reference`` compares it with recorded runs of other
simulators.

Error of the kernel against those tools, given their device files and mappings: none in bandwidth
and activates over 102 runs of DRAMsim3 (2981759) and 87 of Ramulator 2.1 (c5b1c3a), and none in
energy over the former; Ramulator gives no energy. How well a controller style and its timings
stand for a real part is another question.
"""

from codesign.memory.controller import Controller
from codesign.memory.counts import Counts, Run
from codesign.memory.device import CommandBus, Device, Organisation, Rail, Timings
from codesign.memory.energy import Energy, energy
from codesign.memory.kernel import simulate, warm_up
from codesign.memory.mapping import AddressMapping, Xor, mop4clxor
from codesign.memory.streams import STREAMS, Stream, stream

__all__ = [
    "STREAMS",
    "AddressMapping",
    "CommandBus",
    "Controller",
    "Counts",
    "Device",
    "Energy",
    "Organisation",
    "Rail",
    "Run",
    "Stream",
    "Timings",
    "Xor",
    "energy",
    "mop4clxor",
    "simulate",
    "stream",
    "warm_up",
]
