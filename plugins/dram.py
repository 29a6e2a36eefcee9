"""Off-chip DRAM with banks, refresh and power states, from a device file.

Rates and activates come from the bank kernel of ``codesign.memory``: a service is the joint rate of
the transfers that are active together, so two streams that fight for a bank are slower than one,
and two that do not may be faster. Energy comes from counts and from the time in each power state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import ClassVar, Literal

from codesign import Component, Descriptor, Memory, Service, fields_only, hookimpl
from codesign.errors import HardwareError
from codesign.hardware.component import Direction, Rest
from codesign.hardware.dram_field import DramDevice
from codesign.hardware.provenance import Provenance
from codesign.memory.backends import Backend, Transfer, serve
from codesign.memory.compiled import has_compiler
from codesign.memory.device import Device
from codesign.memory.idle import check_state
from codesign.memory.kernel import is_warm
from codesign.memory.pattern_class import canonical, stripe_bytes
from codesign.memory.patterns import Pattern
from codesign.memory.power import background, command_joules, memory_watts
from codesign.units import PS_PER_S, Bytes, Natural, Seconds, ticks

Layout = Literal["aligned", "staggered"]
_STEP, _STEPS = 5, 16
"""The staggered layout moves on by so many of so many parts of all banks: to another bank and to
another bank group, wherever the mapping has those (assumed)."""
_PLACES = 4  # that it tells apart: weights, and three for all else in turn (assumed)
_TOLD_APART = 1 << 16
"""Transactions of a transfer that a class looks at: more than any window takes of one."""
_FLUID = ((65536, 0.5, 3), (16384, 1.2, 6), (4096, 12, 47), (1024, 27, 85), (256, 74, 406))
"""Grain, mean and largest error in % of sharing lone rates, against every transaction of 2 to 8
sequential reads in one bank or in several (138 cases, DDR4, LPDDR4 and HBM2)."""
_WORST_FLUID = 115, 843  # at 64 B


def _error(backend: Backend, grain: int) -> str:
    """How wrong a backend is known to be, against every transaction of the same kernel."""
    if backend == "exact":
        return "none in bandwidth and activates over 189 recorded streams, given their device files"
    if backend == "window":
        return (
            "0.7 % in the mean and 3.3 % at most for long streams, 4 % with 2 to 8 initiators, "
            "7 % on 32 buses, more for short transfers"
        )
    mean, most = next((error for least, *error in _FLUID if grain >= least), _WORST_FLUID)
    return f"{mean} % in the mean and {most} % at most with 2 to 8 streams at this grain"


@lru_cache(maxsize=1 << 14)
def _canonical(pattern: Pattern, device: Device) -> Pattern:
    """A pattern without what no window tells apart; a replay asks for the same ones again."""
    return canonical(pattern, device, _TOLD_APART)


@fields_only
@dataclass(frozen=True, kw_only=True)
class Dram(Memory):
    """A DRAM with its controller.

    Attributes:
        device: name of a device file, or its path.
        size: bytes that tensors may take; by default all that the device has on its channels.
        channels: how many channels, a power of two; 0 for as many as the device file has.
        backend: ``window`` runs the exact kernel on the first transactions of what is active
            together, ``exact`` on all of them, ``fluid`` shares the rates that transfers have
            alone.
        grain: bytes that one transfer may move before the arbiter turns to the next.
        layout: where tensors begin: ``aligned`` all in the same bank, ``staggered`` weights and
            activations in different banks and bank groups.
        power_down_after: idle time after which the banks are closed and powered down; 0 for never.
        self_refresh_after: idle time after which the device refreshes itself; 0 for never.
    """

    kind: ClassVar[str] = "dram"
    off_chip: ClassVar[bool] = True
    IDLE: ClassVar[str] = "precharged"

    device: DramDevice
    size: Bytes | Literal[0] = 0
    channels: Natural = 0
    backend: Backend = "window"
    grain: Bytes = 1024
    layout: Layout = "staggered"
    power_down_after: Seconds = 1e-7
    self_refresh_after: Seconds = 1e-4

    def __post_init__(self) -> None:
        if self.size == 0:
            object.__setattr__(self, "size", self.part.organisation.capacity_bytes)

    def check(self) -> None:
        """Refuses a device that cannot be and a size that it does not have."""
        if self.channels & (self.channels - 1):
            raise HardwareError(
                f"{self.name}.channels must be a power of two, got {self.channels}; "
                "0 takes those of the device"
            )
        self.part.check()
        capacity = self.part.organisation.capacity_bytes
        if self.size > capacity:
            raise HardwareError(
                f"{self.name}.size must be <= {capacity} B, what {self.part.name} holds on "
                f"{self.part.organisation.channels} channels, got {self.size}; raise channels"
            )
        if self.power_down_after:
            check_state(self.part, "power_down", "txp")
        if self.self_refresh_after:
            check_state(self.part, "self_refresh", "txs")
        if 0 < self.self_refresh_after <= self.power_down_after:
            raise HardwareError(
                f"{self.name}.self_refresh_after must be > power_down_after, got "
                f"{self.self_refresh_after:g} s and {self.power_down_after:g} s; 0 is never"
            )

    @cached_property
    def part(self) -> Device:
        """The device with all of its channels."""
        device = self.device.device
        channels = self.channels or device.organisation.channels
        return replace(device, organisation=replace(device.organisation, channels=channels))

    @property
    def bank_device(self) -> Device:
        """The same: its rates come from its banks."""
        return self.part

    @property
    def notes(self) -> tuple[str, ...]:
        """How wrong the backend is known to be, and that the device is nobody's measurement."""
        error = _error(self.backend, self.grain)
        rates = (
            f"{self.name}: bandwidth by backend {self.backend}, error {error}; "
            f"{self.part.name} itself is uncalibrated"
        )
        if self.part.rails:
            return (rates,)
        return rates, f"{self.name}: {self.part.name} has no currents; only its I/O takes energy"

    @property
    def origins(self) -> tuple[Provenance, ...]:
        """Where every value of the device is from."""
        return tuple(replace(row, component=self.name) for row in self.device.provenance)

    @property
    def preparation(self) -> str:
        """That the bank kernel must be compiled, or runs without a compiler."""
        if not has_compiler():
            return (
                f"{self.name}: numba is not installed, so each new access pattern takes about a "
                "second instead of milliseconds; pip install 'codesign[kernel]'"
            )
        if is_warm(self.part.controller.style):
            return ""
        return f"{self.name}: compiling the bank kernel, once on this machine, takes some seconds"

    # -- transfers -------------------------------------------------------------------------------

    def served_bytes(self, descriptor: Descriptor) -> int:
        """Whole bursts of every row.

        Rows are taken to begin at the start of a burst, their pitch to be whole bursts: an
        allocator that pads them.
        """
        burst = self.part.organisation.transaction_bytes
        return -(-descriptor.row_bytes // burst) * burst * descriptor.rows

    def classify(self, descriptor: Descriptor) -> tuple[Pattern, Fraction, int]:
        """The walk over the banks, bytes moved for each asked for, and all of them if exact."""
        burst = self.part.organisation.transaction_bytes
        row = max(burst, -(-descriptor.row_bytes // burst) * burst)
        pattern = Pattern(
            row_bytes=row,
            rows=max(1, descriptor.rows),
            pitch=max(row, -(-descriptor.pitch // burst) * burst),
            write=descriptor.direction == "write",
            base=descriptor.base % self.alignment // burst * burst,
        )
        moved = self.served_bytes(descriptor)
        overhead = Fraction(moved, descriptor.bytes) if descriptor.bytes else Fraction(1)
        size = max(burst, moved) if self.backend == "exact" else 0
        return _canonical(pattern, self.part), overhead, size

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        """Joint rate, activates and open banks of transfers with equal shares."""
        if not descriptors:
            return Service(int(self.part.peak_bytes_per_s))
        kinds = sorted((self.classify(one) for one in descriptors), key=repr)
        rates = serve(self.part, self._apart(kinds), self.grain, self.backend)
        overhead = sum((kind[1] for kind in kinds), Fraction()) / len(kinds)
        return Service(
            max(1, int(PS_PER_S / (rates.ticks * overhead))),
            (("activate", rates.activates * overhead),),
            (("active", rates.active),),
        )

    def _apart(self, kinds: Sequence[tuple[Pattern, Fraction, int]]) -> list[Transfer]:
        """Transfers in parts of the memory of their own, so that none finds a row of another."""
        distance = self.part.organisation.capacity_bytes // len(kinds)
        distance -= distance % self.alignment
        return [
            Transfer(replace(pattern, base=pattern.base + place * distance), size)
            for place, (pattern, _, size) in enumerate(kinds)
        ]

    def latency_s(self, direction: Direction) -> float:
        """Time of the first burst beyond its time on the bus, from closed banks.

        None if ``exact``: a run of every transaction contains it.
        """
        return 0.0 if self.backend == "exact" else self._latencies[direction]

    @cached_property
    def _latencies(self) -> dict[str, float]:
        burst = self.part.organisation.transaction_bytes
        found = {}
        for direction in ("read", "write"):
            pattern = Pattern(row_bytes=burst, write=direction == "write")
            alone = serve(self.part, (Transfer(pattern, burst),), self.grain, "exact")
            lone_s = float(alone.ticks * burst) / PS_PER_S
            found[direction] = max(0.0, lone_s - burst / self.part.peak_bytes_per_s)
        return found

    def ceiling(self, descriptor: Descriptor) -> int:
        """The peak of the data buses, less what the ends of bursts take from it."""
        return max(1, int(self.part.peak_bytes_per_s / self.classify(descriptor)[1]))

    @cached_property
    def alignment(self) -> int:
        """Bytes of one row of every bank: addresses further on differ in their row only.

        Where banks are XORed with rows, which row a tensor begins in is not told apart.
        """
        return stripe_bytes(replace(self.part, mapping=replace(self.part.mapping, xors=())), ())

    def base(self, place: int) -> int:
        """Weights in the first bank, all else in three others in turn."""
        if self.layout == "aligned" or place == 0:
            return 0
        return (1 + (place - 1) % (_PLACES - 1)) * _STEP * self.alignment // _STEPS

    # -- energy ----------------------------------------------------------------------------------

    def energies_j(self) -> dict[str, float]:
        """Joules per byte read and written, I/O included, and per activate with its precharge."""
        joules = command_joules(self.part)
        burst = self.part.organisation.transaction_bytes
        return {
            "read": (joules.read + joules.io) / burst,
            "write": (joules.write + joules.io) / burst,
            "activate": joules.activate,
        }

    @cached_property
    def rests(self) -> tuple[Rest, ...]:
        """Power-down and self-refresh, as far as the policy asks for them."""
        t = self.part.timings
        asked = (
            ("power_down", self.power_down_after, t.txp),
            ("self_refresh", self.self_refresh_after, t.txs),
        )
        return tuple(
            Rest(name, max(1, ticks(idle)), clocks * t.tck_ps)
            for name, idle, clocks in asked
            if idle
        )

    @property
    def least_background(self) -> float:
        """Power of the state that takes least, of those that the policy allows."""
        watts = memory_watts(self.part)
        states = {"active", "precharged", *(rest.name for rest in self.rests)}
        return min(float(getattr(watts, state)) for state in states)

    def background(self, ticks: Mapping[str, int]) -> dict[str, tuple[int, float]]:
        """Power of all ranks in each state, and the refreshes while they do not refresh themselves.

        Source: power times time, see ``memory.power``.
        """
        return background(self.part, ticks)


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``dram``."""
    return [Dram]
