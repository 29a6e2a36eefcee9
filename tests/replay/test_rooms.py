"""Memories beside the buffer in which inputs are staged: the next operator waits for room there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_built import NS, agreeing, operator, placement
from strategies import machine, uniform

from codesign.hardware.plan import Room, TilePlan


def staged(granted: int, held: int = 0, slot: int = 0, memory: str = "weights") -> TilePlan:
    """One tile: 100 ns of load, 1,000 ns of compute."""
    plan = uniform(1, 100, 1000, 0)
    return replace(plan, rooms=(Room(memory, granted, held, slot),))


def makespan(*plans: TilePlan) -> int:
    steps = [operator(f"op{number}", plan) for number, plan in enumerate(plans)]
    _, fast = agreeing(placement(*steps), machine(bandwidth=1e9, duplex="full", setup=0.0))
    return fast.makespan // NS


@pytest.mark.parametrize(("held", "slot"), [(50, 0), (0, 50), (20, 30)])
def test_inputs_that_fit_beside_those_of_the_operator_before_come_early(
    held: int, slot: int
) -> None:
    roomy, tight = staged(100, held, slot), staged(99, held, slot)
    assert makespan(roomy, roomy) == 100 + 1000 + 1000
    assert makespan(tight, tight) == 100 + 1000 + 100 + 1000


def test_other_memories_and_operators_without_rooms_do_not_wait() -> None:
    here, there = staged(50, 50), staged(50, 50, memory="elsewhere")
    assert makespan(here, there) == 2100
    assert makespan(uniform(1, 100, 1000, 0), here) == 2100
    assert makespan(here, uniform(1, 100, 1000, 0)) == 2100


def test_slots_of_tiles_under_way_count_one_by_one() -> None:
    first = replace(uniform(2, 100, 1000, 0), rooms=(Room("weights", 100, 0, 50),))
    # while two tiles of the first wait and compute there is no room, while one does there is
    assert makespan(first, staged(100, 0, 50)) == 100 + 2000 + 1000
    assert makespan(first, staged(100, 0, 60)) == 100 + 2000 + 100 + 1000
