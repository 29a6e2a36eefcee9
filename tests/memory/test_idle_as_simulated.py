"""An idle memory costs and rests in a replay as the formulas of ``codesign.memory`` say."""

from __future__ import annotations

import pytest
from codesign_plugins.dram import Dram
from hypothesis import given
from hypothesis import strategies as st
from power_cases import PERIODS, RESTING, STATES

from codesign.hardware.component import Rest
from codesign.hardware.dram_file import load_device, load_device_file
from codesign.memory.device import Device
from codesign.memory.duty import background_j
from codesign.memory.idle import IdlePolicy, Residency, residency
from codesign.memory.power import memory_watts, refresh_watts
from codesign.replay.sleep import Sleeper
from codesign.replay.tally import Tally
from codesign.units import PS_PER_S

DEVICES = ["ddr4-3200", "lpddr5-6400", "hbm2"]
DOWN = st.none() | st.integers(1, 10**6)
LONGER = st.none() | st.integers(1, 10**7)


def rests(down: int | None, own: int | None, device: Device) -> tuple[Rest, ...]:
    """The states of a policy in ticks, as a memory with power states gives them."""
    t = device.timings
    asked = ("power_down", down, t.txp), ("self_refresh", own, t.txs)
    return tuple(
        Rest(name, after, clocks * t.tck_ps) for name, after, clocks in asked if after is not None
    )


def policy(down: int | None, own: int | None) -> IdlePolicy:
    return IdlePolicy(
        power_down_after_s=None if down is None else down / PS_PER_S,
        self_refresh_after_s=None if own is None else own / PS_PER_S,
    )


@given(PERIODS, DOWN, LONGER)
def test_a_replay_and_the_formula_agree_on_states_and_wait(
    period: int, down: int | None, longer: int | None
) -> None:
    own = longer if longer is None else (down or 0) + longer
    time = residency(period, policy(down, own), RESTING)
    sleeper, tally = Sleeper("dram", rests(down, own, RESTING)), Tally()
    assert sleeper.begin(period, tally) == time.wait
    states = time.states
    for state in ("power_down", "self_refresh"):
        assert tally.get(("dram", state), 0) == states[state]
    # what is left of the period, and the wait, is standby with all banks closed
    assert period + time.wait - sum(tally.values()) == states["precharged"]
    assert states["active"] == states["active_power_down"] == 0


@given(st.lists(PERIODS, min_size=1, max_size=6), st.integers(1, 10**6), st.integers(1, 10**7))
def test_a_replay_and_the_formula_agree_on_several_periods(
    periods: list[int], down: int, longer: int
) -> None:
    chosen, own = policy(down, down + longer), down + longer
    sleeper, tally = Sleeper("dram", rests(down, own, RESTING)), Tally()
    now, waits = 0, 0
    for period in periods:
        now += period
        wait = sleeper.begin(now, tally)
        waits, now = waits + wait, now + wait + 1000  # 1000 ticks of work
        sleeper.end(1, now)
    time = sum((residency(period, chosen, RESTING) for period in periods), Residency())
    assert waits == time.wait
    assert tally.get(("dram", "power_down"), 0) == time.power_down
    assert tally.get(("dram", "self_refresh"), 0) == time.self_refresh


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", DEVICES)
def test_a_simulated_second_in_a_state_costs_what_the_formula_says(name: str, state: str) -> None:
    memory = Dram(name="dram", device=load_device_file(name), size=1 << 20, channels=2)
    simulated = memory.background({state: PS_PER_S})
    second = Residency(**{state: PS_PER_S})
    assert sum(joules for _, joules in simulated.values()) == pytest.approx(
        background_j(second, memory.part), rel=1e-12
    )
    assert simulated[state][1] > 0


@pytest.mark.parametrize("name", DEVICES)
def test_an_idle_period_costs_the_same_either_way(name: str) -> None:
    """200 us: standby, power-down and, from 100 us on, self-refresh."""
    memory = Dram(name="dram", device=load_device_file(name), size=1 << 20)
    chosen = IdlePolicy(
        power_down_after_s=memory.power_down_after, self_refresh_after_s=memory.self_refresh_after
    )
    period = 200 * 10**6
    time = residency(period, chosen, memory.part)
    sleeper, tally = Sleeper("dram", memory.rests), Tally()
    wait = sleeper.begin(period, tally)
    ticks = {key[1]: spent for key, spent in tally.items() if isinstance(key, tuple)}
    assert set(ticks) == {"power_down", "self_refresh"}
    ticks[memory.IDLE] = period + wait - sum(ticks.values())
    simulated = sum(joules for _, joules in memory.background(ticks).values())
    assert simulated == pytest.approx(background_j(time, memory.part), rel=1e-12)


def test_a_refresh_in_a_lower_state_costs_what_it_lifts_more() -> None:
    """Without that rule an LPDDR5 in power-down took 13 % too little."""
    device = load_device("lpddr5-6400")
    share = device.timings.trfc / device.timings.trefi
    watts = {
        state: refresh_watts(device, state) for state in ("active", "precharged", "power_down")
    }
    standing = memory_watts(device)
    lifted = share * (standing.active - standing.power_down)
    assert watts["power_down"] - watts["active"] == pytest.approx(lifted)
    assert lifted / (standing.power_down + watts["power_down"]) == pytest.approx(0.13, abs=0.005)
    assert watts["power_down"] > watts["precharged"] > watts["active"] > 0
