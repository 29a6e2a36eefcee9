"""Greedy residency, and how far it is from the optimal one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_programs import case

from codesign.errors import MappingError
from codesign.mapping import greedy as module
from codesign.mapping import optimal
from codesign.mapping.greedy import choose_greedily, may_stay, turns
from codesign.mapping.hold import Hold, peak
from codesign.mapping.optimal import choose_optimally
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.mapping.residency import Policy
from codesign.testing.operators import whole

LENGTH = 6
CASES = range(200)


def hold(name: str, first: int, last: int, size: int, saved: int, memory: str = "sram") -> Hold:
    tensor = whole(name, (size,), "weight").tensor
    return Hold((tensor,), memory, size, 0, first, last, first, last, saved)


def greedy(holds: Sequence[Hold], room: int, fixed: Sequence[Hold] = ()) -> list[str]:
    return sorted(
        name for h in choose_greedily(holds, {"sram": room}, LENGTH, fixed) for name in h.names
    )


def saved(holds: Sequence[Hold]) -> int:
    return sum(hold.saved for hold in holds)


@cache
def placed(seed: int, policy: Policy) -> Placement:
    return place(*case(seed), policy)


def home_bytes(seed: int, policy: Policy) -> int:
    return placed(seed, policy).home_bytes


# -- by hand --------------------------------------------------------------------------------------


def test_what_saves_most_per_byte_stays() -> None:
    holds = [hold("a", 0, 3, 60, 120), hold("b", 0, 3, 60, 180), hold("c", 0, 3, 60, 60)]
    assert greedy(holds, 60) == ["b"]
    assert greedy(holds, 120) == ["a", "b"]
    assert greedy(holds, 180) == ["a", "b", "c"]


def test_what_does_not_overlap_in_time_shares_the_same_bytes() -> None:
    assert greedy([hold("a", 0, 2, 60, 60), hold("b", 3, 5, 60, 60)], 60) == ["a", "b"]
    assert greedy([hold("a", 0, 3, 60, 61), hold("b", 3, 5, 60, 60)], 60) == ["a"]


def test_a_large_saving_is_not_lost_to_a_small_one_that_is_worth_more_per_byte() -> None:
    holds = [hold("small", 0, 5, 1, 2), hold("large", 0, 5, 100, 100)]
    assert greedy(holds, 100) == ["large"]


def test_what_was_left_out_gets_its_turn_to_go_first() -> None:
    """Every order takes one of the two middling ones first, and two of the others are better."""
    long, wide = hold("long", 0, 5, 50, 300), hold("wide", 0, 2, 100, 310)
    left, right = hold("left", 0, 2, 50, 200), hold("right", 3, 5, 100, 290)
    holds = [long, wide, left, right]
    best = saved(choose_optimally(holds, {"sram": 100}, LENGTH))
    assert saved(choose_greedily(holds, {"sram": 100}, LENGTH)) == best == 310 + 290


def test_one_tensor_stays_once_at_a_time() -> None:
    twice = [hold("a", 0, 5, 10, 30), hold("a", 0, 2, 10, 20), hold("a", 3, 5, 10, 20)]
    chosen = choose_greedily(twice, {"sram": 1000}, LENGTH)
    assert [(h.first, h.last) for h in sorted(chosen, key=lambda h: h.first)] == [(0, 2), (3, 5)]


def test_what_saves_nothing_does_not_stay() -> None:
    assert greedy([hold("a", 0, 5, 10, 0), hold("b", 0, 5, 10, -5)], 1000) == []


def test_nothing_to_choose_from_is_no_trouble() -> None:
    assert choose_greedily([], {"sram": 100}, LENGTH) == ()
    assert choose_optimally([], {"sram": 100}, LENGTH) == ()


def test_what_is_decided_already_keeps_its_room_and_its_bytes_are_not_given_out() -> None:
    pin = hold("pin", 2, 2, 60, 1)
    holds = [hold("across", 0, 5, 60, 600), hold("before", 0, 1, 70, 60)]
    assert greedy(holds, 100, [pin]) == ["before"]
    assert greedy(holds, 120, [pin]) == ["across"]


def test_each_memory_has_a_limit_of_its_own() -> None:
    holds = [hold("a", 0, 5, 60, 60), hold("b", 0, 5, 60, 60, "extra")]
    chosen = choose_greedily(holds, {"sram": 50, "extra": 60}, LENGTH)
    assert [h.names for h in chosen] == [("b",)]


def test_the_answer_does_not_depend_on_the_order_of_the_candidates() -> None:
    holds = [hold(f"t{n}", n % 3, 3 + n % 3, 20 + 7 * n, 50 + 13 * n) for n in range(5)]
    found = {tuple(greedy(list(order), 100)) for order in itertools.permutations(holds)}
    assert len(found) == 1


# -- against the best choice there is -------------------------------------------------------------

HOLDS = st.lists(
    st.builds(
        lambda name, begin, length, size, saved: hold(
            name, begin, min(begin + length, LENGTH - 1), size, saved
        ),
        st.sampled_from("abcdef"),
        st.integers(0, LENGTH - 1),
        st.integers(0, LENGTH),
        st.integers(1, 50),
        st.integers(-5, 200),
    ),
    max_size=8,
)


def fits(holds: Sequence[Hold], room: int) -> bool:
    pairs = itertools.combinations(holds, 2)
    return peak(holds, "sram") <= room and not any(one.clashes(two) for one, two in pairs)


@given(HOLDS, st.integers(0, 120))
def test_the_optimal_choice_is_the_best_of_all_that_fit(holds: list[Hold], room: int) -> None:
    subsets = (
        subset
        for count in range(len(holds) + 1)
        for subset in itertools.combinations(holds, count)
        if fits(subset, room)
    )
    chosen = choose_optimally(holds, {"sram": room}, LENGTH)
    assert fits(chosen, room)
    assert saved(chosen) == max(map(saved, subsets))


@given(HOLDS, st.integers(0, 120))
def test_the_greedy_choice_fits_and_saves_at_most_as_much_as_the_optimal_one(
    holds: list[Hold], room: int
) -> None:
    chosen = choose_greedily(holds, {"sram": room}, LENGTH)
    assert fits(chosen, room)
    assert saved(chosen) <= saved(choose_optimally(holds, {"sram": room}, LENGTH))


def test_a_search_that_grows_too_large_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(optimal, "MOST", 2)
    monkeypatch.setattr(optimal, "choose_greedily", lambda *_: ())
    holds = [hold(name, 0, 5, 10 + n, 10 * (10 + n)) for n, name in enumerate("abcdef")]
    with pytest.raises(MappingError) as refused:
        choose_optimally(holds, {"sram": 35}, LENGTH)
    assert str(refused.value) == (
        "residency 'optimal' keeps at most 2 partial choices and this trace needs more; "
        "take the policy 'greedy'"
    )


def test_greedy_traffic_is_within_five_percent_of_optimal_on_200_random_programs() -> None:
    for seed in CASES:
        found, best = home_bytes(seed, "greedy"), home_bytes(seed, "optimal")
        assert best <= found <= 1.05 * best, f"seed {seed}: {found} B, optimal {best} B"


def test_residency_never_moves_more_than_none_and_mostly_less() -> None:
    found = [(home_bytes(s, "none"), home_bytes(s, "greedy")) for s in CASES]
    assert all(nothing >= some for nothing, some in found)
    assert sum(nothing > some for nothing, some in found) >= 190


def test_many_of_the_random_programs_have_no_room_for_some_tensor() -> None:
    """Where everything fits, greedy and optimal would agree for no merit of theirs."""
    notes = [" ".join(placed(seed, "greedy").notes) for seed in CASES]
    assert sum("no room, most of all" in note for note in notes) >= 60


def test_above_ten_thousand_candidates_none_gets_a_turn() -> None:
    assert [turns(count) for count in (0, 1, 4, 10_000, 10_001)] == [10_000, 10_000, 2_500, 1, 0]


@pytest.mark.parametrize("policy", ["greedy", "optimal"])
def test_candidates_that_get_no_turn_are_told(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "are too many for residency 'greedy' to give those that it left out a turn to go first"
    assert not any(said in note for note in placed(0, policy).notes)
    monkeypatch.setattr(module, "_WORK", 2)
    notes = [note for note in place(*case(0), policy).notes if said in note]
    assert len(notes) == (policy == "greedy")
    if notes:
        count = int(notes[0].split(" candidates ")[0])
        assert count > 2


def test_what_may_stay_saves_something_and_fits_beside_what_is_decided() -> None:
    holds = [hold("a", 0, 5, 60, 0), hold("b", 0, 5, 60, 60), hold("c", 0, 1, 61, 60)]
    assert may_stay(holds, {"sram": 60}, LENGTH) == [holds[1]]
    pin = hold("pin", 3, 3, 40, 1)
    assert may_stay(holds, {"sram": 99}, LENGTH, [pin]) == [holds[2]]
