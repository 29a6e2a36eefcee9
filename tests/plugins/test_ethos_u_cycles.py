"""Cycles of the Ethos-U engine against closed forms, and laws over many layers."""

from __future__ import annotations

import math

import pytest
from codesign_plugins.ethos_u.blocks import Block, Blocks, is_by_taps, microblock
from codesign_plugins.ethos_u.core import BANK, CORES, OUTPUT_BANKS
from codesign_plugins.ethos_u.cycles import Pace
from codesign_plugins.ethos_u.functions import per_result
from codesign_plugins.ethos_u.layer import Layer, Window
from ethos_cases import LAYERS, NAMES, THERE, biased, plan, pooling, slots, up
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.hardware.plan import Budget
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=60, deadline=None, derandomize=True)
CONFIGURATIONS = st.sampled_from(NAMES)


# -- an operator as the cores see it --------------------------------------------------------------


def test_a_convolution_has_an_image_a_kernel_and_channels() -> None:
    layer = Layer.of(convolution(16, 24, 20, 3, stride=2, padding=1, dilation=2))
    assert layer.form == "convolution"
    assert (layer.depth, layer.inner, layer.passes, layer.more_sums) == (24, 16, 1, 1)
    for axis in (layer.height, layer.width):
        assert (axis.pixels, axis.taps, axis.stride, axis.dilation) == (9, 3, 2, 2)
        assert axis.reach == 5
        assert axis.inputs == 8 * 2 + 5


def test_a_depthwise_convolution_has_the_channels_of_its_input() -> None:
    layer = Layer.of(convolution(16, 16, 20, 3, groups=16))
    assert (layer.form, layer.depth, layer.inner, layer.input_depth) == ("depthwise", 16, 1, 16)
    assert layer.is_flat


def test_groups_of_several_channels_run_one_by_one() -> None:
    layer = Layer.of(convolution(16, 32, 20, 3, groups=4))
    assert (layer.form, layer.depth, layer.inner, layer.passes) == ("convolution", 8, 4, 4)


def test_one_row_of_a_product_is_a_vector_and_several_are_a_row_of_pixels() -> None:
    vector, rows = Layer.of(matmul(1, 64, 48)), Layer.of(matmul(10, 64, 48))
    assert (vector.form, vector.depth, vector.inner) == ("vector", 48, 64)
    assert (rows.form, rows.height.pixels, rows.width.pixels) == ("convolution", 1, 10)
    assert Layer.of(matmul(10, 64, 48, batch=3)).passes == 3


def test_a_dot_product_for_each_channel_is_depthwise() -> None:
    layer = Layer.of(matmul(1, 10, 1, batch=16))
    assert (layer.form, layer.depth, layer.width.taps) == ("depthwise", 16, 10)


def test_a_pooling_keeps_its_channels() -> None:
    layer = Layer.of(pooling(12, 9, 3, 2))
    assert (layer.form, layer.depth, layer.input_depth) == ("pooling", 12, 12)
    assert (layer.height.pixels, layer.height.taps, layer.height.stride) == (4, 3, 2)


@LAW
@given(LAYERS)
def test_the_loops_of_a_layer_are_all_loops_of_its_operator(op: Op) -> None:
    layer = Layer.of(op)
    axes = layer.height, layer.width
    points = math.prod(axis.pixels * axis.taps for axis in axes)
    assert points * layer.depth * layer.inner * layer.passes * layer.more_sums == op.loops.points


# -- blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_microblocks_lie_flat_on_one_row_of_an_even_number_of_results(name: str) -> None:
    height, width, depth = CORES[name].microblock
    square = height, width, depth
    assert microblock(CORES[name], Layer.of(convolution(8, 8, 9, 3))) == square
    assert microblock(CORES[name], Layer.of(matmul(7, 8, 8))) == square
    flat = (1, 4, 8) if height == 2 else square
    assert microblock(CORES[name], Layer.of(matmul(8, 8, 8))) == flat


@pytest.mark.parametrize(
    ("channels", "kernel", "by_taps"),
    [(1, 3, True), (8, 3, True), (64, 3, False), (16, 2, True), (32, 1, False), (40, 4, True)],
)
def test_taps_are_packed_where_channels_would_leave_cells_empty(
    channels: int, kernel: int, by_taps: bool
) -> None:
    layer = Layer.of(convolution(channels, 16, 12, kernel))
    assert is_by_taps(layer) == by_taps


