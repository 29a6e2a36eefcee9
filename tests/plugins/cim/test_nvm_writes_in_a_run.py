"""Writes of non-volatile cells in a whole run: charged in time and energy, and counted as wear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import codesign
from codesign import Region, Trace
from codesign.hardware.spec import Hardware
from codesign.mapping.residency import Policy
from codesign.result.result import Result
from codesign.testing import matmul

FILE = """
name: rram
precision: int8
components:
  cim:
    kind: cim_nvm
    buffer: sram
    rows: 128
    columns: 32
    macros: 1
    bits_per_cell: 2
    adc_bits: 9
    columns_per_adc: 8
    rows_read: 64
    adc_time: 5 ns
    dac_energy: 0.01 pJ
    cell_energy: 0.002 pJ
    adc_energy: 3 pJ
    shift_energy: 0.005 pJ
    write_time: 100 ns
    write_pulses: 4
    write_energy: 2 pJ
    endurance: 1000000
  sram:
    kind: sram
    size: 1 MiB
    bandwidth: 128 GB/s
    read_energy: 0 pJ/B
    write_energy: 0 pJ/B
  bus:
    kind: link
    connects: [dram, sram, cim.cells]
    bandwidth: 128 GB/s
    energy: 0 pJ/bit
  dram:
    kind: flat_dram
    device: any
    size: 1 GiB
    bandwidth: 128 GB/s
    energy: 0 pJ/bit
"""
TILE_J = 128 * 32 * 4 * 2 * 4 * 2e-12
"""A full tile: 128 x 32 weights of four pairs of cells, four pulses of 2 pJ each."""
TILE_S = 128 * 100e-9 * 4


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    path = tmp_path / "rram.yaml"
    path.write_text(FILE)
    return codesign.load_hardware(str(path))


def run(hardware: Hardware, tiles: int, m: int = 4, **changes: Any) -> Result:
    """A product whose weights fill so many tiles of the macro, one after the other."""
    op = matmul(m, 128, 32 * tiles)
    trace = Trace("product", (op,), tuple(access.tensor for access in op.operands))
    machine = hardware.with_all({name.replace("__", "."): v for name, v in changes.items()})
    return codesign.simulate(trace, machine)


def spent(result: Result, component: str) -> float:
    """Joules of a component."""
    ledger = result.ledger
    return float(sum(ledger.energy[ledger.component == component]))


@pytest.mark.parametrize("tiles", [1, 2, 5])
def test_every_tile_that_is_loaded_pays_for_its_cells(hardware: Hardware, tiles: int) -> None:
    assert spent(run(hardware, tiles), "cim.cells") == pytest.approx(tiles * TILE_J, rel=1e-9)


@pytest.mark.parametrize("tiles", [1, 2, 5])
def test_every_tile_that_is_loaded_wears_the_cells_once(hardware: Hardware, tiles: int) -> None:
    (wear,) = run(hardware, tiles).wear
    assert wear.memory == "cim.cells"
    assert wear.writes == tiles
    assert wear.lifetime_s(1.0) == pytest.approx(1e6 / tiles, rel=1e-12)


@pytest.mark.parametrize("tiles", [1, 3])
def test_a_run_takes_at_least_its_writes_and_its_products(hardware: Hardware, tiles: int) -> None:
    result = run(hardware, tiles)
    # 8 slices x 2 groups x 8 columns of 15 ns, for each of four rows of the product
    products = tiles * 4 * 128 * 15e-9
    assert result.latency_s >= tiles * TILE_S
    assert result.latency_s >= products
    # a macro that is written cannot compute
    assert result.latency_s == pytest.approx(tiles * TILE_S + products, rel=0.02)


def test_more_macros_share_the_wear(hardware: Hardware) -> None:
    (one,) = run(hardware, 4).wear
    (four,) = run(hardware, 4, cim__macros=4).wear
    assert one.writes == 4
    assert four.writes == 1
    assert four.lifetime_s(10.0) == 4 * one.lifetime_s(10.0)


def test_more_pulses_cost_time_and_energy_and_no_wear(hardware: Hardware) -> None:
    gentle, hard = run(hardware, 2), run(hardware, 2, cim__write_pulses=8)
    assert spent(hard, "cim.cells") == pytest.approx(2 * spent(gentle, "cim.cells"), rel=1e-9)
    assert hard.latency_s > gentle.latency_s
    assert hard.wear[0].writes == gentle.wear[0].writes


def test_rows_of_a_batch_share_one_write(hardware: Hardware) -> None:
    small, large = run(hardware, 2, m=1), run(hardware, 2, m=64)
    assert spent(small, "cim.cells") == spent(large, "cim.cells")
    assert small.wear[0].writes == large.wear[0].writes == 2
    assert spent(large, "cim") > 32 * spent(small, "cim")


def test_a_macro_without_endurance_is_one_line(hardware: Hardware) -> None:
    with pytest.raises(codesign.errors.HardwareError) as caught:
        run(hardware, 1, cim__endurance=0)
    message = str(caught.value)
    assert "endurance must be above 0 writes: cells that last none hold no weights" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cim__adc_bits": 8}, "adc_bits must be >= 9 to tell all sums of 64 rows apart"),
        ({"cim__columns_per_adc": 3}, "columns_per_adc must divide the bit columns"),
        ({"cim__bits_per_cell": 9}, "bits_per_cell must be <= weight_bits"),
        ({"cim__rows_read": 256}, "rows_read must be <= rows"),
    ],
)
def test_a_macro_that_cannot_be_is_one_line(
    hardware: Hardware, changes: dict[str, int], message: str
) -> None:
    with pytest.raises(codesign.errors.HardwareError) as caught:
        run(hardware, 1, **changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def loop(hardware: Hardware, tiles: int, steps: int, macros: int, residency: Policy) -> Result:
    """A product of so many weight tiles that is repeated step after step."""
    op = matmul(4, 128, 32 * tiles)
    tensors = tuple(access.tensor for access in op.operands)
    trace = Trace("loop", (Region("loop", steps, (op,)),), tensors)
    machine = hardware.with_("cim.macros", macros)
    return codesign.simulate(trace, machine, residency=residency)


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_writes_of_a_step_times_steps_are_the_wear(hardware: Hardware, steps: int) -> None:
    (wear,) = loop(hardware, tiles=3, steps=steps, macros=1, residency="none").wear
    assert wear.writes == 3 * steps
    # at one run a second
    assert wear.lifetime_s(1.0) == pytest.approx(1e6 / (3 * steps), rel=1e-12)


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_weights_that_stay_wear_once_however_many_steps(hardware: Hardware, steps: int) -> None:
    result = loop(hardware, tiles=3, steps=steps, macros=3, residency="region")
    assert result.wear[0].writes == 1
    assert spent(result, "cim.cells") == pytest.approx(3 * TILE_J, rel=1e-9)


def test_reloading_at_every_step_costs_as_many_times_the_energy_of_writes(
    hardware: Hardware,
) -> None:
    stays = loop(hardware, tiles=3, steps=20, macros=3, residency="region")
    reloads = loop(hardware, tiles=3, steps=20, macros=3, residency="none")
    assert spent(reloads, "cim.cells") == pytest.approx(20 * spent(stays, "cim.cells"), rel=1e-9)
    assert reloads.latency_s > stays.latency_s
    assert spent(reloads, "cim") == pytest.approx(spent(stays, "cim"), rel=1e-12)
