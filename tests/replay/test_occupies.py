"""Memories that an engine has for itself while it computes: transfers there stand still."""

from __future__ import annotations

import dataclasses

import pytest
from hand_built import NS, agreeing, at, block, placement
from hand_built import operator as built
from hypothesis import given, settings
from hypothesis import strategies as st
from random_work import Moody, Owner
from strategies import (
    AMPLE,
    LATE,
    LOADED,
    assignment,
    machine,
    output,
    part,
    plans,
    play,
    uniform,
)

from codesign.hardware.component import Component
from codesign.hardware.plan import TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment
from codesign.replay.run import Replay, Session

LAW = settings(max_examples=80, deadline=None, derandomize=True)
HOST, OWNER = "npu1", "npu0"
OWNS = st.sampled_from([("dram",), ("sram0",), ("dram", "sram0")])


def shared(
    *owns: str, duplex: str = "half", setup: float = 0.0, other: tuple[str, ...] = ()
) -> Hardware:
    """An owner and a host, each behind a link of a byte a nanosecond, before one memory."""
    plain = machine(
        systolics=2,
        buffers=2,
        links=2,
        bandwidth=1e9,
        duplex="half" if duplex == "half" else "full",
        setup=setup,
    )
    parts = dict(plain.components)
    parts[OWNER] = Owner(name=OWNER, buffer="sram0", owns=owns)
    if other:
        parts[HOST] = Owner(name=HOST, buffer="sram1", owns=other)
    return Hardware("shared", "", None, parts)


def apart(*owns: str, duplex: str = "half") -> Hardware:
    """The same two engines, each with a memory of its own."""
    parts: list[Component] = [
        Owner(name=OWNER, buffer="sram0", owns=owns),
        part("systolic", HOST, buffer="sram1", rows=16, cols=16),
    ]
    for n, home in enumerate(("dram", "dram1")):
        parts += [
            part("sram", f"sram{n}", size=2**16, bandwidth=AMPLE),
            part(
                "link",
                f"bus{n}",
                connects=(home, f"sram{n}"),
                bandwidth=1e9,
                duplex=duplex,
                setup=0,
            ),
            part("flat_dram", home, device="t", size=2**30, bandwidth=AMPLE, efficiency=1),
        ]
    return Hardware("apart", "", None, {one.name: one for one in parts})


def ends(found: Replay) -> list[float]:
    """When each operator ended, in nanoseconds."""
    return [span.end / NS for span in found.spans]


# -- to the tick -----------------------------------------------------------------------------------


def test_a_load_of_the_host_stands_still_while_the_owner_computes() -> None:
    owner = assignment("owner", uniform(1, 50, 100, 0), engine=OWNER)
    host = assignment("host", uniform(1, 300, 10, 0), engine=HOST)
    # 50 B until the owner has its tile, none for 100 ns, then the other 250 B
    assert ends(play(shared("dram"), owner, host)) == [150, 410]
    assert ends(play(shared(), owner, host)) == [150, 310]


def test_a_store_of_the_host_stands_still_as_well() -> None:
    owner = assignment("owner", uniform(1, 50, 100, 0), engine=OWNER)
    host = assignment("host", uniform(1, 0, 20, 300), engine=HOST)
    assert ends(play(shared("dram"), owner, host)) == [150, 20 + 300 + 100]


def test_it_goes_on_exactly_where_it_stopped_each_time() -> None:
    owner = assignment("owner", uniform(3, 50, 100, 0), engine=OWNER)
    host = assignment("host", uniform(1, 300, 10, 0), engine=HOST)
    # the owner's own next load stands still too: 50 ns of moving and 100 ns of computing in turn
    assert ends(play(shared("dram"), owner, host)) == [450, 450 + 150 + 10]


def test_a_set_up_goes_on_while_bytes_stand_still() -> None:
    owner = assignment("owner", uniform(1, 0, 100, 0), engine=OWNER)
    host = assignment("host", uniform(1, 300, 10, 0), engine=HOST)
    assert ends(play(shared("dram", setup=32e-9), owner, host)) == [100, 100 + 300 + 10]
    short = assignment("owner", uniform(1, 0, 20, 0), engine=OWNER)
    assert ends(play(shared("dram", setup=32e-9), short, host)) == [20, 32 + 300 + 10]


