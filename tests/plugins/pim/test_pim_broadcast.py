"""Units with a shared input buffer: the form of PIMeval, and one whose columns overlap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from codesign_plugins.pim.broadcast import broadcast_cost, serial_s
from codesign_plugins.pim.units import Product, Units
from hypothesis import given
from hypothesis import strategies as st
from pim_cases import QUIET, aim, counts_of, device, energy_of, hbm_units, planned, with_role

from codesign.testing import check_engine, elementwise, matmul

AIM = aim()
UNITS = AIM.units
T = QUIET.timings


def cost(outputs: int, inputs: int, units: Units = UNITS, bits: int = 16) -> int:
    return int(broadcast_cost(units, Product(outputs=outputs, inputs=inputs, bits=bits)).each)


def test_it_keeps_every_promise_of_an_engine() -> None:
    check_engine(aim(channels=4))


def test_every_bank_has_a_unit() -> None:
    assert (UNITS.blocks * UNITS.channels, UNITS.banks_per_block) == (1024, 1)
    assert (UNITS.columns_per_row, UNITS.column_bytes, UNITS.row_bytes) == (32, 32, 1024)


def test_the_serial_form_is_that_of_the_tool() -> None:
    """64 rows in every bank: 38.76 us with CL 14, less the 1.67 ns of each row's results."""
    peer = hbm_units(device=device(cl=14), blocks=16)
    assert serial_s(64, peer) == pytest.approx(38.763e-6 - 64 * 1.67e-9, rel=1e-4)
    assert serial_s(1, peer) == pytest.approx((28 + 32 * 18) * 1e-9)


def test_a_column_waits_for_its_data_and_the_adder_tree_in_the_serial_form() -> None:
    shallow = hbm_units(blocks=16, reduction=0)
    deep = hbm_units(blocks=16, reduction=4)
    assert serial_s(3, deep) - serial_s(3, shallow) == pytest.approx(3 * 32 * 4e-9)


def test_overlapped_columns_take_tccd_l_each() -> None:
    passes = [cost(1024 * number, 1024) for number in (1, 2)]
    assert passes[1] - passes[0] == 2 * max(32 * T.tccd_l, T.trc) + UNITS.reduction


def test_activates_that_are_not_overlapped_are_waited_for() -> None:
    serial = replace(UNITS, overlaps_activates=False)
    row = T.trcd_read + 31 * T.tccd_l + T.trtp + T.trp
    passes = [cost(1024 * number, 512, serial) for number in (1, 2)]
    assert passes[1] - passes[0] == row + UNITS.reduction
    assert cost(4096, 4096, serial) > cost(4096, 4096)


def test_a_short_row_is_open_for_trc_all_the_same() -> None:
    assert cost(2048, 16) - cost(1024, 16) == T.trc + UNITS.reduction
    serial = replace(UNITS, overlaps_activates=False)
    assert cost(2048, 16, serial) - cost(1024, 16, serial) == T.tras + T.trp + UNITS.reduction


def test_inputs_fill_the_buffer_once_for_all_passes() -> None:
    """1024 numbers of 16 bits are 64 writes of a column, and what the turn of the bus takes."""
    filling = 64 * T.tccd_l + T.cwl + T.burst + T.twtr_l
    one_pass = 2 * max(32 * T.tccd_l, T.trc) + UNITS.reduction
    assert cost(1024, 1024) == filling + one_pass
    assert cost(4096, 1024) == filling + 4 * one_pass


def test_a_vector_longer_than_the_buffer_fills_it_again() -> None:
    assert cost(1024, 2048) == 2 * cost(1024, 1024)
    wide = replace(UNITS, buffer_bytes=4096)
    assert cost(1024, 2048, wide) < cost(1024, 2048)


@pytest.mark.parametrize(("cap", "factor"), [(0, 1), (4, 1), (6, 1.5), (8, 2)])
def test_a_power_cap_spreads_the_columns(cap: int, factor: float) -> None:
    capped = replace(UNITS, power_cap=cap)
    pair = [cost(2048, 1024, units) - cost(1024, 1024, units) for units in (UNITS, capped)]
    assert pair[1] - UNITS.reduction == factor * (pair[0] - UNITS.reduction)


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([8, 16, 32]))
def test_no_product_is_faster_than_its_columns_can_follow_each_other(
    outputs: int, inputs: int, bits: int
) -> None:
    found = broadcast_cost(UNITS, Product(outputs=outputs, inputs=inputs, bits=bits))
    columns = -(-inputs * bits // 256)
    passes = -(-outputs // 1024)
    assert found.each >= passes * columns * UNITS.spacing(bits)
    assert found.lanes >= outputs * inputs
    assert found.bank_bytes == passes * columns * 32 * 1024


@given(st.integers(1, 5000), st.integers(1, 3000), st.integers(1, 6))
def test_time_is_linear_in_the_batch(outputs: int, inputs: int, batch: int) -> None:
    op = matmul(batch, inputs, outputs, dtype="bf16")
    one = AIM.cost(op)
    ends = one.enter + one.leave
    assert planned(AIM, op).cycles - ends == batch * (one.each + one.result)


def test_one_sum_of_every_bank_goes_to_the_host_after_each_fill() -> None:
    found = broadcast_cost(UNITS, Product(outputs=2048, inputs=2048, bits=16))
    sums = 2 * 2 * (16 * 4 // 32)
    assert found.result == sums * T.burst
    assert found.host_bytes == (128 + sums) * 32 * 64


def test_it_takes_no_elementwise_work_and_no_two_activations() -> None:
    assert AIM.supports(elementwise((64,), ("add",), 2, "bf16")) is not None
    answer = AIM.supports(with_role(matmul(1, 64, 64, dtype="bf16"), "activation"))
    assert answer == "a product of two activations has no operand in the banks"


def test_the_formats_are_those_of_the_table() -> None:
    assert AIM.supports(matmul(1, 64, 64, dtype="int32")) is None
    assert "bf16*bf16, int32*int32, not int8*int8" in str(AIM.supports(matmul(1, 64, 64)))


def test_a_row_of_weights_costs_4_40_pj_a_byte() -> None:
    one, two = (planned(AIM, matmul(1, 512, 1024 * n, dtype="bf16")) for n in (1, 2))
    names = ("activate", "bank byte")
    cells = [sum(AIM.energy_j(n, counts_of(plan)[n]) for n in names) for plan in (one, two)]
    assert cells[1] - cells[0] == pytest.approx(1024 * 512 * 2 * 4.4e-12)
    assert energy_of(AIM, two) > energy_of(AIM, one)