@LAW
@given(LAYERS, CONFIGURATIONS)
def test_every_block_fits_the_ram_inside_twice_and_the_largest_block_that_there_is(
    op: Op, name: str
) -> None:
    core, layer = CORES[name], Layer.of(op)
    blocks = Blocks.of(core, layer)
    assert len(blocks.height) > 0
    room = (core.banks - core.end_banks - OUTPUT_BANKS) * BANK
    for place in range(0, len(blocks.height), 7):
        block = blocks[place]
        results = block.height * block.width * up(block.depth, 8)
        rows = (block.height - 1) * layer.height.stride + min(8, layer.height.reach)
        columns = (block.width - 1) * layer.width.stride + min(8, layer.width.reach)
        channels = up(block.depth if layer.is_flat else block.inner, 8)
        assert 2 * (4 * results + rows * columns * channels) <= room
        assert (block.height, block.width, block.depth) <= (32, 64, 128)
        assert block.depth % 16 == 0 or block.depth >= layer.depth
        for size, micro in zip(
            (block.height, block.width, block.depth), microblock(core, layer), strict=True
        ):
            assert size % micro == 0


def test_the_first_block_is_the_one_that_the_compiler_of_arm_takes() -> None:
    """Blocks seen in runs of Vela 5.2.0 through the bytes that it reads."""
    core = CORES["u55-256"]
    assert Blocks.of(core, Layer.of(matmul(64, 512, 512)))[0] == Block(1, 64, 64, 32, False)
    layer = Layer.of(convolution(64, 256, 56, 1))
    assert Blocks.of(core, layer)[0] == Block(8, 8, 64, 32, False)


# -- cycles of a block ----------------------------------------------------------------------------


def pace(op: Op, block: tuple[int, int, int], name: str = "u55-256", latency: int = 0) -> Pace:
    layer = Layer.of(op)
    inner = 1 if layer.is_flat else 32
    found = Block(*block, inner, is_by_taps(layer))
    return Pace(CORES[name], layer, found, CORES[name].output["other"], latency)


@pytest.mark.parametrize("name", NAMES)
def test_full_microblocks_of_full_channels_fill_every_cell(name: str) -> None:
    op = convolution(32, 64, 18, 3)
    cycles = pace(op, (16, 16, 64), name).multiply((16, 16, 64), (3, 3), 32)
    assert cycles * CORES[name].macs == 16 * 16 * 64 * 9 * 32


def test_a_depthwise_kernel_takes_four_taps_in_four_cycles() -> None:
    op = convolution(16, 16, 18, 3, groups=16)
    # 8 x 8 microblocks of 2 x 2, 2 of 8 channels, 3 steps of up to 4 of the 9 taps
    assert pace(op, (16, 16, 16)).multiply((16, 16, 16), (3, 3), 1) == 4 * 64 * 2 * 3


def test_few_channels_take_four_taps_at_once() -> None:
    op = convolution(3, 16, 18, 3)
    assert pace(op, (16, 16, 16)).multiply((16, 16, 16), (3, 3), 3) == 4 * 64 * 2 * 3


def test_a_pooling_takes_a_cycle_for_each_tap_but_at_least_four() -> None:
    for kernel, cycles in ((3, 9), (2, 4), (1, 4)):
        op = pooling(16, 20, kernel, 1)
        found = pace(op, (16, 16, 16)).multiply((16, 16, 16), (kernel, kernel), 1)
        assert found == cycles * 64 * 2


@pytest.mark.parametrize(("name", "cycles"), [("u55-32", 16), ("u55-64", 32), ("u55-256", 32)])
def test_one_microblock_waits_for_its_weights(name: str, cycles: int) -> None:
    depth = CORES[name].microblock[2]
    found = pace(matmul(1, 32, depth), (2, 2, depth), name).multiply((1, 1, depth), (1, 1), 32)
    assert found == cycles


def test_two_cores_share_a_block() -> None:
    op = convolution(32, 64, 18, 3)
    one, two = (
        pace(op, (16, 16, 64), name).multiply((16, 16, 64), (3, 3), 32)
        for name in ("u65-256", "u65-512")
    )
    assert one == 2 * two


def test_results_leave_at_the_rate_of_the_output_stage() -> None:
    assert pace(convolution(8, 8, 9, 3), (4, 4, 16)).output((4, 4, 16)) == 64
    assert pace(convolution(8, 8, 9, 3), (1, 1, 3)).output((1, 1, 3)) == 1


def test_records_of_channels_wait_for_their_latency_256_bytes_at_a_time() -> None:
    op = convolution(8, 64, 9, 3)
    assert pace(op, (2, 2, 64), latency=64).output((2, 2, 64)) == 160
    assert pace(op, (2, 2, 64), latency=0).output((2, 2, 64)) == 64


