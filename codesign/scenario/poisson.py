"""Poisson arrivals from integers alone, so that a seed gives the same ticks on every machine.

A logarithm may differ in its last bit from one machine to another. Von Neumann's method draws an
exponential variable by comparing uniform ones, which is exact.

Source: J. von Neumann, "Various techniques used in connection with random digits", National Bureau
of Standards Applied Mathematics Series 12, 1951.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import count

WORD = 2**64
"""The words of a stream are uniform below this."""


def words(seed: int, substream: str) -> Iterator[int]:
    """Uniform 64-bit words, without end: SHA-256 (FIPS 180-4) of seed, substream and a counter.

    Args:
        seed: any whole number; equal seeds give equal words.
        substream: name of an independent stream of the same seed.
    """
    for number in count():
        block = hashlib.sha256(f"{seed}:{substream}:{number}".encode()).digest()
        yield from struct.unpack(">4Q", block)


def exponential(uniform: Iterator[int]) -> int:
    """An exponential variable of mean 1, in units of 1 / ``WORD``.

    A falling run ``u1 > u2 > ... > un <= u`` has odd length n with probability exp(-u1): then u1
    is the fraction. Each run of even length adds 1 to the whole part.
    """
    whole = 0
    while True:
        first = last = next(uniform)
        odd = True
        while (following := next(uniform)) < last:
            last, odd = following, not odd
        if odd:
            return whole + first
        whole += WORD


def poisson_ticks(mean: Fraction, seed: int, substream: str) -> Iterator[int]:
    """Arrival times from 0 on, without end; each interval is rounded to the nearest tick.

    Args:
        mean: mean interval in ticks, above 0.
        seed: chooses the arrivals.
        substream: what they are drawn for: a stream and a stretch of time.
    """
    uniform = words(seed, substream)
    divisor = WORD * mean.denominator
    now = 0
    while True:
        scaled = exponential(uniform) * mean.numerator
        now += (2 * scaled + divisor) // (2 * divisor)
        yield now
