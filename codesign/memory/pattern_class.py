"""Patterns that a memory cannot tell apart: the key of a cache of solved windows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from codesign.memory.device import Device
from codesign.memory.mapping import AddressMapping, Ints, field_bits
from codesign.memory.patterns import Pattern, places

_BLOCKS: Final = 4096
"""Places that are looked through for one like another: enough for twelve hashed bits of the row."""


def canonical(pattern: Pattern, device: Device, limit: int) -> Pattern:
    """The same pattern in its plainest form; see ``canonical_set``."""
    return canonical_set((pattern,), device, limit)[0]


def canonical_set(patterns: Sequence[Pattern], device: Device, limit: int) -> tuple[Pattern, ...]:
    """Patterns whose first transactions, merged at any grain, cost the same to the last clock.

    Kept are direction, order, and which transactions share a row, a bank, a bank group, a rank, a
    bus or a channel. Dropped are: the run of a contiguous pattern and what comes after the first
    transactions; bytes within a transaction; how many rows apart patterns lie that never meet in
    one; and, where rows are hashed into banks, which of the banks all patterns begin with, unless
    the controller serves or refreshes banks by their number. Pseudo-channels that change places
    that way are still refreshed in their order, which has cost up to 0.3 % of the time in windows
    with a refresh. Patterns that wrap at the capacity keep their bases.

    Args:
        patterns: that are active together.
        device: with its address mapping and controller.
        limit: transactions of each that count, at least 1.

    Returns:
        Patterns that are equal and hashable where the memory sees the same; a different form of
        the same transactions may remain different.

    Raises:
        HardwareError: a pattern does not fit into the memory.
    """
    plain = [_plain(pattern, device, limit) for pattern in patterns]
    extents = [_extent(pattern, device, limit) for pattern in plain]
    if any(last >= device.organisation.capacity_bytes for _, last in extents):
        return tuple(plain)
    for find in (_renamed, _side_by_side):
        steps = find(extents, device)
        pairs = zip(extents, steps, strict=True)
        extents = [(first + step, last + step) for (first, last), step in pairs]
        moves = zip(plain, steps, strict=True)
        plain = [replace(one, base=one.base + step) for one, step in moves]
    return tuple(plain)


def stripe_bytes(device: Device, told_apart: Collection[str]) -> int:
    """Bytes, a power of two, above which an address bit says no more than that rows differ.

    Args:
        device: with its address mapping.
        told_apart: fields that cost something else if a bit of them changes for all addresses.
    """
    bits = field_bits(device.organisation)
    at, low = _top_row_bit(device)
    used = low
    for xor in device.mapping.xors:
        if xor.source == "ro" and xor.field in told_apart and bits[xor.field]:
            used = max(used, xor.shift + bits[xor.field])
        if xor.field == "ro":
            used = max(used, bits[xor.source] - xor.shift)
    return device.organisation.transaction_bytes << (at + min(used, bits["ro"]) - low)


def _top_row_bit(device: Device) -> tuple[int, int]:
    """Where the row bits at the top of an address begin: bit of the address, bit of the row."""
    bits = field_bits(device.organisation)
    one_bit = np.int64(1) << np.arange(sum(bits.values()), dtype=np.int64)
    row = AddressMapping(device.mapping.fields).split(one_bit, device.organisation)["ro"]
    other = np.flatnonzero(row == 0)
    lowest = int(other[-1]) + 1 if len(other) else 0
    return lowest, int(row[lowest]).bit_length() - 1 if lowest < len(row) else bits["ro"]


def _plain(pattern: Pattern, device: Device, limit: int) -> Pattern:
    """Without what its first transactions do not show."""
    size = device.organisation.transaction_bytes
    base = pattern.base // size * size
    run = Pattern(row_bytes=size, write=pattern.write, base=base)
    if pattern.contiguous:
        return run
    number = (pattern.base + pattern.row_bytes - 1) // size - pattern.base // size + 1
    one_tile = pattern.pitch % size == 0 and pattern.rows * number >= limit
    if not one_tile or pattern.pitch < number * size:
        return pattern
    if number >= limit or pattern.pitch == number * size:
        return run
    return replace(pattern, row_bytes=number * size, rows=-(-limit // number), base=base)


def _extent(pattern: Pattern, device: Device, limit: int) -> tuple[int, int]:
    """First and last transaction that a pattern touches."""
    touched = places(pattern, device, limit)
    return int(touched.min()), int(touched.max())


def _renamed(extents: Sequence[tuple[int, int]], device: Device) -> list[int]:
    """Bytes to move each pattern by, to the lowest rows that its rows cannot be told from.

    A bit of the row that a pattern does not change on its way changes channel, bank group and bank
    of all its transactions alike. Only the difference to the first pattern counts, because another
    name for each bank is no other memory, if the controller does not go by names.
    """
    controller = device.controller
    if controller.style == "dramsim3" or controller.refresh == "per_bank":
        return [0] * len(extents)
    block = stripe_bytes(device, {"ra"})
    for first, last in extents:
        block = max(block, 1 << (first ^ last).bit_length())
    numbers = [first // block for first, _ in extents]
    blocks = min(device.organisation.capacity_bytes // block, _BLOCKS)
    names = _bank_names(np.arange(blocks, dtype=np.int64) * block, device)
    wanted = _bank_names(np.array(numbers, dtype=np.int64) * block, device)
    homes: dict[int, int] = {}
    for number, name in zip(numbers, wanted ^ wanted[0], strict=True):
        if number not in homes:
            free = np.setdiff1d(np.flatnonzero(names == name), list(homes.values()))
            if not len(free):
                return [0] * len(extents)
            homes[number] = int(free[0])
    return [(homes[number] - number) * block for number in numbers]


def _bank_names(address: Ints, device: Device) -> Ints:
    """All of an address but row and column in one number each, bits side by side."""
    bits = field_bits(device.organisation)
    transaction = address // device.organisation.transaction_bytes
    part = device.mapping.split(transaction, device.organisation)
    names = np.zeros(len(address), dtype=np.int64)
    for field in ("ch", "pc", "ra", "bg", "ba"):
        names = (names << bits[field]) | part[field]
    return names


def _side_by_side(extents: Sequence[tuple[int, int]], device: Device) -> list[int]:
    """Bytes to move each pattern by, so that those that never meet in a row have none between."""
    stripe = stripe_bytes(device, {"bg", "ba", "ch", "pc", "ra"})
    groups: list[list[int]] = []
    end = -1
    spans = [(first // stripe, last // stripe) for first, last in extents]
    for at in sorted(range(len(spans)), key=lambda at: spans[at]):
        if spans[at][0] > end:
            groups.append([])
        groups[-1].append(at)
        end = max(end, spans[at][1])
    steps, free = [0] * len(spans), 0
    for group in sorted(groups, key=min):
        first = min(spans[at][0] for at in group)
        for at in group:
            steps[at] = (free - first) * stripe
        free += max(spans[at][1] for at in group) - first + 1
    return steps
