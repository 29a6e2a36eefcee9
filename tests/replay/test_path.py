"""The critical path of a replay: no gap, no difference by what is skipped, bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from crowded_work import crowded
from hand_built import NS, block, operator, placement, slow_link
from hypothesis import given
from hypothesis import strategies as st
from random_work import Work, work
from strategies import machine, uniform

from codesign.hardware.plan import Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.replay import record as recording
from codesign.replay.path import fold, repeated
from codesign.replay.run import Recording, record, replay
from codesign.replay.trail import Activity, Key, Stretch

SEEDS = 70
LATE = Move(1, 100)


def total(found: Recording) -> Counter[Key]:
    """Ticks of the whole path by key."""
    ticks: Counter[Key] = Counter()
    for stretch in found.stretches:
        for key, value in stretch.ticks.items():
            ticks[key] += value
    return ticks


def phases(found: Recording) -> dict[str, int]:
    """Nanoseconds of the path by what an operator did."""
    spent: Counter[str] = Counter()
    for (_, doing, _), ticks in total(found).items():
        assert isinstance(doing, Activity)
        spent[doing.phase] += ticks
    return {phase: ticks // NS for phase, ticks in spent.items()}


def both(placed: Placement, hardware: Hardware) -> Recording:
    """The fast recording, after its path was found to be that of every event."""
    fast, plain = (record(placed, hardware, exact_events=exact) for exact in (False, True))
    assert total(fast) == total(plain)
    assert sum(total(fast).values()) == fast.replay.makespan == plain.replay.makespan
    return fast


def alone(case: Work) -> Iterator[Placement]:
    """The programs of a random case, each to be played by itself."""
    yield from case.programs.values()


@pytest.mark.parametrize("make", [work, crowded])
def test_parts_sum_to_the_makespan_whether_or_not_anything_is_skipped(make: object) -> None:
    skipped = 0
    for seed in range(SEEDS):
        case = make(seed)  # type: ignore[operator]  # one of the two
        for placed in alone(case):
            try:
                fast = both(placed, case.hardware)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}") from error
            tiles = sum(a.plan.tiles * n if a.plan else 1 for a, n in placed.assignments())
            skipped += fast.replay.events < tiles
    assert skipped > SEEDS / 10  # periods were folded


def test_recording_changes_nothing_that_is_measured() -> None:
    for seed in range(SEEDS):
        case = work(seed)
        for placed in alone(case):
            with_path, without = record(placed, case.hardware), replay(placed, case.hardware)
            assert with_path.replay.spans == without.spans
            assert with_path.replay.moved == without.moved
            assert with_path.replay.events == without.events
            assert with_path.replay.uses == without.uses


def test_three_tiles_by_hand() -> None:
    placed = placement(operator("op", uniform(3, 100, 150, 50)))
    # load 100, three computes of 150 one behind the other, the last store
    assert phases(both(placed, slow_link())) == {"whole": 100, "compute": 450, "store": 50}


@pytest.mark.parametrize("tiles", [4, 40, 100_000])
def test_a_long_loop_repeats_its_period(tiles: int) -> None:
    placed = placement(operator("op", uniform(tiles, 100, 150, 50)))
    found = record(placed, slow_link())
    assert phases(found) == {"whole": 100, "compute": 150 * tiles, "store": 50}
    assert found.replay.events < 30
    assert len(found.stretches) < 30


def test_a_loop_bound_by_its_loads_waits_for_loads() -> None:
    placed = placement(operator("op", uniform(1000, 100, 20, 0)))
    assert phases(both(placed, slow_link())) == {"whole": 100 * 1000, "compute": 20}


def test_steps_of_a_region_are_multiplied() -> None:
    cell = operator("cell", uniform(8, 100, 150, 50))
    few, many = (
        phases(record(placement(block("steps", steps, cell)), slow_link()))
        for steps in (1_000, 1_001_000)
    )
    each = {"compute": 8 * 150 * 1_000_000}
    assert many["compute"] - few["compute"] == each["compute"]
    assert {phase: many[phase] - few[phase] for phase in many if phase != "compute"}.keys() <= {
        "whole",
        "store",
        "early",
        "late",
    }


def test_equal_layers_share_what_was_recorded_and_keep_their_own_names() -> None:
    layers = [operator(f"layer{number}", uniform(8, 100, 150, 0)) for number in range(200)]
    found = both(placement(*layers), slow_link())
    computed: Counter[int] = Counter()
    for (op, doing, _), ticks in total(found).items():
        if isinstance(doing, Activity) and doing.phase == "compute":
            computed[op] += ticks
    assert dict(computed) == dict.fromkeys(range(200), 8 * 150 * NS)


def test_an_operator_that_waits_for_another_begins_with_a_forced_load() -> None:
    first = operator("first", uniform(1, 100, 10, 50))
    reads = first.op.outputs[0].tensor
    plan = TilePlan(Loop((Tile(10, (LATE,), ()),), 1), 1e9, slot_in_bytes=100)
    second = operator("second", plan, reads=reads)
    forced = {
        (op, doing.phase)
        for (op, doing, _) in total(both(placement(first, second), slow_link()))
        if isinstance(doing, Activity) and doing.forced
    }
    assert forced == {(0, "store"), (1, "whole")}


def test_weights_are_not_forced() -> None:
    layers = [operator(f"layer{number}", uniform(2, 100, 10, 0)) for number in range(3)]
    keys = total(both(placement(*layers), slow_link()))
    assert not any(isinstance(doing, Activity) and doing.forced for _, doing, _ in keys)


@pytest.mark.parametrize("links", [0, 3, 40])
@pytest.mark.parametrize("exact", [False, True])
def test_adding_up_long_frames_changes_no_part(
    links: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(12):
        case = work(seed)
        for placed in alone(case):
            before = total(record(placed, case.hardware))
            with monkeypatch.context() as few:
                few.setattr(recording, "MOST_LINKS", links)
                few.setattr(recording, "LONG_FRAME", links // 2)
                assert total(record(placed, case.hardware, exact_events=exact)) == before


@pytest.mark.parametrize("frames", [0, 5])
def test_adding_up_many_frames_changes_no_part(
    frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(12):
        case = crowded(seed)
        for placed in alone(case):
            before = total(record(placed, case.hardware))
            with monkeypatch.context() as few:
                few.setattr(recording, "MOST_FRAMES", frames)
                found = record(placed, case.hardware)
            assert total(found) == before
            assert found.replay.makespan == sum(before.values())


def test_records_are_dropped_where_a_loop_never_recurs() -> None:
    # cycles that never repeat keep the joint state from recurring
    tiles = tuple(Tile(100 + number * number % 997, (Move(0, 64),), ()) for number in range(3000))
    placed = placement(operator("op", TilePlan(Loop(tiles, 1), 1e9, slot_in_bytes=64)))
    found = both(placed, machine(bandwidth=1e9))
    assert len(found.stretches) <= 256


# -- folding -------------------------------------------------------------------------------------

KEY: Key = (0, Activity(0, "compute"), "run")


@given(
    st.lists(st.integers(0, 5), min_size=6, max_size=6),
    st.integers(0, 5),
    st.integers(0, 60),
)
def test_periods_multiplied_equal_periods_walked(steps: list[int], start: int, times: int) -> None:
    def back(place: int) -> tuple[list[Stretch], int]:
        return [Stretch({KEY: 10**place})], steps[place]

    walked, place = 0, start
    for _ in range(times):
        walked, place = walked + 10**place, steps[place]
    found, end = repeated(back, start, times)
    assert end == place
    assert sum(one.ticks[KEY] for one in found) == walked
    assert sum(one.folded for one in found) == times


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 8))
def test_folding_keeps_the_sum_and_the_order(ticks: list[int], most: int) -> None:
    keys: list[Key] = [(number, Activity(0, "compute"), "run") for number in range(len(ticks))]
    latest_first = [Stretch({key: value}) for key, value in zip(keys, ticks, strict=True)][::-1]
    found = fold(latest_first, most)
    assert len(found) <= most
    in_order = [key for stretch in reversed(found) for key in stretch.ticks]
    assert in_order == keys
    assert sum(value for one in found for value in one.ticks.values()) == sum(ticks)
    assert sum(one.folded for one in found) == len(ticks)
