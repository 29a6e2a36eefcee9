"""Patterns walk as their docstring says, and the arbiter merges them turn by turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_devices import DEVICE
from shipped_ddr4 import DDR4

from codesign.errors import HardwareError
from codesign.memory.arbiter import finite, interleave
from codesign.memory.device import Device
from codesign.memory.patterns import Pattern, addresses, addresses_of_bytes
from codesign.memory.streams import stream

MIB = 1 << 20
SMALL = replace(DEVICE, organisation=replace(DEVICE.organisation, rows=2, columns=8, bank_groups=1))
"""512 bytes, so that walks wrap."""
EVER = 1 << 40


def walk(pattern: Pattern, size: int) -> Iterator[int]:
    """The transactions of a pattern, run by run, in plain loops and without a capacity."""
    if pattern.contiguous:
        yield from count(pattern.base // size * size, size)
    for band in count():
        for right in range(0, pattern.pitch, pattern.row_bytes):
            length = min(pattern.row_bytes, pattern.pitch - right)
            for row in range(pattern.rows):
                start = pattern.base + (band * pattern.rows + row) * pattern.pitch + right
                yield from range(start // size * size, start + length, size)


def bytes_in_order(pattern: Pattern) -> Iterator[int]:
    """The bytes of a pattern that is not contiguous, one by one."""
    for band in count():
        for right in range(0, pattern.pitch, pattern.row_bytes):
            length = min(pattern.row_bytes, pattern.pitch - right)
            for row in range(pattern.rows):
                start = pattern.base + (band * pattern.rows + row) * pattern.pitch + right
                yield from range(start, start + length)


patterns = st.builds(
    Pattern,
    row_bytes=st.integers(1, 400),
    rows=st.integers(1, 9),
    pitch=st.integers(0, 500),
    write=st.booleans(),
    base=st.integers(0, 511),
)


@given(patterns, st.integers(0, 300))
def test_a_pattern_gives_the_transactions_of_its_runs(pattern: Pattern, number: int) -> None:
    expected = list(islice(walk(pattern, 64), number))
    assert addresses(pattern, DEVICE, number).tolist() == expected


@given(patterns, st.integers(0, 300))
def test_addresses_wrap_at_the_capacity(pattern: Pattern, number: int) -> None:
    capacity = SMALL.organisation.capacity_bytes
    assert capacity == 512
    expected = [address % capacity for address in islice(walk(pattern, 64), number)]
    assert addresses(pattern, SMALL, number).tolist() == expected


@given(patterns.filter(lambda one: not one.contiguous), st.integers(1, 3000))
def test_the_first_bytes_take_the_transactions_that_hold_them(pattern: Pattern, size: int) -> None:
    held = addresses_of_bytes(pattern, DEVICE, size)
    assert held.tolist() == addresses(pattern, DEVICE, len(held)).tolist()
    assert {byte // 64 * 64 for byte in islice(bytes_in_order(pattern), size)} == set(held.tolist())


@given(st.integers(0, 511), st.integers(1, 3000))
def test_a_contiguous_run_takes_each_transaction_that_it_touches_once(base: int, size: int) -> None:
    held = addresses_of_bytes(Pattern(row_bytes=7, base=base), DEVICE, size)
    assert held.tolist() == list(range(base // 64 * 64, base + size, 64))


@given(st.integers(1, 8), st.integers(2, 9), st.integers(1, 24))
def test_a_band_moves_every_byte_of_its_rows_once(wide: int, rows: int, gap: int) -> None:
    pattern = Pattern(row_bytes=64 * wide, rows=rows, pitch=64 * (wide + gap))
    band = addresses(pattern, DEVICE, rows * (wide + gap))
    assert sorted(band.tolist()) == list(range(0, rows * pattern.pitch, 64))


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("seq_rd", Pattern(row_bytes=1)),
        ("seq_wr", Pattern(row_bytes=1, write=True)),
        ("tile_64x256", Pattern(row_bytes=256, rows=64, pitch=4096)),
    ],
)
def test_a_reference_stream_is_a_pattern(name: str, pattern: Pattern, size: int) -> None:
    device = with_transactions_of(size)
    assert_equal(interleave(device, [pattern], 1, 9000), name, size)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_walks_with_gaps_are_patterns_of_single_transactions(size: int) -> None:
    device = with_transactions_of(size)
    down = Pattern(row_bytes=size, rows=1024, pitch=4096)
    assert_equal(interleave(device, [down], 1, 9000), "stride_4k", size)
    across = Pattern(row_bytes=size, rows=EVER, pitch=256)
    assert_equal(interleave(device, [across], 1, 9000), "stride_256", size)


@pytest.mark.parametrize(("kind", "grain"), [("fine", 1), ("1k", 1024)])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_reference_streams_of_several_are_merged_patterns(kind: str, grain: int, size: int) -> None:
    device = with_transactions_of(size)
    two = [Pattern(row_bytes=1), Pattern(row_bytes=1, base=256 * MIB)]
    assert_equal(interleave(device, two, grain, 5000), f"two_{kind}", size)
    # the read stream has two turns of three: its even blocks, then its odd ones
    block = max(size, grain)
    half = Pattern(row_bytes=block, rows=EVER, pitch=2 * block)
    written = Pattern(row_bytes=1, write=True, base=512 * MIB)
    three = [half, replace(half, base=block), written]
    assert_equal(interleave(device, three, grain, 5000), f"rw_2to1_{kind}", size)


def with_transactions_of(size: int) -> Device:
    return replace(DDR4, organisation=replace(DDR4.organisation, burst_length=size // 8))


def assert_equal(made: object, name: str, size: int) -> None:
    wanted = stream(name, len(made.address), size)  # type: ignore[attr-defined]
    for field in ("address", "write", "arrival"):
        assert np.array_equal(getattr(made, field), getattr(wanted, field)), field


@given(st.lists(patterns, min_size=1, max_size=4), st.integers(1, 400), st.integers(1, 200))
def test_turns_go_round(several: list[Pattern], grain: int, number: int) -> None:
    made = interleave(DEVICE, several, grain, number)
    walks = [walk(pattern, 64) for pattern in several]
    turn = max(1, grain // 64)
    for at, (address, write) in enumerate(zip(made.address, made.write, strict=True)):
        which = at // turn % len(several)
        assert (address, write) == (next(walks[which]), several[which].write)


@given(
    st.lists(st.tuples(patterns, st.integers(1, 900)), min_size=1, max_size=4), st.integers(1, 400)
)
def test_a_pattern_that_has_ended_has_no_more_turns(
    several: list[tuple[Pattern, int]], grain: int
) -> None:
    made = finite(DEVICE, [one for one, _ in several], [size for _, size in several], grain)
    left = [addresses_of_bytes(one, DEVICE, size).tolist() for one, size in several]
    expected, turn = [], max(1, grain // 64)
    while any(left):
        for which, (one, _) in enumerate(several):
            expected += [(address, one.write) for address in left[which][:turn]]
            left[which] = left[which][turn:]
    assert list(zip(made.address.tolist(), made.write.tolist(), strict=True)) == expected


@pytest.mark.parametrize("field", ["row_bytes", "rows", "pitch", "base"])
def test_a_number_below_its_range_is_refused(field: str) -> None:
    changes: dict[str, Any] = {field: -1}
    with pytest.raises(HardwareError, match=rf"pattern: {field} must be >= \d, got -1"):
        replace(Pattern(row_bytes=64), **changes)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (Pattern(row_bytes=64, base=512), "base of a pattern must be <= 511, got 512"),
        (Pattern(row_bytes=513, rows=2), "row_bytes of a pattern must be <= 512, got 513"),
        (Pattern(row_bytes=64, rows=2, pitch=999), "pitch of a pattern must be <= 512, got 999"),
    ],
)
def test_a_pattern_beyond_the_memory_is_refused(pattern: Pattern, message: str) -> None:
    for ask in (
        lambda: addresses(pattern, SMALL, 1),
        lambda: addresses_of_bytes(pattern, SMALL, 1),
        lambda: interleave(SMALL, [pattern], 64, 1),
    ):
        with pytest.raises(HardwareError, match=message):
            ask()


def test_an_arbiter_without_work_or_grain_is_refused() -> None:
    run = Pattern(row_bytes=64)
    with pytest.raises(HardwareError, match="grain must be >= 1 byte, got 0"):
        interleave(DEVICE, [run], 0, 1)
    with pytest.raises(HardwareError, match="needs a pattern and a transaction, got 0 and 9"):
        interleave(DEVICE, [], 64, 9)
    with pytest.raises(HardwareError, match="needs a pattern and a size for each, got 2 and 1"):
        finite(DEVICE, [run, run], [64], 64)
    with pytest.raises(HardwareError, match="must move >= 1 byte, got 0"):
        finite(DEVICE, [run], [0], 64)
