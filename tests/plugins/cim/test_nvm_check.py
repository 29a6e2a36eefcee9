"""A macro that cannot be is refused in one line: the rule, the way out and the value."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from codesign_plugins.cim.nvm_check import adc_bits_needed
from codesign_plugins.cim.nvm_timing import Step
from hypothesis import given
from hypothesis import strategies as st
from nvm_arrays import AREAS, ARRAY, ENERGIES, STEP, WRITING, array

from codesign.errors import HardwareError

WHOLE = (
    "rows",
    "columns",
    "weight_bits",
    "activation_bits",
    "bits_per_cell",
    "dac_bits",
    "adc_bits",
    "columns_per_adc",
    "rows_read",
    "arrays",
)


def refused(**changes: Any) -> str:
    """What is said of ``ARRAY`` with other fields."""
    with pytest.raises(HardwareError) as caught:
        array(**changes)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("field", WHOLE)
@pytest.mark.parametrize("value", [0, -1, 1.5, math.nan])
def test_counts_are_whole_and_at_least_one(field: str, value: float) -> None:
    assert refused(**{field: value}) == f"{field} must be whole and >= 1, got {value}"


def test_a_cell_holds_no_more_bits_than_a_weight() -> None:
    assert refused(bits_per_cell=9, is_clipped=True) == (
        "bits_per_cell must be <= weight_bits: a weight fills a cell at least; lower it, got 9 for "
        "weights of 8"
    )


def test_a_row_takes_no_more_bits_at_once_than_an_activation_has() -> None:
    assert refused(dac_bits=9, is_clipped=True) == (
        "dac_bits must be <= activation_bits: a row takes no more at once; lower it, got 9 for "
        "activations of 8"
    )


def test_a_converter_with_too_few_bits_is_refused_unless_clipping_is_declared() -> None:
    assert refused(adc_bits=8) == (
        "adc_bits must be >= 9 to tell all sums of 64 rows apart; widen it, read fewer rows at "
        "once or declare clipping, got 8"
    )
    assert array(adc_bits=8, is_clipped=True).adc_bits == 8
    assert array(adc_bits=8, rows_read=32).adc_bits == 8


@pytest.mark.parametrize(
    ("rows_read", "dac_bits", "bits_per_cell", "pair", "bits"),
    [
        (128, 1, 1, "none", 8),
        (127, 1, 1, "none", 7),
        (128, 1, 1, "digital", 8),
        (128, 1, 1, "analog", 9),
        (64, 1, 2, "analog", 9),
        (3, 1, 1, "none", 2),
        (16, 2, 2, "none", 8),
        (128, 8, 8, "none", 23),
    ],
)
def test_a_sum_needs_the_bits_of_its_largest_value(
    rows_read: int, dac_bits: int, bits_per_cell: int, pair: str, bits: int
) -> None:
    made = array(
        rows_read=rows_read,
        dac_bits=dac_bits,
        bits_per_cell=bits_per_cell,
        pair=pair,
        adc_bits=bits,
        columns_per_adc=1,
    )
    assert adc_bits_needed(made) == bits
    message = refused(
        rows_read=rows_read,
        dac_bits=dac_bits,
        bits_per_cell=bits_per_cell,
        pair=pair,
        adc_bits=bits - 1,
        columns_per_adc=1,
    )
    assert message.startswith(f"adc_bits must be >= {bits} to tell all sums of {rows_read} rows")


@given(rows=st.integers(1, 128), dac_bits=st.integers(1, 8), cell_bits=st.integers(1, 8))
def test_the_needed_bits_hold_the_largest_sum_and_one_bit_less_does_not(
    rows: int, dac_bits: int, cell_bits: int
) -> None:
    made = array(
        rows_read=rows,
        dac_bits=dac_bits,
        bits_per_cell=cell_bits,
        pair="none",
        is_clipped=True,
        columns_per_adc=1,
    )
    largest = rows * (2**dac_bits - 1) * (2**cell_bits - 1)
    bits = int(adc_bits_needed(made))
    assert largest <= 2**bits - 1
    assert largest > 2 ** (bits - 1) - 1


def test_no_more_rows_are_read_than_there_are() -> None:
    assert refused(rows_read=256, adc_bits=12) == (
        "rows_read must be <= rows: no more can be read together; lower it, got 256 of 128 rows"
    )


@pytest.mark.parametrize(("field", "value"), [("columns_per_adc", 3), ("arrays", 5)])
def test_what_shares_the_bit_columns_divides_them(field: str, value: int) -> None:
    assert refused(**{field: value}) == (
        f"{field} must divide the bit columns that are converted; change it or columns, got "
        f"{value} for 128 of them"
    )


def test_an_unknown_pair_is_named_with_what_is_meant() -> None:
    assert refused(pair="analogue") == (
        "unknown pair 'analogue'; did you mean 'analog'? known: analog, digital, none"
    )


@pytest.mark.parametrize(
    ("part", "whole", "name"),
    [
        ("step", STEP, "adc_s"),
        ("step", STEP, "digital_s"),
        ("energies", ENERGIES, "dac_j"),
        ("energies", ENERGIES, "join_j"),
        ("areas", AREAS, "cell_m2"),
        ("areas", AREAS, "adc_m2"),
    ],
)
@pytest.mark.parametrize("value", [-1e-15, math.nan])
def test_no_time_energy_or_area_is_below_zero(
    part: str, whole: Any, name: str, value: float
) -> None:
    changed = replace(whole, **{name: value})
    assert refused(**{part: changed}) == f"{name} must be >= 0, got {value}"


def test_a_step_takes_time() -> None:
    assert refused(step=Step(read_s=0.0, adc_s=0.0)) == (
        "a step must take more than 0 s; state its parts, got 0.0"
    )


def test_cells_without_endurance_are_refused_with_the_macro() -> None:
    message = refused(writing=replace(WRITING, endurance=0))
    assert message.startswith("endurance must be above 0 writes")
    assert message.endswith(", got 0")


def test_one_bad_design_among_many_is_refused() -> None:
    assert "columns_per_adc must divide" in refused(columns_per_adc=np.array([1, 2, 3]))
    message = refused(adc_bits=np.array([9, 8]))
    assert message == (
        "adc_bits must be >= 9 to tell all sums of 64 rows apart; widen it, read fewer rows at "
        "once or declare clipping, got [9 8]"
    )
    many = refused(rows_read=np.array([64, 128]))
    assert many.startswith("adc_bits must be wide enough to tell all sums of [ 64 128] rows")


def test_many_good_designs_are_taken() -> None:
    made = array(columns_per_adc=np.array([1, 2, 4]), adc_bits=np.array([9, 10, 12]))
    assert np.array_equal(made.converters, [128, 64, 32])
    assert ARRAY.converters == 16
