"""Loads whose place holds one tile's worth wait until the engine has computed all before them."""

from __future__ import annotations

import dataclasses
from unittest import mock

import pytest
from hand_built import NS, agreeing, block, placement, slow_link
from hand_built import operator as built
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LATE, LOADED, STORED, assignment, machine, output, plans, play, uniform

from codesign.hardware.plan import Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Placement
from codesign.replay.fabric import Fabric
from codesign.replay.run import Replay
from codesign.workload.record import Tensor, Trace

EVERYTHING = (LOADED, LATE)
LAW = settings(max_examples=80, deadline=None, derandomize=True)
SIZES = st.integers(1, 3000)


def alone(plan: TilePlan, *operands: int) -> TilePlan:
    """A plan whose loads of these operands have a place for one tile."""
    return dataclasses.replace(plan, exclusive=operands)


def tiles(count: int, cycles: int, *loads: tuple[int, int], store: int = 0) -> TilePlan:
    """Equal tiles with loads as (operand, bytes)."""
    stores = (Move(STORED, store),) if store else ()
    tile = Tile(cycles, tuple(Move(*load) for load in loads), stores)
    size = sum(size for _, size in loads)
    return TilePlan(Loop((tile,), count), 1e9, slot_in_bytes=size, slot_out_bytes=store)


def wide() -> Hardware:
    """One engine behind a channel each way of a byte a nanosecond."""
    return machine(bandwidth=1e9, duplex="full")


def test_the_next_weights_come_when_the_tile_before_has_computed() -> None:
    plan = tiles(3, 50, (LOADED, 100))
    assert play(slow_link(), assignment("op", alone(plan, LOADED))).makespan == 3 * 150 * NS
    assert play(slow_link(), assignment("op", plan)).makespan == (3 * 100 + 50) * NS


def test_other_operands_of_the_tile_come_meanwhile() -> None:
    # 30 ns of others fit into the 50 ns of the compute before; 100 ns of weights follow it
    plan = alone(tiles(3, 50, (LOADED, 100), (LATE, 30)), LOADED)
    assert play(slow_link(), assignment("op", plan)).makespan == (30 + 3 * 150) * NS


def test_others_that_take_longer_than_the_compute_put_the_weights_off() -> None:
    plan = alone(tiles(3, 50, (LOADED, 100), (LATE, 80)), LOADED)
    assert play(slow_link(), assignment("op", plan)).makespan == (3 * (80 + 100) + 50) * NS


def test_a_single_input_slot_lets_nothing_come_meanwhile() -> None:
    plan = alone(tiles(3, 50, (LOADED, 100), (LATE, 30)), LOADED)
    plan = dataclasses.replace(plan, slots_in=1)
    assert play(slow_link(), assignment("op", plan)).makespan == 3 * (30 + 100 + 50) * NS


def test_results_leave_while_the_next_weights_come() -> None:
    plan = alone(tiles(3, 50, (LOADED, 100), store=120), LOADED)
    assert play(wide(), assignment("op", plan)).makespan == (3 * 150 + 120) * NS


def test_only_what_is_exclusive_waits() -> None:
    plan = alone(tiles(3, 50, (LATE, 100)), LOADED)
    assert play(slow_link(), assignment("op", plan)).makespan == (3 * 100 + 50) * NS


def test_all_operands_may_be_exclusive() -> None:
    plan = alone(tiles(3, 50, (LOADED, 100), (LATE, 30)), *EVERYTHING)
    assert play(slow_link(), assignment("op", plan)).makespan == 3 * (130 + 50) * NS


def test_weights_of_the_next_operator_come_before_it_is_open() -> None:
    # the first computes to 200 and stores to 260; weights come from 200 on, its input from 300
    first = assignment("a", tiles(1, 200, store=60))
    second = alone(tiles(1, 40, (LOADED, 100), (LATE, 30)), LOADED)
    found = play(wide(), first, assignment("b", second, reads=output(first)))
    assert [(span.start, span.end) for span in found.spans] == [
        (0, 260 * NS),
        (200 * NS, 370 * NS),
    ]


def test_what_an_earlier_operator_writes_waits_for_it_even_where_the_place_is_free() -> None:
    first = assignment("a", tiles(1, 200, store=60))
    second = alone(tiles(1, 40, (LOADED, 100), (LATE, 30)), *EVERYTHING)
    found = play(wide(), first, assignment("b", second, reads=output(first)))
    assert found.spans[1].start == 260 * NS
    assert found.makespan == (260 + 130 + 40) * NS


def test_another_engine_does_not_hold_them_up() -> None:
    hardware = machine(systolics=2, buffers=2, links=2, bandwidth=1e9)
    busy = assignment("a", tiles(1, 5000), engine="npu1")
    plan = alone(tiles(2, 50, (LOADED, 100)), LOADED)
    found = play(hardware, busy, assignment("b", plan, engine="npu0"))
    assert found.spans[1].end == 2 * 150 * NS


