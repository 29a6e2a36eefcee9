"""Law 4: faster is never slower where that is a theorem, and only there."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import LOADED, STORED, assignment, machine, output, plans, play

from codesign.hardware.plan import Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment
from codesign.replay.run import Replay

SEQUENCES = st.lists(st.tuples(plans(mixed=False), st.booleans()), min_size=1, max_size=4)
FASTER = st.sampled_from([1.0, 1.003, 1.06, 1.5, 7.0])


def played(
    sequence: list[tuple[TilePlan, bool]], hardware: Hardware, speed_up: float = 1.0
) -> Replay:
    """The plans one after the other, some waiting for the one before, at a faster clock."""
    placed: list[Assignment] = []
    for number, (plan, chained) in enumerate(sequence):
        faster = dataclasses.replace(plan, clock_hz=plan.clock_hz * speed_up)
        reads = output(placed[-1]) if placed and chained else None
        placed.append(assignment(f"op{number}", faster, reads=reads))
    return play(hardware, *placed)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(SEQUENCES, FASTER, FASTER, st.sampled_from([0.0, 32e-9]))
def test_one_pipeline_with_a_channel_each_way_gains_from_any_speed(
    sequence: list[tuple[TilePlan, bool]], clock: float, link: float, setup: float
) -> None:
    slow = played(sequence, machine(bandwidth=1e9, duplex="full", setup=setup))
    fast = played(sequence, machine(bandwidth=1e9 * link, duplex="full", setup=setup), clock)
    assert fast.makespan <= slow.makespan


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEQUENCES, FASTER, FASTER, st.booleans())
def test_bounds_are_monotone_on_any_link(
    sequence: list[tuple[TilePlan, bool]], clock: float, link: float, shared: bool
) -> None:
    duplex = "half" if shared else "full"
    slow = played(sequence, machine(bandwidth=1e9, duplex=duplex))  # type: ignore[arg-type]
    quick = machine(bandwidth=1e9 * link, duplex=duplex)  # type: ignore[arg-type]
    fast = played(sequence, quick, clock)
    assert fast.lower <= slow.lower
    assert fast.serial <= slow.serial


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SEQUENCES, st.integers(0, 100), st.integers(1, 100))
def test_a_longer_set_up_never_helps_one_pipeline(
    sequence: list[tuple[TilePlan, bool]], setup: int, more: int
) -> None:
    short, long = (
        played(sequence, machine(bandwidth=1e9, duplex="full", setup=nanoseconds * 1e-9))
        for nanoseconds in (setup, setup + more)
    )
    assert short.makespan <= long.makespan


def test_on_a_shared_link_a_faster_clock_can_be_slower() -> None:
    """A known example, promised to nobody: two tiles that share one channel of 1 B/ns.

    Sooner computed, the first result competes with the load that the second tile waits for.
    """
    first = Tile(300, (Move(LOADED, 300),), (Move(STORED, 50),))
    second = Tile(250, (Move(LOADED, 300),))
    plan = TilePlan(Loop((first, second)), 1e9, slots_in=2, slots_out=1)
    slow, fast = (played([(plan, False)], machine(bandwidth=1e9), speed) for speed in (1.0, 1.1))
    assert slow.makespan == 850_000
    assert fast.makespan > slow.makespan
    wide, wider = (
        played([(plan, False)], machine(bandwidth=1e9, duplex="full"), speed)
        for speed in (1.0, 1.1)
    )
    assert wider.makespan < wide.makespan == pytest.approx(850_000)
