"""What a result says of a run: its figures, their units and their names."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from strategies import AMPLE, Sketch, machine, machines, traces

import codesign
from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.result.result import Result
from codesign.units import PS_PER_S
from codesign.workload.record import Trace

SIZES = (16, 48, 32)


@pytest.fixture(scope="module")
def result() -> Result:
    """``[16, 48] x [48, 32]``, then relu, with everything in one tile's reach."""
    m, k, n = SIZES
    sketch = Sketch("two")
    sketch.pointwise("act", sketch.matmul("product", sketch.input("x", m, k), n))
    return simulate(sketch.trace(), machine(setup=2e-9, leakage=1e-3))


def test_the_summary_has_the_promised_keys_and_some_more(result: Result) -> None:
    promised = (
        "latency_s energy_j energy_by_component_j offchip_bytes macs coverage utilization "
        "fabric_events lower_bound_s serial_bound_s digest "
        "model hardware trace_digest hardware_digest version"
    )
    more = (
        "mac_slots tiles assumptions dynamic_energy_j leakage_energy_j background_energy_j "
        "background_by_state_j assumed_energy_share"
    )
    assert set(result.summary()) == set(promised.split()) | set(more.split())


def test_the_summary_survives_json_unchanged(result: Result) -> None:
    summary = result.summary()
    again = json.loads(json.dumps(summary, allow_nan=False))
    assert again == summary | {"assumptions": list(result.assumptions)}


def test_the_summary_names_what_was_run(result: Result) -> None:
    summary = result.summary()
    assert (summary["model"], summary["hardware"]) == ("two", "machine")
    assert summary["version"] == codesign.__version__
    assert summary["trace_digest"] == result.placement.trace.digest
    assert summary["hardware_digest"] == result.machine.digest
    assert summary["coverage"] == 1.0


def test_times_are_ticks_over_ticks_per_second(result: Result) -> None:
    replay = result.replay
    assert result.latency_s == replay.makespan / PS_PER_S
    assert result.lower_bound_s == replay.lower / PS_PER_S
    assert result.serial_bound_s == replay.serial / PS_PER_S


def test_bytes_and_macs_are_those_of_the_shapes(result: Result) -> None:
    m, k, n = SIZES
    assert result.macs == m * k * n
    assert result.offchip_bytes == {"input": m * k, "weight": k * n, "activation": 3 * m * n}


def test_the_energy_of_the_link_is_its_bytes_times_its_price(result: Result) -> None:
    moved = sum(result.offchip_bytes.values())
    assert result.energy_by_component_j["bus0"] == pytest.approx(moved * 1e-12, rel=1e-12)
    assert result.energy_by_component_j["dram"] == pytest.approx(moved * 6.4e-11, rel=1e-12)


def test_leakage_is_power_times_the_makespan(result: Result) -> None:
    assert result.table("action")["leakage"] == pytest.approx(1e-3 * result.latency_s, rel=1e-12)
    assert result.table("op")["static"] == result.table("action")["leakage"]


def test_an_operator_called_static_is_kept_apart_from_what_flows_all_the_time() -> None:
    def ran(*names: str) -> Result:
        sketch = Sketch()
        for name in names:
            sketch.matmul(name, sketch.input(f"{name}.x", 16, 16), 16)
        return simulate(sketch.trace(), machine(leakage=1e-3))

    plain = ran("first").table("op")
    clash = ran("static").table("op")
    assert clash["static"] == plain["first"]
    assert clash["static (no operator)"] == plain["static"] > 0
    both = ran("static", "static (no operator)")
    twice = both.table("op")
    leaked = both.table("action")["leakage"]
    assert twice["static (no operator) (no operator)"] == leaked
    assert math.fsum(twice.values()) == pytest.approx(both.energy_j, rel=1e-12)
    assert both.operators["energy_j"] == [twice["static"], twice["static (no operator)"]]


def test_components_that_took_no_energy_are_listed_with_zero() -> None:
    sketch = Sketch()
    sketch.pointwise("act", sketch.input("x", 4, 4))
    energy = simulate(sketch.trace(), machine()).energy_by_component_j
    assert list(energy) == ["npu0", "vector", "sram0", "bus0", "dram"]
    assert energy["npu0"] == 0.0


def test_grouping_by_another_column_is_refused(result: Result) -> None:
    with pytest.raises(KeyError, match="group by op, component, role or action"):
        result.table("engine")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces(), machines())
def test_shares_are_between_0_and_1(trace: Trace, hardware: Hardware) -> None:
    result = simulate(trace, hardware)
    assert sorted(result.utilization) == sorted(hardware.components)
    assert all(0 <= share <= 1 for share in result.utilization.values())
    assert 0 <= result.coverage <= 1
    assert all(math.isfinite(joules) and joules >= 0 for joules in result.ledger.energy)


def test_a_link_with_a_channel_each_way_is_as_busy_as_its_busier_channel() -> None:
    sketch = Sketch()
    sketch.pointwise("act", sketch.input("x", 64, 256))
    half, full = (
        simulate(sketch.trace(), machine(bandwidth=1e9, duplex=duplex, clock=AMPLE))
        for duplex in ("half", "full")
    )
    assert half.utilization["bus0"] == pytest.approx(1.0, rel=0.01)
    assert full.utilization["bus0"] == pytest.approx(64 * 256 / (full.latency_s * 1e9))


def test_assumptions_say_where_data_lives_and_what_is_not_known(result: Result) -> None:
    said = " | ".join(result.assumptions)
    assert "every operator takes its operands from dram" in said
    assert "constant DRAM rate" in said


def test_operator_rows_add_up_to_the_whole(result: Result) -> None:
    table = result.operators
    assert table["name"] == ["product", "act"]
    assert table["engine"] == ["npu0", "vector"]
    assert sum(int(n) for n in table["macs"]) == result.macs
    assert sum(int(n) for n in table["tiles"]) == result.tiles
    assert sum(int(n) for n in table["moved_bytes"]) == sum(result.offchip_bytes.values())
    total = sum(float(joules) for joules in table["energy_j"])
    assert total == pytest.approx(result.energy_j - result.table("op")["static"], rel=1e-12)


def test_the_arrow_table_is_the_ledger(result: Result) -> None:
    table = result.to_arrow()
    assert table.column_names == ["op", "component", "action", "role", "count", "energy_j"]
    assert table.num_rows == len(result.ledger.op)
    assert table["count"].to_pylist() == result.ledger.count.tolist()
    assert table["energy_j"].to_pylist() == result.ledger.energy.tolist()
    ops = set(table["op"].to_pylist())
    assert ops == {"product", "act", None}  # leakage belongs to no operator


def test_a_run_without_a_place_to_go_writes_nothing(result: Result, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    result.save(tmp_path / "a" / "b")
    assert len(list((tmp_path / "a" / "b").iterdir())) == 9
