"""What an array of non-volatile cells does in a product, and what that costs."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from codesign_plugins.cim.designs import evaluate
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.nvm_physics import Areas, Energies
from codesign_plugins.cim.physics import Physics
from hypothesis import given
from hypothesis import strategies as st
from nvm_arrays import AREAS, ARRAY, BUFFERS, ENERGIES, array, joules

from codesign.errors import HardwareError
from codesign.testing import convolution, matmul

ROWS, COLUMNS = st.integers(1, 128), st.integers(1, 32)


def test_it_answers_what_an_engine_asks_of_any_macro() -> None:
    physics: Physics = ARRAY
    assert physics.rows == 128
    assert physics.columns == 32
    assert physics.weight_bits == 8
    assert physics.activation_bits == 8


@pytest.mark.parametrize(
    ("pair", "bits_per_cell", "cells", "converted"),
    [
        ("none", 1, 8, 8),
        ("none", 2, 4, 4),
        ("analog", 1, 16, 8),
        ("analog", 4, 4, 2),
        ("digital", 1, 16, 16),
        ("digital", 3, 6, 6),
    ],
)
def test_bit_columns_of_a_weight_follow_its_cells_and_pairs(
    pair: str, bits_per_cell: int, cells: int, converted: int
) -> None:
    found = array(pair=pair, bits_per_cell=bits_per_cell, adc_bits=11, columns_per_adc=1)
    assert found.cells(1, 1, 8) == cells
    assert found.converted(1, 8) == converted


def test_converters_are_bit_columns_over_those_that_share() -> None:
    # 32 weights of four pairs that are subtracted first, eight to a converter
    assert ARRAY.converters == 32 * 4 / 8
    assert array(pair="digital").converters == 2 * 32 * 4 / 8


def test_a_full_product_does_what_the_closed_form_says() -> None:
    counts = ARRAY.counts(128, 32, 8, 8)
    assert counts == {
        # each of the eight columns that share a converter drives the rows again
        "dac": 128 * 8 * 8,
        "register": 128 * 8 * 8,
        "cell read": 128 * 32 * 4 * 2 * 8,
        "adc": 32 * 4 * 8 * 2,
        "shift adder": 32 * 4 * 8 * 2,
        "slice adder": 32 * (4 - 1),
    }


def test_energy_is_counts_times_prices() -> None:
    expected = 8192 * (1e-14 + 4e-16) + 262_144 * 2e-15 + 2048 * (3e-12 + 5e-15) + 96 * 6e-15
    assert joules(ARRAY, 128, 32, 8, 8) == pytest.approx(expected, rel=1e-12)


@given(shared=st.sampled_from([1, 2, 4, 8, 16]))
def test_the_energy_of_conversions_does_not_depend_on_how_many_share_a_converter(
    shared: int,
) -> None:
    alone, sharing = array(columns_per_adc=1), array(columns_per_adc=shared)
    for action in ("adc", "shift adder", "cell read", "slice adder"):
        assert sharing.counts(128, 32, 8, 8)[action] == alone.counts(128, 32, 8, 8)[action]
    assert sharing.prices() == alone.prices()


def test_every_action_has_a_price() -> None:
    for made in (ARRAY, array(buffers=BUFFERS), array(pair="none"), array(pair="digital")):
        assert made.counts(100, 20, 8, 8).keys() <= made.prices().keys()


@given(rows=ROWS, columns=COLUMNS)
def test_row_groups_without_a_used_row_are_left_out(rows: int, columns: int) -> None:
    groups = 1 if rows <= 64 else 2
    assert ARRAY.counts(rows, columns, 8, 8)["adc"] == columns * 4 * 8 * groups


@given(rows=ROWS, columns=st.integers(1, 31), bits=st.integers(1, 8))
def test_energy_grows_with_every_column(rows: int, columns: int, bits: int) -> None:
    assert joules(ARRAY, rows, columns + 1, bits, 8) > joules(ARRAY, rows, columns, bits, 8)


@given(rows=st.integers(1, 127), columns=COLUMNS, bits=st.integers(1, 8))
def test_energy_grows_with_every_row(rows: int, columns: int, bits: int) -> None:
    assert joules(ARRAY, rows + 1, columns, bits, 8) > joules(ARRAY, rows, columns, bits, 8)


@given(rows=ROWS, columns=COLUMNS, bits=st.integers(1, 7))
def test_energy_grows_with_every_activation_bit(rows: int, columns: int, bits: int) -> None:
    assert joules(ARRAY, rows, columns, bits + 1, 8) > joules(ARRAY, rows, columns, bits, 8)


@given(rows=ROWS, columns=COLUMNS)
def test_narrower_weights_take_fewer_cells_and_less_energy(rows: int, columns: int) -> None:
    assert ARRAY.cells(rows, columns, 4) * 2 == ARRAY.cells(rows, columns, 8)
    assert joules(ARRAY, rows, columns, 8, 4) < joules(ARRAY, rows, columns, 8, 8)


@given(rows=ROWS, first=st.integers(1, 31))
def test_columns_side_by_side_cost_what_they_cost_alone_but_for_the_rows_they_share(
    rows: int, first: int
) -> None:
    other = 32 - first
    whole = ARRAY.counts(rows, 32, 8, 8)
    parts = [ARRAY.counts(rows, columns, 8, 8) for columns in (first, other)]
    for action in ("cell read", "adc", "shift adder", "slice adder"):
        assert whole[action] == sum(part[action] for part in parts)
    for part in parts:
        assert part["dac"] == whole["dac"]


def test_each_array_drives_its_rows_itself() -> None:
    assert array(arrays=4).counts(128, 32, 8, 8)["dac"] == 4 * ARRAY.counts(128, 32, 8, 8)["dac"]
    assert array(arrays=4).counts(128, 32, 8, 8)["adc"] == ARRAY.counts(128, 32, 8, 8)["adc"]


def test_pairs_that_are_subtracted_before_take_half_the_conversions() -> None:
    before, behind = (array(pair=pair).counts(128, 32, 8, 8) for pair in ("analog", "digital"))
    assert behind["adc"] == 2 * before["adc"]
    assert behind["cell read"] == before["cell read"]


def test_single_cells_of_whole_weights_need_no_slice_adder() -> None:
    found = array(pair="none", bits_per_cell=8, adc_bits=14)
    assert "slice adder" not in found.counts(128, 32, 8, 8)


def test_area_is_that_of_each_component() -> None:
    assert ARRAY.area() == pytest.approx(
        {
            "cells": 128 * 32 * 4 * 2 * 1e-13,
            "row drivers": 128 * 1e-11,
            "dac": 64 * 2e-12,
            "adc": 16 * 1e-9,
            "digital": 5e-9,
        }
    )


def test_sharing_converters_trades_area_for_time() -> None:
    few, many = array(columns_per_adc=16), array(columns_per_adc=4)
    assert few.area()["adc"] < many.area()["adc"]
    assert few.passes(8) * few.clock_s > many.passes(8) * many.clock_s


@pytest.mark.parametrize("name", [field.name for field in fields(Energies)])
def test_every_energy_reaches_the_total(name: str) -> None:
    dearer = array(energies=replace(ENERGIES, **{name: 2 * getattr(ENERGIES, name)}))
    assert joules(dearer, 128, 32, 8, 8) > joules(ARRAY, 128, 32, 8, 8)


@pytest.mark.parametrize("name", [field.name for field in fields(Areas)])
def test_every_area_reaches_the_total(name: str) -> None:
    larger = array(areas=replace(AREAS, **{name: 2 * getattr(AREAS, name)}))
    assert sum(larger.area().values()) > sum(ARRAY.area().values())


def test_buffers_join_the_actions() -> None:
    found = array(buffers=BUFFERS)
    counts, prices = found.counts(128, 32, 8, 8), found.prices()
    # 16 words of inputs; 128 sums of 9 + 2 bits are 22
    assert counts["buffer read"] == 16 + 22
    assert counts["buffer write"] == 16 + 22
    assert prices["buffer read"] == 1e-12
    assert prices["buffer write"] == 2e-12


@pytest.mark.parametrize(("activation_bits", "weight_bits"), [(9, 8), (8, 9), (16, 16)])
def test_operands_wider_than_the_macro_are_one_line(activation_bits: int, weight_bits: int) -> None:
    with pytest.raises(HardwareError) as caught:
        ARRAY.counts(128, 32, activation_bits, weight_bits)
    field, bits = (
        ("activation_bits", activation_bits)
        if activation_bits > 8
        else (
            "weight_bits",
            weight_bits,
        )
    )
    assert str(caught.value) == (
        f"{field} of an operand must be <= those of the macro, 8; widen the macro or quantise the "
        f"operator, got {bits}"
    )


def test_passes_of_wider_activations_are_one_line() -> None:
    with pytest.raises(HardwareError, match="activation_bits of an operand must be <= those"):
        ARRAY.passes(9)


def test_a_thousand_designs_at_once_are_what_each_is_alone() -> None:
    number = np.arange(1000)
    rows = 64 * 2 ** (number % 4)
    shared = 2 ** (number % 3)
    adc_j = 1e-12 * (1 + number % 7)
    many = array(
        rows=rows,
        columns_per_adc=shared,
        energies=replace(ENERGIES, adc_j=adc_j),
        rows_read=64,
    )
    op = convolution(64, 48, 14, 3, padding=1)
    found = evaluate(op, many)
    assert found.joules.shape == (1000,)
    for design in (0, 17, 421, 999):
        alone = array(
            rows=int(rows[design]),
            columns_per_adc=int(shared[design]),
            energies=replace(ENERGIES, adc_j=float(adc_j[design])),
        )
        single = evaluate(op, alone)
        assert found.cycles[design] == single.cycles
        assert found.joules[design] == pytest.approx(float(single.joules), rel=1e-12)
        assert found.seconds[design] == pytest.approx(float(single.seconds), rel=1e-12)
        assert found.area_m2[design] == pytest.approx(float(single.area_m2), rel=1e-12)


@given(m=st.integers(1, 50))
def test_macro_cycles_of_a_product_are_its_rows_times_its_tiles_times_passes(m: int) -> None:
    found = evaluate(matmul(m, 256, 64), ARRAY)
    assert found.cycles == m * 2 * 2 * ARRAY.passes(8)


def test_the_efficiency_says_what_it_counts() -> None:
    found = peak(ARRAY, 8, 8)
    assert found.boundary == (
        "dac + register + cell read + adc + shift adder + slice adder; 2 operations per MAC"
    )
    assert found.ops_per_joule == pytest.approx(
        2 * 128 * 32 / joules(ARRAY, 128, 32, 8, 8), rel=1e-12
    )
    converters = peak(ARRAY, 8, 8, actions=("adc",))
    assert converters.ops_per_joule > found.ops_per_joule
