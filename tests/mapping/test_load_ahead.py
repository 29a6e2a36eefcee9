"""Tiles load while those before them run that share the load before; the buffer holds the same."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.hardware.plan import Loop, Move, Room, Tile, TilePlan
from codesign.mapping.hierarchy.ahead import load_ahead

LOADING, SILENT = Tile(10, (Move(0, 64),)), Tile(7)


def plan(*body: Tile | Loop, repeats: int = 1) -> TilePlan:
    room = Room("registers", 4096, 100, 30)
    return TilePlan(
        Loop(body, repeats), 1e9, held_bytes=1000, slot_in_bytes=64, slot_out_bytes=8, rooms=(room,)
    )


def distances(found: TilePlan) -> list[int]:
    """From each tile that loads to the next one, tile by tile."""
    places, place = [], 0
    for tile, times in found.segments():
        places += [place + n for n in range(times)] if tile.loads else []
        place += times
    return [later - place for place, later in itertools.pairwise(places)]


@pytest.mark.parametrize("silent", [1, 3, 9])
def test_a_tile_loads_while_all_of_the_group_before_it_run(silent: int) -> None:
    found = load_ahead(plan(LOADING, Loop((SILENT,), silent), repeats=5))
    assert found.slots_in == silent + 2
    assert found.loop == plan(LOADING, Loop((SILENT,), silent), repeats=5).loop


def test_the_buffer_and_the_rooms_hold_two_loads_as_before() -> None:
    before = plan(LOADING, SILENT, repeats=4)
    found = load_ahead(before)
    assert found.buffer_bytes == before.buffer_bytes
    assert (found.held_bytes, found.slot_in_bytes) == (1000 + 2 * 64, 0)
    assert found.rooms == (Room("registers", 4096, 100 + 2 * 30, 0),)


@pytest.mark.parametrize(
    "body",
    [(LOADING,), (SILENT,), (LOADING, SILENT), (SILENT, LOADING, LOADING, SILENT)],
    ids=["all load", "none loads", "one load in all", "two beside each other"],
)
def test_where_loads_follow_each_other_or_there_is_one_nothing_changes(
    body: tuple[Tile, ...],
) -> None:
    before = plan(*body)
    assert load_ahead(before) is before


@st.composite
def loops(draw: st.DrawFn, depth: int = 3) -> Loop:
    tiles = st.sampled_from([LOADING, SILENT, SILENT])
    part = tiles if depth == 0 else st.one_of(tiles, loops(depth=depth - 1))
    body = draw(st.lists(part, min_size=1, max_size=3))
    return Loop(tuple(body), draw(st.integers(1, 4)))


@given(loops())
def test_the_slots_are_the_least_distance_of_loads_and_one(loop: Loop) -> None:
    before = TilePlan(loop, 1e9, slot_in_bytes=64)
    found, apart = load_ahead(before), distances(before)
    assert found.slots_in == (min(apart) + 1 if apart and min(apart) > 1 else 2)
    assert found.buffer_bytes == before.buffer_bytes


@given(loops())
def test_no_more_than_two_loads_are_there_at_once(loop: Loop) -> None:
    found = load_ahead(TilePlan(loop, 1e9, slot_in_bytes=64))
    loading = [bool(tile.loads) for tile, times in found.segments() for _ in range(times)]
    for last in range(len(loading)):
        first = max(0, last - found.slots_in + 1)
        assert not loading[last] or sum(loading[first : last + 1]) <= 2
