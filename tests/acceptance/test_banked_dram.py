"""A model on a DRAM with banks and power states: every law holds, every joule has a cause."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import traces

from codesign import load_hardware, simulate
from codesign.hardware.dram_file import load_device
from codesign.mapping.residency import Policy
from codesign.models import resolve_model
from codesign.result.result import Result
from codesign.units import PS_PER_S
from codesign.workload.record import Trace

POLICIES: tuple[Policy, ...] = ("none", "region", "greedy")
CURRENTS = {
    "active": "idd3n",
    "precharged": "idd2n",
    "power_down": "idd2p",
    "self_refresh": "idd6",
}
BACKENDS = ("fluid", "window", "exact")


@cache
def ran(backend: str = "window", exact_events: bool = False) -> Result:
    hardware = load_hardware("edge-npu-lpddr5").with_("dram.backend", backend)
    return simulate("lstm_lm", hardware, exact_events=exact_events)


@settings(max_examples=8)
@given(traces(), st.sampled_from(POLICIES))
def test_skipping_what_recurs_changes_no_figure(trace: Trace, policy: Policy) -> None:
    plain, fast = (
        simulate(trace, "edge-npu-lpddr5", residency=policy, exact_events=exact)
        for exact in (True, False)
    )
    assert fast.digest == plain.digest
    assert fast.to_arrow().equals(plain.to_arrow())
    assert fast.replay.uses == plain.replay.uses
    assert fast.lower_bound_s <= fast.latency_s


def test_a_recurrent_model_is_the_same_with_and_without_fast_forward() -> None:
    plain, fast = ran(exact_events=True), ran()
    assert fast.digest == plain.digest
    assert fast.replay.uses == plain.replay.uses
    assert fast.fabric_events < plain.fabric_events / 2


@pytest.mark.parametrize("model", ["lstm_lm", "mobilenet_v2"])
def test_windows_take_as_long_as_every_transaction_over_whole_models(model: str) -> None:
    trace, hardware = resolve_model(model), load_hardware("edge-npu-lpddr5")
    window, exact = (
        simulate(trace, hardware.with_("dram.backend", backend)).latency_s
        for backend in ("window", "exact")
    )
    assert window == pytest.approx(exact, rel=0.035)
    assert window != exact


@pytest.mark.parametrize("backend", BACKENDS)
def test_power_states_add_up_to_the_makespan_and_power_times_time_is_energy(backend: str) -> None:
    result = ran(backend)
    ticks = result.replay.uses["dram"].ticks
    assert sum(ticks.values()) == result.replay.makespan
    rails = [rail for _, rail in load_device("lpddr5-6400").rails]
    spent = result.ledger.energy_by("action")
    for state, time in ticks.items():
        # a channel has one device and one rank; there are two channels
        watts = 2 * sum(rail.voltage * getattr(rail, CURRENTS[state]) for rail in rails)
        assert watts > 0
        assert spent[state] == pytest.approx(watts * time / PS_PER_S, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_energy_of_the_dram_is_the_sum_of_its_actions(backend: str) -> None:
    result = ran(backend)
    ledger = result.ledger
    mine = ledger.component == "dram"
    actions = set(ledger.action[mine].tolist())
    assert {"read", "write", "activate", "active", "refresh"} <= actions
    assert ledger.energy[mine].sum() == pytest.approx(result.energy_by_component_j["dram"])
    prices = result.machine.components["dram"].energies_j()
    for action in ("read", "write", "activate"):
        rows = mine & (ledger.action == action)
        assert ledger.energy[rows].sum() == pytest.approx(
            prices[action] * int(ledger.count[rows].sum()), rel=0.02
        )


def test_rows_are_opened_at_least_once_for_each_row_of_bytes() -> None:
    result = ran()
    ledger = result.ledger
    mine = (ledger.component == "dram") & (ledger.action == "activate")
    moved = sum(result.offchip_bytes.values())
    opened = int(ledger.count[mine].sum())
    assert moved / 2048 < opened < moved / 32
    assert set(ledger.role[mine].tolist()) <= {"input", "weight", "activation", "output"}


def test_whole_bursts_are_moved_and_never_less_than_asked() -> None:
    banked, flat = ran(), simulate("lstm_lm", "edge-npu")
    for role, size in flat.offchip_bytes.items():
        assert size <= banked.offchip_bytes[role] < 2 * size
        assert banked.offchip_bytes[role] % 32 == 0


def test_a_result_says_which_backend_and_how_wrong_it_may_be() -> None:
    for backend, words in zip(BACKENDS, ("27 %", "0.7 %", "189 recorded streams"), strict=True):
        notes = [line for line in ran(backend).assumptions if line.startswith("dram: ")]
        assert len(notes) == 1
        assert words in notes[0]
        assert "uncalibrated" in notes[0]


def test_an_idle_policy_saves_energy_and_costs_the_time_to_wake() -> None:
    hardware = load_hardware("edge-npu-lpddr5")
    awake = simulate(
        "lstm_lm",
        hardware.with_("dram.power_down_after", 0).with_("dram.self_refresh_after", 0),
    )
    resting = ran()
    assert "power_down" not in awake.replay.uses["dram"].ticks
    assert resting.replay.uses["dram"].ticks["power_down"] > 0
    per_tick = [r.energy_by_component_j["dram"] / r.replay.makespan for r in (resting, awake)]
    assert per_tick[0] < per_tick[1]
    assert resting.latency_s >= awake.latency_s
