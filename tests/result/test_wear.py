"""Writes x steps = wear, and how long cells last at a given use."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import codesign
from codesign import Hardware, Residency, Trace, load_hardware
from codesign.mapping.residency import Policy
from codesign.result.wear import Wear
from codesign.testing.operators import matmul, whole
from codesign.units import PS_PER_S

FILE = """
name: worn
precision: int8
components:
  cim:
    kind: cim_nvm
    buffer: sram
    rows: 64
    columns: 64
    adc_bits: 8
    adc_time: 10 ns
    dac_energy: 1 fJ
    cell_energy: 1 fJ
    adc_energy: 1 pJ
    shift_energy: 10 fJ
    write_energy: 10 pJ
    endurance: 1e6
  sram: {kind: sram, size: 64 KiB}
  bus: {kind: link, connects: [dram, sram, cim.cells], bandwidth: 8 GB/s}
  dram: {kind: flat_dram, device: x, bandwidth: 8 GB/s, size: 1 GB}
"""
TILE = 64 * 64


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Hardware:
    path = tmp_path_factory.mktemp("worn") / "worn.yaml"
    path.write_text(FILE)
    return load_hardware(path)


def product(columns: int, rows: int = 4) -> Trace:
    op = matmul(rows, 64, columns)
    return Trace("product", (op,), tuple(access.tensor for access in op.operands))


def worn(trace: Trace, machine: Hardware, residency: Residency | Policy = "none") -> Wear:
    (found,) = codesign.simulate(trace, machine, residency=residency).wear
    return found


@pytest.mark.parametrize("tiles", [1, 2, 5])
def test_each_tile_that_is_loaded_writes_every_cell_once(machine: Hardware, tiles: int) -> None:
    found = worn(product(64 * tiles), machine)
    assert found.memory == "cim.cells"
    assert (found.written_bytes, found.size_bytes) == (tiles * TILE, TILE)
    assert found.writes == tiles


def test_more_macros_share_the_writes(machine: Hardware) -> None:
    assert worn(product(256), machine.with_("cim.macros", 4)).writes == 1


def test_life_is_endurance_over_writes_of_a_cell_in_a_second(machine: Hardware) -> None:
    found = worn(product(128), machine)
    assert found.endurance == 1e6
    assert found.lifetime_s(10) == pytest.approx(1e6 / (2 * 10))
    assert found.lifetime_s(20) == found.lifetime_s(10) / 2


def test_what_is_never_written_lasts_for_ever() -> None:
    assert Wear("cells", 0, 64, 1e6).lifetime_s(1) == math.inf


def test_weights_that_stay_are_written_once_whatever_runs(machine: Hardware) -> None:
    kept = Residency("greedy", across_runs=True)
    found = worn(product(64), machine, kept)
    assert (found.once_bytes, found.written_bytes) == (TILE, 0)
    assert found.lifetime_s(1e9) == math.inf


def test_several_operators_that_stay_are_written_once_together(machine: Hardware) -> None:
    kept = Residency("greedy", across_runs=True)
    first, second = (matmul(4, 64, 64 * n) for n in (1, 2))
    second = replace(
        second,
        name="second",
        inputs=(second.inputs[0], whole("w2", (64, 128), "weight")),
        outputs=(whole("y2", (4, 128), "output"),),
    )
    tensors = {access.tensor: None for op in (first, second) for access in op.operands}
    both = Trace("two", (first, second), tuple(tensors))
    found = worn(both, machine.with_("cim.macros", 4), kept)
    assert (found.once_bytes, found.written_bytes) == (3 * TILE, 0)
    apart = worn(both, machine.with_("cim.macros", 4))
    assert (apart.once_bytes, apart.written_bytes) == (0, 3 * TILE)


def test_memories_that_do_not_wear_are_not_listed(machine: Hardware) -> None:
    sram = load_hardware("h4h-edge")
    found = codesign.simulate(product(64), sram)
    assert found.wear == ()
    assert "writes_per_cell" not in found.summary()


def test_the_summary_has_the_writes_and_writing_is_charged(machine: Hardware) -> None:
    found = codesign.simulate(product(128), machine, residency="none")
    assert found.summary()["writes_per_cell"] == {"cim.cells": 2}
    # a weight of 8 bit lies in 8 pairs of one-bit cells
    assert found.energy_by_component_j["cim.cells"] == pytest.approx(2 * TILE * 16 * 10e-12)


def test_writing_takes_a_pulse_for_each_row(machine: Hardware) -> None:
    fast = codesign.simulate(product(64), machine.with_("bus.bandwidth", "1 TB/s"))
    pulses = 64 * 10e-9
    reading = fast.placement.program[0].plan.cycles / machine.engine("cim").clock_hz  # type: ignore[union-attr,attr-defined]
    assert fast.latency_s >= pulses + reading - 1 / PS_PER_S
