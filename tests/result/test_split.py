"""Energy by cause: dynamic, leakage and background by state are the whole energy."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow.parquet
import pytest
from strategies import Sketch, machine

from codesign import load_hardware, simulate
from codesign.hardware.spec import Hardware
from codesign.memory.power import memory_watts
from codesign.result.ledger import static_ledger
from codesign.result.result import Result
from codesign.scenario.arrival import Periodic
from codesign.scenario.result import ScenarioResult
from codesign.scenario.simulate import simulate_scenario
from codesign.scenario.spec import Scenario, Stream
from codesign.units import PS_PER_S
from codesign.workload.record import Trace

STATES = {"active", "precharged", "power_down", "self_refresh", "refresh"}


def model() -> Trace:
    sketch = Sketch("model")
    sketch.softmax("soft", sketch.matmul("head", sketch.input("x", 64, 256), 256))
    return sketch.trace()


@pytest.fixture(scope="module")
def banked() -> Hardware:
    return load_hardware("edge-npu-lpddr5")


@pytest.fixture(scope="module")
def result(banked: Hardware) -> Result:
    return simulate(model(), banked)


@pytest.fixture(scope="module")
def session(banked: Hardware) -> ScenarioResult:
    streams = (
        Stream("often", model(), Periodic(1e-3)),
        Stream("seldom", model(), Periodic(2e-3), background=True),
    )
    return simulate_scenario(Scenario("two", streams, 4e-3, silence_s=6e-3), banked)


def test_the_causes_sum_to_the_energy(result: Result, session: ScenarioResult) -> None:
    for one in (result, session):
        split = one.energy_split
        causes = split.dynamic_j, split.leakage_j, split.background_j
        assert min(causes) > 0
        assert math.fsum(causes) == pytest.approx(one.energy_j, rel=1e-12)
        for name, joules in one.energy_by_component_j.items():
            dynamic = split.dynamic_by_component_j.get(name, 0.0)
            leakage = split.leakage_by_component_j.get(name, 0.0)
            parts = dynamic + leakage + split.background_of(name)
            assert parts == pytest.approx(joules, rel=1e-12)


def test_the_background_is_told_by_state(result: Result, session: ScenarioResult) -> None:
    assert set(session.energy_split.background_by_state_j) == {"dram"}
    assert set(session.energy_split.background_by_state_j["dram"]) == STATES
    assert set(result.energy_split.background_by_state_j["dram"]) <= STATES
    assert session.energy_split.background_of("npu") == 0


def test_a_state_costs_its_power_times_its_time(session: ScenarioResult) -> None:
    watts = memory_watts(session.machine.components["dram"].part)  # type: ignore[attr-defined]
    ticks = session.parts["often"].replay.uses["dram"].ticks
    for state, joules in session.energy_split.background_by_state_j["dram"].items():
        if state != "refresh":
            expected = getattr(watts, state) * ticks[state] / PS_PER_S
            assert joules == pytest.approx(expected, rel=1e-12)
    assert ticks["self_refresh"] > 5e-3 * PS_PER_S


def test_static_energy_is_leakage_and_background_and_in_no_stream(session: ScenarioResult) -> None:
    split = session.energy_split
    assert session.static_energy_j == pytest.approx(split.leakage_j + split.background_j)
    assert session.static.energy.sum() == pytest.approx(session.static_energy_j)
    assert set(session.static.op.tolist()) == {-1}
    for part in session.parts.values():
        assert part.energy_split.leakage_j == part.energy_split.background_j == 0
        assert part.energy_split.dynamic_j == pytest.approx(part.energy_j)


def test_the_saved_ledger_has_every_state_of_the_memory(
    session: ScenarioResult, tmp_path: Path
) -> None:
    session.save(tmp_path)
    rows = pyarrow.parquet.read_table(tmp_path / "ledger.parquet").to_pylist()
    assert math.fsum(row["energy_j"] for row in rows) == pytest.approx(session.energy_j, rel=1e-12)
    states = {row["action"]: row["count"] for row in rows if row["stream"] is None}
    ticks = session.parts["often"].replay.uses["dram"].ticks
    assert {state: states[state] for state in ticks} == dict(ticks)
    assert sum(ticks.values()) == round(session.span_s * PS_PER_S)


def test_summaries_carry_the_split(result: Result, session: ScenarioResult) -> None:
    for one in (result, session):
        summary = json.loads(json.dumps(one.summary()))
        causes = [summary[f"{cause}_energy_j"] for cause in ("dynamic", "leakage", "background")]
        assert math.fsum(causes) == pytest.approx(summary["energy_j"], rel=1e-12)
        states = summary["background_by_state_j"]["dram"]
        assert math.fsum(states.values()) == pytest.approx(causes[2], rel=1e-12)


def test_a_machine_without_power_states_has_no_background() -> None:
    plain = simulate(model(), machine(leakage=1e-3))
    assert plain.energy_split.background_by_state_j == {}
    assert plain.summary()["background_energy_j"] == 0
    assert plain.energy_split.leakage_j > 0


def test_a_machine_that_neither_leaks_nor_rests_has_an_empty_static_ledger() -> None:
    quiet = machine()
    made = static_ledger(quiet, simulate(model(), quiet).replay, PS_PER_S)
    assert len(made.energy) == 0
    assert made.energy_by("component") == {}
