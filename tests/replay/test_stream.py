"""A program as it is issued: in order, so far ahead, behind what it depends on."""

from __future__ import annotations

from random import Random

import pytest
from crowded_work import Crowd
from hand_built import Bench, block, operator, placement, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import machine, output, uniform
from unrolled import Order

from codesign.errors import CodesignError
from codesign.mapping.placement import Assignment, Placement
from codesign.replay.job import Job
from codesign.replay.lane import Lane
from codesign.replay.program import Fence, Issue
from codesign.replay.stream import MANY, Stream
from codesign.workload.record import Carry, Tensor

PLAN = uniform(1, 100, 150, 50)
LANES = {name: Lane(name, index) for index, name in enumerate(("npu0", "npu1"))}


def stream(placed: Placement) -> Stream:
    bench = Bench(machine(systolics=2, buffers=2))
    return Stream("main", bench.program(placed), LANES)


def issued(found: Stream, most: int = 10_000) -> list[Job]:
    """Issues what there is; what a job waits for stays as it was found."""
    jobs: list[Job] = []
    while len(jobs) < most:
        item = found.upcoming()
        if item is None:
            break
        if isinstance(item, Fence):
            found.passed()
            found.fence(tuple(job for job in jobs if not job.over))
        else:
            jobs.append(found.issue(item))
    return jobs


def names(jobs: list[Job], found: Stream) -> list[str]:
    return [found.program.issues[job.op].assignment.op.name for job in jobs]


def end(found: Stream, *jobs: Job, now: int = 0) -> None:
    """Ends jobs as the dispatcher does."""
    for job in jobs:
        job.over, job.start = True, 0
        found.ended(job, now)


def op(
    name: str, reads: Tensor | None = None, writes: Tensor | None = None, engine: str = "npu0"
) -> Assignment:
    return operator(name, PLAN, reads=reads, writes=writes, engine=engine)


@settings(max_examples=100)
@given(st.integers(0, 10**6))
def test_operators_are_issued_in_program_order_behind_what_they_need(seed: int) -> None:
    draw = Random(seed)
    placed = Crowd(draw, "a", 2).placement()
    while sum(times for _, times in placed.assignments()) > 400:
        placed = Crowd(draw, "a", 2).placement()
    found = stream(placed)
    found.ask(0)
    order, jobs = Order(placed, tuple(LANES)), issued(found)
    assert names(jobs, found) == [step.op.name for step, _ in order.runs]
    assert [job.number for job in jobs] == list(range(len(jobs)))
    for job, (_, after) in zip(jobs, order.runs, strict=True):
        assert sorted(earlier.number for earlier in job.waits) == sorted(after)


def test_who_has_ended_is_not_waited_for() -> None:
    first = op("first")
    found = stream(placement(first, op("second", output(first)), op("third", output(first))))
    found.ask(0)
    one, two = issued(found, most=2)
    end(found, one)
    (three,) = issued(found)
    assert (two.waits, three.waits) == ([one], [])


def test_runs_are_issued_one_after_the_other_with_the_setup_once() -> None:
    loop = block("loop", 2, op("a"))
    found = stream(placement(loop, op("b"), setup=(op("load"),)))
    runs = [found.ask(tick) for tick in (0, 5, 9)]
    jobs = issued(found)
    assert names(jobs, found) == ["load", *["a", "a", "b"] * 3]
    assert [job.invocation.number for job in jobs] == [0] * 4 + [1] * 3 + [2] * 3
    assert [(run.stream, run.number, run.asked) for run in runs] == [
        ("main", 0, 0), ("main", 1, 5), ("main", 2, 9),
    ]  # fmt: skip
    assert [run.left for run in runs] == [4, 3, 3]


def test_a_run_begins_with_its_first_start_and_ends_with_its_last_end() -> None:
    found = stream(placement(op("a"), op("b")))
    run = found.ask(3)
    one, other = issued(found)
    other.start, one.start = 40, 60
    assert found.ended(other, 70) is None
    assert found.ended(one, 90) is run
    assert (run.asked, run.start, run.end) == (3, 40, 90)


