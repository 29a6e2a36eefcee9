"""How many transactions a window takes, and which of them count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from codesign.errors import HardwareError
from codesign.memory.arbiter import turn_of
from codesign.memory.device import Device

REQUESTS: Final = 4096
"""Transactions of a window, at least."""
REQUESTS_EACH: Final = 2048
"""Transactions of each pattern, at least: several that start in step in one bank take so long to
fall out of it. Also the longest turn of an arbiter: what a longer one adds is more of the same."""
MOST_FOR_REFRESH: Final = 16384
"""Transactions that a window is stretched to, at most, so that it keeps a refresh interval. A stack
of HBM would need twice as many: endless random strides then come 1.4 to 3.1 points nearer to what
they do in the end, and of whole models bound by HBM no latency moves by more than 0.7 %."""
FEWEST: Final = 512
"""Transactions that a window can be cut down to: more than the queues of a channel hold."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Transactions of a window.

    Attributes:
        first: that fill the queues, open the rows and fall in step with the refreshes.
        kept: that count; whole rounds of the arbiter.
        last: that empty the queues.
        turn: of an arbiter's turn.
    """

    first: int
    kept: int
    last: int
    turn: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.first + self.kept + self.last


def plan(device: Device, patterns: int, grain_bytes: int, requests: int | None) -> Plan:
    """The transactions of a window for so many patterns.

    By default there are as many as ``REQUESTS``, ``REQUESTS_EACH`` and a refresh interval at the
    peak rate ask for. The first eighth and the last sixteenth do not count. With refreshes of
    single banks there are twice as many and the first half does not count: a stream that walks
    through the banks falls in step with the refreshes that do the same, and that takes a while.

    Args:
        device: its values are checked first.
        patterns: that are active together, at least 1.
        grain_bytes: of the arbiter, at least 1.
        requests: transactions to take, at least ``FEWEST``; more only to end with a whole round.

    Raises:
        HardwareError: the device has impossible values or does nothing but refresh, or a number is
            out of its range.
    """
    device.check()
    if patterns < 1:
        raise HardwareError(f"{device.name}: a window needs at least one pattern, got none")
    turn = min(turn_of(device, grain_bytes), REQUESTS_EACH)
    _check_refresh(device)
    total = _requests(device, patterns) if requests is None else requests
    if total < FEWEST:
        raise HardwareError(
            f"{device.name}: a window needs >= {FEWEST} transactions, got {total}; "
            "solve a descriptor of fewer exactly"
        )
    per_bank = device.controller.refresh == "per_bank"
    first, last = (total // 2, total // 32) if per_bank else (total // 8, total // 16)
    kept = -(-(total - first - last) // (turn * patterns)) * turn * patterns
    return Plan(first, kept, last, turn)


def _requests(device: Device, patterns: int) -> int:
    organisation, timings = device.organisation, device.timings
    buses = organisation.channels * organisation.pseudo_channels
    refresh_interval = buses * timings.trefi // timings.burst
    whole_interval = min(refresh_interval * 16 // 13 + 1, MOST_FOR_REFRESH)
    requests = max(REQUESTS, REQUESTS_EACH * patterns, whole_interval)
    return 2 * requests if device.controller.refresh == "per_bank" else requests


def _check_refresh(device: Device) -> None:
    timings = device.timings
    if device.controller.refresh == "all_bank" and timings.trfc >= timings.trefi:
        raise HardwareError(
            f"{device.name}: timings.trfc must be < trefi for anything to move, got "
            f"{timings.trfc} and {timings.trefi} clocks"
        )
