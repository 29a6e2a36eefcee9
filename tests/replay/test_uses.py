"""What memories did: actions follow the transfers that shared them, states the time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hand_built import NS, agreeing, operator, placement
from hypothesis import given
from hypothesis import strategies as st
from random_work import Moody, play, work
from strategies import machine, part, uniform

from codesign.errors import CodesignError
from codesign.hardware.component import Descriptor
from codesign.hardware.spec import Hardware
from codesign.replay.result import Replay, Use
from codesign.replay.tally import Tally, add, since
from codesign.result.ledger import Ledger, build_ledger


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
    one = operator("one", uniform(1, 300, 0, 0))
    other = operator("other", uniform(1, 301, 0, 0), engine="npu1")
    _, fast = agreeing(placement(one, other), moody_machine())
    rates = fast.uses["dram"].rates
    # both move at once until the shorter has ended; the rest of the longer runs alone
    assert rates[kind(300, "read")] == {"activate": Fraction(2, 97)}
    mixed = rates[kind(301, "read")]["activate"]
    assert Fraction(1, 97) < mixed < Fraction(2, 97)


def test_what_a_slow_transfer_leaves_is_used_by_the_other_one_alone() -> None:
    hardware = moody_machine().with_("bus1.bandwidth", 10**8)
    many, few = operator("one", uniform(1, 30_000, 0, 0)), operator("other", uniform(1, 301, 0, 0))
    placed = placement(many, replace(few, engine="npu1"))
    _, fast = agreeing(placed, hardware)
    rates = fast.uses["dram"].rates
    assert rates[kind(301, "read")] == {"activate": Fraction(2, 97)}  # never alone
    # a tenth of the rate of two kinds beside each other is a sixth of the time for both
    share = rates[kind(30_000, "read")]["activate"]
    assert Fraction(1, 97) < share < Fraction(3, 2) * Fraction(1, 97)


@pytest.mark.parametrize("seed", range(40))
def test_states_add_up_to_the_session_and_rates_lie_between_the_least_and_the_most(
    seed: int,
) -> None:
    case = work(seed)
    replays, heard = play(case, exact_events=False)
    whole = max(
        [one.makespan for one in replays.values()] + [tick for tick, who in heard if who >= 0]
    )
    for one in replays.values():
        for name, use in one.uses.items():
            assert sum(use.ticks.values()) == whole
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


def through_moody(*, strided_first: bool) -> tuple[Replay, Ledger]:
    """Two operators whose tensors live behind the memory that acts, so that all moves cross it."""
    built = moody_machine()
    host = part("flat_dram", "host", device="any", size=2**40, bandwidth=1e14, efficiency=1)
    road = part("link", "road", connects=("host", "dram"), bandwidth=1e12, setup=0.0, energy=1e-12)
    hardware = Hardware(
        "far", "", built.precision, {**built.components, "host": host, "road": road}
    )
    assert hardware.crossed("host", "sram0") == ("dram",)
    ops = [operator(f"op{size}", uniform(5, size, 0, 0)) for size in (300, 301)]
    far = [replace(one, homes=("host",) * 3) for one in ops]
    placed = placement(*(reversed(far) if strided_first else far))
    _, fast = agreeing(placed, hardware)
    return fast, build_ledger(placed, hardware, fast)


def test_a_memory_that_is_crossed_tells_transfers_apart_and_charges_what_they_do() -> None:
    first, ledger = through_moody(strided_first=False)
    second, _ = through_moody(strided_first=True)
    assert first.makespan == second.makespan
    assert first.uses["dram"] == second.uses["dram"]
    assert len(first.uses["dram"].rates) == 4  # two sizes, written and read
    acted = (ledger.component == "dram") & (ledger.action == "activate")
    assert set(ledger.op[acted].tolist()) == {0, 1}
    assert int(ledger.count[acted].sum()) == pytest.approx(2 * 5 * 601 * 2 / 97, abs=2)


def test_energy_does_not_depend_on_how_work_is_cut_into_operators() -> None:
    hardware = moody_machine()
    many = [operator(f"op{number}", uniform(1, 30, 0, 0)) for number in range(50)]
    placed = placement(*many)
    ledger = build_ledger(placed, hardware, agreeing(placed, hardware)[1])
    acted = ledger.action == "activate"
    assert ledger.count[acted].tolist() == [0] * 50  # a third of one each
    assert ledger.energy[acted].sum() == pytest.approx(1e-9 * 50 * 30 / 97)


def test_a_class_that_the_replay_never_met_is_an_error() -> None:
    hardware = moody_machine()
    placed = placement(operator("op", uniform(5, 300, 0, 0)))
    done = agreeing(placed, hardware)[1]
    emptied = replace(done, uses={**done.uses, "dram": Use({"other": {}}, {})})
    with pytest.raises(CodesignError, match="dram: the replay met no transfer of class"):
        build_ledger(placed, hardware, emptied)
