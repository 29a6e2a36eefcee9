"""A replay serves all who would measure the same, and nobody else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from hand_built import agreeing, block, operator, placement, runs
from hypothesis import given, settings
from strategies import KIB, Sketch, machine, machines, traces, uniform

from codesign.errors import HardwareError
from codesign.hardware.component import Link
from codesign.hardware.fields_only import fields_only
from codesign.hardware.spec import Hardware
from codesign.mapping.kept import forget_all
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.replay import known
from codesign.replay.known import content, replay_once
from codesign.replay.run import Replay, replay
from codesign.result.ledger import build_ledger
from codesign.units import BytesPerSecond
from codesign.workload.record import Trace


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Placement]:
    """The placements that were really played."""
    found: list[Placement] = []

    def noted(placed: Placement, hardware: Hardware, *, most_events: int) -> Replay:
        found.append(placed)
        return replay(placed, hardware, most_events=most_events)

    monkeypatch.setattr(known, "replay", noted)
    return found


def figures(found: Replay) -> tuple[Any, ...]:
    return (
        (found.makespan, found.lower, found.serial, found.events),
        (found.busy, found.moved, found.uses, found.invocations),
        runs(found),
    )


def network() -> Trace:
    """A product, a recurrence and a softmax."""
    sketch = Sketch("network")
    x = sketch.matmul("up", sketch.input("x", 12, 48), 32)
    sketch.softmax("soft", sketch.recurrent("rnn", x, 32))
    return sketch.trace()


SAME = (
    {"sram0.leakage": 1.0},
    {"sram0.read_energy": 1e-9},
    {"bus0.energy": 3e-12},
    {"npu0.mac_energy.int8*int8": 1e-9},
    {"npu0.leakage": 2.0, "vector.operation_energy": 7e-12},
)
OTHER = (
    {"dram.bandwidth": 3e9},
    {"bus0.bandwidth": 2e9},
    {"bus0.setup": 77e-9},
    {"sram0.bandwidth": 1e9},
    {"npu0.clock": 0.7e9},
    {"npu0.rows": 8},
    {"sram0.size": 24 * KIB},
)


def test_machines_that_differ_in_prices_share_a_replay(played: list[Placement]) -> None:
    hardware, trace = machine(), network()
    first = replay_once(place(trace, hardware), hardware)
    for settings_ in SAME:
        other = hardware.with_all(settings_)
        assert figures(replay_once(place(trace, other), other)) == figures(first)
    assert len(played) == 1


@pytest.mark.parametrize("change", OTHER, ids=str)
def test_machines_that_differ_in_speed_share_none(
    change: dict[str, object], played: list[Placement]
) -> None:
    hardware, trace = machine(), network()
    for one in (hardware, hardware.with_all(change), hardware, hardware.with_all(change)):
        placed = place(trace, one)
        assert figures(replay_once(placed, one)) == figures(replay(placed, one))
    assert len(played) == 2


@settings(max_examples=15)
@given(traces(), machines())
def test_a_replay_that_was_played_before_is_the_same(trace: Trace, hardware: Hardware) -> None:
    placed = place(trace, hardware)
    alone = figures(replay(placed, hardware))
    slower = hardware.with_all({"bus0.bandwidth": 0.9e9})
    for one in (hardware, slower, hardware):
        found = replay_once(place(trace, one), one)
        assert figures(found) == figures(replay(place(trace, one), one))
    assert figures(replay_once(placed, hardware)) == alone


def test_placements_that_differ_anywhere_are_told_apart() -> None:
    plan, other = uniform(3, 10, 4, 2), uniform(4, 10, 4, 2)
    one = operator("one", plan)
    every = [
        placement(one),
        placement(operator("one", other)),
        placement(operator("two", plan)),
        placement(operator("one", plan, engine="vector")),
        placement(operator("one", plan, budget=1000)),
        placement(operator("one", plan, reuses=("old",))),
        placement(replace(one, piece=(0, 2))),
        placement(replace(one, stages=("sram0",) * 3)),
        placement(replace(one, homes=("dram", "sram0", "dram"))),
        placement(one, operator("two", plan)),
        placement(block("loop", 2, one)),
        placement(block("loop", 3, one)),
        placement(block("loop", 2, one, preload=operator("before", plan))),
        placement(block("loop", 2, one, writeback=operator("before", plan))),
        placement(one, setup=(operator("before", plan),)),
        placement(operator("before", plan), one),
        replace(placement(one), home="sram0"),
    ]
    shown = replace(every[0].trace, notes=())
    contents = [content(replace(placed, trace=shown)) for placed in every]
    for (_, a), (_, b) in itertools.combinations(enumerate(contents), 2):
        assert a != b
    again = [content(replace(placed, trace=shown)) for placed in every]
    assert contents == again
    assert content(every[0]) != contents[0]  # another trace may carry other state


def test_equal_placements_made_anew_share_a_replay(played: list[Placement]) -> None:
    hardware, trace = machine(), network()
    first = place(trace, hardware)
    again = place(trace, hardware)
    assert first is not again
    assert figures(replay_once(first, hardware)) == figures(replay_once(again, hardware))
    assert len(played) == 1


def test_who_changes_his_replay_changes_no_other() -> None:
    hardware, trace = machine(), network()
    placed = place(trace, hardware)
    mine = replay_once(placed, hardware)
    mine.busy.clear()
    mine.moved.clear()
    assert figures(replay_once(placed, hardware)) == figures(replay(placed, hardware))


def test_a_placement_that_is_too_large_to_keep_is_played_every_time(
    played: list[Placement], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_OPS", 2)
    hardware, trace = machine(), network()
    placed = place(trace, hardware)
    ledgers = []
    for _ in range(2):
        found = replay_once(placed, hardware)
        assert figures(found) == figures(replay(placed, hardware))
        ledgers.append(build_ledger(placed, hardware, found).energy.tolist())
    assert len(played) == 2
    assert ledgers[0] == ledgers[1]


@fields_only
@dataclass(frozen=True, kw_only=True)
class Moody(Link):
    """A link of a third party: how fast it is depends on its price, where that is odd."""

    kind: ClassVar[str] = "moody"

    rate: BytesPerSecond = 1e9
    price: int = 2

    @property
    def bytes_per_s(self) -> int:
        return int(self.rate) // 2 if self.price % 2 else int(self.rate)

    def energies_j(self) -> dict[str, float]:
        return {"move": self.price * 1e-12}


def test_a_plugin_whose_speed_depends_on_its_price_is_no_exception(
    played: list[Placement],
) -> None:
    plain, trace = machine(), network()
    found = {}
    for price in (2, 4, 3, 6, 5):
        parts = dict(plain.components)
        parts["bus0"] = Moody(name="bus0", connects=("dram", "sram0"), price=price)
        hardware = replace(plain, components=parts)
        placed = place(trace, hardware)
        found[price] = replay_once(placed, hardware)
        assert figures(found[price]) == figures(replay(placed, hardware))
    assert found[3].makespan > found[2].makespan == found[6].makespan
    assert len(played) == 5  # the price is read whenever the rate is asked for


def test_charges_that_are_kept_are_priced_anew() -> None:
    hardware, trace = machine(), network()
    dear = hardware.with_all({"bus0.energy": 5e-12})
    ledgers = {}
    for one in (hardware, dear):
        placed = place(trace, one)
        ledgers[one.digest] = build_ledger(placed, one, replay_once(placed, one))
    cheap, costly = ledgers.values()
    assert costly.count.tolist() == cheap.count.tolist()
    assert costly.energy_by("component")["bus0"] == pytest.approx(
        5 * cheap.energy_by("component")["bus0"]
    )
    forget_all()
    placed = place(trace, dear)
    alone = build_ledger(placed, dear, replay(placed, dear))
    assert alone.energy.tolist() == costly.energy.tolist()
    assert [getattr(alone, name).tolist() for name in ("op", "component", "action", "role")] == [
        getattr(costly, name).tolist() for name in ("op", "component", "action", "role")
    ]


def test_a_ledger_is_its_owners() -> None:
    hardware, trace = machine(leakage=0.1), network()
    placed = place(trace, hardware)
    found = replay_once(placed, hardware)
    before = build_ledger(placed, hardware, found)
    copy = before.energy.tolist(), before.count.tolist()
    before.energy[:], before.count[:] = 0, 0
    after = build_ledger(placed, hardware, found)
    assert (after.energy.tolist(), after.count.tolist()) == copy


def test_replays_of_one_placement_with_other_actions_are_charged_apart() -> None:
    hardware, trace = machine(), network()
    placed = place(trace, hardware)
    found = replay_once(placed, hardware)
    build_ledger(placed, hardware, found)
    assert build_ledger(placed, hardware, replace(found, invocations=())).ops == ()
    acted = replace(found, actions=((found.program[0], "", "function", 5),))
    more = build_ledger(placed, hardware, acted).count.sum()
    assert more == build_ledger(placed, hardware, found).count.sum() + 5


def test_an_action_that_lost_its_price_is_an_error_though_it_was_charged_before() -> None:
    @fields_only
    @dataclass(frozen=True, kw_only=True)
    class Priceless(Moody):
        kind: ClassVar[str] = "priceless"

        def energies_j(self) -> dict[str, float]:
            return {"move": 1e-12} if self.price < 10 else {}

    plain, (placed, _) = machine(), (place(network(), machine()), None)
    found = None
    for price in (1, 10):
        parts = dict(plain.components)
        parts["bus0"] = Priceless(name="bus0", connects=("dram", "sram0"), price=price)
        hardware = replace(plain, components=parts)
        found = found or replay(placed, hardware)
        if price == 1:
            assert build_ledger(placed, hardware, found).energy.sum() > 0
            continue
        with pytest.raises(HardwareError, match=r"bus0 .* has no energy for action 'move'"):
            build_ledger(placed, hardware, found)


def test_the_replay_itself_is_never_taken_from_another() -> None:
    placed, hardware = placement(operator("one", uniform(3, 10, 4, 2))), machine()
    kept = replay_once(placed, hardware)
    plain, fast = agreeing(placed, hardware)
    assert plain is not fast
    assert figures(kept)[1:] == figures(fast)[1:]
