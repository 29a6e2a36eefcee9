"""What a DMA descriptor asks of a memory, as a walk over addresses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.errors import HardwareError
from codesign.memory.device import Device
from codesign.memory.mapping import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """An endless walk over a memory: tiles of rows of a matrix.

    A tile has ``rows`` runs of ``row_bytes``, ``pitch`` bytes apart. The next tile begins to the
    right of it, until the pitch is used up; the last one of a band may be narrower. Then comes the
    next band of ``rows`` rows. One row, or a pitch that leaves no gap, is one contiguous run.

    Attributes:
        row_bytes: bytes of a run, at least 1.
        rows: runs of a tile, at least 1.
        pitch: bytes from the start of a run to that of the next, at least 0.
        write: whether it writes; it reads otherwise.
        base: address of the first byte, at least 0.

    Raises:
        HardwareError: a number is out of its range.
    """

    row_bytes: int
    rows: int = 1
    pitch: int = 0
    write: bool = False
    base: int = 0

    def __post_init__(self) -> None:
        for name, least in (("row_bytes", 1), ("rows", 1), ("pitch", 0), ("base", 0)):
            if getattr(self, name) < least:
                raise HardwareError(
                    f"pattern: {name} must be >= {least}, got {getattr(self, name)}"
                )

    @property
    def contiguous(self) -> bool:
        """Whether it touches one byte after the other."""
        return self.rows == 1 or self.pitch <= self.row_bytes


def addresses(pattern: Pattern, device: Device, count: int) -> Ints:
    """The first transactions of a pattern.

    Each run takes whole transactions: its start is rounded down and its end up, so that two runs
    that share one ask for it twice. Addresses wrap at the capacity.

    Args:
        pattern: within the capacity.
        device: its transactions and capacity count.
        count: number of transactions, at least 0.

    Returns:
        Byte addresses, multiples of a transaction.

    Raises:
        HardwareError: the pattern does not fit into the memory.
    """
    # a power of two, and numpy's remainder takes eleven times as long
    return places(pattern, device, count) & (device.organisation.capacity_bytes - 1)


def places(pattern: Pattern, device: Device, count: int) -> Ints:
    """As ``addresses``, in a memory without end."""
    _check_fit(pattern, device)
    size = device.organisation.transaction_bytes
    if pattern.contiguous:
        return (pattern.base // size + np.arange(count, dtype=np.int64)) * size
    # a band ends with at most one tile that is narrower, so at least half of the runs are whole
    runs = 2 * -(-count // -(-pattern.row_bytes // size))
    return _bursts(*_runs(pattern, runs), size)[:count]


def addresses_of_bytes(pattern: Pattern, device: Device, size: int) -> Ints:
    """The transactions of the first bytes of a pattern.

    Args:
        pattern: within the capacity.
        device: its transactions and capacity count.
        size: bytes of the runs, one run after the other, at least 1.

    Returns:
        Byte addresses as from ``addresses``; together they move at least ``size`` bytes.

    Raises:
        HardwareError: the pattern does not fit into the memory, or no bytes are asked for.
    """
    if size < 1:
        raise HardwareError(f"pattern: a descriptor must move >= 1 byte, got {size}")
    _check_fit(pattern, device)
    if pattern.contiguous:
        start, length = np.array([pattern.base]), np.array([size])
    else:
        start, length = _runs(pattern, 2 * -(-size // pattern.row_bytes))
        left = size - (np.cumsum(length) - length)
        start, length = start[left > 0], np.minimum(length, left)[left > 0]
    bursts = _bursts(start, length, device.organisation.transaction_bytes)
    return bursts & (device.organisation.capacity_bytes - 1)


def _check_fit(pattern: Pattern, device: Device) -> None:
    capacity = device.organisation.capacity_bytes
    for name, most in (("base", capacity - 1), ("row_bytes", capacity), ("pitch", capacity)):
        if getattr(pattern, name) > most:
            raise HardwareError(
                f"{device.name}: {name} of a pattern must be <= {most}, got "
                f"{getattr(pattern, name)}; the memory has {capacity} bytes"
            )


def _runs(pattern: Pattern, count: int) -> tuple[Ints, Ints]:
    """Start and length of the first runs of a pattern that is not contiguous."""
    tile, row = np.divmod(np.arange(count, dtype=np.int64), pattern.rows)
    band, place = np.divmod(tile, -(-pattern.pitch // pattern.row_bytes))
    right = place * pattern.row_bytes
    start = pattern.base + (band * pattern.rows + row) * pattern.pitch + right
    return start, np.minimum(pattern.row_bytes, pattern.pitch - right)


def _bursts(start: Ints, length: Ints, size: int) -> Ints:
    """Whole transactions of runs of bytes."""
    bits = size.bit_length() - 1
    first = start >> bits
    number = (start + length - 1 >> bits) - first + 1
    # of all numbers from 0 on, those of each run are moved to where it starts
    moved = np.repeat(first - (np.cumsum(number) - number), number)
    bursts: Ints = np.arange(len(moved)) + moved << bits
    return bursts
