"""The joint state as a value: put back, it goes on as before, wherever and whenever."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from unittest import mock

import pytest
from crowded_work import crowded
from hand_built import NS, Bench, ended, operator, placement, slow_link
from hypothesis import given, settings
from hypothesis import strategies as st
from random_work import Work, play, work
from strategies import machine, plans, uniform
from test_exactness import figures

from codesign.hardware.plan import TilePlan
from codesign.replay.dispatch import Dispatch
from codesign.replay.fabric import Fabric
from codesign.replay.flows import Flow
from codesign.replay.job import Job
from codesign.replay.state import State, capture, restore


def wreck(fabric: Fabric, window: list[Job]) -> None:
    """Forgets and spoils everything that a state is meant to bring back."""
    for lane in fabric.lanes.values():
        lane.clear()
        lane.loaded.append((window[0], window[0].template.counts[0][0]))
    ages = tuple([7 for _ in fabric.flows.ages(fabric.now)])
    fabric.flows.replace([], [], set(), ages, fabric.now)
    fabric.flows.ahead.append(Flow(0, 1, fabric.now, next(iter(fabric.lanes.values())), True))
    for job in window:
        job.waits, job.followers = [job], [job]
        job.pc = job.left = job.unfinished = job.in_flight = job.out_flight = 77
        job.counters = [77 for _ in job.counters]


class Cutting(Dispatch):
    """Puts its fabric away and back again after some of the ends of operators."""

    draw = Random(0)
    cuts = 0

    def _look(self) -> int | None:
        alone = not (self._processes or self.fabric.flows.outside)
        if self.window and alone and Cutting.draw.random() < 0.3:
            Cutting.cuts += 1
            state = capture(self.fabric, self.window)
            wreck(self.fabric, self.window)
            restore(self.fabric, self.window, state)
            assert capture(self.fabric, self.window) == state
        return None


@pytest.mark.parametrize(("make", "seeds"), [(work, range(80)), (crowded, range(15))])
def test_a_fabric_cut_at_random_ends_goes_on_as_if_it_had_not_been(
    make: Callable[[int], Work], seeds: range
) -> None:
    Cutting.draw, Cutting.cuts = Random(0), 0
    for seed in seeds:
        whole = play(make(seed), exact_events=True)
        with mock.patch("codesign.replay.run.Dispatch", Cutting):
            cut = play(make(seed), exact_events=True)
        assert (figures(cut[0]), cut[1]) == (figures(whole[0]), whole[1]), f"seed {seed}"
    assert Cutting.cuts > 10 * len(seeds)


SEQUENCES = st.lists(plans(), min_size=1, max_size=3)


def stopped(
    bench: Bench, sequence: list[TilePlan], stop: int, now: int
) -> tuple[Fabric, list[Job]]:
    """A fabric that began at ``now``, after ``stop`` ticks."""
    work = [operator(str(n), plan, engine=f"npu{n % 2}") for n, plan in enumerate(sequence)]
    fabric, jobs = bench.fabric(*work, exact_events=True, now=now)
    ended(fabric, now + stop)
    return fabric, jobs


@settings(max_examples=60)
@given(SEQUENCES, st.integers(0, 5_000_000), st.integers(0, 10**9), st.sampled_from([0.0, 32e-9]))
def test_a_state_goes_on_elsewhere_and_later_as_where_it_was(
    sequence: list[TilePlan], stop: int, later: int, setup: float
) -> None:
    bench = Bench(machine(systolics=2, buffers=2, bandwidth=3.7e9, setup=setup))
    fabric, jobs = stopped(bench, sequence, stop, 0)
    other, copies = stopped(bench, sequence, 0, 0)
    other.now += later
    for job, copy in zip(jobs, copies, strict=True):
        copy.start = job.start  # the window's business, as is what each job is
    restore(other, copies, capture(fabric, jobs))
    assert capture(other, copies) == capture(fabric, jobs)
    gone = other.now - fabric.now
    assert ended(other) == [(op, tick + gone) for op, tick in ended(fabric)]


@settings(max_examples=40)
@given(SEQUENCES, st.integers(0, 5_000_000), st.integers(1, 10**9))
def test_absolute_time_is_no_part_of_a_state(
    sequence: list[TilePlan], stop: int, later: int
) -> None:
    bench = Bench(machine(systolics=2, buffers=2, bandwidth=3.7e9, setup=5e-9))
    assert capture(*stopped(bench, sequence, stop, 0)) == capture(
        *stopped(bench, sequence, stop, later)
    )


def after(tick: int, *tiles: int, waits: bool = False) -> State:
    """The state of 100 B loads and 150 ns computes after some nanoseconds."""
    fabric, jobs = BENCH.fabric(*[WORK[count] for count in tiles], exact_events=True)
    if waits:
        jobs[-1].waits = [jobs[0]]
    ended(fabric, tick * NS)
    return capture(fabric, jobs)


BENCH = Bench(slow_link())
WORK = {count: operator(f"x{count}", uniform(count, 100, 150, 50)) for count in (3, 4)}


@pytest.mark.parametrize(
    "other",
    [
        after(51, 3, 3),  # one byte further
        after(160, 3, 3),  # a tile computes
        after(50, 4, 3),  # another plan
        after(50, 3),  # another operator less
        after(50, 3, 3, waits=True),
    ],
)
def test_what_makes_a_difference_is_part_of_a_state(other: State) -> None:
    assert after(50, 3, 3) == after(50, 3, 3) != other


def test_names_of_operators_are_no_part_of_a_state() -> None:
    plan = uniform(5, 100, 150, 50)
    bench = Bench(slow_link())
    one, other = (
        capture(*bench.fabric(operator(name, plan), exact_events=True)) for name in ("a", "b")
    )
    assert one == other


def test_a_barrier_that_waits_for_nobody_is_none() -> None:
    fabric, jobs = BENCH.fabric(WORK[3], WORK[4], exact_events=True)
    free = capture(fabric, jobs)
    jobs[1].barrier = True
    assert capture(fabric, jobs) == free
    jobs[1].waits = [jobs[0]]
    held = capture(fabric, jobs)
    jobs[1].barrier = False
    assert capture(fabric, jobs) not in (free, held)


def test_a_restored_job_waits_for_the_same_jobs_as_before() -> None:
    first = operator("first", uniform(2, 100, 150, 50))
    second = operator("second", uniform(2, 10, 10, 0), reads=first.op.outputs[0].tensor)
    placed = {"main": placement(first, second)}
    dispatch = Bench(slow_link()).dispatcher(placed, exact_events=True)
    dispatch.ask("main")
    dispatch.advance(100 * NS)
    one, other = window = dispatch.window
    state = capture(dispatch.fabric, window)
    wreck(dispatch.fabric, window)
    restore(dispatch.fabric, window, state)
    assert (one.waits, other.waits) == ([], [one])
    assert (one.followers, other.followers) == ([other], [])
