"""A session: placements run when somebody asks, beside processes and transfers of others."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Literal

import pytest
from hand_built import NS, agreeing, at, block, operator, placement, runs, slow_link
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import machine, uniform
from test_exactness import figures
from test_process import with_process

from codesign.errors import CodesignError
from codesign.hardware.plan import Move, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.replay.run import Invocation, Session, replay

LOADS = uniform(1, 1_000, 0, 0)
"""One load of 1,000 ns alone."""

HALF_AND_FULL: tuple[Literal["half"], Literal["full"]] = ("half", "full")
ACCELERATED = pytest.mark.parametrize("exact_events", [False, True])


def session(
    hardware: Hardware | None = None, *, exact_events: bool = False, **streams: Placement
) -> Session:
    return Session(hardware or slow_link(), streams, exact_events=exact_events)


def loading(name: str = "op", plan: TilePlan = LOADS, engine: str = "npu0") -> Placement:
    return placement(operator(name, plan, engine=engine))


def visit(found: Session, tick: int, size: int, left: list[int]) -> None:
    """Somebody outside loads ``size`` bytes from a tick on, and notes when they are there."""

    def visits() -> Generator[Any, Any, None]:
        yield found.env.timeout(tick)
        yield found.transfer("dram", "sram0", Move(0, size))
        left.append(int(found.env.now))

    found.process(visits())


def times(one: Invocation) -> tuple[int, int, int]:
    return one.asked, one.start, one.end


@ACCELERATED
def test_runs_of_a_placement_queue_in_the_order_in_which_they_were_asked_for(
    exact_events: bool,
) -> None:
    found = session(main=loading(), exact_events=exact_events)
    for tick in (0, 200 * NS, 5_000 * NS):
        at(found, tick, "main")
    invocations = found.run()["main"].invocations
    assert [one.number for one in invocations] == [0, 1, 2]
    assert [times(one) for one in invocations] == [
        (0, 0, 1_000 * NS),
        (200 * NS, 1_000 * NS, 2_000 * NS),
        (5_000 * NS, 5_000 * NS, 6_000 * NS),
    ]


@ACCELERATED
def test_several_runs_asked_for_at_once_are_all_run(exact_events: bool) -> None:
    found = session(main=loading(), exact_events=exact_events)
    at(found, 10 * NS, "main", times=50)
    replayed = found.run()["main"]
    assert [one.end for one in replayed.invocations] == [
        (10 + 1_000 * number) * NS for number in range(1, 51)
    ]
    assert replayed.makespan == 50_010 * NS
    assert replayed.moved == {("dram", "sram0"): 50_000}


@ACCELERATED
def test_who_asked_hears_of_the_end_when_it_comes(exact_events: bool) -> None:
    found = session(main=loading(), exact_events=exact_events)
    heard = []

    def asks() -> Generator[Any, Any, None]:
        for wait in (0, 300 * NS, 0):
            yield found.env.timeout(wait)
            one = yield found.invoke("main")
            heard.append((int(found.env.now), one.number, one.end))

    found.process(asks())
    invocations = found.run()["main"].invocations
    assert heard == [(one.end, number, one.end) for number, one in enumerate(invocations)]
    assert [times(one)[:2] for one in invocations] == [(0, 0), (1_300 * NS,) * 2, (2_300 * NS,) * 2]


@ACCELERATED
def test_two_equal_flows_of_an_engine_and_an_outsider_share_a_link_evenly(
    exact_events: bool,
) -> None:
    found, left = session(main=loading(), exact_events=exact_events), list[int]()
    found.invoke("main")
    visit(found, 0, 1_000, left)
    assert found.run()["main"].makespan == 2_000 * NS
    assert left == [2_000 * NS]


@ACCELERATED
def test_an_outsider_takes_half_while_it_is_there(exact_events: bool) -> None:
    found, left = session(main=loading(), exact_events=exact_events), list[int]()
    found.invoke("main")
    visit(found, 400 * NS, 100, left)
    assert left == []
    assert found.run()["main"].makespan == 1_100 * NS
    assert left == [600 * NS]


@ACCELERATED
def test_outsiders_share_with_each_other_and_count_among_the_bytes_moved(
    exact_events: bool,
) -> None:
    found, left = session(main=loading(), exact_events=exact_events), list[int]()
    for size in (300, 300, 900):
        visit(found, 0, size, left)
    at(found, 10_000 * NS, "main")
    replayed = found.run()["main"]
    # three thirds until 900 ns, then the last 600 B alone
    assert left == [900 * NS, 900 * NS, 1_500 * NS]
    assert replayed.moved == {("dram", "sram0"): 2_500}
    assert times(replayed.invocations[0]) == (10_000 * NS, 10_000 * NS, 11_000 * NS)


def test_a_transfer_out_of_a_buffer_has_the_other_channel_of_a_duplex_link() -> None:
    ends = {}
    for duplex in HALF_AND_FULL:
        found = session(machine(bandwidth=1e9, duplex=duplex), main=loading())
        found.invoke("main")
        found.transfer("sram0", "dram", Move(0, 1_000))
        ends[duplex] = found.run()["main"].makespan
    assert ends == {"half": 2_000 * NS, "full": 1_000 * NS}


@ACCELERATED
def test_a_transfer_of_an_outsider_pays_its_set_up(exact_events: bool) -> None:
    hardware = machine(bandwidth=1e9, setup=32e-9)
    found, left = session(hardware, main=loading(), exact_events=exact_events), list[int]()
    visit(found, 5 * NS, 100, left)
    found.run()
    assert left == [137 * NS]


@ACCELERATED
def test_placements_on_engines_of_their_own_share_the_link(exact_events: bool) -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=1e9)
    one, other = loading("a"), loading("b", engine="npu1")
    found = session(hardware, exact_events=exact_events, one=one, other=other)
    for name in ("one", "other"):
        found.invoke(name)
    replays = found.run()
    assert [one.invocations[0].end for one in replays.values()] == [2_000 * NS] * 2
    assert [runs(one) for one in replays.values()] == [
        [("a", 0, 2_000 * NS)],
        [("b", 0, 2_000 * NS)],
    ]
    assert replays["one"].events == replays["other"].events  # of the whole session


def test_a_placement_that_nobody_asks_for_does_not_run() -> None:
    found = session(main=loading(), idle=loading("idle"))
    found.invoke("main")
    replays = found.run()
    assert (replays["idle"].spans, replays["idle"].invocations) == ((), ())
    assert replays["idle"].lower == 1_000 * NS  # of one run, if there were one
    assert replays["main"].makespan == 1_000 * NS


def test_a_session_in_which_nothing_is_asked_for_takes_no_time() -> None:
    found = session(main=loading())
    replayed = found.run()["main"]
    assert (replayed.makespan, replayed.events, replayed.moved) == (0, 0, {})


def test_one_replay_is_a_session_with_one_run() -> None:
    placed = placement(operator("op", uniform(9, 100, 150, 50)), operator("next", LOADS))
    found = session(main=placed)
    found.invoke("main")
    alone = replay(placed, slow_link())
    assert figures(found.run()) == figures({"main": alone})
    agreeing(placed, slow_link())


@ACCELERATED
def test_work_that_never_ends_is_named(exact_events: bool) -> None:
    hardware = with_process(slow_link(), behaviour="wait for nothing")
    placed = placement(operator("first", LOADS), operator("stuck", None, engine="vector"))
    found = session(hardware, main=placed, exact_events=exact_events)
    found.invoke("main")
    with pytest.raises(CodesignError) as refused:
        found.run()
    assert str(refused.value) == (
        "the replay stopped with 1 operators waiting, first 'stuck': its tiles do not fit the "
        "buffer or a process engine never ended"
    )


@pytest.mark.parametrize("tick", [0.5, 10**6 + 0.25])
def test_half_a_tick_is_refused(tick: float) -> None:
    found = session(main=loading())

    def waits() -> Generator[Any, Any, None]:
        yield found.env.timeout(tick)

    found.invoke("main")
    found.process(waits())
    with pytest.raises(CodesignError, match=f"tick {tick}; times must be whole picoseconds"):
        found.run()


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 3)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 4_000)), max_size=4),
    st.integers(1, 60),
)
def test_asking_at_any_time_beside_anybody_gives_what_every_event_gives(
    asks: list[tuple[int, int]], visits: list[tuple[int, int]], steps: int
) -> None:
    told = []
    for exact_events in (False, True):
        step = operator("step", uniform(20, 100, 130, 50))
        placed = placement(block("loop", steps, step), operator("last", LOADS))
        found, left = session(main=placed, exact_events=exact_events), list[int]()
        for tick, count in asks:
            at(found, tick * NS, "main", count)
        for tick, size in visits:
            visit(found, tick * NS, size, left)
        replays = found.run()
        told.append((figures(replays), left))
        assert len(left) == len(visits)
        ends = [one.end for one in replays["main"].invocations]
        assert ends == sorted(set(ends))
        assert len(ends) == sum(count for _, count in asks)
    assert told[0] == told[1]
