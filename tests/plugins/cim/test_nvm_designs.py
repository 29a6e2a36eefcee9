"""The shipped designs are what their sources say, figure by figure."""

from __future__ import annotations

import pytest
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.nvm_check import adc_bits_needed
from codesign_plugins.cim.nvm_designs import (
    NEURRAM_CORES,
    NEURRAM_OPS_PER_PRODUCT,
    mnsim_rram,
    neurram_core,
)
from nvm_arrays import joules


def test_a_step_of_the_rram_chip_is_its_three_times_and_its_digital_parts() -> None:
    step = mnsim_rram().step
    assert (step.dac_s, step.read_s, step.adc_s) == (3e-9, 3.16e-9, 8e-9)
    # two clocks of 2 ns, two decoders, two multiplexers
    assert step.digital_s == pytest.approx(4.62415e-9, rel=1e-4)


def test_the_rram_chip_takes_nine_slices_two_groups_and_two_columns() -> None:
    assert mnsim_rram().passes(9) == 9 * 2 * 2
    assert mnsim_rram().passes(1) == 1 * 2 * 2


def test_the_buffers_of_the_rram_chip_take_most_of_a_product() -> None:
    array = mnsim_rram()
    whole = float(array.passes(9) * array.clock_s)
    steps = float(array.passes(9) * array.step.seconds)
    assert steps == pytest.approx(36 * 18.784e-9, rel=1e-3)
    assert steps < 0.15 * whole


def test_the_rram_chip_has_128_converters_for_each_of_its_eight_arrays() -> None:
    assert mnsim_rram().converters == 8 * 128


def test_the_converters_of_the_rram_chip_clip_and_that_is_declared() -> None:
    array = mnsim_rram()
    assert array.is_clipped
    assert array.adc_bits == 6
    # 128 rows of one bit make sums up to 128, of either sign
    assert adc_bits_needed(array) == 9


def test_a_conversion_of_the_rram_chip_is_its_power_times_its_time() -> None:
    energies = mnsim_rram().energies
    assert energies.adc_j == pytest.approx(1.26e-3 * 8e-9, rel=1e-12)
    assert energies.dac_j == pytest.approx(3.9e-6 * 3e-9, rel=1e-12)


def test_a_cell_of_the_rram_chip_reads_at_a_tenth_of_the_inputs_and_a_third_on() -> None:
    conductance = 0.67e-6 + 0.33e-4
    watts = 0.1 * 0.15**2 * conductance
    assert mnsim_rram().energies.cell_j == pytest.approx(watts * 3.16e-9, rel=1e-12)


def test_conversions_are_most_of_a_full_product_of_the_rram_chip() -> None:
    array = mnsim_rram()
    counts, prices = array.counts(256, 256, 9, 8), array.prices()
    share = counts["adc"] * prices["adc"] / joules(array, 256, 256, 9, 8)
    assert 0.75 < share < 0.9


def test_the_area_of_a_macro_is_two_tiles_of_the_tool() -> None:
    # the tool prints 107 tiles
    area = mnsim_rram().area()
    assert 53.5 * (area["cells"] + area["row drivers"]) == pytest.approx(332.788695e-6, rel=1e-6)
    assert 53.5 * area["adc"] == pytest.approx(90.3936e-6, rel=1e-6)
    assert 53.5 * area["dac"] == pytest.approx(9094.144e-12, rel=1e-6)


@pytest.mark.parametrize("phases", [1, 2])
def test_a_core_does_one_operation_for_each_cell(phases: int) -> None:
    core = neurram_core(1 if phases == 1 else 2)
    assert core.cells(core.rows, core.columns, 4) == 256 * 256 == NEURRAM_OPS_PER_PRODUCT
    assert 2 * core.rows * core.columns == NEURRAM_OPS_PER_PRODUCT


def test_the_area_of_a_core_is_what_is_published() -> None:
    area = neurram_core().area()
    published = {"cells": 139_337, "row drivers": 243_840, "neurons": 325_120}
    assert area == pytest.approx({part: 1e-12 * um2 for part, um2 in published.items()})


@pytest.mark.parametrize(
    ("bits", "phases", "tops", "tops_per_w"),
    [(1, 1, 2.12, 43.1), (8, 2, 0.264, 6.44)],
)
def test_the_chip_is_within_a_tenth_at_both_ends_of_its_precision(
    bits: int, phases: int, tops: float, tops_per_w: float
) -> None:
    core = neurram_core(1 if phases == 1 else 2)
    found = peak(core, bits, 4, macros=NEURRAM_CORES)
    assert found.ops_per_s == pytest.approx(tops * 1e12, rel=0.1)
    assert found.ops_per_joule == pytest.approx(tops_per_w * 1e12, rel=0.1)


def test_two_phases_are_faster_from_five_bits_on() -> None:
    faster = [
        bits for bits in range(1, 9) if neurram_core(2).passes(bits) < neurram_core(1).passes(bits)
    ]
    assert faster == [5, 6, 7, 8]
