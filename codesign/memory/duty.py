"""Energy of a memory that is busy for a share of the time, and when a power state pays."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codesign.errors import HardwareError
from codesign.memory.device import Device
from codesign.memory.energy import Energy
from codesign.memory.idle import IdlePolicy, Residency, check_state, residency
from codesign.memory.power import background, memory_watts, refresh_watts
from codesign.units import PS_PER_S, ticks


def background_j(time: Residency, device: Device) -> float:
    """Joules of the whole memory over some time in power states, refreshes included."""
    return math.fsum(joules for _, joules in background(device, time.states).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyCycle:
    """Energy of one period: some work, then idle until the next.

    Attributes:
        work_j: of commands and I/O while busy.
        busy_background_j: background while busy.
        idle_j: background and refreshes of the idle time.
        period_s: busy time, idle time and the wait for the exit.
        time: of the idle part in each state.
    """

    work_j: float
    busy_background_j: float
    idle_j: float
    period_s: float
    time: Residency

    @property
    def total_j(self) -> float:
        """Sum of the parts."""
        return self.work_j + self.busy_background_j + self.idle_j

    @property
    def average_w(self) -> float:
        """Mean power over the period."""
        return self.total_j / self.period_s

    @property
    def background_share(self) -> float:
        """Share of the energy that flows whether or not there is work; 0 where nothing flows."""
        background = self.busy_background_j + self.idle_j
        return background / self.total_j if background else 0.0


def duty_energy(
    device: Device, busy: Energy, busy_s: float, duty: float, policy: IdlePolicy
) -> DutyCycle:
    """Energy of a memory that is busy for a share of the time.

    Args:
        device: that did the work.
        busy: energy of the work, from ``energy``.
        busy_s: seconds that the work takes, above 0.
        duty: share of the time that is busy, above 0 and at most 1; waits for exits come on top.
        policy: when the memory rests.

    Raises:
        HardwareError: a number out of range, or a policy that the device cannot follow.
    """
    if not 0 < duty <= 1 or not 0 < busy_s < math.inf:
        raise HardwareError(
            f"{device.name}: duty must be > 0 and <= 1 and busy_s > 0 and finite, got {duty} and "
            f"{busy_s} s"
        )
    time = residency(ticks(busy_s / duty - busy_s), policy, device)
    busy_background_j = busy.active_j + busy.precharged_j
    return DutyCycle(
        work_j=busy.total_j - busy_background_j,
        busy_background_j=busy_background_j,
        idle_j=background_j(time, device),
        period_s=busy_s + time.total / PS_PER_S,
        time=time,
    )


def break_even_s(device: Device) -> dict[str, float]:
    """Idle seconds from which on entering a state at once costs no more than the one before it.

    Power-down against standby, and self-refresh against power-down, all with closed rows. With the
    powers P, refreshes included except in self-refresh, an idle period of T costs P_state T, and
    P_standby for the time of the exit; equal at

        T = P_standby tXP / (P_standby - P_power_down)
        T = P_standby (tXS - tXP) / (P_power_down - P_self_refresh)

    A policy that waits just so long before it powers down costs at most twice what one that knew
    the length of every period would (Karlin et al., Competitive snoopy caching, Algorithmica 1988).

    Returns:
        By ``power_down`` and ``self_refresh``; infinite where the state never pays.

    Raises:
        HardwareError: the device has no exit time or current for one of them.
    """
    check_state(device, "power_down", "txp")
    check_state(device, "self_refresh", "txs")
    watts, t = memory_watts(device), device.timings
    standby_w = watts.precharged + refresh_watts(device, "precharged")
    down_w = watts.power_down + refresh_watts(device, "power_down")
    steps = {
        "power_down": (t.txp, standby_w - down_w),
        "self_refresh": (t.txs - t.txp, down_w - watts.self_refresh),
    }
    clock_s = t.tck_ps / PS_PER_S
    return {
        state: max(0.0, standby_w * clocks * clock_s / saved_w) if saved_w > 0 else math.inf
        for state, (clocks, saved_w) in steps.items()
    }
