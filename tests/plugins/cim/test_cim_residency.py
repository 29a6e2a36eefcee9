"""Weights that stay in the cells: for a region, from run to run, and when they must come again."""

from __future__ import annotations

from typing import Any

import pytest
from gates import recurrent
from hypothesis import given, settings
from hypothesis import strategies as st
from macros import CLOCK, KIB, KINDS, clock_hz, machine, macros, one

import codesign
from codesign import Residency
from codesign.errors import MappingError
from codesign.hardware.spec import Hardware
from codesign.result.result import Result
from codesign.testing import convolution
from codesign.workload.record import Trace

WEIGHTS = 512 * 1024
"""Of the gates of a cell with 256 inputs and 256 states: 32 tiles of 128 x 128."""


def built(kind: str = "digital", **fields: Any) -> Hardware:
    """Macros whose weights come through 8 B a cycle, and a vector unit for the gates."""
    engine = macros(kind, **fields)
    return machine(engine, bandwidth=8 * engine.clock_hz, vector=True, port=True, sram=64 * KIB)


def a_step(found: Result, steps: int) -> float:
    """Macro cycles of a step in which macros work."""
    busy = found.replay.busy["macro"] * 1e-12
    return busy * clock_hz(found.machine) / steps


def macro_span(found: Result) -> float:
    """Macro cycles from the first weight of the last step to the end of its products."""
    span = [s for s in found.replay.spans if s.assignment.op.name == "gates0"][-1]
    return (span.end - span.start) * 1e-12 * clock_hz(found.machine)


# -- the recurrent cell of the reference -----------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "cycles"),
    [({"sets": 32}, 256), ({"macros": 32}, 8), ({"macros": 4, "sets": 8}, 64)],
    ids=str,
)
def test_resident_gates_take_the_cycles_of_the_reference(
    fields: dict[str, Any], cycles: int
) -> None:
    found = codesign.simulate(recurrent(100), built(**fields))
    assert a_step(found, 100) == pytest.approx(cycles, rel=1e-3)
    assert found.offchip_bytes["weight"] == WEIGHTS


def test_reloaded_gates_take_the_cycles_of_the_reference() -> None:
    found = codesign.simulate(recurrent(20), built())
    assert macro_span(found) == pytest.approx(65_546, rel=0.01)
    assert found.latency_s * clock_hz(found.machine) / 20 > 65_536
    assert found.offchip_bytes["weight"] == 20 * WEIGHTS


@pytest.mark.parametrize("steps", [2, 10, 1000, 100_000])
def test_resident_weights_are_fetched_once_for_any_number_of_steps(steps: int) -> None:
    found = codesign.simulate(recurrent(steps), built(sets=32))
    assert found.offchip_bytes["weight"] == WEIGHTS
    assert [stay.memory for stay in found.placement.stays if stay.tensor.name == "w0"] == [
        "macro.cells"
    ]
    assert found.replay.moved["dram", "macro.cells"] == WEIGHTS


@pytest.mark.parametrize("fields", [{"sets": 32}, {}], ids=["resident", "reloaded"])
def test_events_do_not_grow_with_the_steps(fields: dict[str, Any]) -> None:
    few, many = (
        codesign.simulate(recurrent(steps), built(**fields)).fabric_events
        for steps in (1000, 100_000)
    )
    assert few == many < 2000


def test_a_tile_too_many_makes_every_step_reload() -> None:
    fits, not_quite = (
        codesign.simulate(recurrent(10), built(sets=sets)).offchip_bytes["weight"]
        for sets in (32, 31)
    )
    assert (fits, not_quite) == (WEIGHTS, 10 * WEIGHTS)


def test_nothing_stays_where_nothing_may() -> None:
    found = codesign.simulate(recurrent(10), built(sets=32), residency="none")
    assert found.offchip_bytes["weight"] == 10 * WEIGHTS
    capped = Residency("greedy", limits={"macro.cells": WEIGHTS - 1})
    found = codesign.simulate(recurrent(10), built(sets=32), residency=capped)
    assert found.offchip_bytes["weight"] == 10 * WEIGHTS


