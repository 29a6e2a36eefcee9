"""The transactions of several patterns in the order in which an arbiter lets them through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codesign.errors import HardwareError
from codesign.memory.device import Device
from codesign.memory.mapping import Ints
from codesign.memory.patterns import Pattern, addresses, addresses_of_bytes
from codesign.memory.streams import Stream


def interleave(device: Device, patterns: Sequence[Pattern], grain_bytes: int, count: int) -> Stream:
    """The first transactions of an arbiter that serves patterns round robin, all at once.

    Args:
        device: its transactions and capacity count.
        patterns: at least one, in the order of their turns.
        grain_bytes: bytes of a turn, at least 1, in whole transactions and at least one.
        count: transactions of the stream, at least 1.

    Raises:
        HardwareError: there are no patterns, one does not fit into the memory, or a number is out
            of its range.
    """
    turn = turn_of(device, grain_bytes)
    if not patterns or count < 1:
        raise HardwareError(
            f"a stream needs a pattern and a transaction, got {len(patterns)} and {count}"
        )
    each = -(-count // (turn * len(patterns))) * turn
    merged = _merge(patterns, [addresses(one, device, each) for one in patterns], turn)
    return Stream(merged.address[:count], merged.write[:count], merged.arrival[:count])


def finite(
    device: Device, patterns: Sequence[Pattern], sizes: Sequence[int], grain_bytes: int
) -> Stream:
    """All transactions of an arbiter that serves patterns of given sizes until all have ended.

    Args:
        device: its transactions and capacity count.
        patterns: at least one, in the order of their turns.
        sizes: bytes of each pattern, at least 1.
        grain_bytes: bytes of a turn, at least 1, in whole transactions and at least one.

    Raises:
        HardwareError: there are no patterns, not as many sizes, one does not fit into the memory,
            or a number is out of its range.
    """
    if not patterns or len(patterns) != len(sizes):
        raise HardwareError(
            f"a stream needs a pattern and a size for each, got {len(patterns)} and {len(sizes)}"
        )
    turn = turn_of(device, grain_bytes)
    pairs = zip(patterns, sizes, strict=True)
    return _merge(patterns, [addresses_of_bytes(one, device, size) for one, size in pairs], turn)


def turn_of(device: Device, grain_bytes: int) -> int:
    """Transactions of an arbiter's turn.

    Raises:
        HardwareError: the grain is below one byte.
    """
    if grain_bytes < 1:
        raise HardwareError(
            f"the arbiter's grain must be >= 1 byte, got {grain_bytes}; "
            "a grain below a transaction counts as one"
        )
    return max(1, grain_bytes // device.organisation.transaction_bytes)


def _merge(patterns: Sequence[Pattern], parts: Sequence[Ints], turn: int) -> Stream:
    turns = np.concatenate([np.arange(len(part)) // turn for part in parts])
    # in a turn the patterns stay in their order
    order = np.argsort(turns, kind="stable")
    write = np.repeat([pattern.write for pattern in patterns], [len(part) for part in parts])
    zeros = np.zeros(len(order), dtype=np.int64)
    return Stream(np.concatenate(parts)[order], write[order], zeros)
