"""The bounds: never crossed, tight where they are closed forms, and linear in the steps."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from crowded_work import Crowd, tiles
from hand_built import NS, Bench, block, operator, placement, slow_link, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from random_work import Writer
from strategies import LATE, Sketch, machine, output, uniform
from unrolled import Order

from codesign import simulate
from codesign.hardware.plan import Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Block, Placement
from codesign.replay.bounds import lower_bound, serial_bound
from codesign.replay.run import replay
from codesign.units import PS_PER_S, cycles_to_ticks
from codesign.workload.record import Carry, Tensor

RATE = 10**9
PLAN = uniform(3, 100, 150, 50, operand=LATE)


def bounds(placed: Placement, hardware: Hardware) -> tuple[int, int]:
    """Lower and serial bound of a placement."""
    bench = Bench(hardware)
    templates = {id(issue.assignment): issue.template for issue in bench.program(placed).issues}
    return (
        lower_bound(placed, templates, bench.shares),
        serial_bound(placed, templates, bench.shares),
    )


class Counted:
    """What no schedule of a placement can beat, counted on every step of it one by one.

    The machine has one link of a byte a nanosecond, and memories that limit nothing.
    """

    def __init__(self, placed: Placement, hardware: Hardware, setup: int) -> None:
        self.hardware, self.setup = hardware, setup
        order = Order(placed, tuple(engine.name for engine in hardware.engines))
        self.ends: list[int] = []
        self.busy: dict[str, int] = {}
        moved = 0
        for step, after in order.runs:
            start = max((self.ends[number] for number in after), default=0)
            self.ends.append(start + self._alone(step))
            plan = planned(step)
            self.busy[step.engine] = self.busy.get(step.engine, 0) + compute(plan)
            moved += sum(self._bytes(step, tile) * times for tile, times in plan.counts)
        self.link = moved * PS_PER_S // RATE

    @property
    def chain(self) -> int:
        return max(self.ends, default=0)

    def _alone(self, step: Assignment) -> int:
        """The first tile's late load, every compute and the last tile's store."""
        plan = planned(step)
        late = [move.bytes for move in plan.first.loads if move.operand == LATE]
        stored = [move.bytes for move in plan.last.stores if not self._is_here(step, move.operand)]
        return self._transfer(late) + compute(plan) + self._transfer(stored)

    def _transfer(self, sizes: list[int]) -> int:
        return sum(self.setup + size * PS_PER_S // RATE for size in sizes)

    def _bytes(self, step: Assignment, tile: Tile) -> int:
        moves = (*tile.loads, *tile.stores)
        return sum(move.bytes for move in moves if not self._is_here(step, move.operand))

    def _is_here(self, step: Assignment, operand: int) -> bool:
        return step.homes[operand] == self.hardware.engine(step.engine).buffer


def planned(step: Assignment) -> TilePlan:
    assert step.plan is not None
    return step.plan


def compute(plan: TilePlan) -> int:
    return sum(cycles_to_ticks(tile.cycles, plan.clock_hz) * n for tile, n in plan.counts)


def written(seed: int) -> Placement:
    """One engine, tiles with early and late loads and with stores."""
    return Writer(Random(seed), "a", 1).placement()


def crowd(seed: int) -> Placement:
    """Two engines, nested regions, states that change hands."""
    draw = Random(seed)
    placed = Crowd(draw, "a", 2).placement()
    while tiles(placed) > 500:
        placed = Crowd(draw, "a", 2).placement()
    return placed


@settings(max_examples=120)
@given(st.sampled_from([written, crowd]), st.integers(0, 10**6), st.sampled_from([0, 32]))
def test_bounds_hold_on_random_programs_with_regions(
    make: Callable[[int], Placement], seed: int, setup: int
) -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=RATE, setup=setup * 1e-9)
    placed = make(seed)
    found = replay(placed, hardware)
    lower, serial = bounds(placed, hardware)
    assert (found.lower, found.serial) == (lower, serial)
    assert 0 <= lower <= found.makespan <= serial


@settings(max_examples=120)
@given(st.sampled_from([written, crowd]), st.integers(0, 10**6), st.sampled_from([0, 32]))
def test_the_lower_bound_is_no_more_than_what_every_step_counted_one_by_one_gives(
    make: Callable[[int], Placement], seed: int, setup: int
) -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=RATE, setup=setup * 1e-9)
    placed = make(seed)
    counted = Counted(placed, hardware, setup * NS)
    shares = max(counted.link, *counted.busy.values())
    assert shares <= bounds(placed, hardware)[0] <= max(counted.chain, shares)
    assert counted.chain <= replay(placed, hardware).makespan


def chain(length: int, plan: TilePlan = PLAN) -> list[Assignment]:
    """Operators that read each other's results, on two engines in turn."""
    ops = [operator("op0", plan)]
    for number in range(1, length):
        engine = f"npu{number % 2}"
        ops.append(operator(f"op{number}", plan, reads=output(ops[-1]), engine=engine))
    return ops