@pytest.mark.parametrize("policy", ["region", "greedy", "optimal"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_policy_keeps_weights_in_the_cells_of_every_kind(kind: str, policy: Any) -> None:
    found = codesign.simulate(
        recurrent(50, inner=128, gates=512), built(kind, sets=4), residency=policy
    )
    assert found.offchip_bytes["weight"] == 128 * 512
    assert "macro.cells" in {stay.memory for stay in found.placement.stays}


def test_two_layers_share_the_cells_or_one_of_them_reloads() -> None:
    size = 128 * 512
    trace = recurrent(10, inner=128, gates=512, cells=2)
    both = codesign.simulate(trace, built(sets=8), residency="greedy")
    assert both.offchip_bytes["weight"] == 2 * size
    single = codesign.simulate(trace, built(sets=5), residency="greedy")
    assert single.offchip_bytes["weight"] == size + 10 * size


def test_one_that_reloads_gets_the_cells_that_the_other_leaves() -> None:
    trace = recurrent(10, inner=128, gates=512, cells=2)
    found = codesign.simulate(trace, built(sets=5), residency="greedy")
    plans = {
        one.op.name: one.plan
        for one, _ in found.placement.assignments()
        if one.op.name.startswith("gates") and one.plan
    }
    rounds = sorted(plan.tiles for plan in plans.values())
    assert rounds == [1, 4]  # four tiles stay, one cell is left to the four of the other


def test_weights_stay_from_run_to_run() -> None:
    trace, asked = recurrent(10), Residency("greedy", across_runs=True)
    found = codesign.simulate(trace, built(sets=32), residency=asked)
    (stay,) = [one for one in found.placement.stays if one.tensor.name == "w0"]
    assert stay.memory == "macro.cells"
    assert [move.op.name for move in found.placement.setup] == ["setup.macro.cells"] * (
        stay.is_for_ever
    )


def test_a_pin_names_no_cells() -> None:
    with pytest.raises(MappingError, match=r"names macro\.cells") as caught:
        codesign.simulate(
            recurrent(2), built(sets=32), residency=Residency("pinned", pins=("w0@macro.cells",))
        )
    assert "\n" not in str(caught.value)


# -- when weights may come -------------------------------------------------------------------------


def test_weights_of_the_next_step_wait_for_the_macros() -> None:
    # 4 tiles of 16 x 16: 256 B at 2 B/ns take 128 ns, a product 8 passes of 4 ns
    engine = macros(rows=16, columns=16, clock=CLOCK, write_width=10**6)
    hardware = machine(engine, bandwidth=2e9, vector=True, port=True)
    trace = recurrent(50, inner=16, gates=64)
    steps = codesign.simulate(trace, hardware, residency="none")
    assert steps.offchip_bytes["weight"] == 50 * 16 * 64
    assert steps.latency_s >= 50 * 4 * (128e-9 + 32e-9)
    hardware = hardware.with_("macro.double_buffer", True)
    spare = codesign.simulate(trace, hardware, residency="none")
    assert spare.latency_s < steps.latency_s


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.integers(1, 12),
    st.sampled_from([(16, 32), (32, 128), (48, 48)]),
    st.integers(1, 3),
    st.integers(1, 12),
    st.booleans(),
)
def test_loads_are_weights_times_reloads_and_more_sets_never_load_more(
    steps: int, shape: tuple[int, int], cells: int, sets: int, double_buffer: bool
) -> None:
    inner, gates = shape
    trace = recurrent(steps, inner=inner, gates=gates, cells=cells)
    loaded = [_loaded(trace, sets=n, double_buffer=double_buffer) for n in (sets, sets + 1)]
    for size in loaded:
        assert size % (inner * gates) == 0
        assert cells * inner * gates <= size <= steps * cells * inner * gates
    assert loaded[1] <= loaded[0]


def _loaded(trace: Trace, **fields: Any) -> int:
    engine = macros(rows=16, columns=16, **fields)
    hardware = machine(engine, vector=True)
    found = codesign.simulate(trace, hardware, residency="greedy")
    assert found.lower_bound_s <= found.latency_s <= found.serial_bound_s
    return found.offchip_bytes["weight"]


# -- wear ------------------------------------------------------------------------------------------


def written(found: Result) -> int:
    (wear,) = found.wear
    assert wear.memory == "macro.cells"
    return wear.written_bytes


@pytest.mark.parametrize("steps", [1, 3, 40])
def test_wear_is_writes_times_steps(steps: int) -> None:
    resident = codesign.simulate(recurrent(steps, inner=128, gates=512), built("nvm", sets=4))
    reloaded = codesign.simulate(recurrent(steps, inner=128, gates=512), built("nvm"))
    size = 128 * 512
    assert (written(resident), written(reloaded)) == (size, steps * size)
    assert resident.wear[0].writes == 1.0
    assert reloaded.wear[0].writes == 4 * steps
    assert reloaded.wear[0].lifetime_s(10.0) == pytest.approx(1e6 / (4 * steps) / 10)


def test_every_write_is_charged() -> None:
    found = codesign.simulate(recurrent(7, inner=128, gates=512), built("nvm"))
    cells = found.machine.engine("macro").cells  # type: ignore[attr-defined]
    expected = 7 * 128 * 512 * cells.write_energy
    assert found.energy_by_component_j["macro.cells"] == pytest.approx(expected)
    bits = 8 * 2 * 2e-12 * 4  # pairs of one-bit cells, with four pulses each
    assert cells.write_energy == pytest.approx(bits)


def test_zeros_between_packed_groups_wear_as_well() -> None:
    engine = macros("nvm", pack="group")
    op = convolution(28, 28, 3, 3, groups=28)
    found = codesign.simulate(one(op), machine(engine), residency="none")
    assert written(found) == 2 * (14 * 9) * 14  # two tiles of fourteen blocks


def test_slow_cells_are_not_written_again_for_the_sake_of_inputs_that_come_quickly() -> None:
    engine = macros("nvm", pack="group")
    op = convolution(28, 28, 6, 3, padding=1, groups=28)
    found = codesign.simulate(one(op), machine(engine, port=True), residency="none")
    assert found.replay.moved["dram", "macro.cells"] == op.inputs[1].bytes
    assert written(found) == 2 * (14 * 9) * 14


def test_sram_does_not_wear() -> None:
    assert codesign.simulate(recurrent(3), built(sets=32)).wear == ()
