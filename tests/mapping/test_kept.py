"""What is kept is bounded, goes in the order of use, and is forgotten on demand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.mapping.kept import Kept, KeptOf, Marks, forget_all


@dataclass(frozen=True)
class Thing:
    """Equal to others of the same value."""

    value: int


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept = Kept[str](2)
    for key in "ab":
        kept.keep(key, key.upper())
    assert kept.find("a") == "A"
    kept.keep("c", "C")
    assert [kept.find(key) for key in "abc"] == ["A", None, "C"]


def test_a_key_holds_its_latest_result() -> None:
    kept = Kept[int](10)
    kept.keep("a", 1, 4)
    assert kept.keep("a", 2, 3) == 2
    assert (kept.find("a"), len(kept), kept.size) == (2, 1, 3)


def test_the_latest_is_kept_at_any_size() -> None:
    kept = Kept[str](3)
    kept.keep("small", "s")
    kept.keep("large", "l", 100)
    assert (kept.find("small"), kept.find("large"), kept.size) == (None, "l", 100)
    kept.keep("small", "s")
    assert (kept.find("large"), kept.size) == (None, 1)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5), st.booleans())))
def test_there_is_never_more_than_there_is_room_for(
    turns: list[tuple[int, int, bool]],
) -> None:
    kept, sizes = Kept[int](8), dict[int, int]()
    for key, size, only_asks in turns:
        if only_asks:
            assert kept.find(key) in (None, key)
            continue
        kept.keep(key, key, size)
        sizes[key] = size
        assert kept.find(key) == key
        alive = [one for one in range(7) if kept.find(one) is not None]
        assert kept.size == sum(sizes[one] for one in alive) <= 8
        assert len(kept) == len(alive)


def test_what_follows_from_a_thing_is_made_once_and_anew_for_an_equal_one() -> None:
    made: list[Thing] = []

    def make(thing: Thing) -> int:
        made.append(thing)
        return thing.value + 1

    kept, one = KeptOf(8, make), Thing(1)
    assert [kept.of(one), kept.of(one), kept.of(Thing(1)), kept.of(Thing(2))] == [2, 2, 2, 3]
    assert [thing.value for thing in made] == [1, 1, 2]


def test_what_follows_from_a_thing_may_be_nothing() -> None:
    made: list[Thing] = []
    kept, one = KeptOf(8, made.append), Thing(1)
    assert [kept.of(one), kept.of(one)] == [None, None]
    assert made == [one]


def test_a_thing_that_is_kept_lends_its_address_to_no_other() -> None:
    kept = KeptOf[Thing, int](4, lambda thing: thing.value)
    for value in range(1000):
        assert kept.of(Thing(value)) == value


def test_equal_contents_have_one_mark() -> None:
    marks = Marks[Thing](8, lambda thing: thing.value % 10)
    assert marks.of(Thing(3)) is marks.of(Thing(3)) is marks.of(Thing(13))
    assert marks.of(Thing(3)) is not marks.of(Thing(4))
    assert marks.of(Thing(4)).content == 4


def test_a_mark_that_was_forgotten_is_never_taken_for_a_new_one() -> None:
    marks = Marks[Thing](2, lambda thing: thing.value)
    first = marks.of(Thing(0))
    for value in range(1, 5):
        marks.of(Thing(value))
    assert marks.of(Thing(0)) is not first
    assert marks.of(Thing(0)).content == first.content


@pytest.mark.parametrize("most", [1, 4])
def test_everything_can_be_forgotten(most: int) -> None:
    kept, other = Kept[str](most), KeptOf[Thing, object](most, lambda _: object())
    kept.keep("a", "A")
    one = Thing(1)
    before = other.of(one)
    forget_all()
    assert (kept.find("a"), kept.size, len(kept)) == (None, 0, 0)
    assert other.of(one) is not before
