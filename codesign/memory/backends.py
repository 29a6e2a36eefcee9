"""Three ways to answer how fast a DRAM serves transfers together, from cheap to exact.

``fluid`` lets transfers share what each of them reaches alone, ``window`` runs the first
transactions of all of them together, ``exact`` runs every transaction. All three rest on the same
kernel, and remember what they solved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from codesign.memory.device import Device
from codesign.memory.patterns import Pattern
from codesign.memory.window import Window, solve, solve_exactly, window_class

Backend = Literal["fluid", "window", "exact"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What a DRAM does for each byte that it moves.

    Attributes:
        ticks: picoseconds.
        activates: rows opened.
        active: share of the time with a bank open, mean over the ranks.
    """

    ticks: Fraction
    activates: Fraction
    active: Fraction


@dataclass(frozen=True, slots=True)
class Transfer:
    """Something to move.

    Attributes:
        pattern: where it goes.
        bytes: how much of it, in whole transactions.
    """

    pattern: Pattern
    bytes: int


def serve(
    device: Device, transfers: Sequence[Transfer], grain_bytes: int, backend: Backend
) -> Rates:
    """How a DRAM serves transfers that are active together, each with an equal share.

    Args:
        device: its values are checked first.
        transfers: at least one.
        grain_bytes: bytes of an arbiter's turn.
        backend: ``fluid``, ``window`` or ``exact``.

    Raises:
        HardwareError: see ``window.solve`` and ``window.solve_exactly``.
    """
    patterns = tuple(transfer.pattern for transfer in transfers)
    if backend == "exact":
        # what is left of the longer ones is no longer together with the shortest
        sizes = (min(transfer.bytes for transfer in transfers),) * len(transfers)
        return _rates(_exact(device, patterns, sizes, grain_bytes))
    if backend == "window":
        return _rates(_window(device, *window_class(device, patterns, grain_bytes)))
    return _mean([serve(device, (one,), grain_bytes, "window") for one in transfers])


def _mean(alone: Sequence[Rates]) -> Rates:
    """Equal bytes of each, one after the other at a grain that does not matter."""
    ticks = sum((one.ticks for one in alone), Fraction())
    return Rates(
        ticks / len(alone),
        sum((one.activates for one in alone), Fraction()) / len(alone),
        sum((one.active * one.ticks for one in alone), Fraction()) / ticks,
    )


def _rates(window: Window) -> Rates:
    return Rates(
        Fraction(window.ticks, window.bytes),
        Fraction(window.activates, window.bytes),
        Fraction(window.active_clocks, max(1, window.active_clocks + window.precharged_clocks)),
    )


@lru_cache(maxsize=1 << 14)
def _window(device: Device, patterns: tuple[Pattern, ...], grain_bytes: int) -> Window:
    return solve(device, patterns, grain_bytes)


@lru_cache(maxsize=1 << 14)
def _exact(
    device: Device, patterns: tuple[Pattern, ...], sizes: tuple[int, ...], grain_bytes: int
) -> Window:
    return solve_exactly(device, patterns, sizes, grain_bytes)
