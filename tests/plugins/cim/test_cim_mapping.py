"""Plans of macros: what they load, store, hold and issue, and how long they take."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from codesign_plugins.cim.engine import Macros
from codesign_plugins.cim.sram_engine import SramMacros
from hypothesis import given, settings
from hypothesis import strategies as st
from macros import CLOCK, KINDS, budget, contractions, engines, machine, macros, one

import codesign
from codesign.errors import MappingError
from codesign.hardware.objective import Objective, as_objective
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping.choice import end_to_end_s
from codesign.testing import check_operator, check_plan, convolution, matmul
from codesign.workload.record import Op

LAW = settings(max_examples=40, deadline=None, derandomize=True)
BUFFERS = st.sampled_from([300, 2048, 1 << 20])
OBJECTIVES = st.sampled_from([None, as_objective("energy"), as_objective("edp")])


def planned(engine: Macros, op: Op, granted: Budget) -> TilePlan | None:
    """The plan, or None if it does not fit."""
    try:
        found: TilePlan = engine.plan(op, granted)
    except MappingError:
        return None
    return found


def passes(engine: Macros, bits: int = 8) -> int:
    return int(engine.physics.passes(bits))


def cells_of(engine: Macros) -> int:
    return int(engine.rows * engine.columns)


@LAW
@given(engines(), contractions(), BUFFERS)
def test_plans_keep_every_promise_of_an_engine(engine: Macros, op: Op, size: int) -> None:
    granted = budget(engine, size)
    plan = planned(engine, op, granted)
    if plan is not None:
        check_plan(engine, op, granted, plan)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(engines(), contractions())
def test_the_kit_accepts_every_operator(engine: Macros, op: Op) -> None:
    check_operator(engine, op)


@LAW
@given(engines(), contractions(), BUFFERS)
def test_weights_are_loaded_whole_and_outputs_stored_once(
    engine: Macros, op: Op, size: int
) -> None:
    plan = planned(engine, op, budget(engine, size))
    if plan is None:
        return
    reloads, rest = divmod(plan.loaded[1], op.inputs[1].bytes)
    assert (reloads >= 1, rest) == (True, 0)
    assert plan.stored == {len(op.inputs): op.outputs[0].bytes}
    held = engine.cells.size // engine.tile_bytes
    if engine.layout(op).count <= held:
        assert reloads == 1  # what fits the cells at once comes once


@LAW
@given(engines(), contractions(), BUFFERS)
def test_weights_that_stay_are_never_loaded(engine: Macros, op: Op, size: int) -> None:
    resident = tuple(n == 1 for n in range(len(op.operands)))
    plan = planned(engine, op, budget(engine, size, resident=resident))
    if plan is None:
        return
    assert 1 not in plan.loaded
    assert (plan.rooms, plan.exclusive) == ((), ())
    assert not [count for part, _, count in plan.actions if part == "macro.cells"]
    assert plan.stored == {len(op.inputs): op.outputs[0].bytes}


@LAW
@given(engines(), contractions(), BUFFERS, st.booleans())
def test_slots_are_those_of_all_cells_in_all_cycles(
    engine: Macros, op: Op, size: int, slow: bool
) -> None:
    plan = planned(engine, op, budget(engine, size, port_bytes_per_s=1e6 if slow else math.inf))
    if plan is None:
        return
    slots = dict(plan.slots)
    issued = plan.cycles * engine.macros * cells_of(engine) // passes(engine)
    assert sum(slots.values()) == issued
    assert slots["effective"] == op.macs
    assert min(slots.values()) > 0
    if not slow and isinstance(engine, SramMacros):  # others write whole rows
        assert "ports and filling" not in slots
        assert issued * passes(engine) == plan.cycles * engine.macros * cells_of(engine)


@LAW
@given(engines(), contractions(), BUFFERS)
def test_cycles_are_products_times_passes_on_the_macros_there_are(
    engine: Macros, op: Op, size: int
) -> None:
    plan = planned(engine, op, budget(engine, size))
    if plan is None:
        return
    layout = engine.layout(op)
    least = layout.pixels * math.ceil(layout.count / engine.macros) * passes(engine)
    assert plan.cycles >= least
    assert plan.clock_hz == engine.clock_hz
    has_one_port = engine.macros == 1 and isinstance(engine, SramMacros)
    if engine.sets == 1 and engine.pack != "diagonal" and has_one_port:
        assert plan.cycles == least  # rounds of as many tiles as there are macros


@LAW
@given(engines(), contractions(), BUFFERS)
def test_the_cells_hold_the_largest_round_and_only_one_at_a_time_without_spare_ones(
    engine: Macros, op: Op, size: int
) -> None:
    plan = planned(engine, op, budget(engine, size))
    if plan is None:
        return
    (room,) = plan.rooms
    assert room.memory == "macro.cells"
    held = min(engine.layout(op).count, engine.macros * engine.sets)
    assert room.held_bytes == held * engine.tile_bytes <= engine.cells.size
    assert plan.exclusive == (() if engine.double_buffer else (1,))


@LAW
@given(engines(), contractions(), st.integers(0, 4000))
def test_plans_keep_within_any_buffer_or_say_what_would_do(
    engine: Macros, op: Op, size: int
) -> None:
    try:
        plan = engine.plan(op, budget(engine, size))
    except MappingError as error:
        least = int(str(error).split(" take ")[1].split(" B")[0].replace(",", ""))
        assert least > size
        assert engine.plan(op, budget(engine, least)).buffer_bytes <= least
        return
    assert plan.buffer_bytes <= size


@LAW
@given(engines(), contractions(), st.integers(0, 4000), st.integers(0, 10**6), OBJECTIVES)
def test_more_buffer_is_never_worse_by_the_plans_own_estimate(
    engine: Macros, op: Op, size: int, more: int, objective: Objective | None
) -> None:
    small, large = (budget(engine, n, objective=objective) for n in (size, size + more))
    plan = planned(engine, op, small)
    if plan is not None and objective is None:
        assert end_to_end_s(engine.plan(op, large), large) <= end_to_end_s(plan, small) * 1.0001
    elif plan is not None:
        check_plan(engine, op, small, plan)


@LAW
@given(engines(), contractions(), st.integers(1, 4))
def test_more_macros_take_no_more_cycles(engine: Macros, op: Op, more: int) -> None:
    resident = tuple(n == 1 for n in range(len(op.operands)))
    larger = dataclasses.replace(engine, macros=engine.macros + more)
    cycles = [one.plan(op, budget(one, resident=resident)).cycles for one in (engine, larger)]
    assert cycles[1] <= cycles[0]


@LAW
@given(engines(), contractions())
def test_less_of_the_cells_means_more_rounds_and_the_same_products(engine: Macros, op: Op) -> None:
    whole = engine.plan(op, budget(engine))
    single = engine.plan(op, budget(engine, cells=engine.tile_bytes))
    assert single.rooms[0].held_bytes == engine.tile_bytes
    assert dict(single.slots)["effective"] == dict(whole.slots)["effective"]
    with pytest.raises(MappingError, match="one weight tile takes"):
        engine.plan(op, budget(engine, cells=engine.tile_bytes - 1))


@pytest.mark.parametrize(
    ("row_split", "pack", "op", "cycles"),
    [
        ("loop_factors", "none", convolution(64, 64, 56, 3, padding=1), 150_528),
        ("loop_factors", "none", convolution(256, 256, 14, 3, padding=1), 56_448),
        ("loop_factors", "none", convolution(64, 384, 14, 1), 4_704),
        ("loop_factors", "none", convolution(384, 384, 14, 3, padding=1, groups=384), 602_112),
        ("linear", "none", convolution(64, 64, 56, 3, padding=1), 125_440),
        ("linear", "group", convolution(384, 384, 14, 3, padding=1, groups=384), 43_904),
        ("linear", "diagonal", convolution(384, 384, 14, 3, padding=1, groups=384), 21_504),
    ],
    ids=lambda value: value.name if isinstance(value, Op) else str(value),
)
def test_layers_take_the_macro_cycles_of_the_closed_form(
    row_split: Any, pack: Any, op: Op, cycles: int
) -> None:
    engine = macros(row_split=row_split, pack=pack)
    assert engine.plan(op, budget(engine)).cycles == cycles


@pytest.mark.parametrize(
    ("changes", "cycles"),
    [
        ({"input_bits": 2}, 75_264),
        ({"rows": 256, "columns": 64}, 75_264),
        ({"rows": 32}, 451_584),
        ({"macros": 6}, 25_088),
        # six tiles on four macros take two turns; in each of four chunks the last two tiles are
        # written through two ports, 768 cycles, where their bytes take 384 through all
        ({"macros": 4}, 50_176 + 4 * (768 - 384)),
        ({"sets": 6}, 150_528),
    ],
    ids=str,
)
def test_the_first_layer_on_other_macros(changes: dict[str, Any], cycles: int) -> None:
    engine = macros(row_split="loop_factors", pack="none", **changes)
    op = convolution(64, 64, 56, 3, padding=1)
    assert engine.plan(op, budget(engine)).cycles == cycles


def test_a_chunk_goes_through_all_rounds_and_comes_once() -> None:
    engine = macros(clock=CLOCK)
    op = matmul(64, 128, 512)
    plan = engine.plan(op, budget(engine))
    assert plan.loaded == {0: 64 * 128, 1: 128 * 512}
    small = engine.plan(op, budget(engine, 4 * 1024))
    assert small.loaded[0] == 64 * 128
    assert small.loaded[1] > 128 * 512  # weights come anew for each chunk


def test_sums_wait_in_the_buffer_between_rounds_and_are_charged() -> None:
    op = matmul(8, 256, 128)  # two row tiles, one macro
    waiting = macros().plan(op, budget(macros()))
    enough = macros(macros=2)
    together = enough.plan(op, budget(enough))
    sums = 8 * 128 * macros().partial_sum_bytes
    assert waiting.held_bytes == 8 * 256 + sums

    def port(plan: TilePlan) -> dict[str, int]:
        return {action: count for part, action, count in plan.actions if part == "buffer"}

    assert port(waiting)["write"] == port(together)["write"] + sums
    assert port(waiting)["read"] == port(together)["read"] + sums


def test_a_narrow_buffer_port_slows_the_tiles_down() -> None:
    engine, op = macros(), matmul(64, 128, 128)
    free = engine.plan(op, budget(engine))
    tight = engine.plan(op, budget(engine, port_bytes_per_s=engine.clock_hz / 8))
    assert tight.cycles == (64 * 128 + 64 * 128) * 8 > free.cycles == 64 * 8
    assert dict(tight.slots)["ports and filling"] == (tight.cycles - free.cycles) * 128 * 128 // 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_nest_says_how_the_work_is_cut(kind: str) -> None:
    engine = macros(kind, macros=2)
    plan = engine.plan(matmul(64, 512, 512), budget(engine, 8 * 1024))
    spatial = [loop for loop in plan.nest if loop.spatial]
    assert [loop.count for loop in spatial] == [2]
    rounds = [loop for loop in plan.nest if loop.brings == (1,)]
    assert [loop.count for loop in rounds] == [8]
    assert plan.note == "4 x 4 weight tiles in 8 rounds"


def test_spare_cells_do_not_tempt_to_reload_weights_that_come_slower_than_they_are_used() -> None:
    op, took = convolution(16, 16, 5, 3, 2, 1, groups=16), {}
    for spare in (False, True):
        engine = macros("analog", rows=64, columns=64, double_buffer=spare)
        hardware = machine(engine, port=True)
        took[spare] = codesign.simulate(one(op), hardware, residency="none").latency_s
    assert took[True] <= 1.02 * took[False]


# -- the port of the buffer ------------------------------------------------------------------------


def passing(plan: TilePlan) -> int:
    """Bytes that a plan counts as read and written at the buffer."""
    return sum(count for part, _, count in plan.actions if part == "buffer")


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("most", [1, 3, 32])
@pytest.mark.parametrize("port", [1e9, 16e9, 256e9])
def test_what_macros_count_at_the_buffer_takes_its_time_at_the_port(
    port: float, most: int, resident: bool
) -> None:
    engine = macros(rows=32, columns=16, sets=most, clock=CLOCK)
    for op in (convolution(8, 24, 10, 3), matmul(40, 96, 48, bias=True), matmul(1, 64, 64)):
        stays = (resident,) * len(op.operands)
        budget = Budget(1 << 20, 1e12, 1e12, resident=stays, port_bytes_per_s=port)
        plan = engine.plan(op, budget)
        assert plan.cycles / engine.clock_hz >= passing(plan) / port


def test_a_window_passes_the_port_anew_for_every_pixel() -> None:
    engine = macros(rows=128, columns=16, clock=CLOCK)
    op = convolution(8, 16, 10, 3)  # 64 pixels, windows of 72 bytes, 16 bytes of results
    budget = Budget(1 << 20, 1e12, 1e12, port_bytes_per_s=CLOCK)  # a byte a cycle
    plan = engine.plan(op, budget)
    assert (
        plan.cycles == passing(plan) == op.outputs[0].elements + 72 * (op.outputs[0].elements // 16)
    )
