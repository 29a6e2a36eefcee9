"""What commands and power states cost, and which states an idle period consists of."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_devices import DEVICE, RAIL
from power_cases import BOTH, NEVER, PERIODS, POLICIES, RESTING, STATES

from codesign.errors import HardwareError
from codesign.memory.device import Device
from codesign.memory.duty import background_j
from codesign.memory.idle import IdlePolicy, Residency, residency
from codesign.memory.power import (
    background,
    command_joules,
    memory_watts,
    refresh_watts,
    state_watts,
)


def with_timings(**changes: int) -> Device:
    return replace(RESTING, timings=replace(RESTING.timings, **changes))


def ticks_of(clocks: int) -> int:
    return clocks * RESTING.timings.tck_ps


# -- prices -------------------------------------------------------------------------------------


def test_a_state_draws_its_current_from_all_devices_behind_the_bus() -> None:
    watts = state_watts(DEVICE)
    assert watts.active == pytest.approx(8 * 1.2 * RAIL.idd3n)
    assert watts.precharged == pytest.approx(8 * 1.2 * RAIL.idd2n)
    assert watts.active_power_down == pytest.approx(8 * 1.2 * RAIL.idd3p)
    assert watts.power_down == pytest.approx(8 * 1.2 * RAIL.idd2p)
    assert watts.self_refresh == pytest.approx(8 * 1.2 * RAIL.idd6)


def test_the_whole_memory_is_all_ranks_of_all_channels() -> None:
    organisation = replace(DEVICE.organisation, channels=4, pseudo_channels=2, ranks=2)
    large = replace(DEVICE, organisation=organisation)
    for state in STATES:
        rank = getattr(state_watts(DEVICE), state)
        assert getattr(memory_watts(large), state) == pytest.approx(16 * rank)
        assert getattr(state_watts(large), state) == rank
        many = refresh_watts(large, state)
        assert many == pytest.approx(16 * refresh_watts(DEVICE, state))


def test_rails_add_up_in_every_state_and_command() -> None:
    both = replace(DEVICE, rails=(("vdd", RAIL), ("vpp", replace(RAIL, voltage=2.5))))
    for price in (state_watts, command_joules):
        one, two = price(DEVICE), price(both)
        for field in fields(one):
            if field.name != "io":
                expected = getattr(one, field.name) * (1 + 2.5 / 1.2)
                assert getattr(two, field.name) == pytest.approx(expected)


def test_refreshes_cost_one_each_trefi_whatever_the_policy() -> None:
    interval = DEVICE.timings.trefi * DEVICE.timings.tck_ps * 1e-12
    joules = command_joules(DEVICE)
    assert refresh_watts(DEVICE, "active") == pytest.approx(joules.refresh / interval)
    banks = replace(DEVICE, controller=replace(DEVICE.controller, refresh="per_bank"))
    assert refresh_watts(banks, "active") == pytest.approx(16 * joules.refresh_bank / interval)
    none = replace(DEVICE, controller=replace(DEVICE.controller, refresh="none"))
    for state in STATES:
        assert refresh_watts(none, state) == 0
        assert background(none, {state: 10**12})["refresh"] == (0, 0)


@pytest.mark.parametrize("state", ["active", "precharged", "active_power_down", "power_down"])
def test_a_refresh_takes_idd5_whatever_the_state_it_comes_in(state: str) -> None:
    """Power times time by hand: IDD5 for tRFC in every tREFI, the current of the state else."""
    amperes = {
        "active": RAIL.idd3n,
        "precharged": RAIL.idd2n,
        "active_power_down": RAIL.idd3p,
        "power_down": RAIL.idd2p,
    }[state]
    share = DEVICE.timings.trfc / DEVICE.timings.trefi
    mean = share * RAIL.idd5 + (1 - share) * amperes
    whole = getattr(memory_watts(DEVICE), state) + refresh_watts(DEVICE, state)
    assert whole == pytest.approx(8 * 1.2 * mean)


def test_a_device_that_refreshes_itself_is_sent_no_refreshes() -> None:
    assert refresh_watts(DEVICE, "self_refresh") == 0
    spent = background(DEVICE, {"self_refresh": 10**12})
    assert spent["refresh"] == (0, 0)
    assert spent["self_refresh"][1] == pytest.approx(8 * 1.2 * RAIL.idd6)


@given(st.fixed_dictionaries(dict.fromkeys(STATES, st.integers(0, 10**12))))
def test_the_background_counts_its_ticks_and_every_refresh_that_falls_due(
    ticks: dict[str, int],
) -> None:
    spent = background(DEVICE, ticks)
    assert list(spent) == [*ticks, "refresh"]
    assert {state: spent[state][0] for state in STATES} == ticks
    awake = sum(ticks.values()) - ticks["self_refresh"]
    interval = DEVICE.timings.trefi * DEVICE.timings.tck_ps
    assert abs(spent["refresh"][0] - awake / interval) <= 0.5
    assert all(joules >= 0 for _, joules in spent.values())


def test_io_is_priced_apart_from_the_array() -> None:
    joules = command_joules(replace(DEVICE, io_j_per_bit=2e-12))
    assert joules.io == pytest.approx(64 * 8 * 2e-12)
    assert joules.read == command_joules(DEVICE).read
    assert command_joules(DEVICE).io == 0


# -- residency ----------------------------------------------------------------------------------


@given(PERIODS, POLICIES)
def test_the_states_of_a_period_sum_to_the_elapsed_time(period: int, policy: IdlePolicy) -> None:
    time = residency(period, policy, RESTING)
    assert time.total == period + time.wait
    assert min(time.states.values()) >= 0
    assert list(time.states) == STATES


@given(st.lists(PERIODS, max_size=6), POLICIES)
def test_periods_add_up(periods: list[int], policy: IdlePolicy) -> None:
    each = [residency(period, policy, RESTING) for period in periods]
    together = sum(each, Residency())
    assert together.total == sum(periods) + together.wait
    assert background_j(together, RESTING) == pytest.approx(
        math.fsum(background_j(one, RESTING) for one in each)
    )


def test_a_period_goes_through_standby_power_down_and_self_refresh() -> None:
    period = 30_000_000
    time = residency(period, BOTH, RESTING)
    assert time == Residency(
        precharged=100_000 + ticks_of(576),
        power_down=10_000_000 - 100_000,
        self_refresh=20_000_000,
        wait=ticks_of(576),
    )


@pytest.mark.parametrize(
    ("period", "wait"),
    [(0, 0), (100_000, 0), (100_001, 10), (10_000_000, 10), (10_000_001, 576)],
)
def test_the_first_access_waits_for_the_state_that_it_finds(period: int, wait: int) -> None:
    assert residency(period, BOTH, RESTING).wait == ticks_of(wait)


def test_a_memory_without_a_policy_stands_by() -> None:
    assert residency(123, NEVER, DEVICE) == Residency(precharged=123)
    assert residency(123, IdlePolicy(rows_open=True), DEVICE) == Residency(active=123)


def test_open_rows_keep_the_power_of_an_open_bank_until_self_refresh() -> None:
    kept = replace(BOTH, rows_open=True)
    assert residency(1_000_000, kept, RESTING) == Residency(
        active=100_000 + ticks_of(10), active_power_down=900_000, wait=ticks_of(10)
    )
    assert residency(30_000_000, kept, RESTING) == Residency(
        active=100_000,
        active_power_down=9_900_000,
        self_refresh=20_000_000,
        precharged=ticks_of(576),
        wait=ticks_of(576),
    )


def test_self_refresh_alone_follows_on_standby() -> None:
    alone = replace(BOTH, power_down_after_s=None)
    assert residency(30_000_000, alone, RESTING) == Residency(
        precharged=10_000_000 + ticks_of(576), self_refresh=20_000_000, wait=ticks_of(576)
    )


@given(PERIODS, st.floats(0, 1e-5), st.floats(0, 1e-5))
def test_a_longer_threshold_never_shortens_standby_nor_lengthens_the_wait(
    period: int, first: float, second: float
) -> None:
    short, long = (
        residency(period, IdlePolicy(power_down_after_s=after), RESTING)
        for after in sorted((first, second))
    )
    assert long.precharged - long.wait >= short.precharged - short.wait
    assert long.wait <= short.wait


# -- what is refused ----------------------------------------------------------------------------


def refusal(policy: IdlePolicy, device: Device = RESTING, period: int = 1) -> str:
    with pytest.raises(HardwareError) as caught:
        residency(period, policy, device)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("test: ")
    return message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"power_down_after_s": -1e-9}, "power_down_after_s must be >= 0 s and finite, got -1e-09"),
        ({"self_refresh_after_s": math.inf}, "self_refresh_after_s must be >= 0 s and finite"),
        (
            {"power_down_after_s": 1e-6, "self_refresh_after_s": 1e-6},
            "self_refresh_after_s must be > power_down_after_s, got 1e-06 and 1e-06 s",
        ),
    ],
)
def test_a_policy_without_meaning_is_refused(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(IdlePolicy(**changes))


def test_a_state_that_the_device_cannot_price_or_leave_is_refused() -> None:
    assert "it has no timings.txp for power_down" in refusal(BOTH, with_timings(txp=0, txs=0))
    assert "it has no timings.txs for self_refresh" in refusal(BOTH, with_timings(txs=0))
    dark = replace(RESTING, rails=(("vdd", replace(RAIL, idd6=0.0)),))
    assert "it has no current for self_refresh; give it" in refusal(BOTH, dark)
    shallow = replace(RESTING, rails=(("vdd", replace(RAIL, idd3p=0.0)),))
    assert "no current for active_power_down" in refusal(replace(BOTH, rows_open=True), shallow)


def test_a_negative_time_is_refused() -> None:
    assert "an idle period must be >= 0 ticks, got -1" in refusal(BOTH, period=-1)


def test_an_exit_from_self_refresh_that_is_shorter_than_from_power_down_is_refused() -> None:
    with pytest.raises(HardwareError, match=r"timings\.txs must be >= txp, or 0 for unknown"):
        with_timings(txp=20, txs=19).check()


@pytest.mark.parametrize(
    ("field", "value", "refresh", "name"),
    [
        ("idd4w", 0.04, "all_bank", "write"),
        ("idd5", 0.04, "all_bank", "refresh"),
        ("idd5_bank", 0.0, "per_bank", "refresh of one bank"),
        ("idd0", 0.03, "none", "activate"),
    ],
)
def test_a_command_that_would_give_energy_back_is_refused(
    field: str, value: float, refresh: Any, name: str
) -> None:
    rails = (("vdd", replace(RAIL, **{field: value})),)
    device = replace(DEVICE, rails=rails, controller=replace(DEVICE.controller, refresh=refresh))
    with pytest.raises(HardwareError, match=f"a {name} must cost >= 0 J .* raise {field}"):
        device.check()
