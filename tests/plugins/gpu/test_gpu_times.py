"""Closed forms of kernels: tiles, waves, splits, the memory, and what is never faster."""

from __future__ import annotations

import math

import numpy as np
import pytest
from codesign_plugins.gpu.times import (
    OPTIONS,
    SPLITS,
    TILES,
    Constants,
    Device,
    Product,
    contraction_s,
    streaming_s,
)
from hypothesis import given
from hypothesis import strategies as st

A100 = Device(108, 1.41e9, 1024, 2039e9, 5120)
WIDE = Device(108, 1.41e9, 1024, 2039e9, math.inf)
PEAK = Constants(0.0, 1.0, 1.0)
FITTED = Constants(4e-6, 0.8, 0.7)
SIZES = st.integers(1, 5000)


def moved(m: int, k: int, n: int) -> int:
    return 2 * (m * k + k * n + m * n)


def seconds(
    m: int, k: int, n: int, constants: Constants = PEAK, device: Device = A100, batch: int = 1
) -> float:
    return float(contraction_s(device, constants, batch, m, k, n, batch * moved(m, k, n), 2))


def slowly(device: Device, constants: Constants, m: int, k: int, n: int) -> float:
    """The closed form written out as it is printed, one choice after the other."""
    best = math.inf
    for rows, columns in TILES:
        for split in SPLITS:
            tiles = math.ceil(m / rows) * math.ceil(n / columns) * split
            waves = math.ceil(tiles / device.units)
            operands = (rows + columns) * 2 / (device.l2_bytes_per_clock / device.units)
            step = max(rows * columns / device.macs, operands)
            time = waves * math.ceil(k / split) * step / (device.clock_hz * constants.compute)
            read = math.ceil(m / rows) * math.ceil(n / columns) * (rows + columns) * 2 * k
            port = device.l2_bytes_per_clock * device.clock_hz
            time = max(time, (read + 2 * m * n) / port)
            if split > 1:
                time += 2 * split * m * n * 4 / (device.bandwidth * constants.memory)
            best = min(best, time)
    memory = moved(m, k, n) / (device.bandwidth * constants.memory)
    return float(constants.t0 + constants.launch + max(best, memory))


@given(m=SIZES, k=SIZES, n=SIZES)
def test_a_product_takes_the_closed_form(m: int, k: int, n: int) -> None:
    for constants in (PEAK, FITTED, Constants(1e-6, 0.5, 0.9, 2e-5)):
        assert seconds(m, k, n, constants) == pytest.approx(slowly(A100, constants, m, k, n))


def test_a_product_that_fills_all_units_runs_at_the_peak() -> None:
    rows, columns = 256 * 12, 128 * 9
    peak = 108 * 1024 * 1.41e9
    assert seconds(rows, 65536, columns) == pytest.approx(rows * columns * 65536 / peak)


def test_the_peak_is_that_of_the_data_sheet() -> None:
    assert 2 * A100.units * A100.macs * A100.clock_hz == pytest.approx(311.9e12, rel=1e-3)


def test_one_tile_more_than_fit_the_units_takes_a_wave_more() -> None:
    # only the largest tiles read the shared cache slowly enough to be the best here
    one = Product.of(1, 256 * 108, 512, 128, 2, 2).options_s(WIDE, PEAK)[0]
    more = Product.of(1, 256 * 108 + 1, 512, 128, 2, 2).options_s(WIDE, PEAK)[0]
    assert more == pytest.approx(2 * one)


def test_a_split_pays_for_its_partial_sums() -> None:
    product = Product.of(1, 256, 4096, 128, 2, 2)
    whole, halves = product.options_s(WIDE, PEAK)[:2]
    assert OPTIONS[:2] == ((256, 128, 1), (256, 128, 2))
    sums = 2 * 2 * 256 * 128 * 4 / 2039e9
    assert halves == pytest.approx(whole / 2 + sums)


def test_small_tiles_wait_for_the_shared_cache() -> None:
    product = Product.of(1, 64, 64, 64, 2, 2)
    small = product.step(A100, 64, 64)
    assert small == pytest.approx((64 + 64) * 2 * 108 / 5120)
    assert small > 64 * 64 / 1024
    assert product.step(A100, 256, 128) == 256 * 128 / 1024


def test_a_short_sum_waits_for_its_results_at_the_port() -> None:
    units, port, sums = (part[0] for part in Product.of(1, 8192, 8, 8192, 2, 2).parts_s(A100, PEAK))
    tiles = 32 * 64
    moved_bytes = tiles * (256 + 128) * 8 * 2 + 8192 * 8192 * 2
    assert port == pytest.approx(moved_bytes / A100.port_bytes_per_s)
    assert (port > units, sums) == (True, 0)