@LAW
@given(st.integers(1, 60), SIZES, st.integers(0, 3000), SIZES, st.sampled_from([0, 32]))
def test_uniform_tiles_take_the_closed_form_of_two_stages(
    count: int, load: int, cycles: int, store: int, setup: int
) -> None:
    hardware = machine(bandwidth=1e9, duplex="full", setup=setup * 1e-9)
    found = play(hardware, assignment("op", alone(uniform(count, load, cycles, store), LOADED)))
    stages = [load + setup + cycles, store + setup]  # loads and computes take turns
    assert found.makespan == (sum(stages) + (count - 1) * max(stages)) * NS


@LAW
@given(st.integers(1, 40), SIZES, st.integers(0, 3000), st.integers(0, 3000))
def test_uniform_tiles_that_load_twice_take_the_closed_form(
    count: int, weights: int, cycles: int, others: int
) -> None:
    plan = alone(tiles(count, cycles, (LOADED, weights), (LATE, others)), LOADED)
    if not others:
        plan = alone(tiles(count, cycles, (LOADED, weights)), LOADED)
    turn = weights + max(cycles, others)
    expected = others + (count - 1) * turn + weights + cycles
    assert play(wide(), assignment("op", plan)).makespan == expected * NS


@st.composite
def sequences(draw: st.DrawFn) -> list[Assignment]:
    """Operators with exclusive loads, each chained to the one before or not."""
    placed: list[Assignment] = []
    for number, plan in enumerate(draw(st.lists(plans(), min_size=1, max_size=4))):
        chosen = draw(st.sampled_from([(), (LOADED,), (LATE,), EVERYTHING]))
        is_chained = draw(st.booleans())
        reads = output(placed[-1]) if placed and is_chained else None
        budget = plan.buffer_bytes + draw(st.integers(0, 4000))
        placed.append(assignment(f"op{number}", alone(plan, *chosen), reads=reads, budget=budget))
    return placed


HARDWARE = st.builds(
    machine,
    bandwidth=st.just(1e9),
    duplex=st.sampled_from(["half", "full"]),
    setup=st.sampled_from([0.0, 32e-9]),
)


@LAW
@given(sequences(), HARDWARE)
def test_bounds_hold_and_the_accelerations_change_nothing(
    placed: list[Assignment], hardware: Hardware
) -> None:
    tensors: dict[str, Tensor] = {a.tensor.name: a.tensor for p in placed for a in p.op.operands}
    trace = Trace("planned", tuple(one.op for one in placed), tuple(tensors.values()))
    for one in agreeing(Placement(trace, tuple(placed), "dram"), hardware):
        assert one.lower <= one.makespan <= one.serial


@LAW
@given(sequences(), HARDWARE)
def test_what_is_exclusive_moves_the_same_bytes_and_computes_as_long(
    placed: list[Assignment], hardware: Hardware
) -> None:
    def plain(one: Assignment) -> Assignment:
        assert one.plan is not None
        return dataclasses.replace(one, plan=alone(one.plan))

    found, free = play(hardware, *placed), play(hardware, *[plain(one) for one in placed])
    assert (found.moved, found.busy) == (free.moved, free.busy)


class Watched(Fabric):
    """A Fabric that looks after every event whether the one place is used twice."""

    seen = 0

    def _happen(self) -> None:
        super()._happen()
        for lane in self.lanes.values():
            if lane.loading is None or not lane.load_busy:
                continue
            if lane.loading[1].load.alone and not lane.load_alone:  # they have begun
                Watched.seen += 1
                assert lane.computing is None
                assert not lane.loaded


@LAW
@given(sequences(), HARDWARE)
def test_nothing_computes_or_waits_to_while_an_exclusive_load_is_under_way(
    placed: list[Assignment], hardware: Hardware
) -> None:
    with mock.patch("codesign.replay.dispatch.Fabric", Watched):
        play(hardware, *placed)


def test_the_law_above_has_seen_exclusive_loads() -> None:
    Watched.seen = 0
    with mock.patch("codesign.replay.dispatch.Fabric", Watched):
        play(slow_link(), assignment("op", alone(tiles(5, 50, (LOADED, 100), (LATE, 9)), LOADED)))
    assert Watched.seen >= 5


def turns(found: Replay) -> list[int]:
    return [span.end for span in found.spans]


@pytest.mark.parametrize("steps", [1, 2, 7, 300])
def test_steps_of_a_region_reload_one_after_the_other(steps: int) -> None:
    step = built("gate", alone(tiles(2, 50, (LOADED, 100)), LOADED))
    plain, fast = agreeing(placement(block("r", steps, step)), slow_link())
    assert turns(plain) == [300 * NS * (n + 1) for n in range(steps)]
    assert fast.makespan == steps * 300 * NS


def test_long_runs_of_exclusive_tiles_are_skipped_over() -> None:
    plan = alone(tiles(10_000, 50, (LOADED, 100), (LATE, 30)), LOADED)
    plain, fast = agreeing(placement(built("op", plan)), slow_link())
    assert plain.makespan == (30 + 10_000 * 150) * NS
    assert fast.events < plain.events / 100