def test_a_function_behind_costs_only_what_it_is_slower() -> None:
    core = CORES["u55-256"]
    assert per_result(core, [0.25], ("relu",)) == 0.25
    assert per_result(core, [0.25], ("tanh",)) == 1
    assert per_result(core, [0.25], ("add",)) == 1
    assert per_result(core, [0.25], ("add", "tanh")) == 1.25
    assert per_result(core, [], ()) == 0.25


def test_a_window_of_one_tap_reaches_one_input() -> None:
    assert Window(pixels=5, stride=2).inputs == 9
    assert Window().reach == 1


# -- cycles of an operator ------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_even_convolution_takes_its_multiplications_and_its_last_results(name: str) -> None:
    op = biased(convolution(64, 64, 32, 3, padding=1))
    found = plan(op, name, THERE)
    core = CORES[name]
    block = tuple(int(size) for size in found.note.split("= (")[1].split(")")[0].split(","))
    last = [(size - 1) % most + 1 for size, most in zip((32, 32, 64), block, strict=True)]
    assert found.cycles == op.macs // core.macs + math.prod(last) * per_result(
        core, [core.output["other"]], ("relu",)
    )


def test_a_matrix_vector_product_takes_32_cycles_for_256_weights() -> None:
    """A microblock of one result leaves three of four cells empty."""
    for name in ("u55-64", "u55-128", "u55-256"):
        found = plan(matmul(1, 1024, 1024), name, THERE)
        assert 131072 <= found.cycles <= 131072 + 128 * CORES[name].output["other"]


def test_the_first_inputs_cross_the_port_before_anything_is_multiplied() -> None:
    op = convolution(64, 64, 24, 3, padding=1)
    slow = Budget(1 << 24, 1e15, 1e15, resident=(True,) * 3, port_bytes_per_s=1e11)
    found, instant = plan(op, budget=slow), plan(op, budget=THERE)
    assert found.note == instant.note
    block = [int(size) for size in found.note.split("= (")[1].split(")")[0].split(",")]
    read = (block[0] + 2) * (block[1] + 2) * 32 + 9 * 32 * block[2]
    assert found.cycles == instant.cycles + math.ceil(read / 200)
    assert slots(found)["buffer port"] == 256 * math.ceil(read / 200)


def test_a_tile_is_never_faster_than_the_port_of_the_buffer() -> None:
    op = convolution(16, 256, 32, 1)
    slow = Budget(1 << 24, 1e15, 1e15, resident=(True,) * 3, port_bytes_per_s=4e9)
    found = plan(op, budget=slow)
    assert found.cycles >= (16 + 256) * 32 * 32 / 8
    assert slots(found)["buffer port"] > 0


@LAW
@given(LAYERS, CONFIGURATIONS)
def test_cycles_are_at_least_those_of_all_cells_and_of_the_output_stage(op: Op, name: str) -> None:
    found, core = plan(op, name), CORES[name]
    assert found.cycles * core.macs >= op.macs
    fastest = min(core.output.values())
    assert found.cycles >= math.floor(op.outputs[0].elements * fastest)


@LAW
@given(LAYERS, CONFIGURATIONS)
def test_slots_add_up_to_what_all_cells_issue(op: Op, name: str) -> None:
    found = plan(op, name)
    booked = slots(found)
    assert min([0, *booked.values()]) == 0
    if op.macs:
        assert sum(booked.values()) == found.cycles * CORES[name].macs
        assert booked["effective"] == op.macs


@LAW
@given(LAYERS, st.sampled_from([1e8, 1e9, 4e9]), CONFIGURATIONS)
def test_a_faster_port_never_costs_cycles(op: Op, rate: float, name: str) -> None:
    def cycles(port: float) -> int:
        there = Budget(1 << 24, 1e15, 1e15, resident=(True,) * 4, port_bytes_per_s=port)
        return plan(op, name, there).cycles

    assert cycles(2 * rate) <= cycles(rate)


@LAW
@given(LAYERS)
def test_two_cores_are_never_slower_than_one(op: Op) -> None:
    assert plan(op, "u65-512", THERE).cycles <= plan(op, "u65-256", THERE).cycles


@LAW
@given(LAYERS)
def test_families_of_equal_cells_take_equal_cycles(op: Op) -> None:
    assert plan(op, "u65-256").cycles == plan(op, "u55-256").cycles


@LAW
@given(LAYERS, st.integers(1, 600), st.integers(1, 600))
def test_a_longer_latency_of_records_never_saves_cycles(op: Op, short: int, more: int) -> None:
    slow, fast = (plan(op, budget=THERE, record_latency=n) for n in (short + more, short))
    assert slow.cycles >= fast.cycles
