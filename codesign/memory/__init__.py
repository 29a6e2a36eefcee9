"""DRAM that behaves like DRAM: banks, rows, refresh, turnarounds, command slots and power states.

A ``Device`` is data. ``simulate`` replays a ``Stream`` of transactions on it, command by command,
and gives ``Counts``; ``energy`` turns those into joules, and ``duty_energy`` adds what the memory
costs at rest. Read in this order: ``device``, ``mapping``, ``gates``, ``layout``, ``state``, the
two controllers ``bank_queues`` and ``shared_queues``, ``loop``, ``kernel``; then ``power``,
``idle``, ``duty``. ``reference`` compares the kernel with recorded runs of other simulators.

Error of the kernel against those tools, given their device files and mappings: none in bandwidth
and activates over 102 runs of DRAMsim3 (2981759) and 87 of Ramulator 2.1 (c5b1c3a), and none in
energy over the former; Ramulator gives no energy. How well a controller style and its timings
stand for a real part is another question.
"""

from codesign.memory.controller import Controller
from codesign.memory.counts import Counts, Run
from codesign.memory.device import CommandBus, Device, Organisation, Rail, Timings
from codesign.memory.duty import DutyCycle, background_j, break_even_s, duty_energy
from codesign.memory.energy import Energy, energy
from codesign.memory.idle import IdlePolicy, Residency, residency
from codesign.memory.kernel import compile_style, is_warm, simulate, warm_up
from codesign.memory.mapping import AddressMapping, Xor, mop4clxor
from codesign.memory.patterns import Pattern
from codesign.memory.power import (
    CommandJoules,
    StateWatts,
    command_joules,
    memory_watts,
    refresh_watts,
    state_watts,
)
from codesign.memory.streams import STREAMS, Stream, stream
from codesign.memory.window import Window, solve, solve_exactly

__all__ = [
    "STREAMS",
    "AddressMapping",
    "CommandBus",
    "CommandJoules",
    "Controller",
    "Counts",
    "Device",
    "DutyCycle",
    "Energy",
    "IdlePolicy",
    "Organisation",
    "Pattern",
    "Rail",
    "Residency",
    "Run",
    "StateWatts",
    "Stream",
    "Timings",
    "Window",
    "Xor",
    "background_j",
    "break_even_s",
    "command_joules",
    "compile_style",
    "duty_energy",
    "energy",
    "is_warm",
    "memory_watts",
    "mop4clxor",
    "refresh_watts",
    "residency",
    "simulate",
    "solve",
    "solve_exactly",
    "state_watts",
    "stream",
    "warm_up",
]
