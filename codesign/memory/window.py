"""Joint rate and counts of patterns, from a window of their merged transactions or from all.

The kernel runs the first transactions exactly, and most of them stand for all that follow. Two
choices differ from the usual recipe, because both were measured. Refreshes stay in the window and
only their number is put right: what one costs depends on the pattern, from nothing, where the
banks catch up meanwhile, to half as much again as tRFC. And a window holds so many transactions of
each pattern, see ``window_plan``.
"""

from __future__ import annotations

from collections.abc import Sequence

from codesign.memory.arbiter import finite, interleave
from codesign.memory.device import Device
from codesign.memory.kernel import simulate
from codesign.memory.pattern_class import canonical_set
from codesign.memory.patterns import Pattern
from codesign.memory.streams import Stream
from codesign.memory.window_counts import Window, middle, whole
from codesign.memory.window_plan import plan

__all__ = ["Window", "solve", "solve_exactly", "solve_stream", "window_class"]


def solve(
    device: Device, patterns: Sequence[Pattern], grain_bytes: int, requests: int | None = None
) -> Window:
    """Steady state of patterns that never end and always have transactions waiting.

    Args:
        device: its values are checked first.
        patterns: active together, at least one; each moves the same bytes.
        grain_bytes: bytes of an arbiter's turn, at least 1; whole transactions and at least one.
        requests: transactions to run, at least 512; by default ``window_plan`` says.

    Raises:
        HardwareError: there are no patterns, one does not fit into the memory, the device has
            impossible values, or a number is out of its range.
    """
    planned = plan(device, len(patterns), grain_bytes, requests)
    grain = planned.turn * device.organisation.transaction_bytes
    merged = interleave(device, patterns, grain, planned.total)
    return middle(device, merged, planned)


def solve_stream(device: Device, stream: Stream, requests: int | None = None) -> Window:
    """As ``solve`` for transactions in a given order.

    Args:
        device: its values are checked first.
        stream: at least 512 transactions; those after the window do not count.
        requests: transactions to run, at least 512; by default those of one pattern.

    Raises:
        HardwareError: there are too few transactions, an address lies outside of the memory, or
            the device has impossible values.
    """
    planned = plan(device, 1, 1, requests)
    if len(stream.address) < planned.total:
        planned = plan(device, 1, 1, len(stream.address))
    part = slice(planned.total)
    head = Stream(stream.address[part], stream.write[part], stream.arrival[part])
    return middle(device, head, planned)


def solve_exactly(
    device: Device, patterns: Sequence[Pattern], sizes: Sequence[int], grain_bytes: int
) -> Window:
    """Every transaction of descriptors that start together, until the last of them has ended.

    When a memory refreshed last before they start, nobody knows: as many refreshes are counted as
    fall into so long a time in the mean.

    Args:
        device: its values are checked first.
        patterns: at least one.
        sizes: bytes that each moves, at least 1.
        grain_bytes: bytes of an arbiter's turn, at least 1; whole transactions and at least one.

    Raises:
        HardwareError: as ``solve``, or there are not as many sizes as patterns.
    """
    return whole(device, simulate(device, finite(device, patterns, sizes, grain_bytes)))


def window_class(
    device: Device, patterns: Sequence[Pattern], grain_bytes: int, requests: int | None = None
) -> tuple[tuple[Pattern, ...], int]:
    """Patterns and a grain for which ``solve`` gives the same window: the key of a cache.

    Args:
        device: as for ``solve``.
        patterns: as for ``solve``.
        grain_bytes: as for ``solve``.
        requests: as for ``solve``.

    Raises:
        HardwareError: as ``solve``.
    """
    planned = plan(device, len(patterns), grain_bytes, requests)
    rounds = -(-planned.total // (planned.turn * len(patterns)))
    alike = canonical_set(patterns, device, rounds * planned.turn)
    return alike, planned.turn * device.organisation.transaction_bytes
