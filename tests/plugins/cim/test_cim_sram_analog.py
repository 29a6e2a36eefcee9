"""Analog macros: what each field does to cycles, energy and area, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from codesign_plugins.cim import gates
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.sram_analog import AnalogSram, lossless_adc_bits
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import HardwareError

GOLDEN = AnalogSram(input_bits=2)


def joules(macro: AnalogSram, rows: Any, columns: Any, activation: int = 8, weight: int = 8) -> Any:
    prices = macro.prices()
    counts = macro.counts(rows, columns, activation, weight)
    return sum(count * prices[action] for action, count in counts.items())


macros = st.builds(
    AnalogSram,
    rows=st.integers(1, 600),
    columns=st.integers(8, 300),
    weight_bits=st.sampled_from([1, 2, 4, 8]),
    input_bits=st.sampled_from([1, 2, 4, 8]),
    adc_bits=st.integers(1, 12),
    columns_per_adc=st.integers(1, 8),
    data_value=st.one_of(st.just(-1.0), st.floats(0.1, 1)),
)


@pytest.mark.parametrize(
    ("fields", "nanoseconds"),
    [
        ({"input_bits": 2, "adc_bits": 8}, 14.07244),
        ({"input_bits": 2, "adc_bits": 8, "rows": 512}, 34.1326),
        ({"input_bits": 1, "adc_bits": 4}, 8.16908),
    ],
)
def test_clocks_are_the_published_examples(fields: dict[str, int], nanoseconds: float) -> None:
    assert math.isclose(float(AnalogSram(**fields).clock_s) * 1e9, nanoseconds, rel_tol=1e-9)


@pytest.mark.parametrize("bits", range(1, 13))
def test_a_converter_follows_its_formulas(bits: int) -> None:
    macro = replace(GOLDEN, adc_bits=bits)
    energy = (100e-15 * bits + 1e-18 * 4**bits) * 0.81
    assert math.isclose(macro.prices()["adc"], energy)
    delay = bits * (0.00653 * 128 + 0.640) * 1e-9
    assert math.isclose(float(macro.delays()["adc"]), delay)
    area = 10 ** (-0.0369 * bits + 1.206) * 2**bits * 1e-12 if bits > 1 else 0.0
    assert math.isclose(float(macro.area()["adc"]), area * 8 * 128)


@given(macros, st.data())
def test_more_used_rows_or_columns_never_take_less(macro: AnalogSram, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, int(macro.rows)))
    columns = data.draw(st.integers(1, int(macro.columns)))
    bits = int(macro.weight_bits)
    some = float(joules(macro, rows, columns, 8, bits))
    assert some <= float(joules(macro, macro.rows, columns, 8, bits)) * (1 + 1e-12)
    assert some <= float(joules(macro, rows, macro.columns, 8, bits)) * (1 + 1e-12)


@given(macros)
def test_prices_know_every_action_and_none_is_negative(macro: AnalogSram) -> None:
    counts = macro.counts(macro.rows, macro.columns, 8, int(macro.weight_bits))
    prices = macro.prices()
    assert set(counts) <= set(prices)
    assert all(float(count) > 0 for count in counts.values())
    assert all(float(price) >= 0 for price in prices.values())
    assert all(float(part) >= 0 for part in macro.area().values())


@given(macros)
def test_the_cycle_is_the_sum_of_its_parts(macro: AnalogSram) -> None:
    path = sum(float(part) for part in macro.delays().values())
    assert math.isclose(float(macro.clock_s), path, rel_tol=1e-12)


def test_used_rows_scale_what_drives_them_and_used_columns_what_reads_them() -> None:
    whole, rows, columns = (
        GOLDEN.counts(*size, 8, 8) for size in ((128, 128), (32, 128), (128, 32))
    )
    by_rows = {action: rows[action] / whole[action] for action in whole}
    by_columns = {action: columns[action] / whole[action] for action in whole}
    driven, read = {"dac", "product"}, {"adc", "bit line", "shift adder", "accumulator"}
    assert set(whole) == driven | read
    assert by_rows == {action: 0.25 if action in driven else 1.0 for action in whole}
    assert by_columns == {action: 0.25 if action in read else 1.0 for action in whole}


def test_one_bit_needs_no_converter_of_inputs() -> None:
    assert "dac" not in AnalogSram(input_bits=1).counts(128, 128, 8, 8)
    assert math.isclose(GOLDEN.prices()["dac"], 50e-15 * 2 * 0.81)
    assert math.isclose(replace(GOLDEN, dac_bits=6).prices()["dac"], 50e-15 * 6 * 0.81)


@pytest.mark.parametrize("shared", [1, 2, 8, 16])
def test_columns_that_share_a_converter_take_turns_at_the_same_energy(shared: int) -> None:
    macro = replace(GOLDEN, columns_per_adc=shared)
    assert macro.passes(8) == 4 * shared
    assert joules(macro, 128, 128) == joules(GOLDEN, 128, 128)
    assert math.isclose(macro.area()["adc"] * shared, GOLDEN.area()["adc"])


def test_a_converter_that_is_not_shared_by_as_many_is_there_all_the_same() -> None:
    macro = AnalogSram(columns=10, weight_bits=1, columns_per_adc=4)
    one = AnalogSram(columns=1, weight_bits=1).area()["adc"]
    assert math.isclose(macro.area()["adc"], 3 * one)


def test_weight_bits_summed_before_conversion_take_fewer_conversions() -> None:
    together = replace(GOLDEN, bits_per_conversion=4)
    ours, theirs = together.counts(128, 128, 8, 8), GOLDEN.counts(128, 128, 8, 8)
    assert ours["adc"] * 4 == theirs["adc"]
    assert ours["bit line"] == theirs["bit line"]
    assert ours["shift adder"] < theirs["shift adder"]
    whole = replace(GOLDEN, bits_per_conversion=8)
    assert "shift adder" not in whole.counts(128, 128, 8, 8)
    assert math.isclose(whole.area()["adc"] * 8, GOLDEN.area()["adc"])


def test_control_lines_load_each_weight_as_a_bit_line_does() -> None:
    more = replace(GOLDEN, control_lines=2)
    ratio = more.counts(128, 128, 8, 8)["bit line"] / GOLDEN.counts(128, 128, 8, 8)["bit line"]
    assert ratio == 10 / 8


def test_data_act_on_inputs_products_and_bit_lines_and_never_on_converters() -> None:
    base = GOLDEN.prices()
    half = replace(GOLDEN, toggle=0.5, weight_bit_density=0.5).prices()
    given_value = replace(GOLDEN, toggle=0.5, data_value=0.1).prices()
    for action, factor, value in (
        ("product", 0.25, 0.1),
        ("bit line", 0.25, 0.1),
        ("dac", 1.0, 0.1),
        ("adc", 1.0, 1.0),
        ("accumulator", 0.5, 0.5),
        ("shift adder", 0.25, 0.5),
    ):
        assert math.isclose(half[action], base[action] * factor), action
        assert math.isclose(given_value[action], base[action] * value), action


def test_converters_do_not_shrink_with_the_node_but_their_area_does() -> None:
    small = replace(GOLDEN, node_nm=14)
    assert small.prices()["adc"] == GOLDEN.prices()["adc"]
    assert small.prices()["dac"] == GOLDEN.prices()["dac"]
    assert math.isclose(small.prices()["bit line"] * 2, GOLDEN.prices()["bit line"])
    assert math.isclose(small.area()["adc"] * 2, GOLDEN.area()["adc"])


def test_energy_of_every_part_grows_as_the_square_of_the_supply() -> None:
    low = replace(GOLDEN, vdd=0.45).prices()
    for action, price in GOLDEN.prices().items():
        assert math.isclose(low[action] * 4, price), action


def test_figures_of_a_chip_replace_those_of_the_formulas() -> None:
    chip = replace(
        GOLDEN,
        adc_energy_j=2e-12,
        adc_delay_s=5e-9,
        adc_area_m2=3e-10,
        column_energy_j=1e-11,
        output_energy_j=4e-12,
    )
    counts, prices = chip.counts(128, 128, 8, 8), chip.prices()
    assert set(counts) == {"dac", "adc", "column", "output"}
    for action in ("adc", "column", "output"):
        assert float(counts[action]) == 4 * 8 * 128
    assert (prices["adc"], prices["column"], prices["output"]) == (2e-12, 1e-11, 4e-12)
    assert chip.delays()["adc"] == 5e-9
    assert math.isclose(chip.area()["adc"], 3e-10 * 8 * 128)


def test_counts_come_for_all_kinds_of_tile_and_all_designs_at_once() -> None:
    many = AnalogSram(input_bits=2, adc_bits=np.array([4, 6, 8]))
    found = joules(many, np.array([[128.0], [64.0]]), np.array([[128.0], [5.0]]))
    assert found.shape == (2, 3)
    for place, bits in enumerate((4, 6, 8)):
        alone = replace(GOLDEN, adc_bits=bits)
        assert math.isclose(found[0, place], float(joules(alone, 128, 128)))
        assert math.isclose(found[1, place], float(joules(alone, 64, 5)))


def test_longer_bit_lines_are_slower_and_unused_rows_still_load_them() -> None:
    tall = replace(GOLDEN, rows=512)
    assert tall.clock_s > GOLDEN.clock_s
    assert tall.counts(128, 128, 8, 8)["bit line"] == 4 * GOLDEN.counts(128, 128, 8, 8)["bit line"]
    delay = tall.delays()["adc"] - GOLDEN.delays()["adc"]
    assert math.isclose(float(delay), 8 * gates.ADC_ROW_S * 384)


@pytest.mark.parametrize(
    ("rows", "inputs", "cells", "bits"),
    [
        (1, 1, 1, 1),
        (128, 1, 1, 8),
        (127, 1, 1, 7),
        (64, 2, 1, 8),
        (1024, 7, 2, 19),
        (2304, 1, 1, 12),
    ],
)
def test_bits_that_tell_all_sums_apart(rows: int, inputs: int, cells: int, bits: int) -> None:
    assert lossless_adc_bits(rows, inputs, cells) == bits


@given(st.integers(1, 4000), st.integers(1, 8), st.integers(1, 4))
def test_one_bit_fewer_leaves_two_sums_alike(rows: int, inputs: int, cells: int) -> None:
    bits = int(lossless_adc_bits(rows, inputs, cells))
    largest = rows * (2**inputs - 1) * (2**cells - 1)
    assert 2 ** (bits - 1) < largest + 1 <= 2**bits


def test_efficiency_at_full_use_is_the_published_example() -> None:
    assert math.isclose(float(peak(GOLDEN, 8, 8).joules_per_mac), 207.85329e-15, rel_tol=1e-7)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no conversion": ({"adc_bits": 0}, "adc_bits must be whole and >= 1, got 0"),
    "a bit and a half": ({"adc_bits": 1.5}, "adc_bits must be whole and >= 1, got 1.5"),
    "no converter": ({"columns_per_adc": 0}, "columns_per_adc must be whole and >= 1, got 0"),
    "one converter of more columns than there are": (
        {"columns": 4, "weight_bits": 1, "columns_per_adc": 8},
        "columns_per_adc must be <= the columns that are converted, got 8 of 4",
    ),
    "three bits of eight": (
        {"bits_per_conversion": 3},
        "bits_per_conversion must divide weight_bits, got 3 and 8",
    ),
    "less than no energy": (
        {"adc_energy_j": -1e-12},
        "adc_energy_j must be finite and >= 0, got -1e-12",
    ),
    "an endless delay": ({"adc_delay_s": math.inf}, "adc_delay_s must be finite and >= 0, got inf"),
    "endless rows": ({"rows": math.inf}, "rows must be whole and >= 1, got inf"),
    "more than all data": ({"data_value": 1.1}, "data_value must be a share from 0 to 1, got 1.1"),
    "less than no data": ({"data_value": -0.5}, "data_value must be a share from 0 to 1, got -0.5"),
    "more sets than rows": ({"rows": 8, "sets": 9}, "sets must be <= rows"),
}


@pytest.mark.parametrize("fault", BAD)
def test_fields_that_make_no_macro_are_one_line(fault: str) -> None:
    fields, message = BAD[fault]
    with pytest.raises(HardwareError) as caught:
        AnalogSram(**fields)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_operands_wider_than_the_macro_are_one_line() -> None:
    with pytest.raises(HardwareError, match="weight_bits of an operand must be <= those of the m"):
        GOLDEN.counts(1, 1, 8, 16)
    with pytest.raises(HardwareError, match="activation_bits of an operand must be <= those of"):
        GOLDEN.passes(16)
