"""A DRAM moves whole bursts: what that adds to the bytes, the energy and the time of a transfer."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pydantic
import pytest
from codesign_plugins.flat_dram import FlatDram
from hypothesis import given
from hypothesis import strategies as st
from strategies import Sketch, machine

from codesign import simulate
from codesign.hardware.component import Descriptor, Direction
from codesign.hardware.spec import Hardware
from codesign.result.result import Result
from codesign.testing import check_memory

RATE = 1_000_000_007
"""Bytes per second; a prime, so that no ratio divides it by luck."""
SIZES = st.integers(min_value=1, max_value=1 << 20)
BURSTS = st.sampled_from([1, 3, 16, 32, 64, 128, 1000])


def dram(burst: int = 1) -> FlatDram:
    return FlatDram(
        name="dram", device="x", size=1 << 30, bandwidth=RATE, efficiency=1.0, burst=burst
    )


def transfer(row: int, rows: int = 1, direction: Direction = "read") -> Descriptor:
    return Descriptor(row, rows, 2 * row, direction)


transfers = st.builds(transfer, SIZES, st.integers(1, 512), st.sampled_from(["read", "write"]))


@pytest.mark.parametrize(
    ("row", "rows", "served"),
    [(64, 1, 64), (65, 1, 128), (1, 1, 64), (1, 100, 6400), (640, 3, 1920), (1001, 2, 2048)],
)
def test_every_row_is_rounded_up_to_whole_bursts(row: int, rows: int, served: int) -> None:
    assert dram(64).served_bytes(transfer(row, rows)) == served


@given(transfers)
def test_a_burst_of_one_byte_rounds_nothing_up(one: Descriptor) -> None:
    assert dram().served_bytes(one) == one.bytes
    assert dram().service([one]).bytes_per_s == RATE


@given(transfers, BURSTS)
def test_no_fewer_bytes_move_than_are_asked_for(one: Descriptor, burst: int) -> None:
    served = dram(burst).served_bytes(one)
    assert one.bytes <= served < one.bytes + one.rows * burst
    assert served % burst == 0


@given(st.integers(1, 4096), st.integers(1, 512), BURSTS)
def test_rows_of_whole_bursts_move_what_is_asked_for(bursts: int, rows: int, burst: int) -> None:
    one = transfer(bursts * burst, rows)
    assert dram(burst).served_bytes(one) == one.bytes
    assert dram(burst).service([one]) == dram().service([one])


@given(transfers, st.integers(0, 8), st.integers(0, 8))
def test_longer_bursts_that_hold_whole_shorter_ones_move_no_less(
    one: Descriptor, short: int, longer: int
) -> None:
    small, large = dram(2**short), dram(2 ** (short + longer))
    assert small.served_bytes(one) <= large.served_bytes(one)
    assert small.service([one]).bytes_per_s >= large.service([one]).bytes_per_s


@given(transfers, BURSTS)
def test_alone_a_transfer_takes_as_long_as_the_bytes_that_move(one: Descriptor, burst: int) -> None:
    part = dram(burst)
    rate = part.service([one]).bytes_per_s
    exact = Fraction(RATE * one.bytes, part.served_bytes(one))
    assert rate == int(exact)


@given(st.lists(transfers, min_size=1, max_size=8), BURSTS)
def test_the_shares_of_transfers_together_keep_the_bus_busy_and_no_more(
    active: list[Descriptor], burst: int
) -> None:
    part = dram(burst)
    share = Fraction(part.service(active).bytes_per_s, len(active))
    used = sum(share * part.served_bytes(one) / one.bytes for one in active)
    finest = Fraction(1, len(active)) * sum(part.served_bytes(one) / one.bytes for one in active)
    assert RATE - finest * 1.001 <= used <= RATE


@given(transfers, transfers, BURSTS)
def test_what_service_tells_apart_classify_tells_apart(
    one: Descriptor, two: Descriptor, burst: int
) -> None:
    part = dram(burst)
    if part.classify(one) == part.classify(two):
        assert part.service([one]) == part.service([two])
        assert part.service([one, two]) == part.service([two, two])


def test_the_same_rows_wherever_they_lie_are_one_class() -> None:
    part = dram(64)
    moved = dataclasses.replace(transfer(100, 4), base=1 << 20, pitch=4096, initiator="other")
    assert part.classify(moved) == part.classify(transfer(100, 4))
    assert part.classify(transfer(100, 4)) == part.classify(transfer(100, 8))
    assert part.classify(transfer(100, 4)) != part.classify(transfer(101, 4))


@pytest.mark.parametrize("burst", [1, 32, 64, 128])
def test_it_keeps_the_promises_of_every_memory(burst: int) -> None:
    check_memory(dram(burst))


def test_a_burst_is_at_least_a_byte() -> None:
    with pytest.raises(pydantic.ValidationError, match="burst"):
        pydantic.TypeAdapter(FlatDram).validate_python(
            {"device": "x", "size": 1024, "bandwidth": "1 GB/s", "burst": 0}
        )


def product(burst: int, columns: int) -> Result:
    """``[16, 48] x [48, columns]`` with a DRAM of that burst."""
    sketch = Sketch("product")
    sketch.matmul("product", sketch.input("x", 16, 48), columns)
    return simulate(sketch.trace(), _with_dram(machine(), burst))


def _with_dram(hardware: Hardware, burst: int) -> Hardware:
    home = next(memory for memory in hardware.memories if memory.off_chip)
    part = FlatDram(
        name=home.name, device="x", size=home.size, bandwidth=RATE, efficiency=1.0, burst=burst
    )
    parts = {**hardware.components, home.name: part}
    return dataclasses.replace(hardware, components=parts)


def counted(result: Result, component: str) -> int:
    ledger = result.ledger
    rows = (ledger.component == component) & (ledger.role != "")
    return int(ledger.count[rows].sum())


def test_the_ledger_counts_and_charges_the_bytes_that_move() -> None:
    asked, moved = product(1, columns=31), product(64, columns=31)
    plan = moved.placement.assignments()[0][0].plan
    assert plan is not None
    tiles = [(move, times) for tile, times in plan.counts for move in tile.loads + tile.stores]
    assert counted(asked, "dram") == sum(move.bytes * times for move, times in tiles)
    assert counted(asked, "dram") == 16 * 48 + 48 * 31 + 16 * 31
    assert counted(moved, "dram") > counted(asked, "dram")
    assert counted(moved, "dram") % 64 == 0
    energy = moved.energy_by_component_j["dram"]
    assert energy == pytest.approx(counted(moved, "dram") * 6.4e-11, rel=1e-12)


def test_links_and_other_memories_carry_what_was_asked_for() -> None:
    asked, moved = product(1, columns=31), product(64, columns=31)
    for name in asked.machine.components:
        if name != "dram":
            assert counted(moved, name) == counted(asked, name)


def test_off_chip_bytes_are_those_that_move() -> None:
    moved = product(64, columns=31)
    assert sum(moved.offchip_bytes.values()) == counted(moved, "dram")


def test_bursts_cost_time_where_the_dram_is_what_all_wait_for() -> None:
    assert product(64, columns=8).latency_s > product(1, columns=8).latency_s


@given(st.integers(1, 80), BURSTS)
def test_a_replay_with_bursts_stays_within_its_bounds(columns: int, burst: int) -> None:
    result = product(burst, columns)
    assert result.lower_bound_s <= result.latency_s <= result.serial_bound_s
