"""Programs of HBM-PIM: as long as those of the simulator that nothing here is fitted to."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from codesign_plugins.pim import programs
from codesign_plugins.pim.banks import Banks
from codesign_plugins.pim.programs import elementwise_cost, piece_elements, product_cost
from codesign_plugins.pim.units import Product, clocks_with_refreshes, mean_clocks, parts_of
from hypothesis import given
from hypothesis import strategies as st
from pim_cases import DEVICE, QUIET, device, hbm_units

from codesign.memory import Device

UNITS = hbm_units()
T = QUIET.timings
START_UP = 12
"""Clocks that the tool takes to fill its queues, which no device asks for."""

# own runs of PIMSimulator b464dde with tREFI x 1000: outputs, inputs, batch, clocks
PRODUCTS = (
    (4096, 128, 1, 750),
    (4096, 256, 1, 1138),
    (4096, 384, 1, 1479),
    (4096, 512, 1, 1867),
    (4096, 640, 1, 2208),
    (1024, 1024, 1, 3325),
    (4096, 1024, 1, 3325),
    (4096, 2048, 1, 6241),
    (4096, 4096, 1, 12073),
    (8192, 1024, 1, 6319),
    (4096, 1024, 2, 6319),
    (4096, 1024, 3, 9313),
)
SUMS = ((131072, 731), (262144, 1053), (524288, 1697), (1048576, 2985), (2097152, 5561))
# the same with refreshes, the first after half an interval
REFRESHED = (
    (4096, 128, 1, 750),
    (4096, 640, 1, 2546),
    (4096, 2048, 1, 6970),
    (4096, 8192, 1, 26312),
    (8192, 1024, 1, 7037),
    (4096, 1024, 3, 10395),
    (4096, 1024, 8, 26823),
)


def product(outputs: int, inputs: int, bits: int = 16) -> Product:
    return Product(outputs=outputs, inputs=inputs, bits=bits)


def clocks(outputs: int, inputs: int, batch: int = 1, units=UNITS) -> int:  # type: ignore[no-untyped-def]
    cost = product_cost(units, product(outputs, inputs))
    return int(cost.enter + batch * cost.each + cost.leave)


@pytest.mark.parametrize(("outputs", "inputs", "batch", "recorded"), PRODUCTS)
def test_a_product_takes_the_clocks_of_the_tool_but_for_its_start(
    outputs: int, inputs: int, batch: int, recorded: int
) -> None:
    assert recorded - clocks(outputs, inputs, batch) == START_UP


@pytest.mark.parametrize(("length", "recorded"), SUMS)
def test_a_sum_takes_the_clocks_of_the_tool_but_for_its_start(length: int, recorded: int) -> None:
    cost = elementwise_cost(UNITS, 2, 16)
    pieces = parts_of(length, piece_elements(UNITS, 16))
    assert recorded - (cost.enter + pieces * cost.each + cost.leave) == START_UP


@pytest.mark.parametrize(("outputs", "inputs", "batch", "recorded"), REFRESHED)
def test_refreshes_that_fall_due_cost_trfc_each(
    outputs: int, inputs: int, batch: int, recorded: int
) -> None:
    alone = clocks(outputs, inputs, batch)
    found = clocks_with_refreshes(alone, DEVICE, DEVICE.timings.trefi // 2)
    assert found == pytest.approx(recorded, rel=0.017)


@pytest.mark.parametrize("tiles", [1, 2, 5, 8, 33])
def test_a_product_is_the_sum_of_its_commands(tiles: int) -> None:
    """Even tiles wait for the bus to turn, odd ones for the row of the registers to be closed."""
    register = 7 * T.tccd_l
    half = 31 * T.tccd_l
    row = T.trtp + T.trp + T.trcd_read
    even = register + T.cwl + T.burst + T.twtr_l + half + row + half + T.trtw
    closing = T.cwl + T.burst + T.twr + T.trp + T.trcd_read
    opening = T.trtp + T.trp + T.trcd_write
    odd = register + closing + half + row + half + opening
    grown = clocks(4096, 128 * (tiles + 2)) - clocks(4096, 128 * tiles)
    assert (even, odd) == (341, 388)
    assert grown == even + odd


def test_the_closed_form_of_the_fit_is_within_one_per_cent_where_it_was_fitted() -> None:
    for outputs, inputs, batch in (
        (1024, 1024, 1),
        (4096, 4096, 1),
        (8192, 4096, 1),
        (64, 4096, 2),
    ):
        tiles_out, tiles_in = math.ceil(outputs / 4096), math.ceil(inputs / 128)
        fit = 161 + tiles_out * batch * (326 + 397 * tiles_in)
        assert mean_clocks(clocks(outputs, inputs, batch), DEVICE) == pytest.approx(fit, rel=0.01)


@given(st.integers(1, 9000), st.integers(1, 3000), st.integers(1, 9))
def test_time_is_linear_in_the_batch_and_in_the_tiles_of_outputs(
    outputs: int, inputs: int, batch: int
) -> None:
    cost = product_cost(UNITS, product(outputs, inputs))
    tile = product_cost(UNITS, product(1, inputs))
    ends = cost.enter + cost.leave
    assert clocks(outputs, inputs, batch) - ends == batch * cost.each
    assert cost.each == tile.each * math.ceil(outputs / 4096)


@given(st.integers(1, 9000), st.integers(1, 3000))
def test_no_program_is_faster_than_its_commands_can_follow_each_other(
    outputs: int, inputs: int
) -> None:
    cost = product_cost(UNITS, product(outputs, inputs))
    commands = math.ceil(outputs / 4096) * (math.ceil(inputs / 128) * 72 + 8)
    assert cost.each >= (commands - 1) * T.tccd_l


@given(st.integers(1, 9000), st.integers(1, 3000))
def test_all_weights_are_read_once_for_each_vector_and_idle_units_read_too(
    outputs: int, inputs: int
) -> None:
    cost = product_cost(UNITS, product(outputs, inputs))
    tiles_out, tiles_in = math.ceil(outputs / 4096), math.ceil(inputs / 128)
    tile = 4096 * 128
    assert cost.lanes == tiles_out * tiles_in * tile >= outputs * inputs
    results = 2 * tiles_out * 4096 * 32
    assert cost.bank_bytes == 2 * cost.lanes + results
    assert cost.host_bytes == tiles_out * (tiles_in * 256 * 64 + 4096 * 32)


def test_a_channel_reads_as_fast_as_the_model_says() -> None:
    """Bytes of all units of a channel per clock, for a long product: beside 16 of the host."""
    cost = product_cost(UNITS, product(4096, 1 << 16))
    assert 64 > cost.lanes * 2 / 64 / cost.each > 41.3


def test_whole_rows_are_opened_once_by_each_unit() -> None:
    one, eight = (product_cost(UNITS, product(4096, inputs)) for inputs in (256, 2048))
    assert eight.activates - one.activates == 14 * 2 * 512
    assert (eight.bank_bytes - one.bank_bytes) == (eight.activates - one.activates) * 1024


def test_half_the_channels_take_twice_the_tiles() -> None:
    half = hbm_units(channels=32)
    assert (
        product_cost(half, product(4096, 512)).each
        == 2 * product_cost(UNITS, product(4096, 512)).each
    )


@pytest.mark.parametrize(("cap", "spacing"), [(0, 4), (3, 4), (4, 4), (6, 6), (9, 9)])
def test_a_power_cap_spreads_the_columns_of_all_banks(cap: int, spacing: int) -> None:
    """AttAcc: 6 clocks with a cap and 4 without, where tCCD_L is 4."""
    units = hbm_units(power_cap=cap)
    grown = (
        product_cost(units, product(4096, 384)).each - product_cost(units, product(4096, 128)).each
    )
    free = (
        product_cost(UNITS, product(4096, 384)).each - product_cost(UNITS, product(4096, 128)).each
    )
    assert units.spacing(16) == spacing
    assert grown - free == 2 * 62 * (spacing - 4)


def test_narrow_numbers_take_as_many_turns_as_the_lanes_need() -> None:
    assert [hbm_units().spacing(bits) for bits in (32, 16, 8, 4)] == [4, 4, 8, 16]
    assert [UNITS.elements(bits) for bits in (32, 16, 8)] == [8, 16, 32]


def test_the_host_reads_an_accumulator_of_every_unit_at_its_own_pace() -> None:
    cost = product_cost(UNITS, product(4096, 128))
    assert cost.result == 64 * T.burst
    assert product_cost(UNITS, product(4097, 128)).result == 2 * cost.result


def test_a_longer_program_takes_a_write_more() -> None:
    grown = clocks(64, 128, units=hbm_units(program_writes=3)) - clocks(64, 128)
    assert grown == 2 * T.tccd_l


def test_a_program_without_modes_is_shorter() -> None:
    bare = hbm_units(mode_writes=0, program_writes=0)
    assert clocks(64, 128, units=bare) < clocks(64, 128)


def test_one_input_takes_a_third_of_the_columns_less() -> None:
    two, one = (elementwise_cost(UNITS, inputs, 16) for inputs in (2, 1))
    assert two.bank_bytes * 2 == one.bank_bytes * 3
    row = T.trtp + T.trp + T.trcd_read
    assert two.each - one.each == 2 * (7 * T.tccd_l + row)
    assert one.lanes == two.lanes == piece_elements(UNITS, 16) == 16 * 8 * 16 * 64


def test_in_the_mean_trfc_of_every_trefi_is_lost() -> None:
    assert mean_clocks(10**6, QUIET) == 10**6
    assert mean_clocks(3550, DEVICE) == 3900
    assert mean_clocks(1, DEVICE) == 2


def test_a_program_that_ends_before_a_refresh_meets_none() -> None:
    assert clocks_with_refreshes(1950, DEVICE, 1950) == 1950
    assert clocks_with_refreshes(1951, DEVICE, 1950) == 1951 + 350
    # the second one falls due while the first is waited for
    assert clocks_with_refreshes(5600, DEVICE, 1950) == 5600 + 2 * 350
    assert clocks_with_refreshes(10**6, QUIET, 0) == 10**6


@given(st.integers(0, 10**6))
def test_refreshes_that_fall_due_are_those_of_the_mean_but_for_one(alone: int) -> None:
    due = clocks_with_refreshes(alone, DEVICE, DEVICE.timings.trefi // 2)
    assert abs(due - mean_clocks(alone, DEVICE)) <= DEVICE.timings.trfc


def test_other_timings_move_a_product_by_what_they_are_worth() -> None:
    slow = hbm_units(device=device(trcd_read=20))
    pairs = [clocks(4096, 384, units=one) - clocks(4096, 128, units=one) for one in (UNITS, slow)]
    # one row half way through each tile and the first of the odd one wait for it all; the first
    # of the even one was opened while the bus turned, and is two clocks late now
    late = 1 + 20 - (T.cwl + T.burst + T.twtr_l)
    assert pairs[1] - pairs[0] == 6 * 3 + late


def test_units_with_one_bank_each_write_registers_between_their_own_rows() -> None:
    single = hbm_units(blocks=16, output_registers=8)
    assert single.banks_per_block == 1
    wide = replace(single, channels=32)
    assert (
        product_cost(single, product(4096, 256)).lanes
        == 2 * product_cost(wide, product(4096, 256)).lanes
    )
    assert product_cost(single, product(64, 256)).each > product_cost(UNITS, product(64, 256)).each


def test_a_product_takes_a_thousand_times_fewer_steps_than_its_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """64 channels that issue 72 commands for each 128 inputs, and what is worked out of that."""
    made: list[Banks] = []

    def watched(on: Device) -> Banks:
        made.append(Banks(on))
        return made[-1]

    monkeypatch.setattr(programs, "Banks", watched)
    product_cost.cache_clear()
    product_cost(UNITS, product(4096, 4096))
    commands = 64 * 32 * 72
    assert commands > 1000 * sum(banks.groups for banks in made) > 0
