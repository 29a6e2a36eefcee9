"""How much of the buffer residents get where tiles suffer, and what is said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from random_programs import case
from test_residency import recurrent as toy
from toy_machine import machine, priced

from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping import search
from codesign.mapping.decide import Decision
from codesign.mapping.estimate import estimated_s, fetching_s, least_s
from codesign.mapping.hold import Hold
from codesign.mapping.paths import Paths
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.mapping.plans import Plans
from codesign.mapping.residency import Policy, Residency
from codesign.mapping.timeline import make_timeline
from codesign.replay.run import replay
from codesign.testing.operators import whole
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Carry, Op, Region, Trace

STEPS, WIDTH = 32, 1024
TICKS_PER_S = 10**12
SLOW = "ms of residency 'none'; a limit leaves them more room"


@cache
def npu() -> Hardware:
    return load_hardware("edge-npu")


@cache
def recurrent() -> Trace:
    """Two steps ``h' = h U`` after one another, each matrix as large as the scratchpad."""
    states = [whole(f"h{n}", (1, WIDTH)) for n in range(3)]
    weights = [whole(f"u{n}", (WIDTH, WIDTH), "weight") for n in range(2)]
    nest = matmul_nest(1, 1, WIDTH, WIDTH)
    body = tuple(
        Op(f"cell{n}", "contraction", (states[n], weights[n]), (states[n + 1],), nest)
        for n in range(2)
    )
    carry = Carry(states[0].tensor, states[2].tensor, None)
    tensors = tuple(access.tensor for access in (*states, *weights))
    return Trace("rnn", (Region("rnn", STEPS, body, (carry,)),), tensors)


@cache
def placed(policy: Policy, room: int = (1 << 20) - 1, *, partial: bool = False) -> Placement:
    asked = Residency(policy, limits={"sram": room}, partial=partial)
    return place(recurrent(), npu(), asked)


@cache
def squeezed() -> Placement:
    """About 500 B are left to the tiles of the second matrix."""
    tight = npu().with_("sram.size", (1 << 20) - 512)
    return place(recurrent(), tight, Residency("region", partial=True))


def seconds(placement: Placement) -> float:
    return estimated_s(placement, Paths(npu()))


# -- estimates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "partial"), [("none", False), ("region", True), ("greedy", True)]
)
def test_the_estimate_of_operators_in_a_row_is_near_their_replay(
    policy: Policy, partial: bool
) -> None:
    found = placed(policy, partial=partial)
    assert seconds(found) == pytest.approx(replay(found, npu()).makespan / TICKS_PER_S, rel=0.02)


def test_nothing_on_chip_takes_as_long_as_fetching_everything() -> None:
    found, plans = placed("none"), Plans(Paths(npu()))
    assert fetching_s(make_timeline(recurrent().items), plans) == pytest.approx(seconds(found))
    assert least_s(found, plans) == pytest.approx(seconds(found))


def test_tiles_that_had_the_whole_buffer_would_take_no_longer() -> None:
    """Twice the time goes with what is left to tiles."""
    assert seconds(squeezed()) > 2 * least_s(squeezed(), Plans(Paths(npu(), users={"npu"})))


# -- the search -----------------------------------------------------------------------------------


def test_greedy_in_parts_leaves_tiles_the_room_that_is_worth_more_to_them() -> None:
    squeezed, found = placed("region", partial=True), placed("greedy", partial=True)
    assert found.home_bytes < 1.02 * squeezed.home_bytes
    assert seconds(found) < 0.7 * min(seconds(squeezed), seconds(placed("none")))


@pytest.mark.parametrize("room", [(1 << 20) - 576, 1_040_000, 1_020_000, 980_000])
def test_a_little_more_or_less_room_hardly_changes_the_time(room: int) -> None:
    least = seconds(placed("greedy", 1_000_000, partial=True))
    assert seconds(placed("greedy", room, partial=True)) == pytest.approx(least, rel=0.1)


def offer(size: int, time: float) -> search._Offer:
    return search._Offer(placed("none"), (), size, time)


@pytest.mark.parametrize(
    ("others", "winner"),
    [
        ([(100, 9.0)], 0),  # nothing else
        ([(100, 9.0), (102, 8.0)], 1),  # clearly faster for 2 %
        ([(100, 9.0), (103, 1.0)], 0),  # too many bytes
        ([(100, 9.0), (101, 8.6)], 0),  # hardly faster
        ([(102, 8.0), (101, 7.0), (100, 9.0)], 1),
        ([(100, 9.0), (100, 9.0)], 0),  # the first of equals
    ],
)
def test_of_placements_that_move_nearly_the_same_a_clearly_faster_one_is_taken(
    others: list[tuple[int, float]], winner: int
) -> None:
    found = [offer(*one) for one in others]
    assert search._best(found) is found[winner]


def test_room_that_costs_the_tiles_nothing_is_the_last_that_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []
    real = search._assembled

    def counted(decision: Decision, holds: Sequence[Hold]) -> Placement:
        tried.append(len(holds))
        return real(decision, holds)

    monkeypatch.setattr(search, "_assembled", counted)
    place(*case(0), "greedy")
    assert tried[0] == 0
    assert len(tried) == 2
    tried.clear()
    place(recurrent(), npu(), Residency("greedy", partial=True))
    assert len(tried) > 2


# -- what is said ---------------------------------------------------------------------------------


def test_a_policy_that_is_slower_than_none_says_so_and_how_to_mend_it() -> None:
    said = [note for note in squeezed().notes if note.endswith(SLOW)]
    assert said == [
        "the tiles beside what stays take 10.1 ms by the plans' own estimates, "
        "longer than the 8.34 ms of residency 'none'; a limit leaves them more room"
    ]
    relieved = placed("region", 1_020_000, partial=True)
    assert not [note for note in relieved.notes if note.endswith(SLOW)]
    assert seconds(relieved) < seconds(placed("none"))


@pytest.mark.parametrize("policy", ["none", "region", "greedy"])
def test_a_policy_that_is_not_slower_says_nothing_of_time(policy: Policy) -> None:
    assert not [note for note in placed(policy).notes if note.endswith(SLOW)]


def test_none_gives_the_policy_and_no_lack_of_room_as_its_reason() -> None:
    notes = place(toy(), machine(priced(contraction=5, tile=64), buffer=1 << 16), "none").notes
    assert notes == (
        "every operator takes its operands from dram and stores its results there",
        "residency 'none' keeps nothing on chip: every step fetches anew",
    )
    pinned = place(toy(), machine(priced(contraction=5)), Residency("none", ("u",)))
    assert pinned.notes[-1] == (
        "residency 'none' keeps nothing else on chip: every step fetches anew"
    )


def test_up_to_three_regions_are_named_and_of_more_the_first_three() -> None:
    hardware = machine(priced(contraction=5))
    trace = toy()
    (region,) = trace.regions

    def notes(count: int) -> str:
        items = tuple(replace(region, name=f"rnn{n}") for n in range(count))
        return place(replace(trace, items=items), hardware).notes[-1]

    assert notes(1).startswith("but what rnn0 reads or carries")
    assert "each of 2 regions (rnn0, rnn1) reads" in notes(2)
    assert "each of 3 regions (rnn0, rnn1, rnn2) reads" in notes(3)
    assert "each of 4 regions (rnn0, rnn1, rnn2, ...) reads" in notes(4)
