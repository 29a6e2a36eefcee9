"""Encoders that really go over a matrix and count what they write."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.bool_]


def bits_for(extent: int) -> int:
    """Bits that tell so many things apart."""
    return math.ceil(math.log2(extent)) if extent > 1 else 0


def bitmap(kept: Matrix, rows: int = 1, columns: int = 1) -> tuple[int, int]:
    """Values and bits of a mask over tiles, of which the kept ones are stored whole."""
    tiles = _tiles(kept, rows, columns)
    return int(tiles.sum()) * rows * columns, tiles.size


def csr(kept: Matrix, rows: int = 1, columns: int = 1) -> tuple[int, int]:
    """Values and bits of block rows with 32-bit offsets and block columns."""
    tiles = _tiles(kept, rows, columns)
    offsets, numbers = [0], []
    for row in tiles:
        numbers += list(np.flatnonzero(row))
        offsets.append(len(numbers))
    return len(numbers) * rows * columns, 32 * len(offsets) + len(numbers) * bits_for(
        tiles.shape[1]
    )


def coo(kept: Matrix) -> tuple[int, int]:
    """Values and bits of a row and a column for each."""
    places = list(zip(*np.nonzero(kept), strict=True))
    return len(places), len(places) * sum(bits_for(extent) for extent in kept.shape)


def run_length(kept: Matrix, width: int) -> tuple[int, int]:
    """Values, fillers among them, and bits of their runs."""
    values, before = 0, -1
    for place in np.flatnonzero(kept).tolist():
        values += 1 + (place - before - 1) // 2**width
        before = place
    return values, values * width


def run_length_words(kept: Matrix, width: int) -> list[tuple[int, bool]]:
    """The words of a run-length code: how many zeros are before a value, and if it is a non-zero.

    Zeros at the end are not written.
    """
    words, run = [], 0
    for is_kept in kept.reshape(-1)[: np.flatnonzero(kept)[-1] + 1].tolist():
        if is_kept or run == 2**width - 1:
            words.append((run, is_kept))
            run = 0
        else:
            run += 1
    return words


def _tiles(kept: Matrix, rows: int, columns: int) -> Matrix:
    """Which tiles hold a non-zero; those at the edges hang over."""
    spare = [(0, -extent % side) for extent, side in zip(kept.shape, (rows, columns), strict=True)]
    padded = np.pad(kept, spare)
    down, across = padded.shape[0] // rows, padded.shape[1] // columns
    return np.asarray(padded.reshape(down, rows, across, columns).any(axis=(1, 3)))
