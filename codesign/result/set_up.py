"""The set-up of a run: loads of what stays from run to run, once before the first of them."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.mapping.placement import Placement
from codesign.replay.result import Replay
from codesign.units import PS_PER_S


@dataclass(frozen=True, slots=True)
class SetUp:
    """What comes once before the first run; the figures of a result have it in them.

    Attributes:
        seconds: from the start to the end of its last load, at which the run begins.
        bytes: that it loads from the memory where tensors live.
    """

    seconds: float
    bytes: int


def find_set_up(placement: Placement, replay: Replay) -> SetUp | None:
    """The set-up of what was replayed; None if nothing stays from run to run.

    Args:
        placement: what was replayed; everything in its run waits for all of its set-up.
        replay: when.
    """
    if not placement.setup:
        return None
    last = max(total.last for one, total in replay.totals[: len(placement.setup)])
    return SetUp(last / PS_PER_S, placement.setup_bytes)
