"""The Fabric against an idiomatic SimPy model of the same rules: equal to the tick."""

from __future__ import annotations

from typing import Literal, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import RoundRobin, ends
from strategies import KIB, LATE, assignment, machine, output, plans, play, uniform

from codesign.hardware.plan import TilePlan
from codesign.mapping.placement import Assignment
from codesign.replay.run import Replay

Program: TypeAlias = "list[tuple[TilePlan, list[tuple[int, int]]]]"
RATES = [10**12, 4 * 10**9, 3_700_000_000]


def replayed(
    programs: list[Program], rate: int, duplex: Literal["half", "full"], setup_ns: int
) -> Replay:
    """The programs on engines with a buffer each that share one link."""
    count = len(programs)
    hardware = machine(
        systolics=count, buffers=count, bandwidth=rate, duplex=duplex, setup=setup_ns * 1e-9
    )
    placed: dict[tuple[int, int], Assignment] = {}
    longest = max(len(program) for program in programs)
    for place in range(longest):
        for engine, program in enumerate(programs):
            if place < len(program):
                plan, after = program[place]
                reads = output(placed[after[0]]) if after else None
                name = f"{engine}.{place}"
                placed[engine, place] = assignment(name, plan, engine=f"npu{engine}", reads=reads)
    return play(hardware, *placed.values())


def by_engine(replay: Replay, programs: list[Program]) -> list[list[int]]:
    found = {span.assignment.op.name: span.end for span in replay.spans}
    return [[found[f"{e}.{p}"] for p in range(len(one))] for e, one in enumerate(programs)]


@st.composite
def programs(draw: st.DrawFn, engines: int, *, mixed: bool = False) -> list[Program]:
    """Operators in order for each engine; some wait for one before them, here or next door."""
    found: list[Program] = []
    for engine in range(engines):
        program: Program = []
        for place in range(draw(st.integers(1, 3))):
            clock = draw(st.sampled_from([1e9, 9.4e8]))
            before = [(e, place - 1) for e in range(engine) if 0 < place <= len(found[e])]
            before += [(engine, place - 1)] if place else []
            after = draw(st.sampled_from([[], *([key] for key in before)]))
            program.append((draw(plans(mixed=mixed, clock=clock)), after))
        found.append(program)
    return found


@settings(max_examples=60, deadline=None, derandomize=True)
@given(programs(1, mixed=True), st.sampled_from(RATES))
def test_one_engine_with_a_channel_each_way_equals_the_reference(
    work: list[Program], rate: int
) -> None:
    want = ends(work, rate, separate=True, setup=0, late=LATE)
    assert by_engine(replayed(work, rate, "full", 0), work) == want


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(1, 2).flatmap(programs),
    st.sampled_from(RATES),
    st.booleans(),
    st.sampled_from([0, 32]),
)
def test_engines_that_share_a_link_equal_the_reference(
    work: list[Program], rate: int, separate: bool, setup_ns: int
) -> None:
    want = ends(work, rate, separate=separate, setup=setup_ns * 1000, late=LATE)
    got = replayed(work, rate, "full" if separate else "half", setup_ns)
    assert by_engine(got, work) == want


TALL, FLAT = uniform(40, 24 * KIB, 4000, 8 * KIB), uniform(90, 12 * KIB, 500, 12 * KIB)


@pytest.mark.parametrize(("setup_ns", "tolerance"), [(0, 1e-3), (32, 1e-2)])
@pytest.mark.parametrize(
    "work",
    [
        [[(TALL, [])], [(FLAT, [])]],
        [[(FLAT, [])], [(FLAT, []), (TALL, [])]],
        [[(TALL, []), (FLAT, [(0, 0)])], [(TALL, []), (FLAT, [(1, 0)])]],
    ],
)
def test_every_engine_finishes_as_under_round_robin_bursts(
    work: list[Program], setup_ns: int, tolerance: float
) -> None:
    # where transfers pause for a set-up of two bursts, the order of bursts itself decides 1 %
    want = ends(work, 16 * 10**9, separate=False, setup=setup_ns * 1000, late=LATE, pipe=RoundRobin)
    got = by_engine(replayed(work, 16 * 10**9, "half", setup_ns), work)
    for one, other in zip(got, want, strict=True):
        assert one[-1] == pytest.approx(other[-1], rel=tolerance)
