"""Max-min fair shares: capacity kept, nothing left over, equals treated equally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import part

from codesign.errors import MappingError
from codesign.hardware.component import Component, Descriptor, Link, Memory, Service
from codesign.replay.shares import PARTS, WORK_PER_BYTE, Route, Shares

READ, WRITE = Descriptor(64, 1, 0, "read"), Descriptor(64, 1, 0, "write")
BUSES = ("a", "b", "c")


def shares(rates: Sequence[float], memory_rate: float = 1e15) -> Shares:
    """Three links between two memories."""
    ends = [part("sram", name, size=1024, bandwidth=memory_rate) for name in ("near", "far")]
    buses = [
        part("link", name, connects=("near", "far"), bandwidth=rate)
        for name, rate in zip(BUSES, rates, strict=True)
    ]
    return joined(*ends, *buses)


def joined(*parts: Component) -> Shares:
    memories = {one.name: one for one in parts if isinstance(one, Memory)}
    return Shares(memories, {one.name: one for one in parts if isinstance(one, Link)})


def route(*names: str, setup: int = 0) -> Route:
    return Route("far", tuple((name, 0) for name in names), "near", setup)


ROUTES = st.sets(st.sampled_from(BUSES), min_size=1).map(lambda names: route(*sorted(names)))
BANDWIDTHS = st.lists(st.integers(1, 10**12), min_size=3, max_size=3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(BANDWIDTHS, st.integers(10**6, 10**12), st.lists(ROUTES, min_size=1, max_size=8))
def test_shares_are_max_min_fair(
    bandwidths: list[float], memory_rate: int, routes: list[Route]
) -> None:
    found = shares(bandwidths, memory_rate)
    active = Counter(found.classify(one, READ, WRITE) for one in routes)
    rates = found.rates(tuple(sorted(active.elements())))
    assert set(rates) == set(active)
    users: dict[tuple[str, int], list[int]] = {}
    room: dict[tuple[str, int], int] = {}
    for number in active:
        for resource, capacity in found.ceilings(number).items():
            users.setdefault(resource, []).append(number)
            room[resource] = capacity
    used = {name: sum(rates[c] * active[c] for c in crossing) for name, crossing in users.items()}
    assert all(used[name] <= room[name] for name in used)
    for number in active:
        # a bottleneck: a full resource on which nobody has more; at most 1 unit each is rounded off
        assert any(
            room[name] - used[name] < 9 and rates[number] >= max(rates[c] for c in crossing) - 8
            for name, crossing in users.items()
            if number in crossing
        )


@pytest.mark.parametrize("count", range(1, 9))
def test_one_to_eight_flows_divide_a_link_without_remainder(count: int) -> None:
    found = shares([999_999_937, 1e9, 1e9])
    number = found.classify(route("a"), READ, WRITE)
    assert found.rates((number,) * count)[number] * count == 999_999_937 * PARTS


def test_a_flow_that_is_held_back_elsewhere_leaves_its_share_to_others() -> None:
    found = shares([10e9, 2e9, 1e9])
    both, alone = (found.classify(route(*names), READ, WRITE) for names in ("ab", "a"))
    rates = found.rates((both, alone))
    assert rates == {both: 2 * 10**9 * PARTS, alone: 8 * 10**9 * PARTS}


def test_flows_over_equal_routes_get_equal_rates() -> None:
    found = shares([7e9, 5e9, 3e9])
    first = found.classify(route("a", "b"), READ, WRITE)
    second = found.classify(route("a", "b", setup=5), READ, WRITE)
    rates = found.rates(tuple(sorted((first, second))))
    assert first != second
    assert rates[first] == rates[second]


def test_transfers_of_one_route_and_pattern_are_one_class() -> None:
    found = shares([1e9, 1e9, 1e9])
    other = Descriptor(4096, 7, 64, "read")
    assert found.classify(route("a"), READ, WRITE) == found.classify(route("a"), other, WRITE)
    assert found.classify(route("a"), READ, WRITE) != found.classify(route("b"), READ, WRITE)
    assert found.ends(0) == ("far", "near")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 10**12), st.integers(0, 10**9), st.integers(0, 1000))
def test_a_lone_transfer_takes_its_set_up_and_its_bytes_rounded_up(
    rate: int, size: int, setup: int
) -> None:
    found = shares([rate, 1, 1])
    number = found.classify(route("a", setup=setup), READ, WRITE)
    assert found.alone(number, size) == setup - (-size * WORK_PER_BYTE // (rate * PARTS))


@dataclass(frozen=True, kw_only=True)
class Turning(Memory):
    """A memory that is slower while it serves both directions, or dead at rate 0."""

    kind: ClassVar[str] = "turning"
    rate: int = 8

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        mixed = len({d.direction for d in descriptors}) > 1
        return Service(self.rate // 2 if mixed else self.rate)


def test_a_memory_sees_all_that_is_active_together() -> None:
    far = Turning(name="far", size=1)
    found = joined(far, part("sram", "near", size=1, bandwidth=1e9))
    load = found.classify(Route("far", (), "near", 0), READ, WRITE)
    store = found.classify(Route("near", (), "far", 0), READ, WRITE)
    assert found.rates((load, load))[load] == 4 * PARTS
    assert found.rates((load, store)) == {load: 2 * PARTS, store: 2 * PARTS}


def test_a_trickle_takes_little_of_a_memory_that_dislikes_company() -> None:
    far = Turning(name="far", size=1, rate=1000)
    slow = part("link", "slow", connects=("near", "far"), bandwidth=50)
    found = joined(far, part("sram", "near", size=1, bandwidth=1e9), slow)
    load = found.classify(Route("far", (), "near", 0), READ, WRITE)
    store = found.classify(Route("near", (("slow", 0),), "far", 0), READ, WRITE)
    rates = found.rates((load, store))
    # 50 B/s of each take a fifth of the time at 500 B/s for both; the load has the rest alone
    assert rates == {load: (50 + 800) * PARTS, store: 50 * PARTS}
    assert found.rates((load, load, store))[load] == (50 + (1000 * 7 // 10) // 2) * PARTS


def test_a_memory_that_serves_nothing_is_an_error() -> None:
    far = Turning(name="far", size=1, rate=0)
    found = joined(far, part("sram", "near", size=1))
    number = found.classify(Route("far", (), "near", 0), READ, WRITE)
    with pytest.raises(MappingError, match="must return at least 1 byte/s, got 0"):
        found.rates((number,))


def test_all_that_bound_a_rate_equally_are_named_in_order() -> None:
    found = shares([5e9, 5e9, 1e15], memory_rate=5e9)
    number = found.classify(route("b", "a", "c"), READ, WRITE)
    assert found.limit((number,), number) == "a, b, far, near"


def test_a_rate_is_bounded_by_what_its_own_way_crosses() -> None:
    """Another class may have the same rate from another link."""
    found = shares([2e9, 2e9, 1e9])
    first, second = (found.classify(route(name), READ, WRITE) for name in "ab")
    both = tuple(sorted((first, second)))
    assert (found.limit(both, first), found.limit(both, second)) == ("a", "b")