def test_computing_of_the_host_goes_on() -> None:
    owner = assignment("owner", uniform(1, 0, 100, 0), engine=OWNER)
    host = assignment("host", uniform(1, 0, 90, 0), engine=HOST)
    assert ends(play(shared("dram"), owner, host)) == [100, 90]


def test_an_owned_buffer_stops_only_who_touches_it() -> None:
    owner = assignment("owner", uniform(2, 50, 100, 0), engine=OWNER)
    host = assignment("host", uniform(1, 300, 10, 0), engine=HOST)
    assert ends(play(shared("sram0"), owner, host)) == [300, 310]


def test_two_transfers_share_again_as_before_when_they_may() -> None:
    parts = dict(machine(systolics=2, buffers=1, bandwidth=1e9).components)
    parts[OWNER] = Owner(name=OWNER, buffer="sram0", owns=("dram",))
    hardware = Hardware("one link", "", None, parts)
    owner = assignment("owner", uniform(1, 50, 100, 30), engine=OWNER)
    host = assignment("host", uniform(1, 300, 10, 0), engine=HOST)
    # 50 B each in 100 ns; 100 ns of computing; 30 B each in 60 ns; the last 220 B
    assert ends(play(hardware, owner, host)) == [260, 260 + 220 + 10]


def test_two_owners_of_one_memory_compute_one_after_the_other() -> None:
    first = assignment("a", uniform(3, 0, 100, 0), engine=OWNER)
    second = assignment("b", uniform(3, 0, 70, 0), engine=HOST)
    both = play(shared("dram", other=("dram",)), first, second)
    assert both.makespan == 3 * 170 * NS
    assert both.busy[OWNER] + both.busy[HOST] == both.makespan
    assert play(shared("dram", other=("sram1",)), first, second).makespan == 300 * NS


def test_an_owner_of_two_waits_for_the_one_that_is_in_use() -> None:
    first = assignment("a", uniform(1, 0, 100, 0), engine=OWNER)
    second = assignment("b", uniform(1, 0, 70, 0), engine=HOST)
    found = play(shared("dram", other=("sram1", "dram")), first, second)
    assert ends(found) == [100, 170]


def test_a_resting_memory_is_woken_before_the_tile_computes() -> None:
    hardware = shared("dram")
    moody = Moody(name="dram", size=2**40, rate=10**9, first=20_000, second=100_000)
    hardware = dataclasses.replace(hardware, components={**hardware.components, "dram": moody})
    session = Session(hardware, {"op": placement(built("op", uniform(2, 0, 100, 0)))})
    for tick in (0, 200 * NS + 20_000, 440_001, 10**6):
        at(session, tick, "op")
    found = session.run()["op"]
    took = [run.end - run.asked for run in found.invocations]
    # awake; just not asleep yet; dozing by a tick (exit 500 ticks); asleep (exit 70,001)
    assert took == [200 * NS, 200 * NS, 200 * NS + 500, 200 * NS + 70_001]
    assert found.busy[OWNER] == 4 * 200 * NS  # waking is no computing
    states = found.uses["dram"].ticks
    assert states["sleep"] == 10**6 - (440_001 + 200_500) - 120_000
    assert sum(states.values()) == found.makespan


def test_a_memory_in_use_does_not_fall_asleep() -> None:
    hardware = shared("dram")
    moody = Moody(name="dram", size=2**40, rate=10**9, first=20_000, second=0)
    hardware = dataclasses.replace(hardware, components={**hardware.components, "dram": moody})
    owner = assignment("owner", uniform(50, 0, 1000, 0), engine=OWNER)
    found = play(hardware, owner)
    assert found.makespan == 50_000 * NS
    assert found.uses["dram"].ticks.get("doze", 0) == 0


# -- laws ------------------------------------------------------------------------------------------


@LAW
@given(st.integers(1, 40), st.integers(1, 900), st.integers(1, 900), OWNS)
def test_an_owner_whose_loads_need_its_memory_takes_turns_with_them(
    count: int, load: int, cycles: int, owns: tuple[str, ...]
) -> None:
    owner = assignment("owner", uniform(count, load, cycles, 0), engine=OWNER)
    assert play(shared(*owns), owner).makespan == count * (load + cycles) * NS


