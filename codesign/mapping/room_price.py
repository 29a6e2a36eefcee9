"""What a byte of on-chip room is worth at each operator, if all that may stay competes for it.

Lagrange multipliers of the limits, by subgradient steps (Held, Wolfe and Crowder, "Validation of
subgradient optimization", Mathematical Programming 6, 1974). At any prices, no choice of holds
saves more than the room sold out plus what every hold gains beyond the price of its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.hold import Hold

_ROUNDS = 300
"""Steps taken; more make the prices better and change no law."""

Prices = Mapping[str, NDArray[np.float64]]
"""By memory, the price of a byte at each operator, in bytes saved."""


def price_room(holds: Sequence[Hold], free: Mapping[str, Sequence[int]]) -> Prices:
    """Prices at which little room is left over and little is overbooked.

    Args:
        holds: what may stay.
        free: by memory, the bytes that may be taken at each operator.
    """
    return {
        memory: _settle([h for h in holds if h.memory == memory], np.array(room, dtype=float))
        for memory, room in free.items()
    }


def _settle(holds: Sequence[Hold], room: NDArray[np.float64]) -> NDArray[np.float64]:
    first = np.array([hold.first for hold in holds], dtype=np.int64)
    end = np.array([hold.last + 1 for hold in holds], dtype=np.int64)
    size = np.array([hold.bytes for hold in holds], dtype=float)
    saved = np.array([hold.saved for hold in holds], dtype=float)
    prices = best = np.zeros(len(room))
    least = np.inf
    for turn in range(_ROUNDS if holds else 0):
        paid = np.concatenate(([0.0], np.cumsum(prices)))
        gains = saved - size * (paid[end] - paid[first])
        wanted = gains > 0
        bound = float(gains[wanted].sum() + room @ prices)
        if bound < least:
            least, best = bound, prices
        change = np.zeros(len(room) + 1)
        np.add.at(change, first[wanted], size[wanted])
        np.subtract.at(change, end[wanted], size[wanted])
        slope = room - np.cumsum(change)[:-1]
        length = float(slope @ slope)
        if not length:
            break
        prices = np.maximum(0.0, prices - 0.5 * 0.98**turn * bound / length * slope)
    return best
