"""Latency of networks run operator by operator: three constants for each device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .hat_networks import Array, LatencySet
from .hat_operators import Operators, operators
from .least import least
from .times import Constants, Device, streaming_s

FITTED = 100
"""Networks that the constants are fitted to."""
DRAWS = 6
"""Samples of networks that constants are fitted to, to show how much hangs on the draw."""
SEED = 0
"""Of the first draw, which is the one that counts, and of every search."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A device, and how the program that calls it and the device wait for each other.

    Attributes:
        device: its data sheet.
        runs_ahead: whether the host prepares a call while the device works on the one before: a
            queue of depth 1, so that an operator takes the longer of both. If not, host and device
            are one processor, and an operator takes their sum.
        slowest: seconds beyond which no search for the cost of a call goes.
    """

    device: Device
    runs_ahead: bool
    slowest: float


MACHINES = {
    "raspberrypi": Machine(Device(4, 1.5e9, 8, 12.8e9, 64.0), False, 3e-3),
    "xeon": Machine(Device(10, 2.4e9, 16, 68.3e9, 320.0), False, 3e-4),
    "titanxp": Machine(Device(30, 1.582e9, 128, 547.6e9, 1024.0), True, 3e-4),
}
"""Raspberry Pi 4 (ARM Cortex-A72, LPDDR4-3200), Xeon E5-2640 (its fourth version and four channels
of DDR4-2133 are assumed), TITAN Xp. Only the bandwidth is used: at these peaks no product takes
longer than its bytes, so a share of the peak cannot be fitted to these data."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Constants of a machine.

    Attributes:
        launch_s: seconds of the host for every operator.
        memory: share of the bandwidth, above 0, at most 1.
        run_s: seconds of the host for every run of the encoder or decoder, beside its operators.
    """

    launch_s: float
    memory: float
    run_s: float

    @property
    def text(self) -> str:
        """The constants in words."""
        return (
            f"{self.launch_s * 1e6:.3g} us an operator, {self.memory:.3f} of the bandwidth, "
            f"{self.run_s * 1e6:.3g} us a run"
        )


def latency_s(machine: Machine, fit: Fit, found: Operators) -> Array:
    """Seconds of each network, [networks]."""
    moving = streaming_s(machine.device, Constants(0.0, 1.0, fit.memory), found.moved_bytes)
    waiting = np.maximum(moving, fit.launch_s) if machine.runs_ahead else moving + fit.launch_s
    return np.asarray((found.calls * waiting).sum(axis=0) + found.runs * fit.run_s)


@dataclass(frozen=True, eq=False)
class FittedSet:
    """One set of measured networks, and constants fitted to a sample of it."""

    measured: LatencySet

    @property
    def machine(self) -> Machine:
        """What it was measured on."""
        return MACHINES[self.measured.device]

    @cached_property
    def found(self) -> Operators:
        """Operators of all networks of the set."""
        return operators(self.measured.networks)

    def drawn(self, draw: int) -> NDArray[np.int64]:
        """Numbers of the networks that a draw fits."""
        return spread_sample(len(self.measured.latency_s), SEED + draw)

    @cached_property
    def fits(self) -> tuple[Fit, ...]:
        """Constants for each draw."""
        return tuple(
            fitted(self.machine, *self.sample(self.drawn(draw)), SEED) for draw in range(DRAWS)
        )

    def sample(self, numbers: NDArray[np.int64]) -> tuple[Operators, Array]:
        """Operators and measured latencies of some of the networks."""
        return operators(self.measured.networks.take(numbers)), self.measured.latency_s[numbers]

    def latency_s(self, fit: Fit) -> Array:
        """Our latency of every network of the set."""
        return latency_s(self.machine, fit, self.found)

    def errors(self, fit: Fit) -> Array:
        """Magnitude of our relative error for every network of the set."""
        return np.abs(self.latency_s(fit) / self.measured.latency_s - 1)


def spread_sample(count: int, seed: int) -> NDArray[np.int64]:
    """One number of each of ``FITTED`` equal runs of 0 to ``count`` - 1, drawn at random.

    The machines drift by some percent between hours, so the sample is spread over the time.
    """
    edges = np.linspace(0, count, FITTED + 1).astype(int)
    return np.random.default_rng(seed).integers(edges[:-1], edges[1:])


def fitted(machine: Machine, found: Operators, latency: Array, seed: int) -> Fit:
    """Constants with the least mean |log(ours / measured)|.

    Args:
        machine: what was measured.
        found: operators of the networks to fit.
        latency: their measured seconds, [networks].
        seed: of the search.
    """

    def constants(place: Array) -> Fit:
        launch, memory, run = place.tolist()
        slowest = machine.slowest
        return Fit(slowest * launch, 1 / (1 + 99 * memory), 30 * slowest * run)

    def error(place: Array) -> float:
        ours = latency_s(machine, constants(place), found)
        return float(np.mean(np.abs(np.log(np.maximum(ours, 1e-12) / latency))))

    return constants(least(error, 3, seed))


def fitted_together(sets: Sequence[FittedSet]) -> tuple[Fit, tuple[NDArray[np.int64], ...]]:
    """One set of constants for the sets of one device, from as many networks as one set gives.

    Returns:
        The constants, and for each set the numbers of the networks that were fitted.
    """
    shares = tuple(one.drawn(0)[number :: len(sets)] for number, one in enumerate(sets))
    found, latencies = zip(*(o.sample(s) for o, s in zip(sets, shares, strict=True)), strict=True)
    latency = np.concatenate(latencies)
    return fitted(sets[0].machine, Operators.joined(found), latency, SEED), shares