@pytest.mark.parametrize("setup", [0, 32])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_the_longest_chain_is_the_closed_form_and_reached_where_nothing_overlaps(
    length: int, setup: int
) -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=RATE, setup=setup * 1e-9)
    placed = placement(*chain(length, uniform(1, 100, 150, 50, operand=LATE)))
    lower, serial = bounds(placed, hardware)
    assert lower == length * (2 * setup + 100 + 150 + 50) * NS == replay(placed, hardware).makespan
    assert lower == Counted(placed, hardware, setup * NS).chain
    assert serial >= lower


def test_only_the_first_load_and_the_last_store_of_a_chain_cannot_overlap() -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=RATE, duplex="full")
    placed = placement(*chain(4))
    assert bounds(placed, hardware)[0] == 4 * (100 + 3 * 150 + 50) * NS
    assert bounds(placed, hardware)[0] == replay(placed, hardware).makespan


def test_everything_alone_takes_the_sum_of_its_parts() -> None:
    setup, plan = 32, uniform(40, 100, 150, 50)
    lower, serial = bounds(placement(operator("op", plan)), machine(bandwidth=RATE, setup=32e-9))
    parts = 40 * (2 * setup + 100 + 150 + 50) * NS
    assert lower == 40 * 150 * NS + (setup + 50) * NS  # computes, and the last store
    assert parts <= serial <= parts + 40 * 2 + 2  # a tick lost at the end of each transfer


def cell(name: str, steps: int, engine: str, cycles: int, state: Tensor | None = None) -> Block:
    """One compute a step from a state to itself."""
    held = state or tensor(f"{name}.h", "state")
    body = operator(
        f"{name}.cell", uniform(1, 0, cycles, 0), reads=held, writes=held, engine=engine
    )
    return block(name, steps, body, carries=[Carry(held, held)])


def test_the_way_of_a_state_may_be_longer_than_any_engine_is_busy() -> None:
    state, update = tensor("h", "state"), tensor("h2")
    first = operator("cell", uniform(1, 0, 100, 0), reads=state, engine="npu1")
    copy = operator("copy", uniform(1, 0, 70, 0), reads=output(first), writes=update)
    hardware = machine(systolics=2, buffers=2, bandwidth=RATE)
    for steps in (1, 2, 3, 77):
        placed = placement(block("rnn", steps, first, copy, carries=[Carry(state, update)]))
        assert bounds(placed, hardware)[0] == steps * 170 * NS == replay(placed, hardware).makespan


def test_steps_of_regions_within_regions_multiply() -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=RATE)
    state = tensor("h", "state")
    inner = cell("inner", 30, "npu0", 100, state)
    there = operator("there", uniform(1, 0, 60, 0), reads=state, writes=state, engine="npu1")
    outer = block("outer", 20, inner, there, carries=[Carry(state, state)])
    lower, serial = bounds(placement(outer), hardware)
    assert lower == 20 * (30 * 100 + 60) * NS == replay(placement(outer), hardware).makespan
    assert serial >= lower


@pytest.mark.parametrize(
    ("load", "cycles", "per_step"),
    [(100, 150, 4 * 150), (300, 150, 4 * 300), (100, 20, 4 * 100)],
)
def test_a_region_takes_at_least_its_computes_and_its_bytes_of_every_step(
    load: int, cycles: int, per_step: int
) -> None:
    def lower(steps: int) -> int:
        body = operator("op", uniform(4, load, cycles, 0))
        return bounds(placement(block("map", steps, body)), slow_link())[0]

    assert lower(500) == 500 * per_step * NS
    assert lower(10**6) - lower(10**6 - 1) == per_step * NS


@pytest.mark.parametrize("size", [2**12, 2**20])
def test_bounds_of_a_recurrent_trace_grow_evenly_with_its_steps(size: int) -> None:
    found = []
    for steps in (1_000, 2_000, 3_000):
        sketch = Sketch()
        sketch.recurrent("rnn", sketch.input("x", steps, 32), 32)
        one = simulate(sketch.trace(), machine(size=size, bandwidth=RATE)).replay
        assert one.lower <= one.makespan <= one.serial
        assert one.lower >= max(one.busy.values())
        assert one.lower >= sum(one.moved.values()) * PS_PER_S // RATE
        found.append((one.lower, one.serial))
    (low, high), (low2, high2), (low3, high3) = found
    assert low3 - low2 == low2 - low > 0
    assert high3 - high2 == high2 - high > 0


def test_the_setup_counts_once_and_before_everything() -> None:
    load = operator("load", uniform(1, 0, 500, 0), writes=tensor("w"))
    body = operator("op", uniform(1, 0, 100, 0), reads=tensor("w"), engine="npu1")
    hardware = machine(systolics=2, buffers=2, bandwidth=RATE)
    alone, after = placement(body), placement(body, setup=(load,))
    assert bounds(alone, hardware)[0] == 100 * NS
    assert bounds(after, hardware)[0] == 600 * NS == replay(after, hardware).makespan
