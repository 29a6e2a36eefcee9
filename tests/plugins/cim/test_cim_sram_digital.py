"""Digital macros: what each field does to cycles, energy and area, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from codesign_plugins.cim import gates
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.sram_digital import DigitalSram
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import HardwareError

GOLDEN = DigitalSram()


def joules(
    macro: DigitalSram, rows: Any, columns: Any, activation: int = 8, weight: int = 8
) -> Any:
    prices = macro.prices()
    counts = macro.counts(rows, columns, activation, weight)
    return sum(count * prices[action] for action, count in counts.items())


macros = st.builds(
    DigitalSram,
    rows=st.integers(2, 300),
    columns=st.integers(1, 300),
    weight_bits=st.sampled_from([1, 2, 4, 8]),
    activation_bits=st.just(8),
    input_bits=st.sampled_from([1, 2, 4, 8]),
    toggle=st.floats(0.05, 1),
    weight_bit_density=st.floats(0.05, 1),
    vdd=st.floats(0.5, 1.2),
)


def test_the_default_macro_is_the_published_example() -> None:
    assert math.isclose(float(GOLDEN.clock_s), 3.75708e-9)
    assert math.isclose(float(peak(GOLDEN, 8, 8).joules_per_mac), 267.0215625e-15)
    assert GOLDEN.passes(8) == 8


@given(macros, st.data())
def test_more_used_rows_or_columns_never_take_less(macro: DigitalSram, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, int(macro.rows)))
    columns = data.draw(st.integers(1, int(macro.columns)))
    bits = int(macro.weight_bits)
    some = float(joules(macro, rows, columns, 8, bits))
    assert some <= float(joules(macro, macro.rows, columns, 8, bits)) * (1 + 1e-12)
    assert some <= float(joules(macro, rows, macro.columns, 8, bits)) * (1 + 1e-12)


@given(macros)
def test_prices_know_every_action_and_none_is_negative(macro: DigitalSram) -> None:
    counts = macro.counts(macro.rows, macro.columns, 8, int(macro.weight_bits))
    prices = macro.prices()
    assert set(counts) <= set(prices)
    assert all(float(count) > 0 for count in counts.values())
    assert all(float(price) >= 0 for price in prices.values())
    assert all(float(part) >= 0 for part in macro.area().values())
    assert float(macro.clock_s) > 0


@given(macros)
def test_the_cycle_is_the_sum_of_its_parts_at_its_supply(macro: DigitalSram) -> None:
    path = sum(float(part) for part in macro.delays().values())
    slower = (0.9 / float(macro.vdd)) ** 2.66
    assert math.isclose(float(macro.clock_s), path * slower, rel_tol=1e-12)


def test_products_of_unused_cells_switch_all_the_same() -> None:
    used, whole = GOLDEN.counts(3, 5, 8, 8), GOLDEN.counts(128, 128, 8, 8)
    assert used["product"] == whole["product"] == 8 * 8 * 128 * 128
    assert math.isclose(used["accumulator"] / whole["accumulator"], 5 / 128)


def test_actions_that_never_happen_are_left_out() -> None:
    assert set(GOLDEN.counts(128, 128, 8, 8)) == {"product", "adder", "accumulator"}
    assert set(GOLDEN.counts(100, 128, 8, 8)) == {"product", "adder", "half adder", "accumulator"}
    serial = replace(GOLDEN, input_bits=2)
    assert "shift adder" in serial.counts(128, 128, 8, 8)
    parallel = replace(GOLDEN, input_bits=8)
    assert "accumulator" not in parallel.counts(128, 128, 8, 8)


@pytest.mark.parametrize(("bits", "passes"), [(8, 8), (7, 7), (4, 4), (1, 1)])
def test_narrower_activations_take_fewer_passes_and_less_energy(bits: int, passes: int) -> None:
    assert GOLDEN.passes(bits) == passes
    assert math.isclose(joules(GOLDEN, 128, 128, bits), joules(GOLDEN, 128, 128) * passes / 8)


def test_activations_that_do_not_fill_the_last_pass_take_it_whole() -> None:
    assert replace(GOLDEN, input_bits=4).passes(5) == 2


def test_counts_come_for_all_kinds_of_tile_at_once() -> None:
    rows, columns = np.array([128, 128, 64]), np.array([128, 100, 100])
    many = joules(GOLDEN, rows, columns)
    assert many.shape == (3,)
    for place in range(3):
        alone = joules(GOLDEN, rows[place], columns[place])
        assert math.isclose(many[place], float(alone), rel_tol=1e-12)


def test_toggle_and_density_act_on_products_and_trees_and_toggle_on_accumulators() -> None:
    half = replace(GOLDEN, toggle=0.5, weight_bit_density=0.25)
    ratio = {action: half.prices()[action] / GOLDEN.prices()[action] for action in
             ("product", "adder", "half adder", "shift adder", "accumulator")}  # fmt: skip
    assert ratio.pop("accumulator") == 0.5
    assert set(ratio.values()) == {0.125}
    assert replace(half, accumulator_toggle=1.0).prices()["accumulator"] == pytest.approx(
        GOLDEN.prices()["accumulator"]
    )


def test_energy_grows_as_the_square_of_the_supply_and_with_the_node() -> None:
    base = joules(GOLDEN, 128, 128)
    assert math.isclose(joules(replace(GOLDEN, vdd=0.45), 128, 128), base / 4)
    assert math.isclose(joules(replace(GOLDEN, node_nm=14), 128, 128), base / 2)
    smaller = replace(GOLDEN, node_nm=14, cell_area_m2=1e-13).area()
    for part, area in replace(GOLDEN, cell_area_m2=1e-13).area().items():
        expected = area if part == "cell" else area / 2
        assert math.isclose(smaller[part], expected), part


def test_delay_grows_as_the_supply_falls_unless_told_otherwise() -> None:
    low = replace(GOLDEN, vdd=0.45)
    assert math.isclose(low.clock_s / GOLDEN.clock_s, 2**2.66)
    assert replace(low, delay_exponent=0.0).clock_s == GOLDEN.clock_s


def test_one_chip_is_2_5_times_as_fast_at_1_2_volts_as_at_0_85() -> None:
    slow, fast = (replace(GOLDEN, vdd=vdd).clock_s for vdd in (0.85, 1.2))
    assert math.isclose(slow / fast, 2.5, rel_tol=2e-3)


def test_a_given_cycle_holds_and_stages_and_overhead_shape_a_computed_one() -> None:
    assert replace(GOLDEN, cycle_s=2e-9, vdd=0.7, pipeline_stages=4).clock_s == 2e-9
    assert math.isclose(replace(GOLDEN, pipeline_stages=2).clock_s, 3.75708e-9 / 2)
    staged = replace(GOLDEN, pipeline_stages=2, overhead_s=1e-10)
    assert math.isclose(staged.clock_s, 3.75708e-9 / 2 + 1e-10)


def test_booth_halves_trees_and_widens_them_by_a_bit() -> None:
    plain = DigitalSram(rows=32, columns=6, input_bits=2)
    booth = replace(plain, booth=True)
    ours, theirs = booth.counts(32, 6, 8, 8), plain.counts(32, 6, 8, 8)
    assert ours["product"] * 2 == theirs["product"]
    assert ours["adder"] == 4 * 6 * (32 * 10 - (9 + 5 + 1))
    assert theirs["adder"] == 2 * 4 * 6 * (32 * 9 - (8 + 5 + 1))
    assert "shift adder" in theirs
    assert "shift adder" not in ours


def test_accumulators_may_be_wider_than_the_sums_need() -> None:
    wide = replace(GOLDEN, accumulator_bits=32)
    assert GOLDEN.accumulator_width == 8 + 8 + 7
    ratio = (
        wide.counts(128, 128, 8, 8)["accumulator"] / GOLDEN.counts(128, 128, 8, 8)["accumulator"]
    )
    assert math.isclose(ratio, 32 / 23)
    assert math.isclose(wide.clock_s - GOLDEN.clock_s, 9 * gates.RIPPLE_S)


def test_rows_that_are_no_power_of_two_have_a_tree_of_their_own() -> None:
    odd = replace(GOLDEN, rows=96)
    full, _ = gates.tree_adders(96, 96, 8)
    assert odd.counts(96, 128, 8, 8)["adder"] == 8 * 128 * full
    below, above = (replace(GOLDEN, rows=rows) for rows in (64, 128))
    assert below.area()["adder"] < odd.area()["adder"] < above.area()["adder"]


def test_turning_to_another_weight_set_drives_its_lines_once() -> None:
    stored = replace(GOLDEN, sets=16)
    price = stored.prices()["weight set read"]
    assert math.isclose(price, 8 * (0.35 + 0.35 * 16) * 1e-15 * 0.81)
    assert stored.set_reads(100, 50)["weight set read"] == 5000
    assert GOLDEN.set_reads(100, 50)["weight set read"] == 0
    assert "weight set read" not in stored.counts(128, 128, 8, 8)
    cells = replace(stored, cell_area_m2=1e-13).area()["cell"]
    assert math.isclose(cells, 128 * 128 * 8 * 16 * 1e-13)


def test_a_chip_may_be_known_by_its_energy_per_mac_alone() -> None:
    known = replace(GOLDEN, mac_energy_j=1e-13)
    counts = known.counts(100, 50, 4, 8)
    assert {action: float(count) for action, count in counts.items()} == {
        "multiply-accumulate": 100 * 50 * 4
    }
    assert math.isclose(peak(known, 8, 8).joules_per_mac, 8e-13)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no row": ({"rows": 0}, "rows must be whole and >= 1, got 0"),
    "one row": ({"rows": 1}, "rows of an adder tree must be >= 2, got 1"),
    "half a column": ({"columns": 2.5}, "columns must be whole and >= 1, got 2.5"),
    "no weight": ({"weight_bits": 0}, "weight_bits must be whole and >= 1, got 0"),
    "three bits of eight": (
        {"input_bits": 3},
        "input_bits must divide activation_bits, got 3 and 8",
    ),
    "sixteen bits of eight": (
        {"input_bits": 16},
        "input_bits must divide activation_bits, got 16 and 8",
    ),
    "odd booth": (
        {"booth": True},
        "input_bits must be even with booth, which takes two at a time, got 1",
    ),
    "more sets than rows": (
        {"sets": 129},
        "sets must be <= rows: a bit line does not carry more; take more macros, got 129 sets of",
    ),
    "toggle": ({"toggle": 1.5}, "toggle must be a share from 0 to 1, got 1.5"),
    "density": (
        {"weight_bit_density": -0.1},
        "weight_bit_density must be a share from 0 to 1, got -0.1",
    ),
    "accumulators that switch twice": (
        {"accumulator_toggle": 2.0},
        "accumulator_toggle must be a share from 0 to 1, got 2.0",
    ),
    "no supply": ({"vdd": 0}, "vdd must be finite and > 0, got 0"),
    "no node": ({"node_nm": -28}, "node_nm must be finite and > 0, got -28"),
    "no stage": ({"pipeline_stages": 0}, "pipeline_stages must be whole and >= 1, got 0"),
    "less than no time": ({"cycle_s": -1e-9}, "cycle_s must be finite and >= 0, got -1e-09"),
    "less than no energy": (
        {"mac_energy_j": -1.0},
        "mac_energy_j must be finite and >= 0, got -1.0",
    ),
    "one bad design of many": (
        {"rows": np.array([128, 0])},
        "rows must be whole and >= 1, got [128 0]",
    ),
    "no number": ({"vdd": math.nan}, "vdd must be finite and > 0, got nan"),
}


@pytest.mark.parametrize("fault", BAD)
def test_fields_that_make_no_macro_are_one_line(fault: str) -> None:
    fields, message = BAD[fault]
    with pytest.raises(HardwareError) as caught:
        DigitalSram(**fields)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("activation", "weight", "field"), [(16, 8, "activation_bits"), (8, 9, "weight_bits")]
)
def test_operands_wider_than_the_macro_are_one_line(
    activation: int, weight: int, field: str
) -> None:
    with pytest.raises(HardwareError) as caught:
        GOLDEN.counts(128, 128, activation, weight)
    assert str(caught.value) == (
        f"{field} of an operand must be <= those of the macro, 8; widen the macro or quantise the "
        f"operator, got {max(activation, weight)}"
    )


def test_passes_of_wider_activations_are_refused_too() -> None:
    with pytest.raises(HardwareError, match="activation_bits of an operand must be <= those of"):
        GOLDEN.passes(9)
