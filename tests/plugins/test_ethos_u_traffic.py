"""What the Ethos-U engine moves: runs, bursts, weights that stream or stay, the port."""

from __future__ import annotations

import dataclasses

import pytest
from codesign_plugins.ethos_u.blocks import Block, Blocks
from codesign_plugins.ethos_u.core import CORES
from codesign_plugins.ethos_u.cycles import Pace
from codesign_plugins.ethos_u.layer import Layer
from codesign_plugins.ethos_u.needs import needs
from codesign_plugins.ethos_u.parts import Part, Parts
from codesign_plugins.ethos_u.tiles import Tiles
from ethos_cases import AMPLE, LAYERS, NAMES, actions, batched, between, biased, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.hardware.plan import Budget, Loop, Move, Tile
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=60, deadline=None, derandomize=True)
FLASH = Budget(1 << 22, 5e8, 5e8, resident=(True, False, True))
"""Images in the buffer, weights behind a byte a cycle."""


def parts(
    op: Op, block: tuple[int, int, int], name: str = "u55-256", budget: Budget = AMPLE, **more: bool
) -> Parts:
    layer = Layer.of(op)
    inner = 1 if layer.is_flat else min(32, layer.inner)
    pace = Pace(CORES[name], layer, Block(*block, inner, False), 0.25, 0)
    return Parts(op, budget, pace, holds=more.get("holds", False))


def tiles(found: Loop) -> list[Tile]:
    result: list[Tile] = []
    for _ in range(found.repeats):
        for part in found.body:
            result += [part] if isinstance(part, Tile) else tiles(part)
    return result


# -- runs -----------------------------------------------------------------------------------------


def test_an_image_from_outside_is_fetched_pixel_by_pixel() -> None:
    op = convolution(64, 32, 20, 3, padding=1)
    load, weights = parts(op, (8, 8, 16)).loads(Part((8, 8, 16), (3, 3), 32, is_last=False))
    assert load == Move(0, 10 * 10 * 32, 100, 64)
    assert weights == Move(1, 32 * 16 * 9)