@st.composite
def chains(draw: st.DrawFn, engine: str) -> list[Assignment]:
    """Operators of one engine, each reading from the one before or not."""
    placed: list[Assignment] = []
    for number, plan in enumerate(draw(st.lists(plans(), min_size=1, max_size=3))):
        is_chained = draw(st.booleans())
        reads = output(placed[-1]) if placed and is_chained else None
        chosen = draw(st.sampled_from([(), (LOADED,), (LOADED, LATE)]))
        plan = dataclasses.replace(plan, exclusive=chosen)
        placed.append(assignment(f"{engine}.{number}", plan, engine=engine, reads=reads))
    return placed


def finish(found: Replay, engine: str) -> list[tuple[str, int]]:
    spans = [(span.assignment.op.name, span.end) for span in found.spans]
    return [one for one in spans if one[0].startswith(engine)]


def at_home(placed: list[Assignment], home: str) -> list[Assignment]:
    return [dataclasses.replace(one, homes=(home,) * 3) for one in placed]


@LAW
@given(chains(OWNER), chains(HOST))
def test_an_owner_delays_a_host_on_the_same_memory_and_is_not_delayed(
    owner: list[Assignment], host: list[Assignment]
) -> None:
    hardware = shared("dram", duplex="full")
    both = play(hardware, *owner, *host)
    assert finish(both, OWNER) == finish(play(hardware, *owner), OWNER)
    alone = finish(play(hardware, *host), HOST)
    assert all(
        late >= early for (_, late), (_, early) in zip(finish(both, HOST), alone, strict=True)
    )
    assert both.lower <= both.makespan <= both.serial


@LAW
@given(chains(OWNER), chains(HOST), st.sampled_from(["half", "full"]))
def test_on_two_memories_neither_knows_of_the_other(
    owner: list[Assignment], host: list[Assignment], duplex: str
) -> None:
    hardware, host = apart("dram", duplex=duplex), at_home(host, "dram1")
    both = play(hardware, *owner, *host)
    assert finish(both, OWNER) == finish(play(hardware, *owner), OWNER)
    assert finish(both, HOST) == finish(play(hardware, *host), HOST)


@LAW
@given(chains(OWNER), OWNS, st.sampled_from(["half", "full"]), st.sampled_from([0.0, 32e-9]))
def test_it_always_ends_within_its_bounds_and_moves_the_same(
    owner: list[Assignment], owns: tuple[str, ...], duplex: str, setup: float
) -> None:
    found = play(shared(*owns, duplex=duplex, setup=setup), *owner)
    free = play(shared(duplex=duplex, setup=setup), *owner)
    assert found.lower <= found.makespan <= found.serial
    assert (found.moved, found.busy) == (free.moved, free.busy)


@LAW
@given(chains(OWNER), chains(HOST), OWNS)
def test_two_owners_never_compute_at_the_same_time(
    first: list[Assignment], second: list[Assignment], owns: tuple[str, ...]
) -> None:
    found = play(shared("dram", *owns[1:], other=("dram",)), *first, *second)
    assert found.busy[OWNER] + found.busy[HOST] <= found.makespan <= found.serial


@LAW
@given(plans(), plans(), OWNS, st.integers(1, 40))
def test_the_accelerations_change_nothing(
    owner: TilePlan, host: TilePlan, owns: tuple[str, ...], steps: int
) -> None:
    work = [built("o", owner, engine=OWNER), built("h", host, engine=HOST)]
    plain, _ = agreeing(placement(block("r", steps, *work)), shared(*owns))
    assert plain.lower <= plain.makespan <= plain.serial


def test_long_runs_beside_a_host_are_skipped_over() -> None:
    owner = built("o", uniform(4000, 50, 100, 0), engine=OWNER)
    host = built("h", uniform(4000, 40, 60, 0), engine=HOST)
    plain, fast = agreeing(placement(owner, host), shared("dram"))
    assert fast.events < plain.events / 20
    assert ends(fast)[0] == 4000 * 150


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_more_slots_do_not_help_where_computing_stops_all_loads(slots: int) -> None:
    plan = dataclasses.replace(uniform(10, 50, 100, 0), slots_in=slots)
    owner = assignment("owner", plan, engine=OWNER)
    assert play(shared("dram"), owner).makespan == 10 * 150 * NS
