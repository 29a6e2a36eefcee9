"""Idle memories enter one power state after the other, and the next transfer waits for them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from hand_built import placement
from hypothesis import given
from hypothesis import strategies as st
from random_work import Moody
from strategies import machine

from codesign.hardware.component import Memory, Rest
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.replay.run import Session
from codesign.replay.sleep import Sleeper
from codesign.replay.tally import Tally

DOZE, SLEEP = Rest("doze", 100, 7), Rest("sleep", 1000, 50)
DOZING, SLEEPING = ("dram", "doze"), ("dram", "sleep")


def slept(idle: int) -> tuple[int, Tally]:
    """Wait of a transfer after so many idle ticks, and the time in each state."""
    sleeper, tally = Sleeper("dram", (DOZE, SLEEP)), Tally()
    return sleeper.begin(idle, tally), tally


@pytest.mark.parametrize(
    ("idle", "wait", "tally"),
    [
        (0, 0, {}),
        (100, 0, {}),
        (101, 7, {DOZING: 1}),
        (1000, 7, {DOZING: 900}),
        (1001, 50, {DOZING: 900, SLEEPING: 1}),
        (5000, 50, {DOZING: 900, SLEEPING: 4000}),
    ],
)
def test_time_in_each_state_and_the_wait_follow_from_the_idle_time(
    idle: int, wait: int, tally: Tally
) -> None:
    assert slept(idle) == (wait, tally)


@given(st.lists(st.integers(0, 3000), max_size=8))
def test_looking_while_it_rests_changes_nothing(looks: list[int]) -> None:
    sleeper, tally = Sleeper("dram", (DOZE, SLEEP)), Tally()
    now = 0
    for later in looks:
        now += later
        sleeper.count(now, tally)
    assert (sleeper.begin(now, tally), tally) == slept(now)


def test_whoever_comes_while_it_wakes_waits_for_the_rest() -> None:
    sleeper, tally = Sleeper("dram", (DOZE, SLEEP)), Tally()
    assert sleeper.begin(5000, tally) == 50
    assert sleeper.age(5020) == -31
    assert sleeper.begin(5020, tally) == 30
    other = Sleeper("dram", (DOZE, SLEEP))
    other.replace(2, sleeper.age(5030), 9000)
    assert other.begin(9010, tally) == sleeper.begin(5040, tally) == 10
    assert sleeper.begin(5050, tally) == 0
    assert sleeper.age(6000) == -1


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 10**6))
def test_put_into_its_state_elsewhere_it_goes_on_alike(idle: int, more: int, later: int) -> None:
    sleeper, first = Sleeper("dram", (DOZE, SLEEP)), Tally()
    sleeper.count(idle, first)
    other, second = Sleeper("dram", (DOZE, SLEEP)), Tally()
    other.replace(0, sleeper.age(idle), idle + later)
    wait = sleeper.begin(idle + more, first)
    assert other.begin(idle + later + more, second) == wait
    before = slept(idle)[1]
    assert second == {k: v - before.get(k, 0) for k, v in first.items() if v > before.get(k, 0)}


def test_a_memory_does_not_rest_while_anything_is_under_way() -> None:
    sleeper, tally = Sleeper("dram", (DOZE, SLEEP)), Tally()
    sleeper.begin(0, tally)
    assert sleeper.begin(10_000, tally) == 0
    assert sleeper.age(20_000) == -1
    sleeper.end(1, 20_000)
    sleeper.count(30_000, tally)
    assert tally == {}
    sleeper.end(1, 30_000)
    assert sleeper.age(30_050) == 50
    assert sleeper.begin(30_150, tally) == 7
    assert tally == {DOZING: 50}


def visited(memory: Memory, *waits: int) -> tuple[list[int], dict[str, int]]:
    """Ticks that foreign loads of 100 B took, each so long after the one before; time by state."""
    built = machine(bandwidth=1e9)
    hardware = Hardware("one", "", built.precision, {**built.components, "dram": memory})
    session = Session(hardware, {"none": placement()})
    took = []

    def visitor() -> Generator[Any, Any, None]:
        for wait in waits:
            yield session.env.timeout(wait)
            before = int(session.env.now)
            yield session.transfer("dram", "sram0", Move(0, 100))
            took.append(int(session.env.now) - before)

    session.process(visitor())
    replay = session.run(until=10**8)["none"]
    return took, dict(replay.uses["dram"].ticks)


def test_the_first_transfer_after_a_rest_waits_and_the_states_add_up_to_the_session() -> None:
    memory = Moody(name="dram", size=2**40, rate=10**9, first=20_000, second=100_000)
    took, ticks = visited(memory, 0, 20_000, 20_001, 120_000, 120_001)
    awake = took[0]
    assert [ticks - awake for ticks in took] == [0, 0, 500, 500, 70_001]
    assert sum(ticks.values()) == 10**8
    trailing = 10**8 - sum(took) - 280_002
    assert ticks["doze"] == 1 + 100_000 + 100_000 + 100_000
    assert ticks["sleep"] == 1 + trailing - 120_000


def test_a_memory_without_rests_is_idle_between_transfers() -> None:
    memory = Moody(name="dram", size=2**40, rate=10**9, first=0, second=0)
    took, ticks = visited(memory, 5_000, 10**6)
    assert took[0] == took[1]
    moving = 2 * (took[0] - round(memory.latency_s("read") * 1e12))
    assert ticks == {
        "active": moving // 7,
        "half": moving // 7,
        "idle": 10**8 - 2 * (moving // 7),
    }
