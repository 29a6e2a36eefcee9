"""Fast-forward over the steps of regions: a million steps for the events of a few."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from typing import Any
from unittest import mock

import pytest
from crowded_work import crowded
from hand_built import NS, Bench, agreeing, block, operator, placement, runs, slow_link, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from random_work import play
from strategies import KIB, Sketch, machine, uniform
from test_exactness import figures

from codesign import simulate
from codesign.hardware.plan import Move
from codesign.mapping.placement import Block, Placement
from codesign.replay.result import Replay
from codesign.replay.run import Session, replay
from codesign.replay.stream import WINDOW
from codesign.replay.turns import Turns
from codesign.result.result import Result
from codesign.workload.record import Carry, Trace

WIDTH = 16
WEIGHTS = 2 * WIDTH * WIDTH


def recurrent(steps: int, repeats: int = 0) -> Trace:
    """``h = tanh(x_t W + h U)``, perhaps the whole sequence several times."""
    sketch = Sketch()
    sketch.recurrent("rnn", sketch.input("x", steps, WIDTH), WIDTH, repeats)
    return sketch.trace()


def resident(steps: int, repeats: int = 0, *, exact_events: bool = False) -> Result:
    """A run with room for everything on chip."""
    return simulate(recurrent(steps, repeats), machine(size=2**30), exact_events=exact_events)


@pytest.mark.parametrize("steps", [1_000, 1_000_000])
def test_a_resident_recurrence_costs_the_same_events_however_long(steps: int) -> None:
    result = resident(steps)
    assert result.replay.events == resident(100).replay.events < 500
    assert result.offchip_bytes["weight"] == WEIGHTS  # fetched once
    assert result.offchip_bytes["input"] == steps * WIDTH + WIDTH
    assert result.offchip_bytes["activation"] == steps * WIDTH


def test_every_further_step_takes_as_long_as_the_one_before() -> None:
    spans = {n: resident(n).replay.makespan for n in (1_000, 2_000, 3_000, 1_000_000)}
    step = (spans[2_000] - spans[1_000]) // 1_000
    assert spans[3_000] - spans[2_000] == spans[2_000] - spans[1_000] == 1_000 * step
    assert spans[1_000_000] == spans[1_000] + 999_000 * step


def test_a_thousand_steps_give_what_every_event_gives() -> None:
    fast, plain = (resident(1_000, exact_events=exact) for exact in (False, True))
    assert fast.digest == plain.digest
    assert runs(fast.replay) == runs(plain.replay)
    assert fast.replay.totals == plain.replay.totals
    assert plain.replay.events > 20 * fast.replay.events


@pytest.mark.parametrize("size", [4 * KIB, KIB])
def test_weights_that_do_not_stay_are_fetched_at_every_step_for_the_same_events(size: int) -> None:
    few, many, plain = (
        simulate(recurrent(steps), machine(size=size), residency="none", exact_events=exact)
        for steps, exact in ((200, False), (100_000, False), (200, True))
    )
    assert few.replay.events == many.replay.events < plain.replay.events / 4
    assert many.offchip_bytes["weight"] == 100_000 * WEIGHTS
    assert few.digest == plain.digest


def test_regions_within_a_region_are_skipped_as_a_whole() -> None:
    few, many, most = (resident(100, repeats) for repeats in (10, 20, 10_000))
    assert few.replay.events == many.replay.events == most.replay.events < 1_000
    spans = [one.replay.makespan for one in (few, many, most)]
    assert (spans[2] - spans[0]) * 10 == (spans[1] - spans[0]) * 9_990
    assert most.offchip_bytes["input"] == 10_000 * 100 * WIDTH + WIDTH * 10_000


def test_nested_regions_give_what_every_event_gives() -> None:
    fast, plain = (resident(60, 25, exact_events=exact) for exact in (False, True))
    assert fast.digest == plain.digest
    assert runs(fast.replay) == runs(plain.replay)


def loop(
    name: str, steps: int, engine: str = "npu0", *, gate: int = 150, stays: bool = False
) -> Block:
    """A gate with weights and a cell that carries a state; 4 * gate + 180 ns to compute."""
    state, update = tensor(f"{name}.h", "state"), tensor(f"{name}.h2")
    first = operator(f"{name}.gate", uniform(4, 100, gate, 0), engine=engine)
    cell = operator(
        f"{name}.cell", uniform(2, 0, 90, 50), reads=state, writes=update, engine=engine
    )
    ends = [operator(f"{name}.{end}", uniform(5, 100, 0, 0), engine=engine) for end in "io"]
    return block(
        name,
        steps,
        first,
        cell,
        carries=[Carry(state, update)],
        preload=ends[0] if stays else None,
        writeback=ends[1] if stays else None,
        stays=state if stays else None,
    )


@pytest.mark.parametrize("stays", [False, True])
def test_steps_of_hand_built_regions_end_as_with_every_event(stays: bool) -> None:
    def around(steps: int) -> Placement:
        before, after = (operator(name, uniform(2, 100, 50, 0)) for name in ("before", "after"))
        return placement(before, loop("rnn", steps, stays=stays), after)

    _, fast = agreeing(around(300), slow_link())
    many = replay(around(10**6), slow_link())
    assert many.events == fast.events < 300
    assert many.makespan == fast.makespan + (10**6 - 300) * 780 * NS


def test_totals_of_a_million_steps_are_those_of_an_even_row() -> None:
    steps = 10**6
    found = replay(placement(loop("rnn", steps)), slow_link())
    (_, gate), (_, cell) = found.totals
    assert gate.runs == cell.runs == steps
    assert cell.last == found.makespan
    # the first cell ends 100 + 780 + 50 ns after the beginning, each further one 780 ns later
    first = 930 * NS
    assert cell.ends == steps * first + 780 * NS * steps * (steps - 1) // 2


def test_two_regions_that_share_a_link_end_as_with_every_event() -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=1e9)

    def both(steps: int) -> Placement:
        return placement(loop("one", steps), loop("other", steps, "npu1", gate=163))

    plain, fast = agreeing(both(250), hardware)
    assert fast.events < plain.events / 2


def asked(times: int, steps: int, exact_events: bool) -> dict[str, Replay]:
    """Two streams on two engines, one of them asked for several runs at once."""
    hardware = machine(systolics=2, buffers=2, bandwidth=1e9)
    streams = {
        "one": placement(loop("one", steps, stays=True)),
        "other": placement(loop("other", 2 * steps, "npu1", gate=163)),
    }
    session = Session(hardware, streams, exact_events=exact_events)
    for _ in range(times):
        session.invoke("one")
    session.invoke("other")
    return session.run()


def test_streams_with_several_runs_end_as_with_every_event() -> None:
    fast, plain = (asked(4, 60, exact) for exact in (False, True))
    assert figures(fast) == figures(plain)
    assert fast["one"].events < plain["one"].events / 4
    assert [run.number for run in fast["one"].invocations] == [0, 1, 2, 3]


def visited(steps: int, exact_events: bool) -> tuple[dict[str, Replay], int]:
    """A region, and 7,000 B of somebody else in its middle."""
    session = Session(
        slow_link(), {"main": placement(loop("rnn", steps))}, exact_events=exact_events
    )
    left = []

    def visits() -> Generator[Any, Any, None]:
        yield session.env.timeout(100_003 * NS)
        yield session.transfer("dram", "sram0", Move(0, 7_000))
        left.append(int(session.env.now))

    session.invoke("main")
    session.process(visits())
    return session.run(), left[0]


def test_steps_are_skipped_before_and_after_a_visitor() -> None:
    (fast, left), (plain, left_too) = (visited(400, exact) for exact in (False, True))
    assert figures(fast) == figures(plain)
    assert left == left_too > 107_003 * NS
    many, left_again = visited(10**6, exact_events=False)
    assert left_again == left
    assert many["main"].events == fast["main"].events < plain["main"].events / 8


@settings(max_examples=25)
@given(st.lists(st.integers(0, 150_000_000), min_size=1, max_size=5))
def test_no_skipped_step_passes_the_tick_that_was_asked_for(stops: list[int]) -> None:
    bench, placed = Bench(slow_link()), {"main": placement(loop("rnn", 200))}
    fast, plain = (bench.dispatcher(placed, exact_events=exact) for exact in (False, True))
    for dispatch in (fast, plain):
        dispatch.ask("main")
    for stop in sorted(stops):
        assert fast.advance(stop) == plain.advance(stop)
        assert fast.now == plain.now <= stop
        assert fast.jobs_over == plain.jobs_over
        assert fast.streams["main"].log.rows() == plain.streams["main"].log.rows()


def test_operators_like_those_of_a_region_before_it_are_not_taken_for_its_steps() -> None:
    total, plan = tensor("total", "state"), uniform(2, 100, 10, 50)
    before = [operator(f"before{n}", plan, writes=total) for n in range(WINDOW + 8)]
    region = block("steps", 50, operator("step", plan, writes=total))
    plain, fast = agreeing(placement(*before, region), slow_link())
    assert fast.events < plain.events / 2
    assert {one.op.name: total.runs for one, total in fast.totals} == {
        **{f"before{n}": 1 for n in range(WINDOW + 8)},
        "step": 50,
    }


@pytest.mark.parametrize("depth", [3, 5])
def test_a_delay_line_that_is_not_full_yet_is_told_from_one_that_is(depth: int) -> None:
    line = [tensor(f"line{number}", "state") for number in range(depth)]
    new = tensor("new")
    # until the line is full, what the slow operator wrote comes to the end of it
    end = operator("end", uniform(1, 0, 10, 0), reads=line[-1])
    slow = operator("slow", uniform(1, 0, 1_000, 0), writes=line[-1], engine="npu1")
    write = operator("write", uniform(1, 0, 1, 0), writes=new)
    rest = [operator(f"rest{number}", uniform(1, 0, 1, 0)) for number in range(WINDOW)]
    carries = [Carry(old, younger) for younger, old in itertools.pairwise([new, *line])]
    region = block("delay", 60, end, slow, write, *rest, carries=carries)
    agreeing(placement(region), machine(systolics=2, buffers=2))


def test_looks_grow_rarer_where_no_step_recurs() -> None:
    # steps of 1,000 and 1,001 ns meet again after 1,001 of them, on links of their own
    hardware = machine(systolics=2, buffers=2, links=2)
    streams = {
        name: placement(block(name, 900, operator(name, uniform(1, 0, cycles, 0), engine=engine)))
        for name, cycles, engine in (("one", 1_000, "npu0"), ("other", 1_001, "npu1"))
    }
    session = Session(hardware, streams)
    for name in streams:
        session.invoke(name)
    with mock.patch.object(Turns, "leap", autospec=True, side_effect=Turns.leap) as looks:
        found = session.run()
    assert [one.invocations[0].end for one in found.values()] == [900_000 * NS, 900_900 * NS]
    assert 0 < looks.call_count < 400


@pytest.mark.parametrize("first", [170, 330])
def test_crowded_programs_give_the_same_figures_with_and_without(first: int) -> None:
    saved = 0
    for seed in range(first, first + 55):
        plain, heard = play(crowded(seed), exact_events=True)
        fast, heard_fast = play(crowded(seed), exact_events=False)
        assert figures(fast) == figures(plain), f"seed {seed}"
        assert heard_fast == heard, f"seed {seed}"
        saved += next(iter(fast.values())).events < next(iter(plain.values())).events / 2
    assert saved > 10
