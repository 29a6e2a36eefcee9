"""The memo: what happened once from a joint state is not played again, whatever it is called."""

from __future__ import annotations

from unittest import mock

import pytest
from hand_built import NS, Bench, agreeing, operator, placement, runs, slow_link
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import machine, output, uniform

from codesign.mapping.placement import Assignment, Placement
from codesign.replay import memo
from codesign.replay.dispatch import Dispatch
from codesign.replay.run import replay

PLANS = (uniform(6, 100, 150, 50), uniform(3, 300, 70, 20), uniform(1, 10, 500, 90))
"""Tiles of the three operators of a layer."""


def layers(count: int, engines: int = 1) -> Placement:
    """A chain of equal layers; with two engines they take turns."""
    ops: list[Assignment] = []
    for layer in range(count):
        for part, plan in enumerate(PLANS):
            engine = f"npu{layer % engines}"
            reads = output(ops[-1]) if ops else None
            ops.append(operator(f"layer{layer}.{part}", plan, reads=reads, engine=engine))
    return placement(*ops)


def asked(bench: Bench, **placements: Placement) -> Dispatch:
    """A dispatcher that has been asked for a run of each placement."""
    dispatch = bench.dispatcher(placements)
    for name in placements:
        dispatch.ask(name)
    return dispatch


def edges(dispatch: Dispatch) -> int:
    assert dispatch._memo is not None
    return len(dispatch._memo.edges)


@pytest.mark.parametrize("engines", [1, 2])
def test_equal_layers_cost_the_events_of_a_few_whatever_they_are_called(engines: int) -> None:
    hardware = machine(systolics=2, buffers=2, bandwidth=1e9)
    few, many = (agreeing(layers(count, engines), hardware) for count in (16, 32))
    assert few[1].events == many[1].events == replay(layers(320, engines), hardware).events
    assert (few[0].events, many[0].events) == (480, 960)
    assert many[1].events < 400


def test_a_further_layer_takes_as_long_as_the_one_before() -> None:
    spans = [replay(layers(count), slow_link()).makespan for count in (40, 41, 42, 300)]
    assert spans[2] - spans[1] == spans[1] - spans[0]
    assert spans[3] - spans[0] == 260 * (spans[1] - spans[0])


def test_a_second_run_of_a_program_costs_no_event() -> None:
    dispatch = asked(Bench(slow_link()), main=layers(4))
    assert dispatch.advance(None)
    took, events = dispatch.now, dispatch.fabric.events
    dispatch.over.clear()
    assert not dispatch.advance(took + 7)  # nothing is under way, time passes
    again = dispatch.ask("main")
    assert dispatch.advance(None)
    assert dispatch.fabric.events == events
    assert (again.start, again.end) == (took + 7, 2 * took + 7)
    assert dispatch.fabric.lanes["npu0"].busy_ticks == 2 * 4 * (6 * 150 + 3 * 70 + 500) * NS


def test_another_program_of_equal_operators_costs_no_event() -> None:
    bench = Bench(slow_link())
    dispatch = bench.dispatcher({"one": layers(4), "other": layers(4)})
    events = []
    for name in ("one", "other"):
        dispatch.ask(name)
        assert dispatch.advance(None)
        dispatch.over.clear()
        events.append(dispatch.fabric.events)
    assert events[0] == events[1] == 120


def test_operators_that_differ_in_what_they_wait_for_are_told_apart() -> None:
    plan = uniform(2, 100, 150, 50)
    free = [operator(f"free{n}", plan) for n in range(3)]
    chain = [operator("chain0", plan)]
    for number in (1, 2):
        chain.append(operator(f"chain{number}", plan, reads=output(chain[-1])))
    hardware = slow_link()
    together = placement(*free, *chain, *free, *chain)
    agreeing(together, hardware)
    assert runs(replay(placement(*free), hardware)) != runs(replay(placement(*chain), hardware))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 12_000_000), min_size=1, max_size=8))
def test_no_edge_passes_the_tick_that_was_asked_for(waits: list[int]) -> None:
    bench = Bench(slow_link())
    one = {"main": layers(3)}
    fast, plain = (bench.dispatcher(one, exact_events=exact) for exact in (False, True))
    for dispatch in (fast, plain):
        dispatch.ask("main")
        assert dispatch.advance(None)
        dispatch.over.clear()
        dispatch.ask("main")
    known = edges(fast)
    for wait in waits:
        until = fast.now + wait
        assert fast.advance(until) == plain.advance(until)
        assert fast.now == plain.now <= until
        for dispatch in (fast, plain):
            dispatch.over.clear()
    assert known == edges(fast)  # all that happened was known, or was cut short
    for dispatch in (fast, plain):
        dispatch.advance(None)
        dispatch.close(0)
    assert fast.streams["main"].log.rows() == plain.streams["main"].log.rows()
    assert fast.fabric.flows.tally == plain.fabric.flows.tally


def test_nothing_is_remembered_while_somebody_outside_transfers() -> None:
    dispatch = asked(Bench(slow_link()), main=layers(4))
    dispatch.transfer(0, 10**6, lambda: None)
    assert dispatch.advance(None)
    assert [run.end > 0 for run in dispatch.over] == [True]
    assert edges(dispatch) == 0
    dispatch.over.clear()
    assert dispatch.advance(None)  # the transfer ends
    dispatch.ask("main")
    assert dispatch.advance(None)
    assert edges(dispatch) > 0


def test_an_edge_is_not_taken_while_somebody_outside_transfers() -> None:
    dispatch = asked(Bench(slow_link()), main=layers(4))
    dispatch.advance(None)
    took, events = dispatch.now, dispatch.fabric.events
    dispatch.over.clear()
    again = dispatch.ask("main")
    dispatch.transfer(0, 10**6, lambda: None)
    dispatch.advance(None)
    assert dispatch.fabric.events > events
    assert again.end - again.start > took


def test_nothing_is_remembered_while_a_process_takes_part() -> None:
    first = operator("process", None, engine="vector")
    then = operator("then", PLANS[0], reads=output(first))
    beside = [operator(f"beside{number}", PLANS[1]) for number in range(3)]
    dispatch = asked(Bench(slow_link()), main=placement(first, *beside, then))
    assert dispatch.advance(None)
    assert [job.op for job in dispatch.ready] == [0]
    dispatch.ready.clear()
    assert not dispatch.advance(None)  # the operators beside it end, the one behind it cannot
    assert dispatch.jobs_over == 3
    assert edges(dispatch) == 0
    dispatch.finish(dispatch.window[0])
    assert dispatch.advance(None)
    assert dispatch.jobs_over == 5
    assert edges(dispatch) == 0  # its state was not known when the operator behind it was issued


@pytest.mark.parametrize(("most", "events"), [(0, 600), (1, 600), (5, 350)])
def test_figures_do_not_depend_on_how_much_is_remembered(most: int, events: int) -> None:
    placed = layers(20)
    want = replay(placed, slow_link())
    with mock.patch.object(memo, "MOST_NODES", most):
        found = replay(placed, slow_link())
    assert runs(found) == runs(want)
    assert (found.busy, found.moved) == (want.busy, want.moved)
    assert found.events == events >= want.events


def test_with_every_event_nothing_is_remembered() -> None:
    dispatch = Bench(slow_link()).dispatcher({"main": layers(20)}, exact_events=True)
    dispatch.ask("main")
    assert dispatch.advance(None)
    assert dispatch._memo is None
    assert dispatch.fabric.events == 600
