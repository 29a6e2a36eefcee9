"""Patterns of one class cost the same, and few classes are left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_devices import DEVICE, styled, variants
from shipped_ddr4 import DDR4, HASHED

from codesign.errors import HardwareError
from codesign.memory.compiled import has_compiler
from codesign.memory.controller import Controller
from codesign.memory.device import Device
from codesign.memory.mapping import AddressMapping, Xor, mop4clxor
from codesign.memory.pattern_class import canonical, canonical_set, stripe_bytes
from codesign.memory.patterns import Pattern
from codesign.memory.window import solve, window_class

MIB = 1 << 20
RUN = Pattern(row_bytes=64)
TILE = Pattern(row_bytes=256, rows=64, pitch=4096)
HASHED_BY_COLUMN = replace(DEVICE, mapping=mop4clxor(DEVICE.organisation))
DEVICES = {
    **variants(),
    "hashed": HASHED,
    "hashed, banks in turn": styled(HASHED, "dramsim3"),
    "hashed, refreshed bank by bank": replace(HASHED, controller=Controller(refresh="per_bank")),
    "rows hashed by columns": HASHED_BY_COLUMN,
}
EXAMPLES = 60 if has_compiler() else 2


@st.composite
def placed(draw: st.DrawFn, device: Device) -> Pattern:
    """A pattern anywhere in the memory, most often aligned to something."""
    capacity = device.organisation.capacity_bytes
    grid = draw(st.sampled_from([1, 64, 4096, 1 << 16]))
    return Pattern(
        row_bytes=draw(st.sampled_from([32, 64, 100, 256, 1024])),
        rows=draw(st.sampled_from([1, 2, 8, 64, 1000])),
        pitch=draw(st.sampled_from([0, 64, 300, 512, 4096, 5000])),
        write=draw(st.booleans()),
        base=draw(st.integers(0, capacity - 1)) // grid * grid,
    )


@settings(max_examples=EXAMPLES)
@given(st.data(), st.sampled_from(sorted(DEVICES)), st.integers(1, 3), st.sampled_from([1, 1024]))
def test_a_class_costs_what_its_patterns_cost(
    data: st.DataObject, name: str, number: int, grain: int
) -> None:
    device = DEVICES[name]
    patterns = [data.draw(placed(device)) for _ in range(number)]
    alike, turn_bytes = window_class(device, patterns, grain, 512)
    assert solve(device, alike, turn_bytes, 512) == solve(device, patterns, grain, 512)


@given(st.data(), st.sampled_from(sorted(DEVICES)), st.integers(1, 3))
def test_a_class_is_its_own_class(data: st.DataObject, name: str, number: int) -> None:
    device = DEVICES[name]
    patterns = [data.draw(placed(device)) for _ in range(number)]
    alike = canonical_set(patterns, device, 700)
    assert canonical_set(alike, device, 700) == alike
    assert len({alike, canonical_set(alike, device, 700)}) == 1


def test_a_contiguous_pattern_has_no_shape() -> None:
    shapes = [RUN, Pattern(row_bytes=9, rows=7, pitch=3), Pattern(row_bytes=5000, base=63)]
    shapes.append(Pattern(row_bytes=40, rows=1000, pitch=64, base=10))
    assert {canonical(one, DDR4, 512) for one in shapes} == {RUN}
    assert canonical(replace(RUN, write=True), DDR4, 512) != RUN


def test_what_comes_after_the_first_transactions_does_not_count() -> None:
    long, longer = replace(TILE, rows=600), replace(TILE, rows=9000, row_bytes=200, base=8)
    assert canonical(long, DDR4, 512) == canonical(longer, DDR4, 512) == replace(TILE, rows=128)
    assert canonical(TILE, DDR4, 512) == TILE
    assert canonical(Pattern(row_bytes=9000, rows=2, pitch=1 << 20), DDR4, 100) == RUN


def test_a_run_that_shares_a_transaction_with_the_next_one_keeps_its_shape() -> None:
    shared = Pattern(row_bytes=100, rows=5000, pitch=128, base=32)
    assert canonical(shared, DDR4, 512) == shared


@given(st.integers(0, 65535), st.integers(0, 2047))
def test_patterns_keep_their_place_in_a_row_of_a_bank(row: int, place: int) -> None:
    below = 128 * 1024
    assert stripe_bytes(DDR4, {"bg", "ba"}) == below
    pattern = replace(RUN, base=row % 65535 * below + place * 64)
    assert canonical(pattern, DDR4, 512).base == place * 64


def test_patterns_far_apart_are_as_good_as_side_by_side() -> None:
    far = [replace(RUN, base=at * 64 * MIB) for at in (5, 3, 4)]
    near = [replace(RUN, base=at * 128 * 1024) for at in (0, 1, 2)]
    assert canonical_set(far, DDR4, 512) == tuple(near)


def test_patterns_that_meet_in_a_row_stay_together() -> None:
    row = 128 * 1024
    pair = [replace(RUN, base=9 * row + offset) for offset in (8192, 0)]
    alone = replace(RUN, base=2 * row)
    first, other, second = canonical_set([pair[0], alone, pair[1]], DDR4, 512)
    assert (first.base, second.base, other.base) == (8192, 0, row)
    # a tile of 64 rows reaches two stripes
    reaching = replace(TILE, base=7 * row)
    ahead, tile, behind = canonical_set(
        [replace(RUN, base=8 * row), reaching, replace(RUN, base=9 * row)], DDR4, 512
    )
    assert (tile.base, ahead.base, behind.base) == (0, row, 2 * row)


def test_a_pattern_that_wraps_keeps_its_base() -> None:
    last = replace(RUN, base=DDR4.organisation.capacity_bytes - 64)
    assert canonical(last, DDR4, 1) != last
    assert canonical(last, DDR4, 2) == last


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_hashed_banks_leave_a_class_for_each_difference(one: int, other: int) -> None:
    step = 128 * 1024
    at = [row % 65535 * step for row in (one, other)]
    first, second = canonical_set([replace(RUN, base=base) for base in at], HASHED, 512)
    assert first == RUN
    # bank and bank group differ in 16 ways; no difference in them is another row of the same bank
    assert second.base // step in ([0] if at[0] == at[1] else range(1, 17))


def test_hashed_banks_have_16_classes_of_pairs() -> None:
    pairs = [(RUN, replace(RUN, base=row * 128 * 1024)) for row in range(1, 2000, 7)]
    assert len({canonical_set(pair, HASHED, 512) for pair in pairs}) == 16
    counted = styled(HASHED, "dramsim3")
    assert len({canonical_set(pair, counted, 512) for pair in pairs}) == len(pairs)


def test_a_stripe_holds_the_rows_that_a_hash_takes() -> None:
    at = AddressMapping.parse("ro ba bg co")
    hashed = replace(DDR4, mapping=replace(at, xors=(Xor("bg", "ro", 3),)))
    plain = stripe_bytes(hashed, ())
    assert plain == 128 * 1024
    assert stripe_bytes(hashed, {"bg"}) == plain << 5
    # the row of DEVICE is changed by no bit of its four-bit column: the others take them all
    assert stripe_bytes(HASHED_BY_COLUMN, ()) == 16384
    below = replace(DDR4, mapping=AddressMapping.parse("ba ro bg co"))
    assert stripe_bytes(below, ()) == DDR4.organisation.capacity_bytes


@pytest.mark.skipif(not has_compiler(), reason="300,000 transactions need numba")
def test_pseudo_channels_that_change_places_cost_almost_the_same() -> None:
    device = replace(
        variants()["pseudo_channels"],
        mapping=AddressMapping(
            ("ro", "ba", "bg", "co", "pc"), (Xor("pc", "ro", 1), Xor("ba", "ro", 0))
        ),
    )
    classes = set()
    for row in range(0, 900, 60):
        patterns = [replace(TILE, base=row * 32768)]
        alike, grain = window_class(device, patterns, 1024)
        classes.add(alike)
        ours = solve(device, patterns, 1024)
        assert solve(device, alike, grain).ticks == pytest.approx(ours.ticks, rel=0.003)
    assert len(classes) < 15


def test_a_pattern_beyond_the_memory_is_refused() -> None:
    with pytest.raises(HardwareError, match="base of a pattern must be"):
        canonical(replace(RUN, base=1 << 40), DDR4, 512)