def test_a_run_is_over_with_its_last_operator_although_nobody_asked_for_a_further_one() -> None:
    found = stream(placement(block("loop", 2, op("a"))))
    run, following = found.ask(0), found.ask(0)
    one, two = issued(found, most=2)
    assert (found.ended(one, 10), found.ended(two, 20)) == (None, run)
    assert run.end == 20
    assert following.end == -1


def test_the_first_operator_of_each_engine_behind_a_fence_waits_for_all_before() -> None:
    found = stream(
        placement(op("a"), op("b", engine="npu1"), op("c"), op("d", engine="npu1"), op("e"))
    )
    found.ask(0)
    before = issued(found, most=2)
    found.fence(tuple(before))
    c, d, e = issued(found)
    assert (c.waits, d.waits, e.waits) == (before, before, [])
    assert (c.barrier, d.barrier, e.barrier) == (True, True, False)


def test_a_fence_whose_operators_have_ended_holds_nobody_back() -> None:
    a = op("a")
    found = stream(placement(a, op("b"), op("c", output(a), engine="npu1")))
    found.ask(0)
    one, two = issued(found, most=2)
    found.fence((two,))
    end(found, two)
    (three,) = issued(found)
    assert (three.waits, three.barrier) == ([one], False)


def test_a_fence_waits_for_operators_of_equal_number_of_all_streams() -> None:
    found, other = (stream(placement(op("a"), op("b"))) for _ in range(2))
    found.ask(0)
    other.ask(0)
    jobs = issued(found, most=1) + issued(other, most=1)
    found.fence(tuple(jobs))
    assert [job.number for job in jobs] == [0, 0]
    assert issued(found)[0].waits == jobs


def test_an_operator_outside_a_run_is_refused() -> None:
    found = stream(placement(op("a")))
    item = found.program.code[0]
    assert isinstance(item, Issue)
    with pytest.raises(CodesignError, match="main issues an operator outside a run"):
        found.issue(item)


def loop(steps: int) -> Stream:
    """A carried state; the operator behind the loop reads it."""
    state, update = tensor("h", "state"), tensor("h2")
    body = op("cell", state, update)
    placed = placement(block("rnn", steps, body, carries=[Carry(state, update)]), op("last", state))
    found = stream(placed)
    found.ask(0)
    return found


def test_the_content_of_a_stream_recurs_from_step_to_step() -> None:
    found = loop(50)
    contents = []
    for _ in range(4):
        (job,) = issued(found, most=1)
        found.upcoming()
        job.place = 0
        contents.append((found.content(), list(found.counters)))
        end(found, job)
    assert contents[0][0] == contents[1][0] == contents[2][0] == contents[3][0]
    assert [counters for _, counters in contents] == [[49], [48], [47], [46]]


def test_a_loop_with_many_steps_to_come_says_when_it_begins_anew() -> None:
    found = loop(MANY + 2)
    told = []
    for _ in range(MANY + 2):
        issued(found, most=1)
        found.upcoming()
        told.append(found.came_round)
        found.came_round = False
    assert told == [True, True, *[False] * MANY]
    assert names(issued(found), found) == ["last"]


def placed_contents(found: Stream, jobs: list[Job]) -> tuple[object, ...]:
    for place, job in enumerate(jobs):
        job.place = place
    return found.content()


def test_what_decides_the_future_is_part_of_the_content() -> None:
    base, asked, fenced, ended, further = (loop(50) for _ in range(5))
    contents = []
    for found in (base, asked, fenced, ended, further):
        jobs = issued(found, most=2)
        if found is asked:
            found.ask(0)
        if found is fenced:
            found.fence(tuple(jobs))
        if found is ended:
            end(found, jobs[-1])
        if found is further:
            found.upcoming()
        contents.append(placed_contents(found, jobs))
    assert len(contents) == len(set(contents)) == 5


def test_readers_under_way_are_part_of_the_content() -> None:
    x = tensor("x", "state")
    placed = placement(op("write", writes=x), op("read", x), op("again", x))
    contents = []
    for over in (False, True):
        found = stream(placed)
        found.ask(0)
        jobs = issued(found, most=2)
        if over:
            end(found, jobs[1])
        contents.append(placed_contents(found, jobs))
    assert contents[0] != contents[1]
