"""Closed forms of one pipeline, and what the buffer and the slots hold at every instant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LATE, LOADED, assignment, machine, output, plans, play, uniform

from codesign.hardware.plan import TilePlan
from codesign.mapping.placement import Assignment
from codesign.replay.fabric import Fabric
from codesign.replay.lane import Lane
from codesign.units import cycles_to_ticks

NS = 1000
SIZES = st.integers(0, 3000)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 60), SIZES, st.integers(0, 3000), SIZES, st.sampled_from([0, 32]))
def test_uniform_tiles_with_a_channel_each_way_take_the_closed_form(
    count: int, load: int, cycles: int, store: int, setup: int
) -> None:
    # 1 B/ns each way, 1 cycle/ns: bytes, cycles and set-up are all in nanoseconds
    hardware = machine(bandwidth=1e9, duplex="full", setup=setup * 1e-9)
    replay = play(hardware, assignment("op", uniform(count, load, cycles, store)))
    stages = [load + setup * bool(load), cycles, store + setup * bool(store)]
    assert replay.makespan == (sum(stages) + (count - 1) * max(stages)) * NS


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 60), SIZES, st.integers(0, 3000), SIZES)
def test_uniform_tiles_on_a_shared_channel_keep_their_lower_bound(
    count: int, load: int, cycles: int, store: int
) -> None:
    hardware = machine(bandwidth=1e9, duplex="half")
    replay = play(hardware, assignment("op", uniform(count, load, cycles, store)))
    least = max(count * (load + store), load + count * cycles + store) * NS
    assert least <= replay.makespan
    assert replay.lower <= replay.makespan <= replay.serial


@pytest.mark.parametrize(
    ("count", "load", "cycles", "store"),
    [(50, 100, 500, 100), (50, 0, 10, 400), (50, 400, 0, 0), (1, 30, 20, 10), (20, 10, 100, 0)],
)
def test_the_shared_lower_bound_is_reached_where_nothing_is_in_the_way(
    count: int, load: int, cycles: int, store: int
) -> None:
    hardware = machine(bandwidth=1e9, duplex="half")
    replay = play(hardware, assignment("op", uniform(count, load, cycles, store)))
    link, compute = count * (load + store), load + count * cycles + store
    tail = cycles if count > 1 and link > compute else 0  # the first or last tile's compute
    assert replay.makespan == (max(link, compute) + tail * bool(load or store)) * NS


def test_a_lone_compute_bound_sequence_is_busy_all_along() -> None:
    replay = play(machine(), assignment("op", uniform(1000, 0, 777, 0, clock=9.4e8)))
    assert replay.makespan == 1000 * cycles_to_ticks(777, 9.4e8)
    assert replay.busy["npu0"] == replay.makespan == replay.lower == replay.serial


def test_a_lone_load_stream_pays_its_bytes_and_every_set_up() -> None:
    hardware = machine(bandwidth=3e9, setup=7e-9)
    replay = play(hardware, assignment("op", uniform(100, 1000, 0, 0)))
    assert replay.makespan == 100 * (7 * NS + -(-1000 * NS // 3))


def test_cycles_round_up_to_picoseconds_once_per_tile() -> None:
    replay = play(machine(), assignment("op", uniform(3, 0, 1, 0, clock=3e9)))
    assert replay.makespan == 3 * 334


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_slots_decide_how_far_loads_run_ahead(slots: int) -> None:
    plan = uniform(10, 100, 60, 0)
    plan = TilePlan(plan.loop, plan.clock_hz, slots_in=slots)
    replay = play(machine(bandwidth=1e9, duplex="full"), assignment("op", plan))
    steady = 160 if slots == 1 else 100  # one slot: load and compute take turns
    assert replay.makespan == (160 + 9 * steady) * NS


def test_one_output_slot_stalls_the_compute_until_the_store_ends() -> None:
    plan = uniform(10, 0, 60, 100)
    plan = TilePlan(plan.loop, plan.clock_hz, slots_out=1)
    replay = play(machine(bandwidth=1e9, duplex="full"), assignment("op", plan))
    assert replay.makespan == 10 * 160 * NS


class Watched(Fabric):
    """A Fabric that checks slots and buffer bytes after every event."""

    def _happen(self) -> None:
        super()._happen()
        for lane in self.lanes.values():
            check_lane(lane)


def check_lane(lane: Lane) -> None:
    """Slots of every job, and all jobs together within the least of their budgets."""
    live = [*lane.draining, *([lane.queue[0]] if lane.queue else [])]
    taken, budgets = 0, []
    for job in live:
        plan = job.template.plan
        assert plan is not None
        assert plan.buffer_bytes <= job.template.budget_bytes
        assert 0 <= job.in_flight <= plan.slots_in
        assert 0 <= job.out_flight <= plan.slots_out
        loading = job.in_flight > 0 or (job.start >= 0 and job.left > 0)
        here = plan.held_bytes * loading + job.in_flight * plan.slot_in_bytes
        here += job.out_flight * plan.slot_out_bytes
        taken += here
        budgets += [job.template.budget_bytes] if here else []
    assert taken <= min(budgets, default=0)


@contextmanager
def watched() -> Iterator[None]:
    with mock.patch("codesign.replay.dispatch.Fabric", Watched):
        yield


@st.composite
def sequences(draw: st.DrawFn) -> list[tuple[TilePlan, int, bool]]:
    """Plans with a buffer that just fits them or has some room, each chained or not."""
    return [
        (plan, plan.buffer_bytes + draw(st.integers(0, 4000)), draw(st.booleans()))
        for plan in draw(st.lists(plans(), min_size=1, max_size=5))
    ]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sequences(), st.sampled_from(["half", "full"]), st.sampled_from([0.0, 32e-9]))
def test_slots_and_buffer_bytes_are_never_exceeded(
    sequence: list[tuple[TilePlan, int, bool]], duplex: str, setup: float
) -> None:
    hardware = machine(bandwidth=1e9, duplex="half" if duplex == "half" else "full", setup=setup)
    placed: list[Assignment] = []
    for number, (plan, budget, chained) in enumerate(sequence):
        reads = output(placed[-1]) if placed and chained else None
        placed.append(assignment(f"op{number}", plan, reads=reads, budget=budget))
    with watched():
        replay = play(hardware, *placed)
    assert replay.lower <= replay.makespan <= replay.serial


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(plans(), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_a_tile_costs_at_most_three_events_and_two_more_where_set_ups_cross(
    sequence: list[TilePlan], shared: bool, pause: bool
) -> None:
    hardware = machine(
        bandwidth=1e9, duplex="half" if shared else "full", setup=32e-9 if pause else 0
    )
    placed = [assignment(f"op{number}", plan) for number, plan in enumerate(sequence)]
    replay = play(hardware, *placed)
    tiles = sum(plan.tiles for plan in sequence)
    assert replay.events <= (5 if pause else 3) * tiles + 4 * len(sequence)


def test_the_next_operators_loads_wait_for_room_in_the_buffer() -> None:
    first, second = uniform(2, 100, 1000, 0), uniform(1, 100, 0, 0)
    hardware = machine(bandwidth=1e9, duplex="full")
    tight = play(hardware, assignment("a", first, budget=299), assignment("b", second, budget=299))
    roomy = play(hardware, assignment("a", first, budget=300), assignment("b", second, budget=300))
    assert tight.spans[1].start == 1100 * NS
    assert roomy.spans[1].start == 200 * NS


def test_room_is_kept_for_the_outputs_that_are_still_to_be_computed() -> None:
    first, second = uniform(2, 10, 1000, 100), uniform(1, 100, 0, 0)
    hardware = machine(bandwidth=1e9, duplex="full")
    with watched():
        replay = play(
            hardware, assignment("a", first, budget=220), assignment("b", second, budget=220)
        )
    assert replay.spans[1].start == 2010 * NS


@pytest.mark.parametrize("operand", [LOADED, LATE])
def test_a_zero_cycle_tile_is_free_to_compute(operand: int) -> None:
    replay = play(machine(bandwidth=1e9), assignment("op", uniform(5, 10, 0, 0, operand=operand)))
    assert replay.makespan == 50 * NS
    assert replay.busy["npu0"] == 0
