"""Counts of a layer by the rules of MNSIM, and how they differ from what a chip does."""

from __future__ import annotations

import pytest
from codesign_plugins.cim.nvm_alexnet import LAYERS, Layer
from codesign_plugins.cim.nvm_counting import Counted, pooling, windows
from codesign_plugins.cim.nvm_designs import MNSIM_BUFFERS, mnsim_rram
from hypothesis import given
from hypothesis import strategies as st

ARRAY = mnsim_rram()
HELD = MNSIM_BUFFERS
WEIGHTED = [place for place, layer in enumerate(LAYERS) if layer.kind != "pool"]
KERNELS = st.sampled_from([(1, 1, 0), (2, 2, 0), (3, 1, 1), (3, 2, 1), (5, 1, 2)])


def counted(place: int) -> Counted:
    return Counted(LAYERS[place], ARRAY, HELD)


def test_the_buffers_counted_are_those_of_the_chip() -> None:
    assert HELD is ARRAY.buffers


@pytest.mark.parametrize(
    ("place", "rows", "columns", "macros", "steps"),
    [
        (0, 27, 64, 1, 9),
        # 28 channels of nine taps, in two groups; 192 columns in two rounds
        (2, 252, 192, 3, 36),
        (4, 252, 256, 14, 36),
        (5, 252, 256, 14, 36),
        (6, 252, 256, 10, 36),
        (8, 256, 256, 8, 36),
        (9, 256, 10, 2, 18),
    ],
)
def test_every_tile_is_as_full_as_the_fullest(
    place: int, rows: int, columns: int, macros: int, steps: int
) -> None:
    found = counted(place)
    assert (found.rows, found.columns, found.macros, found.steps) == (rows, columns, macros, steps)


@pytest.mark.parametrize(("place", "conversions"), [(0, 32), (2, 192), (8, 256), (9, 5)])
def test_a_layer_of_at_most_128_columns_pays_for_half_of_its_conversions(
    place: int, conversions: int
) -> None:
    found = counted(place)
    planes, groups, arrays = 9, -(-found.rows // 128), 8
    joules = (
        LAYERS[place].pixels * found.macros * arrays * planes * groups * conversions * 10.08e-12
    )
    assert found.joules()["adc"] == pytest.approx(joules, rel=1e-12)


@pytest.mark.parametrize("place", [2, 4, 5, 6, 8])
def test_full_tiles_pay_what_our_own_counts_say_but_for_buffers(place: int) -> None:
    found = counted(place)
    counts = ARRAY.counts(found.rows, found.columns, 9, 8)
    products = LAYERS[place].pixels * found.macros
    for action in ("adc", "shift adder", "cell read", "dac"):
        ours = float(products * counts[action] * ARRAY.prices()[action])
        assert found.joules()[action] == pytest.approx(ours, rel=1e-12)


@pytest.mark.parametrize("place", WEIGHTED)
def test_sums_are_added_within_a_tile_and_not_between_tiles(place: int) -> None:
    found = counted(place)
    products = LAYERS[place].pixels * found.macros
    added = products * 6 * found.columns * 2.64e-4 * (45 / 65) ** 2 * 2e-9
    assert found.joules()["slice adder"] == pytest.approx(added, rel=1e-12)


def test_the_buffers_of_a_product_move_its_window_and_its_sums() -> None:
    # 256 inputs of nine bits are 36 words, four times 256 sums of nine or eight bits 144 or 128;
    # eight macros of ten buffers, which all pay
    joules = counted(8).joules()
    read, write = 27.69806e-12, 33.26466e-12
    assert joules["buffer read"] == pytest.approx(8 * 10 * (36 + 144) * read, rel=1e-6)
    assert joules["buffer write"] == pytest.approx(8 * 10 * (36 + 128) * write, rel=1e-6)


def test_a_pooling_unit_takes_its_power_for_every_64_channels() -> None:
    assert pooling(LAYERS[1], HELD)["pooling"] == pytest.approx(64 * 3.082e-3 * 100e-9, rel=1e-12)
    assert pooling(LAYERS[3], HELD)["pooling"] == pytest.approx(
        16 * 3 * 3.082e-3 * 100e-9, rel=1e-12
    )


@given(kernel=KERNELS, size=st.integers(6, 40))
def test_every_pixel_has_a_window(kernel: tuple[int, int, int], size: int) -> None:
    layer = Layer("conv", 4, 4, size, *kernel)
    assert sum(pixels for pixels, _ in windows(layer)) == layer.pixels
    assert all(pixels >= 0 for pixels, _ in windows(layer))


@given(kernel=KERNELS, size=st.integers(6, 40))
def test_no_window_reads_more_than_its_taps(kernel: tuple[int, int, int], size: int) -> None:
    layer = Layer("conv", 4, 4, size, *kernel)
    for _, positions in windows(layer):
        assert 0 < positions["read"] <= layer.taps
        assert 0 < positions["written"] <= layer.taps


@pytest.mark.parametrize("size", [8, 16, 32])
def test_windows_that_do_not_overlap_write_the_image_once(size: int) -> None:
    layer = Layer("pool", 4, 4, size, 2, 2)
    assert sum(pixels * positions["written"] for pixels, positions in windows(layer)) == size**2


@pytest.mark.parametrize("place", range(len(LAYERS)))
def test_every_part_of_a_layer_costs_something(place: int) -> None:
    layer = LAYERS[place]
    parts = pooling(layer, HELD) if layer.kind == "pool" else counted(place).joules()
    assert parts
    assert all(joules > 0 for joules in parts.values())
