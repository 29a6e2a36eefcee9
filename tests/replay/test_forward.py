"""Fast-forward inside loops of tiles: the same ends from a number of events that does not grow."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from unittest import mock

import pytest
from hand_built import NS, Bench, ended, operator, placement, slow_link
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LOADED, STORED, machine, uniform

from codesign.hardware.plan import Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment
from codesign.replay import forward
from codesign.replay.job import LONG
from codesign.replay.run import Replay, Session
from codesign.replay.state import capture

LOAD, STORE = Move(LOADED, 40), Move(STORED, 70)


def nested(inner: int, outer: int, around: int = 1) -> TilePlan:
    """``around`` times: ``outer`` times: ``inner`` loading tiles, then one that stores."""
    rows = Loop((Loop((Tile(30, (LOAD,)),), inner), Tile(100, (), (STORE,))), outer)
    whole = rows if around == 1 else Loop((rows, Tile(7, (Move(LOADED, 9),))), around)
    return TilePlan(whole, 1e9, slot_in_bytes=40, slot_out_bytes=70)


def two_engines() -> Hardware:
    return machine(systolics=2, buffers=2, bandwidth=1e9)


def pair(tiles: int) -> tuple[Assignment, Assignment]:
    """Operators of two engines whose tiles have nothing in common but the link."""
    return (
        operator("one", uniform(tiles, 100, 150, 50)),
        operator("other", uniform(tiles, 70, 33, 90), engine="npu1"),
    )


def played(hardware: Hardware, *work: Assignment, exact_events: bool = False) -> tuple[Any, ...]:
    """Ends of all operators, compute ticks and bytes; the number of events comes last."""
    fabric, _ = Bench(hardware).fabric(*work, exact_events=exact_events)
    found = [tick for _, tick in sorted(ended(fabric))]
    busy = [lane.busy_ticks for lane in fabric.lanes.values()]
    return found, busy, fabric.flows.tally, fabric.events


@pytest.mark.parametrize("tiles", [100, 1_000, 10_000, 1_000_000])
def test_a_uniform_pipeline_costs_the_same_events_however_long(tiles: int) -> None:
    work = operator("op", uniform(tiles, 100, 150, 50))
    (end,), busy, moved, events = played(slow_link(), work)
    assert events == played(slow_link(), operator("op", uniform(50, 100, 150, 50)))[-1] < 50
    # loads and stores of 150 B a tile keep the link busy while 150 ns are computed
    assert end == (tiles + 1) * 150 * NS
    assert busy[0] == tiles * 150 * NS
    assert sorted(size for key, size in moved.items() if isinstance(key, int)) == [
        50 * tiles,
        100 * tiles,
    ]


@pytest.mark.parametrize("tiles", range(1, LONG + 8))
def test_short_and_barely_long_loops_end_as_with_every_event(tiles: int) -> None:
    work = operator("op", uniform(tiles, 100, 130, 50))
    plain, fast = (played(slow_link(), work, exact_events=exact) for exact in (True, False))
    assert fast[:-1] == plain[:-1]
    assert fast[-1] <= plain[-1] == 3 * tiles


@pytest.mark.parametrize(("inner", "outer"), [(5, 2_000), (50, 50), (400, 30), (3, 30), (1, 500)])
def test_nested_loops_end_as_with_every_event(inner: int, outer: int) -> None:
    work = operator("op", nested(inner, outer))
    plain, fast = (played(slow_link(), work, exact_events=exact) for exact in (True, False))
    assert fast[:-1] == plain[:-1]


@pytest.mark.parametrize("depth", [(1,), (25,)])
def test_a_loop_around_long_loops_recurs_too(depth: tuple[int]) -> None:
    few = played(slow_link(), operator("op", nested(50, 40, *depth)))[-1]
    many = played(slow_link(), operator("op", nested(5_000, 4_000, *depth)))[-1]
    assert few == many < 400


@pytest.mark.parametrize("repeats", [LONG - 1, LONG, LONG + 1, 300])
def test_the_tile_behind_a_loop_is_not_skipped(repeats: int) -> None:
    last = Tile(1, (Move(LOADED, 4_000),), (Move(STORED, 9),))
    plan = TilePlan(Loop((Loop((Tile(10, (LOAD,)),), repeats), last)), 1e9)
    (end,), *_ = played(slow_link(), operator("op", plan))
    assert end == (40 * repeats + 4_000 + 1 + 9) * NS


def test_two_engines_on_one_link_cost_the_same_events_however_long() -> None:
    plain, fast = (played(two_engines(), *pair(1_000), exact_events=e) for e in (True, False))
    assert fast[:-1] == plain[:-1]
    assert plain[-1] == 6_000
    assert fast[-1] == played(two_engines(), *pair(100_000))[-1] < 300


@st.composite
def long_plans(draw: st.DrawFn) -> TilePlan:
    """One or two loops of equal tiles, some long enough to be watched, some around both."""
    tile = st.builds(
        lambda cycles, load, store: Tile(
            cycles,
            (Move(LOADED, load),) if load else (),
            (Move(STORED, store),) if store else (),
        ),
        st.integers(0, 99),
        st.integers(0, 120),
        st.sampled_from([0, 0, 70]),
    )
    loops = [
        Loop((draw(tile),), draw(st.sampled_from([1, 7, LONG, 50])))
        for _ in range(draw(st.integers(1, 2)))
    ]
    whole = Loop(tuple(loops), draw(st.sampled_from([1, 2, 30])))
    slots = st.integers(1, 3)
    return TilePlan(whole, 1e9, slots_in=draw(slots), slots_out=draw(slots))


@settings(max_examples=40)
@given(st.lists(long_plans(), min_size=1, max_size=4), st.sampled_from(["half", "full"]))
def test_random_loops_on_shared_links_end_as_with_every_event(
    plans: list[TilePlan], duplex: Any
) -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=1.7e9, duplex=duplex, setup=3e-9)
    work = [operator(str(n), plan, engine=f"npu{n % 2}") for n, plan in enumerate(plans)]
    plain, fast = (played(hardware, *work, exact_events=exact) for exact in (True, False))
    assert fast[:-1] == plain[:-1]
    assert fast[-1] <= plain[-1]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 60_000_000), min_size=1, max_size=6))
def test_no_leap_passes_the_tick_that_was_asked_for(stops: list[int]) -> None:
    bench, work = Bench(two_engines()), pair(300)
    (fast, jobs), (plain, others) = (
        bench.fabric(*work, exact_events=exact) for exact in (False, True)
    )
    for stop in sorted(stops):
        assert ended(fast, stop) == ended(plain, stop)
        assert fast.now == plain.now == stop
        assert capture(fast, jobs) == capture(plain, others)
        assert fast.flows.tally == plain.flows.tally
    assert ended(fast) == ended(plain)


def with_visitor(tiles: int, exact_events: bool) -> tuple[Replay, int]:
    """A stream of loads of 100 ns each, and a visitor of 5,000 B that comes after 20,030 ns."""
    placed = placement(operator("op", uniform(tiles, 100, 10, 0)))
    session = Session(slow_link(), {"main": placed}, exact_events=exact_events)
    left = []

    def visits() -> Generator[Any, Any, None]:
        yield session.env.timeout(20_030 * NS)
        yield session.transfer("dram", "sram0", Move(0, 5_000))
        left.append(int(session.env.now))

    session.invoke("main")
    session.process(visits())
    return session.run()["main"], left[0]


@pytest.mark.parametrize("exact_events", [True, False])
def test_a_visitor_in_the_middle_takes_its_half_of_the_link(exact_events: bool) -> None:
    found, left = with_visitor(1_000, exact_events)
    assert left == (20_030 + 2 * 5_000) * NS
    assert found.makespan == (1_000 * 100 + 5_000 + 10) * NS


def test_before_and_after_a_visitor_tiles_are_skipped() -> None:
    few, many = (with_visitor(tiles, exact_events=False)[0].events for tiles in (1_000, 100_000))
    assert few == many < 200


def test_looks_grow_rarer_where_nothing_recurs() -> None:
    # tiles of 1,000 and 1,001 ns meet again after 1,001 of them, on channels of their own
    hardware = machine(systolics=2, buffers=2, links=2, duplex="full")
    work = (operator("one", uniform(900, 0, 1_000, 0)),
            operator("other", uniform(900, 0, 1_001, 0), engine="npu1"))  # fmt: skip
    with mock.patch.object(forward, "_state", wraps=forward._state) as looks:
        (one, other), *_, events = played(hardware, *work)
    assert (one, other) == (900_000 * NS, 900_900 * NS)
    assert events == 1_800
    assert 0 < looks.call_count < 400
