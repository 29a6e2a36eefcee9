"""Which power states an idle memory is in: a policy of timeouts, and what waking up takes.

Times are ticks of a picosecond; an idle period is what lies between the end
of one access and the next one. All ranks of a memory rest together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from codesign.errors import HardwareError
from codesign.memory.device import Device
from codesign.memory.power import StateWatts, state_watts
from codesign.units import ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class IdlePolicy:
    """When an idle memory enters a power state; ``None`` is never.

    A state is entered by a command that takes no time beyond what ``residency`` says. Deep
    power-down, which loses the contents, has no current in a device file and is left out.

    Attributes:
        power_down_after_s: clock off after so many idle seconds; refreshes go on.
        self_refresh_after_s: after so many idle seconds the device refreshes itself.
        rows_open: rows stay open until self-refresh, so that standby and power-down are those with
            an open bank; else all banks are closed when the idle period begins.
    """

    power_down_after_s: float | None = None
    self_refresh_after_s: float | None = None
    rows_open: bool = False

    def check(self, device: Device) -> None:
        """Refuses thresholds out of order, and states that the device has no numbers for.

        Raises:
            HardwareError: in one line.
        """
        down, refresh = self.power_down_after_s, self.self_refresh_after_s
        for name, after in (("power_down_after_s", down), ("self_refresh_after_s", refresh)):
            if after is not None and not 0 <= after < math.inf:
                raise HardwareError(
                    f"{device.name}: {name} must be >= 0 s and finite, got {after}; None is never"
                )
        if down is not None and refresh is not None and refresh <= down:
            raise HardwareError(
                f"{device.name}: self_refresh_after_s must be > power_down_after_s, got {refresh} "
                f"and {down} s; leave one of them out"
            )
        if down is not None:
            check_state(device, "active_power_down" if self.rows_open else "power_down", "txp")
        if refresh is not None:
            check_state(device, "self_refresh", "txs")


def check_state(device: Device, state: str, exit_time: str) -> None:
    """Refuses a state that the device has no exit time or, though it has rails, no current for.

    Args:
        device: that shall enter it.
        state: a name of ``StateWatts``.
        exit_time: of the timing that says how long leaving it takes.

    Raises:
        HardwareError: in one line.
    """
    lacking = "" if getattr(device.timings, exit_time) else f"timings.{exit_time}"
    if device.rails and not getattr(state_watts(device), state):
        lacking = "current"
    if lacking:
        raise HardwareError(
            f"{device.name}: it has no {lacking} for {state}; give it in the device file, or never "
            f"enter that state, by {state.removeprefix('active_')}_after 0 in a hardware file or "
            "None in an IdlePolicy"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Residency:
    """Ticks in each power state. Those of several periods add up.

    Attributes:
        active: standby with open rows.
        precharged: standby with all banks closed.
        active_power_down: power-down with open rows.
        power_down: power-down with all banks closed.
        self_refresh: self-refresh.
        wait: ticks that the next access waited for the exit; they are in standby too.
    """

    active: int = 0
    precharged: int = 0
    active_power_down: int = 0
    power_down: int = 0
    self_refresh: int = 0
    wait: int = 0

    @property
    def states(self) -> Mapping[str, int]:
        """Ticks by state, in the order of ``StateWatts``."""
        return MappingProxyType({f.name: getattr(self, f.name) for f in fields(StateWatts)})

    @property
    def total(self) -> int:
        """Elapsed ticks: the idle period and the wait."""
        return sum(self.states.values())

    def __add__(self, other: Residency) -> Residency:
        return Residency(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


def residency(idle_ticks: int, policy: IdlePolicy, device: Device) -> Residency:
    """What one idle period consists of.

    A state is entered once more than its threshold has passed. The access that ends a period in
    power-down waits tXP, one that ends it in self-refresh tXS; meanwhile the memory takes standby
    power (JESD79-4, IDD2N from exit on).

    Args:
        idle_ticks: from the end of one access to the arrival of the next, at least 0.
        policy: when to rest.
        device: for the exit times.

    Raises:
        HardwareError: a negative time, or a policy that the device cannot follow.
    """
    policy.check(device)
    if idle_ticks < 0:
        raise HardwareError(f"{device.name}: an idle period must be >= 0 ticks, got {idle_ticks}")
    down = _after(policy.power_down_after_s, idle_ticks)
    own = _after(policy.self_refresh_after_s, idle_ticks)
    down = min(down, own)
    t = device.timings
    wait = t.tck_ps * (t.txs if own < idle_ticks else t.txp if down < idle_ticks else 0)
    # self-refresh closes all rows, and they are closed when it ends
    standby = {"active": down, "precharged": wait}
    if not policy.rows_open:
        standby = {"precharged": down + wait}
    elif own == idle_ticks:
        standby = {"active": down + wait}
    resting = "active_power_down" if policy.rows_open else "power_down"
    return Residency(**standby, **{resting: own - down}, self_refresh=idle_ticks - own, wait=wait)


def _after(threshold_s: float | None, idle_ticks: int) -> int:
    return idle_ticks if threshold_s is None else min(idle_ticks, ticks(threshold_s))
