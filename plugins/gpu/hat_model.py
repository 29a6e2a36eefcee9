"""Latency of networks as a sum over their operators: two or three constants for each device.

A closed form of its own: an operator is a launch and its bytes, put together by the protocol as the
kind ``gpu`` does. No product costs its tiles, which are those of matrix cores there and would be
filled up where a decoder multiplies 5 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

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
"""Of the first draw, which is the one that counts."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A device, and how the program that calls it and the device wait for each other.

    Attributes:
        device: its data sheet.
        protocol: as of kind ``gpu``. ``queue``: the host prepares a call while the device works on
            the one before, so that an operator takes the longer of both. ``host``: they are one
            processor or wait for each other, and an operator takes their sum.
        slowest: seconds beyond which no search for the cost of a call goes.
        memory: share of the bandwidth, if the points do not tell it; None where it is fitted.
    """

    device: Device
    protocol: Literal["queue", "host"]
    slowest: float
    memory: float | None = None


MACHINES = {
    "raspberrypi": Machine(Device(4, 1.5e9, 8, 12.8e9, 64.0), "host", 3e-3),
    "xeon": Machine(Device(10, 2.4e9, 16, 68.3e9, 320.0), "host", 3e-4),
    "titanxp": Machine(Device(30, 1.582e9, 128, 547.6e9, 1024.0), "queue", 3e-4, memory=0.79),
}
"""Raspberry Pi 4 (ARM Cortex-A72, LPDDR4-3200), Xeon E5-2640 (its fourth version and four channels
of DDR4-2133 are assumed), TITAN Xp. Only the bandwidth is used: at these peaks no product takes
longer than its bytes, so a share of the peak cannot be fitted to these data. On the TITAN launches
hide nearly all bytes: shares from 0.5 to 1 fit alike, and that of an A100 is taken (preset
``a100-80gb``)."""


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
    join = np.maximum if machine.protocol == "queue" else np.add
    waiting = join(moving, fit.launch_s)
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
        return tuple(fitted(self.machine, *self.sample(self.drawn(draw))) for draw in range(DRAWS))

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


def fitted(machine: Machine, found: Operators, latency: Array) -> Fit:
    """Constants with the least mean |log(ours / measured)|.

    Args:
        machine: what was measured.
        found: operators of the networks to fit.
        latency: their measured seconds, [networks].
    """
    given = machine.memory

    def constants(place: Array) -> Fit:
        launch, run, *share = place.tolist()
        slowest = machine.slowest
        memory = 1 / (1 + 99 * share[0]) if given is None else given
        return Fit(slowest * launch, memory, 30 * slowest * run)

    def residuals(place: Array) -> Array:
        ours = latency_s(machine, constants(place), found)
        return np.asarray(np.log(np.maximum(ours, 1e-12) / latency))

    return constants(least(residuals, 3 if given is None else 2))


def fitted_together(sets: Sequence[FittedSet]) -> tuple[Fit, tuple[NDArray[np.int64], ...]]:
    """One set of constants for the sets of one device, from as many networks as one set gives.

    Returns:
        The constants, and for each set the numbers of the networks that were fitted.
    """
    shares = tuple(one.drawn(0)[number :: len(sets)] for number, one in enumerate(sets))
    found, latencies = zip(*(o.sample(s) for o, s in zip(sets, shares, strict=True)), strict=True)
    latency = np.concatenate(latencies)
    return fitted(sets[0].machine, Operators.joined(found), latency), shares
