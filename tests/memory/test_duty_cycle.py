"""Energy of an idle memory: power times time, less at rest, and a share that grows with idling."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_devices import DEVICE, RAIL
from power_cases import BOTH, NEVER, PERIODS, POLICIES, RESTING, STATES

from codesign.errors import HardwareError
from codesign.memory.counts import Counts
from codesign.memory.duty import DutyCycle, background_j, break_even_s, duty_energy
from codesign.memory.energy import energy
from codesign.memory.idle import IdlePolicy, Residency, residency
from codesign.memory.kernel import simulate
from codesign.memory.power import (
    memory_watts,
    refresh_watts,
)
from codesign.memory.streams import stream
from codesign.units import PS_PER_S

# -- energy -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_power_times_time_is_energy(state: str) -> None:
    quiet = replace(DEVICE, controller=replace(DEVICE.controller, refresh="none"))
    second = Residency(**{state: PS_PER_S})
    assert background_j(second, quiet) == pytest.approx(getattr(memory_watts(quiet), state))


@pytest.mark.parametrize("state", STATES)
def test_only_self_refresh_needs_no_refreshes(state: str) -> None:
    second = Residency(**{state: PS_PER_S})
    refreshes = background_j(second, DEVICE) - getattr(memory_watts(DEVICE), state)
    assert refreshes == pytest.approx(refresh_watts(DEVICE, state), abs=1e-12)
    assert (refreshes > 1e-6) == (state != "self_refresh")


@given(PERIODS, PERIODS, POLICIES)
def test_a_longer_idle_period_never_costs_less(first: int, second: int, policy: IdlePolicy) -> None:
    short, long = sorted((first, second))
    costs = [background_j(residency(one, policy, RESTING), RESTING) for one in (short, long)]
    assert 0 <= costs[0] <= costs[1] * (1 + 1e-12)


@cache
def work() -> Counts:
    return simulate(RESTING, stream("seq_rd", 400, 64)).counts


def cycle(duty: float, policy: IdlePolicy = BOTH) -> DutyCycle:
    counts = work()
    return duty_energy(RESTING, energy(RESTING, counts), counts.seconds, duty, policy)


def test_at_full_duty_there_is_nothing_but_the_work() -> None:
    counts = work()
    whole = cycle(1.0)
    assert whole.idle_j == 0
    assert whole.total_j == pytest.approx(energy(RESTING, counts).total_j)
    assert whole.period_s == pytest.approx(counts.seconds)


@given(st.floats(1e-3, 1), POLICIES)
def test_the_energy_of_a_period_is_its_mean_power_times_its_length(
    duty: float, policy: IdlePolicy
) -> None:
    whole = cycle(duty, policy)
    assert whole.average_w * whole.period_s == pytest.approx(whole.total_j)
    assert whole.total_j == pytest.approx(whole.work_j + whole.busy_background_j + whole.idle_j)
    assert min(whole.work_j, whole.busy_background_j, whole.idle_j) >= 0
    assert whole.period_s == pytest.approx(
        cycle(1.0).period_s / duty + whole.time.wait / PS_PER_S, rel=1e-9
    )


@pytest.mark.parametrize("policy", [NEVER, BOTH, replace(BOTH, rows_open=True)])
def test_the_share_of_the_background_rises_as_duty_falls(policy: IdlePolicy) -> None:
    shares = [cycle(duty, policy).background_share for duty in (1, 0.5, 0.2, 0.1, 0.01, 0.001)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1


def test_resting_pays_at_one_percent_duty() -> None:
    assert cycle(0.01, BOTH).total_j < cycle(0.01, NEVER).total_j


def test_a_core_without_rails_costs_only_io_and_has_no_background() -> None:
    bare = replace(RESTING, rails=(), io_j_per_bit=1e-12)
    counts = simulate(bare, stream("seq_rd", 100, 64)).counts
    whole = duty_energy(bare, energy(bare, counts), counts.seconds, 0.1, BOTH)
    assert whole.total_j == whole.work_j == pytest.approx(100 * 512 * 1e-12)
    assert whole.background_share == 0


# -- when a state pays --------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["power_down", "self_refresh"])
def test_entering_at_once_pays_from_the_break_even_time_on(state: str) -> None:
    at = break_even_s(RESTING)[state]
    down, own = IdlePolicy(power_down_after_s=0.0), IdlePolicy(self_refresh_after_s=0.0)
    deeper, lighter = (down, NEVER) if state == "power_down" else (own, down)
    assert 0 < at < 1e-3

    def extra(period_s: float) -> float:
        period = round(period_s * PS_PER_S)
        costs = [
            background_j(residency(period, one, RESTING), RESTING) for one in (deeper, lighter)
        ]
        return costs[0] - costs[1]

    assert extra(0.99 * at) > 0 > extra(1.01 * at)


@given(st.integers(1, 1 << 24))
def test_waiting_for_the_break_even_time_costs_at_most_twice_the_best(period: int) -> None:
    after = break_even_s(RESTING)["power_down"]
    waiting = IdlePolicy(power_down_after_s=after)
    best = min(
        background_j(residency(period, policy, RESTING), RESTING)
        for policy in (NEVER, IdlePolicy(power_down_after_s=0.0))
    )
    assert background_j(residency(period, waiting, RESTING), RESTING) <= 2 * best * (1 + 1e-9)


def test_a_state_that_saves_nothing_never_pays() -> None:
    flat = replace(RAIL, idd2p=RAIL.idd2n, idd6=1.0)
    device = replace(RESTING, rails=(("vdd", flat),))
    assert break_even_s(device) == {"power_down": math.inf, "self_refresh": math.inf}


def test_no_break_even_time_is_made_up_for_a_device_without_exit_times() -> None:
    with pytest.raises(HardwareError, match=r"it has no timings\.txp for power_down"):
        break_even_s(DEVICE)


def test_a_duty_beyond_one_is_refused() -> None:
    for duty in (0.0, 1.5, math.nan):
        with pytest.raises(HardwareError, match="duty must be > 0 and <= 1"):
            cycle(duty)
