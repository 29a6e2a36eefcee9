"""Streams of transactions: the patterns of the reference runs, and when they arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.errors import HardwareError, did_you_mean

_MIB = 1 << 20
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Stream:
    """Transactions in the order in which they are asked for.

    Attributes:
        address: first byte of each transaction.
        write: whether it writes.
        arrival: first clock at which it may enter the controller, in order; 0 for at once.
    """

    address: NDArray[np.int64]
    write: NDArray[np.bool_]
    arrival: NDArray[np.int64]


def stream(name: str, requests: int, bytes_each: int, tokens_per_clock: float = 0.0) -> Stream:
    """One of the ``STREAMS``.

    Args:
        name: of the pattern.
        requests: number of transactions, at least 1.
        bytes_each: bytes of one transaction.
        tokens_per_clock: transactions that arrive in a clock, on average; 0 for all at once.

    Raises:
        HardwareError: the name is unknown or a number out of range.
    """
    if name not in STREAMS:
        raise HardwareError(f"unknown stream {name!r}{did_you_mean(name, STREAMS)}")
    if requests < 1 or bytes_each < 1 or not 0 <= tokens_per_clock < np.inf:
        raise HardwareError(
            f"stream {name}: requests and bytes must be >= 1 and the rate finite and >= 0, got "
            f"{requests}, {bytes_each} and {tokens_per_clock}"
        )
    number = np.arange(requests, dtype=np.int64)
    address, write = STREAMS[name](number, bytes_each)
    return Stream(address, write, _arrivals(number, tokens_per_clock))


def _arrivals(number: NDArray[np.int64], tokens_per_clock: float) -> NDArray[np.int64]:
    """Each clock adds tokens and a transaction takes one."""
    if tokens_per_clock == 0:
        return np.zeros(len(number), dtype=np.int64)
    return np.ceil((number + 1) / tokens_per_clock).astype(np.int64)


_Pattern = tuple[NDArray[np.int64], NDArray[np.bool_]]


def _reads(address: NDArray[np.int64]) -> _Pattern:
    return address, np.zeros(len(address), dtype=np.bool_)


def _sequential_reads(number: NDArray[np.int64], size: int) -> _Pattern:
    return _reads(number * size)


def _sequential_writes(number: NDArray[np.int64], size: int) -> _Pattern:
    return number * size, np.ones(len(number), dtype=np.bool_)


def _strided(number: NDArray[np.int64], _: int) -> _Pattern:
    return _reads(number * 256)


def _column_walk(number: NDArray[np.int64], size: int) -> _Pattern:
    return _reads(number % 1024 * 4096 + number // 1024 * size)


def _tiles(number: NDArray[np.int64], size: int) -> _Pattern:
    """Tiles of 64 rows of 256 B in a matrix of 4 KiB rows: 16 to a band, then the next band."""
    per_row = 256 // size
    tile, inside = np.divmod(number, 64 * per_row)
    row, column = np.divmod(inside, per_row)
    band, place = np.divmod(tile, 16)
    return _reads(band * 64 * 4096 + row * 4096 + place * 256 + column * size)


def _interleaved(number: NDArray[np.int64], size: int, block: int) -> _Pattern:
    per_block = max(1, block // size)
    which, inside = np.divmod(number, per_block)
    half, turn = np.divmod(which, 2)
    return _reads(turn * 256 * _MIB + (half * per_block + inside) * size)


def _two_reads_one_write(number: NDArray[np.int64], size: int, block: int) -> _Pattern:
    per_block = max(1, block // size)
    which, inside = np.divmod(number, per_block)
    write = which % 3 == 2
    written = which // 3 * per_block + inside
    read = (which - which // 3) * per_block + inside
    return np.where(write, 512 * _MIB + written * size, read * size), write


def _random(number: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    with np.errstate(over="ignore"):
        x = (number + 12345).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x % np.uint64((1 << 30) // size)).astype(np.int64) * size


def _random_mixed(number: NDArray[np.int64], size: int) -> _Pattern:
    return _random(number, size), number % 3 == 2


def _weights_and_results(number: NDArray[np.int64], size: int) -> _Pattern:
    """64 KiB of weights are read, then 512 B of results written, again and again."""
    reads, writes = 64 * 1024 // size, 512 // size
    turn, inside = np.divmod(number, reads + writes)
    write = inside >= reads
    written = 768 * _MIB + (turn * writes + inside - reads) * size
    return np.where(write, written, (turn * reads + inside) * size), write


STREAMS: dict[str, Callable[[NDArray[np.int64], int], _Pattern]] = {
    "seq_rd": _sequential_reads,
    "seq_wr": _sequential_writes,
    "stride_256": _strided,
    "stride_4k": _column_walk,
    "tile_64x256": _tiles,
    "two_fine": lambda number, size: _interleaved(number, size, size),
    "two_1k": lambda number, size: _interleaved(number, size, _BLOCK),
    "rw_2to1_fine": lambda number, size: _two_reads_one_write(number, size, size),
    "rw_2to1_1k": lambda number, size: _two_reads_one_write(number, size, _BLOCK),
    "random_rd": lambda number, size: _reads(_random(number, size)),
    "random_rw": _random_mixed,
    "weights_smallwr": _weights_and_results,
}
"""Patterns by name: numbers of the transactions and bytes of each to addresses and directions."""
