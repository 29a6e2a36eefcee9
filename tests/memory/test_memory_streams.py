"""The patterns are those of the reference runs, request by request."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import HardwareError
from codesign.memory.streams import STREAMS, stream

MIB = 1 << 20


def splitmix64(x: int) -> int:
    mask = (1 << 64) - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_pattern_is_aligned_and_has_as_many_requests_as_asked(name: str, size: int) -> None:
    made = stream(name, 5000, size)
    assert len(made.address) == len(made.write) == len(made.arrival) == 5000
    assert (made.address % size == 0).all()
    assert made.address.min() >= 0


@given(st.integers(1, 2000))
def test_random_addresses_are_those_of_splitmix64(requests: int) -> None:
    made = stream("random_rd", requests, 64)
    at = requests - 1
    assert made.address[at] == splitmix64(12345 + at) % ((1 << 30) // 64) * 64


def test_a_column_walk_steps_4_kib_and_comes_back_after_1024_rows() -> None:
    made = stream("stride_4k", 1026, 64)
    assert made.address[[0, 1, 1023, 1024, 1025]].tolist() == [0, 4096, 1023 * 4096, 64, 4160]


def test_tiles_are_64_rows_of_256_bytes() -> None:
    made = stream("tile_64x256", 64 * 4 * 16 + 1, 64).address
    assert made[:5].tolist() == [0, 64, 128, 192, 4096]
    assert made[64 * 4] == 256
    assert made[64 * 4 * 16] == 64 * 4096


def test_two_streams_alternate_in_blocks() -> None:
    fine = stream("two_fine", 4, 64).address
    assert fine.tolist() == [0, 256 * MIB, 64, 256 * MIB + 64]
    coarse = stream("two_1k", 34, 64).address
    assert coarse[[0, 15, 16, 31, 32]].tolist() == [0, 960, 256 * MIB, 256 * MIB + 960, 1024]


def test_every_third_block_is_written() -> None:
    made = stream("rw_2to1_1k", 64, 64)
    assert made.write.tolist() == [at % 48 - 16 >= 16 for at in range(64)]
    assert made.address[32] == 512 * MIB
    assert made.address[48] == 2048


def test_results_follow_each_64_kib_of_weights() -> None:
    made = stream("weights_smallwr", 1024 + 8 + 1, 64)
    assert made.write.sum() == 8
    assert made.address[[1023, 1024, 1031, 1032]].tolist() == [
        1023 * 64,
        768 * MIB,
        768 * MIB + 448,
        65536,
    ]


def test_a_load_spreads_the_arrivals() -> None:
    assert stream("seq_rd", 4, 64, 0.25).arrival.tolist() == [4, 8, 12, 16]
    assert stream("seq_rd", 3, 64).arrival.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("seq", 1, 64), "unknown stream 'seq'"),
        (("seq_rd", 0, 64), "requests and bytes must be >= 1"),
        (("seq_rd", 1, 64, -0.5), "the rate finite and >= 0"),
    ],
)
def test_a_stream_without_meaning_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(HardwareError, match=message):
        stream(*arguments)  # type: ignore[arg-type]


def test_reads_and_writes_are_marked() -> None:
    assert not stream("seq_rd", 9, 64).write.any()
    assert stream("seq_wr", 9, 64).write.all()
    assert np.flatnonzero(stream("random_rw", 9, 64).write).tolist() == [2, 5, 8]
