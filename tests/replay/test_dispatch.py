"""The dispatcher: which program may issue what, and who hears of what ended."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
from hand_built import NS, Bench, agreeing, block, operator, placement, runs, slow_link, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import machine, output, uniform

from codesign.hardware.plan import TilePlan
from codesign.mapping.placement import Assignment, Block, Placement
from codesign.replay.dispatch import Dispatch
from codesign.replay.job import Invocation, Job
from codesign.replay.run import replay
from codesign.replay.stream import WINDOW
from codesign.workload.record import Tensor

PLAN = uniform(1, 100, 150, 50)
QUICK, SLOW = uniform(1, 0, 10, 0), uniform(1, 0, 10_000, 0)
ACCELERATED = pytest.mark.parametrize("exact_events", [False, True])


def op(name: str, plan: TilePlan = PLAN, reads: Tensor | None = None, **more: str) -> Assignment:
    return operator(name, plan, reads=reads, **more)  # type: ignore[arg-type]


def dispatcher(*, exact_events: bool = False, **placements: Placement) -> Dispatch:
    return Bench(machine(systolics=2, buffers=2, bandwidth=1e9)).dispatcher(
        placements, exact_events=exact_events
    )


def names(dispatch: Dispatch, jobs: list[Job]) -> list[str]:
    """Operators by name, in the order of issue."""
    streams = dispatch.streams
    return [
        streams[job.invocation.stream].program.issues[job.op].assignment.op.name for job in jobs
    ]


def played_out(dispatch: Dispatch) -> list[Invocation]:
    """Plays until nothing is under way; the invocations in the order in which they ended."""
    over: list[Invocation] = []
    while dispatch.advance(None):
        over += dispatch.over
        dispatch.over = []
    return over


def held(name: str, steps: int = 1, plan: TilePlan = PLAN) -> Block:
    """A region during which a tensor stays in the buffer."""
    return block(
        name,
        steps,
        op(f"{name}.step", plan),
        preload=op(f"{name}.load", plan),
        writeback=op(f"{name}.store", plan),
        stays=tensor(f"{name}.h", "state"),
    )


@ACCELERATED
def test_so_many_operators_of_a_program_are_under_way_and_no_more(exact_events: bool) -> None:
    long = placement(*[op(f"op{number}") for number in range(WINDOW + 9)])
    dispatch = dispatcher(exact_events=exact_events, main=long, other=placement(op("other")))
    dispatch.ask("main")
    assert names(dispatch, dispatch.window) == [f"op{number}" for number in range(WINDOW)]
    dispatch.ask("other")
    assert names(dispatch, dispatch.window)[WINDOW:] == ["other"]


def test_a_further_operator_is_issued_as_soon_as_one_ends() -> None:
    # the operator behind the window could load its weights at once if it had been issued
    slow = op("slow", SLOW)
    rest = [op(f"op{number}", QUICK, output(slow)) for number in range(WINDOW - 1)]
    behind = op("behind", uniform(1, 500, 10, 0), engine="npu1")
    hardware = machine(systolics=2, buffers=2, bandwidth=1e9)
    inside = replay(placement(slow, *rest[:-1], behind), hardware)
    outside = replay(placement(slow, *rest, behind), hardware)
    assert runs(inside)[-1] == ("behind", 0, 510 * NS)
    assert runs(outside)[-1] == ("behind", 10_000 * NS, 10_510 * NS)


@ACCELERATED
def test_programs_issue_in_turn(exact_events: bool) -> None:
    streams = {
        name: placement(*[op(f"{name}{number}") for number in range(3)]) for name in ("a", "b")
    }
    dispatch = dispatcher(exact_events=exact_events, **streams)
    dispatch.streams["a"].ask(0)  # both before anyone issues
    dispatch.ask("b")
    assert names(dispatch, dispatch.window) == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_a_program_whose_region_holds_the_buffer_keeps_the_others_from_issuing() -> None:
    dispatch = dispatcher(a=placement(op("first"), held("rnn", 3), op("last")),
                          b=placement(*[op(f"b{number}") for number in range(3)]))  # fmt: skip
    dispatch.streams["a"].ask(0)
    dispatch.ask("b")
    # b issues in turn until a's fence comes up, and again when a's region has let go
    assert names(dispatch, dispatch.window) == [
        "first", "b0", "rnn.load", *["rnn.step"] * 3, "rnn.store", "b1", "last", "b2",
    ]  # fmt: skip


def test_nobody_works_in_the_buffer_while_another_program_holds_it() -> None:
    dispatch = dispatcher(
        a=placement(held("rnn", 40, SLOW)),
        b=placement(*[op(f"b{number}", QUICK, engine="npu1") for number in range(50)]),
    )
    for name in ("a", "b"):
        dispatch.ask(name)
    played_out(dispatch)
    rows = {name: stream.log.rows() for name, stream in dispatch.streams.items()}
    region = min(row.start for row in rows["a"]), max(row.end for row in rows["a"])
    assert len(rows["a"]) == 42
    assert all(row.end <= region[0] or row.start >= region[1] for row in rows["b"])


@ACCELERATED
def test_what_moves_in_waits_for_all_that_is_under_way(exact_events: bool) -> None:
    slow = op("slow", SLOW, engine="npu1")
    placed = placement(slow, held("rnn"), op("after"), op("beside", QUICK, engine="npu1"))
    found = replay(
        placed, machine(systolics=2, buffers=2, bandwidth=1e9), exact_events=exact_events
    )
    spans = {name: (start, end) for name, start, end in runs(found)}
    assert spans["rnn.load"][0] == spans["slow"][1] == 10_000 * NS
    assert spans["rnn.step"][0] >= spans["rnn.load"][0]
    for name in ("after", "beside"):
        assert spans[name][0] == spans["rnn.store"][1]


def test_setups_run_once_before_anything_else_of_any_program() -> None:
    dispatch = dispatcher(
        a=placement(op("a"), setup=(op("load", SLOW, engine="npu1"),)), b=placement(op("b"))
    )
    first, second, third = (dispatch.ask(name) for name in "aba")
    played_out(dispatch)
    assert [row.op for row in dispatch.streams["a"].log.rows()] == [0, 1, 1]
    assert first.start == 0
    assert second.start >= 10_000 * NS
    assert third.start < third.end


def test_bytes_that_are_reused_are_free_first() -> None:
    first = operator("first", SLOW)
    reader = operator("reader", SLOW, reads=output(first), engine="npu1")
    plain = operator("taking", uniform(1, 100, 10, 0))
    taking = operator("taking", uniform(1, 100, 10, 0), reuses=(output(first).name,))
    hardware = machine(systolics=2, buffers=2, bandwidth=1e9)
    early, late = (
        {name: end for name, _, end in runs(replay(placement(first, reader, last), hardware))}
        for last in (plain, taking)
    )
    assert early["taking"] == 10_010 * NS  # behind the first on the same engine
    assert late["taking"] == late["reader"] + 10 * NS == 20_010 * NS
    agreeing(placement(first, reader, taking), hardware)


@ACCELERATED
def test_runs_of_one_program_end_in_the_order_in_which_they_were_asked_for(
    exact_events: bool,
) -> None:
    dispatch = dispatcher(exact_events=exact_events, main=placement(op("a"), op("b")))
    asked = [dispatch.ask("main") for _ in range(5)]
    over = played_out(dispatch)
    assert over == asked
    assert all(one.end < other.end for one, other in itertools.pairwise(over))
    assert over[-1].end == dispatch.now == (5 * 2 * 150 + 150) * NS


@ACCELERATED
def test_time_passes_where_nothing_is_under_way(exact_events: bool) -> None:
    dispatch = dispatcher(exact_events=exact_events, main=placement(op("a")))
    assert not dispatch.advance(777)
    assert dispatch.now == 777
    assert not dispatch.advance(None)
    assert dispatch.now == 777
    run = dispatch.ask("main")
    assert dispatch.advance(None)
    assert (run.asked, run.start, run.end) == (777, 777, 777 + 300 * NS)


@ACCELERATED
def test_the_watcher_hears_how_many_operators_have_ended(exact_events: bool) -> None:
    heard: list[tuple[int, int]] = []
    placed = placement(*[op(f"op{n}") for n in range(5)], block("loop", 500, op("step")))
    replay(placed, slow_link(), lambda *told: heard.append(told), exact_events=exact_events)
    counts = [ended for ended, _ in heard]
    assert counts == sorted(counts)
    assert heard[-1] == (505, 505)
    assert (len(heard) < 200) == (not exact_events)  # skipped steps are told of at once


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3_000_000), st.sampled_from("abx")), max_size=12),
    st.integers(1, 5),
)
def test_requests_and_transfers_at_any_tick_give_what_every_event_gives(
    script: list[tuple[int, str]], steps: int
) -> None:
    streams = {
        "a": placement(op("a0"), held("a.rnn", 8 * steps), op("a1")),
        "b": placement(block("b.rnn", 7, op("b", engine="npu1"), op("b2"))),
    }
    told = []
    for exact_events in (False, True):
        dispatch, heard = dispatcher(exact_events=exact_events, **streams), list[object]()
        for wait, word in [*script, (10**9, "")]:
            until = dispatch.now + wait
            while dispatch.advance(until):
                heard.append(dispatch.now)
                heard += [(one.stream, one.number, one.end) for one in dispatch.over]
                dispatch.over = []
            if word == "x":
                dispatch.transfer(0, 1_234, partial(heard.append, "arrived"))
            elif word:
                dispatch.ask(word)
            heard.append((dispatch.now, dispatch.jobs_over))
        told.append((heard, [stream.log.rows() for stream in dispatch.streams.values()]))
    assert told[0] == told[1]
