"""What memories did: actions follow the transfers that shared them, states the time."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hand_built import NS, agreeing, operator, placement
from hypothesis import given
from hypothesis import strategies as st
from random_work import Moody, play, work
from strategies import machine, uniform

from codesign.hardware.component import Descriptor
from codesign.hardware.spec import Hardware
from codesign.replay.result import Use
from codesign.replay.tally import Tally, add, since


def moody_machine(**fields: int) -> Hardware:
    """Two engines on links of their own, so that only the memory at home is shared."""
    built = machine(systolics=2, buffers=2, links=2, bandwidth=1e12, duplex="full")
    home = Moody(name="dram", size=2**40, rate=10**9, first=0, second=0)
    return Hardware("one", "", built.precision, {**built.components, "dram": home})


def kind(size: int, direction: str) -> tuple[str, int]:
    return direction, size % 3


def test_a_lone_pattern_acts_at_its_own_rate_and_is_active_while_it_moves() -> None:
    plan = uniform(10, 300, 0, 0)
    _, fast = agreeing(placement(operator("op", plan)), moody_machine())
    use = fast.uses["dram"]
    assert use.rates == {kind(300, "read"): {"activate": Fraction(1, 97)}}
    moving = 10 * 300 * NS * 4 // 5  # one kind alone is served at 5/4 of 1 GB/s
    assert use.ticks == {
        "active": moving // 7,
        "half": moving // 7,
        "idle": fast.makespan - 2 * (moving // 7),
    }


def test_kinds_that_share_act_at_the_joint_rate_in_proportion_to_their_bytes() -> None:
    one = operator("one", uniform(10, 300, 0, 0))
    other = operator("other", uniform(10, 301, 0, 0), engine="npu1")
    _, fast = agreeing(placement(one, other), moody_machine())
    rates = fast.uses["dram"].rates
    # both move at once until the shorter has ended; the rest of the longer runs alone
    assert rates[kind(300, "read")] == {"activate": Fraction(2, 97)}
    mixed = rates[kind(301, "read")]["activate"]
    assert Fraction(1, 97) < mixed < Fraction(2, 97)


@pytest.mark.parametrize("seed", range(40))
def test_states_add_up_to_the_session_and_rates_lie_between_the_least_and_the_most(
    seed: int,
) -> None:
    replays, _ = play(work(seed), exact_events=False)
    whole = max(one.makespan for one in replays.values())
    for one in replays.values():
        for name, use in one.uses.items():
            assert sum(use.ticks.values()) >= whole
            assert min(use.ticks.values()) >= 0
            for rates in use.rates.values():
                assert Fraction(1, 97) <= rates["activate"] <= Fraction(6, 97)
            assert bool(use.rates) <= (name == "dram")


def test_memories_without_states_are_idle_all_the_time() -> None:
    _, fast = agreeing(placement(operator("op", uniform(5, 10, 20, 30))), machine())
    assert fast.uses == {
        "dram": Use({}, {"idle": fast.makespan}),
        "sram0": Use({}, {"idle": fast.makespan}),
    }


TALLIES = st.dictionaries(
    st.one_of(st.integers(0, 5), st.tuples(st.integers(0, 3)), st.just(("dram", "doze"))),
    st.integers(0, 100),
)


@given(TALLIES, TALLIES, st.integers(0, 5))
def test_what_was_added_since_a_copy_is_added_again(first: Tally, grown: Tally, times: int) -> None:
    tally = dict(first)
    add(tally, grown)
    assert since(tally, first) == {key: value for key, value in grown.items() if value}
    add(tally, since(tally, first), times)
    for key in tally:
        assert tally[key] == first.get(key, 0) + (1 + times) * grown.get(key, 0)


def test_a_descriptor_of_the_tests_is_told_apart_by_direction_and_rest() -> None:
    home = Moody(name="dram", size=1, rate=1, first=0, second=0)
    assert home.classify(Descriptor(300, 1, 0, "read")) == kind(300, "read")
    assert home.classify(Descriptor(301, 1, 0, "write")) == kind(301, "write")