def test_few_channels_are_fetched_eight_bytes_at_once() -> None:
    op = convolution(3, 32, 20, 3, padding=1)
    load, _ = parts(op, (8, 8, 16)).loads(Part((8, 8, 16), (3, 3), 3, is_last=False))
    assert load.bytes == 10 * 10 * 3
    assert load.rows == -(-load.bytes // 8)


def test_results_for_outside_leave_16_channels_of_a_pixel_at_once() -> None:
    op = convolution(64, 32, 20, 3, padding=1)
    for name, run in (("u55-256", 16), ("u65-512", 32)):
        (store,) = parts(op, (8, 8, 32), name).stores(Part((8, 8, 32), (3, 3), 32, is_last=True))
        assert store == Move(2, 8 * 8 * 32, 8 * 8 * 32 // run, 32)


def test_images_between_two_operators_lie_in_bricks() -> None:
    op = between(convolution(64, 32, 20, 3, padding=1))
    found = parts(op, (8, 8, 32))
    load, _ = found.loads(Part((8, 8, 32), (3, 3), 32, is_last=False))
    (store,) = found.stores(Part((8, 8, 32), (3, 3), 32, is_last=True))
    assert load.rows == -(-load.bytes // (16 * 8))
    assert store == Move(2, 8 * 8 * 32, 16, 16 * 20)


def test_only_the_last_part_of_a_sum_stores_and_reads_biases() -> None:
    op = biased(convolution(64, 32, 20, 3, padding=1))
    found = parts(op, (8, 8, 32))
    early, last = (Part((8, 8, 32), (3, 3), 32, is_last=flag) for flag in (False, True))
    assert found.stores(early) == ()
    assert [move.operand for move in found.loads(early)] == [0, 1]
    assert found.loads(last)[2] == Move(2, 10 * 32)
    assert len(found.stores(last)) == 1


def test_short_runs_cost_a_whole_burst_at_the_port_of_the_buffer() -> None:
    op = convolution(64, 32, 20, 3, padding=1)
    last = Part((8, 8, 32), (3, 3), 32, is_last=True)
    outside, inside = (parts(one, (8, 8, 32)) for one in (op, between(op)))
    assert outside.written(last) == 2 * 8 * 8 * 32
    assert inside.written(last) == 8 * 8 * 32
    assert outside.read(last) == inside.read(last) == 10 * 10 * 32


def test_weights_cross_the_port_only_where_they_lie_in_the_buffer() -> None:
    op = convolution(64, 32, 20, 3, padding=1)
    part = Part((8, 8, 32), (3, 3), 32, is_last=False)
    image, weights = 10 * 10 * 32, 32 * 32 * 9
    there = dataclasses.replace(AMPLE, resident=(False, True, False))
    assert parts(op, (8, 8, 32)).read(part) == image
    assert parts(op, (8, 8, 32), holds=True).read(part) == image + weights
    assert parts(op, (8, 8, 32), budget=there).read(part) == image + weights


# -- weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["u55-128", "u55-256"])
def test_weights_that_a_flash_gives_too_slowly_are_held(name: str) -> None:
    op = between(convolution(64, 64, 56, 3, padding=1))
    found = plan(op, name, FLASH)
    assert found.loaded == {1: 64 * 64 * 9}
    assert found.held_bytes == 64 * 64 * 9


def test_weights_of_a_fast_memory_stream_again_for_every_block() -> None:
    op = between(convolution(64, 64, 56, 3, padding=1))
    fast = dataclasses.replace(FLASH, load_bytes_per_s=1e12)
    found = plan(op, budget=fast)
    assert found.held_bytes == 0
    assert found.loaded[1] > 10 * 64 * 64 * 9
    assert found.loaded[1] % (64 * 64 * 9) == 0


def test_weights_of_one_block_are_not_held() -> None:
    found = plan(matmul(1, 512, 512), budget=FLASH)
    assert (found.held_bytes, found.loaded) == (0, {1: 512 * 512})


def test_held_weights_of_the_next_channels_come_while_these_are_computed() -> None:
    op = between(convolution(16, 48, 16, 3, padding=1))
    found = parts(op, (8, 8, 16), budget=FLASH, holds=True)
    sequence = tiles(Tiles(found, 5e8).loop())
    weights = [sum(move.bytes for move in tile.loads) for tile in sequence]
    each, blocks = 16 * 16 * 9, 4
    assert weights == [each + each // 4, *[each // 4] * 3] * 1 + [each // 4] * 4 + [0] * 4
    assert sum(weights) == 3 * each
    assert len(sequence) == 3 * blocks


def test_what_a_share_leaves_over_comes_with_the_first_block() -> None:
    op = between(convolution(3, 32, 24, 3, padding=1))
    found = parts(op, (8, 8, 16), budget=FLASH, holds=True)
    weights = [sum(m.bytes for m in tile.loads) for tile in tiles(Tiles(found, 5e8).loop())]
    each, blocks = 3 * 16 * 9, 9
    share = each // blocks
    assert weights[0] == each + share
    assert weights[1:blocks] == [share] * 8
    assert weights[blocks] == each - share * blocks
    assert sum(weights) == 2 * each


def test_weights_of_every_pass_are_held_for_that_pass() -> None:
    op = convolution(16, 32, 20, 3, groups=4)
    found = parts(op, (8, 8, 8), budget=FLASH, holds=True)
    loaded = sum(m.bytes for t in tiles(Tiles(found, 5e8).loop()) for m in t.loads)
    assert loaded == 4 * (4 * 8 * 9)


def test_held_weights_come_once_for_all_images_of_a_batch() -> None:
    op = batched(between(convolution(64, 64, 14, 3, padding=1)), 4)
    found = plan(op, "u55-128", FLASH)
    assert found.note.endswith("weights held")
    assert found.held_bytes == 64 * 64 * 9
    assert found.loaded == {1: 64 * 64 * 9}


def test_weights_of_one_block_are_held_where_more_images_follow() -> None:
    slow = dataclasses.replace(FLASH, load_bytes_per_s=1e6)
    for images in (1, 3):
        op = batched(between(convolution(32, 32, 7, 3, padding=1)), images)
        found = plan(op, budget=slow)
        assert found.note.startswith("blocks (h, w, c) = (8, 8, ")
        assert found.loaded == {1: 32 * 32 * 9}
        assert found.held_bytes == (32 * 32 * 9 if images > 1 else 0)


def test_every_group_of_a_batch_loads_its_weights_once_and_runs_every_image() -> None:
    op = batched(convolution(16, 32, 20, 3, groups=4), 3)
    found = Tiles(parts(op, (8, 8, 8), budget=FLASH, holds=True), 5e8)
    sequence = tiles(found.loop())
    loads = [sum(m.bytes for m in tile.loads if m.operand == 1) for tile in sequence]
    blocks = 9
    assert len(sequence) == 4 * 3 * blocks
    assert [n for n, size in enumerate(loads) if size] == [3 * blocks * group for group in range(4)]
    assert set(loads) == {0, 4 * 8 * 9}


def test_depthwise_weights_are_never_held() -> None:
    op = between(convolution(64, 64, 32, 3, padding=1, groups=64))
    slow = dataclasses.replace(FLASH, load_bytes_per_s=1e6)
    assert plan(op, budget=slow).held_bytes == 0


# -- tiles ----------------------------------------------------------------------------------------


def test_a_block_whose_operands_are_all_there_is_one_tile() -> None:
    op = between(convolution(128, 16, 16, 3, padding=1))
    there = dataclasses.replace(AMPLE, resident=(True,) * 3)
    blocks = plan(op, budget=there)
    assert all(not tile.loads and not tile.stores for tile, _ in blocks.counts)
    streamed = plan(op, budget=dataclasses.replace(FLASH, load_bytes_per_s=1e12))
    assert streamed.note.endswith("streamed")
    assert streamed.tiles == 4 * blocks.tiles  # 128 input channels, 32 at a time


def test_inputs_of_16_tiles_wait_in_a_large_buffer_and_of_what_fits_in_a_small_one() -> None:
    op = matmul(1, 1024, 1024)
    assert plan(op).slots_in == 16
    found = plan(op, budget=Budget(2048, 1e9, 1e9))
    assert 2 <= found.slots_in < 16
    assert found.buffer_bytes <= 2048 < found.buffer_bytes + found.slot_in_bytes


def test_large_kernels_are_taken_eight_taps_at_a_time() -> None:
    op = convolution(16, 16, 24, 11)
    found = parts(op, (4, 4, 16))
    sizes = [tile.loads[0].bytes for tile in tiles(Tiles(found, 5e8).loop())][:4]
    assert sizes == [11 * 11 * 16, 11 * 6 * 16, 6 * 11 * 16, 6 * 6 * 16]


@LAW
@given(LAYERS, st.sampled_from(NAMES), st.integers(9, 22))
def test_tiles_take_no_more_of_the_buffer_than_was_reckoned(op: Op, name: str, size: int) -> None:
    budget, layer, core = Budget(1 << size, 1e9, 1e9), Layer.of(op), CORES[name]
    blocks = Blocks.of(core, layer)
    for holds in (False, True) if layer.form == "convolution" else (False,):
        reckoned = needs(op, budget, layer, blocks, holds=holds)
        for place in range(0, len(reckoned), 11):
            pace = Pace(core, layer, blocks[place], 0.25, 0)
            made = Tiles(Parts(op, budget, pace, holds), 5e8)
            held = made.parts.weights(layer.depth) if holds else 0
            assert held + 2 * sum(made.slots()) <= reckoned[place]


@LAW
@given(LAYERS, st.sampled_from(NAMES))
def test_every_result_leaves_once_and_every_input_comes_at_least_once(op: Op, name: str) -> None:
    found = plan(op, name, Budget(1 << 16, 1e9, 1e9))
    assert found.stored == {len(op.inputs): op.outputs[0].bytes}
    weights = 0 if op.kind == "reduce" else op.inputs[1].bytes
    assert found.loaded.get(1, 0) >= weights


@LAW
@given(LAYERS, st.sampled_from(NAMES))
def test_the_port_carries_every_result_and_every_image(op: Op, name: str) -> None:
    found = actions(plan(op, name))
    assert found["buffer", "write"] >= op.outputs[0].bytes
    assert found["buffer", "read"] > 0
    assert found["", "internal write"] >= found["buffer", "read"]


@LAW
@given(LAYERS, st.sampled_from([1, 16, 32, 128]))
def test_longer_bursts_never_make_an_operator_load_more_bytes_than_it_asks_for(
    op: Op, burst: int
) -> None:
    found = plan(op, budget=Budget(1 << 18, 1e9, 1e9, burst_bytes=burst))
    for tile, _ in found.counts:
        for move in (*tile.loads, *tile.stores):
            assert move.rows >= 1
            assert (move.rows == 1) == (move.pitch == 0)
            assert move.pitch * move.rows >= move.bytes or move.rows == 1