def test_results_are_of_the_format_of_the_first_factor_unless_told() -> None:
    same, wide = Product.of(1, 9, 9, 9, 1, 2), Product.of(1, 9, 9, 9, 1, 2, result_bytes=4)
    assert (same.result_bytes, wide.result_bytes) == (1, 4)


def test_partial_sums_are_no_faster_than_the_port() -> None:
    slow = Device(108, 1.41e9, 1024, 2039e9, 100)
    sums = Product.of(1, 256, 4096, 128, 2, 2).parts_s(slow, PEAK)[2][1]
    assert sums == pytest.approx(2 * 2 * 256 * 128 * 4 / slow.port_bytes_per_s)


def test_a_wider_element_of_either_factor_counts_with_its_own_side() -> None:
    product = Product.of(1, 64, 64, 64, 4, 1)
    assert product.step(A100, 64, 128) == pytest.approx((64 * 4 + 128 * 1) * 108 / 5120)


def test_a_thin_product_takes_its_bytes() -> None:
    assert seconds(64, 12288, 12288) == pytest.approx(moved(64, 12288, 12288) / 2039e9)
    # the host measured 190 us; a roofline of elements instead of bytes would say 75
    assert seconds(64, 12288, 12288) == pytest.approx(149.6e-6, rel=1e-2)


def test_shares_of_the_peaks_and_the_start_count_where_they_belong() -> None:
    bound = Constants(5e-6, 1.0, 0.5, 1e-5)
    assert seconds(64, 12288, 12288, bound) == pytest.approx(1.5e-5 + 2 * seconds(64, 12288, 12288))
    busy = Constants(0.0, 0.5, 1.0)
    assert seconds(8192, 8192, 8192, busy) == pytest.approx(2 * seconds(8192, 8192, 8192))


def test_an_operator_that_streams_takes_its_bytes_and_its_start() -> None:
    constants = Constants(3e-6, 0.1, 0.5, 1e-6)
    assert streaming_s(A100, constants, 2039e3) == pytest.approx(4e-6 + 2e-6)


@given(m=SIZES, k=SIZES, n=SIZES, batch=st.integers(1, 40))
def test_no_product_is_faster_than_the_data_sheet(m: int, k: int, n: int, batch: int) -> None:
    peak = A100.units * A100.macs * A100.clock_hz
    floor = max(batch * m * k * n / peak, batch * moved(m, k, n) / A100.bandwidth)
    assert seconds(m, k, n, batch=batch) >= floor * (1 - 1e-12)


@given(m=SIZES, k=SIZES, n=SIZES)
def test_more_of_anything_is_never_faster(m: int, k: int, n: int) -> None:
    found = seconds(m, k, n)
    for larger in ((m + 64, k, n), (m, k + 64, n), (m, k, n + 64)):
        assert seconds(*larger) >= found * (1 - 1e-12)


@given(m=SIZES, k=SIZES, n=SIZES, factor=st.sampled_from([2.0, 4.0]))
def test_a_device_that_is_faster_in_everything_is_that_much_faster(
    m: int, k: int, n: int, factor: float
) -> None:
    faster = Device(108, 1.41e9 * factor, 1024, 2039e9 * factor, 5120)
    assert seconds(m, k, n, device=faster) * factor == pytest.approx(seconds(m, k, n))


def test_a_table_takes_what_its_operators_take_alone() -> None:
    m, k, n = (np.array(column) for column in ([1, 64, 777], [64, 4096, 12288], [8, 100, 5000]))
    moved_bytes = 2 * (m * k + k * n + m * n)
    together = contraction_s(A100, FITTED, 1, m, k, n, moved_bytes, 2)
    triples = zip(m.tolist(), k.tolist(), n.tolist(), strict=True)
    alone = [seconds(one, two, three, FITTED) for one, two, three in triples]
    assert together == pytest.approx(alone)


def test_sizes_broadcast() -> None:
    grid = contraction_s(A100, PEAK, 1, np.arange(1, 5)[:, None], 64, np.arange(1, 4), 1e3, 2)
    assert grid.shape == (4, 3)
    assert Product.of(1, 2, 3, 4, 2, 2).options_s(A100, PEAK).shape == (len(OPTIONS),)


def test_every_tile_and_split_is_an_option() -> None:
    assert len(OPTIONS) == len(set(OPTIONS)) == 24
    assert {(rows, columns) for rows, columns, _ in OPTIONS} == set(TILES)
