"""A mapping reaches every transaction exactly once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_devices import DEVICE

from codesign.memory.device import Organisation
from codesign.memory.mapping import FIELDS, AddressMapping, decode, field_bits, mop4clxor

POWERS = st.sampled_from([1, 2, 4])
ORGANISATIONS = st.builds(
    Organisation,
    channels=POWERS,
    pseudo_channels=POWERS,
    ranks=st.sampled_from([1, 2]),
    bank_groups=POWERS,
    banks_per_group=POWERS,
    rows=st.sampled_from([2, 8]),
    columns=st.sampled_from([32, 128]),
    device_width=st.just(8),
    bus_width=st.just(64),
    burst_length=st.just(8),
)


def all_places(mapping: AddressMapping, organisation: Organisation) -> set[tuple[int, ...]]:
    count = organisation.capacity_bytes // organisation.transaction_bytes
    parts = mapping.split(np.arange(count, dtype=np.int64), organisation)
    bits = field_bits(organisation)
    for field in FIELDS:
        assert parts[field].min() >= 0
        assert parts[field].max() < 1 << bits[field]
    return set(zip(*(parts[field].tolist() for field in FIELDS), strict=True))


@given(ORGANISATIONS, st.permutations(FIELDS))
def test_any_order_of_fields_is_a_bijection(organisation: Organisation, fields: list[str]) -> None:
    mapping = AddressMapping(tuple(fields))
    mapping.check(organisation, "test")
    count = organisation.capacity_bytes // organisation.transaction_bytes
    assert len(all_places(mapping, organisation)) == count


@given(ORGANISATIONS)
def test_mop4clxor_is_a_bijection(organisation: Organisation) -> None:
    mapping = mop4clxor(organisation)
    mapping.check(organisation, "test")
    count = organisation.capacity_bytes // organisation.transaction_bytes
    assert len(all_places(mapping, organisation)) == count


def test_a_string_without_spaces_is_read_in_pairs() -> None:
    assert AddressMapping.parse("rochrababgco") == AddressMapping.parse("ro ch ra ba bg co")


def test_fields_are_named_from_the_most_significant() -> None:
    parts = DEVICE.mapping.split(np.array([0b10_01_0011]), DEVICE.organisation)
    assert {field: int(parts[field][0]) for field in ("ro", "ba", "bg", "co")} == {
        "ro": 0,
        "ba": 0b10,
        "bg": 0b01,
        "co": 0b0011,
    }


def test_parts_of_a_field_are_taken_from_the_right() -> None:
    mapping = AddressMapping.parse("ro co ba bg co:2")
    parts = mapping.split(np.array([0b11_00_00_01]), DEVICE.organisation)
    assert int(parts["co"][0]) == 0b1101


def test_mop4clxor_mixes_the_bank_with_the_column() -> None:
    mapping = mop4clxor(DEVICE.organisation)
    parts = mapping.split(np.array([0b0011]), DEVICE.organisation)
    assert int(parts["bg"][0]) == 0b11


@given(st.lists(st.integers(0, (1 << 24) - 1), min_size=1, max_size=20))
def test_bytes_of_one_transaction_have_one_place(addresses: list[int]) -> None:
    exact = np.array(addresses, dtype=np.int64)
    start = exact // 64 * 64
    ours = decode(exact, DEVICE.mapping, DEVICE.organisation)
    theirs = decode(start, DEVICE.mapping, DEVICE.organisation)
    assert all((ours[field] == theirs[field]).all() for field in FIELDS)


@pytest.mark.parametrize("channels", [1, 4])
def test_channels_are_where_the_mapping_says(channels: int) -> None:
    organisation = replace(DEVICE.organisation, channels=channels)
    parts = AddressMapping.parse("ro ba bg co ch").split(np.arange(8), organisation)
    assert parts["ch"].tolist() == [at % channels for at in range(8)]
