"""What a memory did in a part of a run, with the mean number of refreshes."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.memory import commands as c
from codesign.memory.counts import Run
from codesign.memory.device import Device
from codesign.memory.kernel import simulate_middle
from codesign.memory.streams import Stream
from codesign.memory.window_plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a memory did to move some bytes.

    Attributes:
        bytes: moved, in whole transactions.
        ticks: picoseconds that this took, refreshes included.
        activates: rows opened.
        reads: read commands.
        writes: write commands.
        turnarounds: changes between reading and writing on a data bus.
        active_clocks: clocks with a bank open, summed over ranks.
        precharged_clocks: clocks with all banks closed, summed over ranks.
    """

    bytes: int
    ticks: int
    activates: int
    reads: int
    writes: int
    turnarounds: int
    active_clocks: int
    precharged_clocks: int

    @property
    def row_hits(self) -> int:
        """Reads and writes that needed no activate of their own."""
        return max(0, self.reads + self.writes - self.activates)

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """Bytes over time."""
        return self.bytes * 1e12 / self.ticks


def middle(device: Device, requests: Stream, planned: Plan) -> Window:
    """The part of a run that counts: from the completion of one transaction to that of another.

    Args:
        device: its values are checked first.
        requests: ``planned.total`` transactions.
        planned: which of them count.

    Raises:
        HardwareError: as ``kernel.simulate``.
    """
    passed, seen = simulate_middle(device, requests, planned.first, planned.kept)
    ranks = device.organisation.channels * device.organisation.channel_ranks
    clocks, parts = _with_mean_refreshes(device, passed * ranks, seen.issued[c.REF])
    return Window(
        bytes=planned.kept * device.organisation.transaction_bytes,
        ticks=max(1, _rounded(clocks * device.timings.tck_ps, parts * ranks)),
        activates=seen.issued[c.ACT],
        reads=seen.issued[c.RD],
        writes=seen.issued[c.WR],
        turnarounds=seen.turnarounds,
        active_clocks=seen.active_clocks,
        precharged_clocks=max(0, _rounded(clocks, parts) - seen.active_clocks),
    )


def whole(device: Device, run: Run) -> Window:
    """All of a run.

    Args:
        device: that was run.
        run: with or without its log.
    """
    counts = run.counts
    ranks = device.organisation.channels * device.organisation.channel_ranks
    clocks, parts = _with_mean_refreshes(device, counts.clocks * ranks, counts.refreshes)
    return Window(
        bytes=counts.bytes,
        ticks=max(1, _rounded(clocks * device.timings.tck_ps, parts * ranks)),
        activates=counts.activates,
        reads=counts.reads,
        writes=counts.writes,
        turnarounds=counts.turnarounds,
        active_clocks=counts.active_clocks,
        precharged_clocks=max(0, _rounded(clocks, parts) - counts.active_clocks),
    )


def _with_mean_refreshes(device: Device, clocks: int, refreshes: int) -> tuple[int, int]:
    """Clocks of all ranks with the mean number of refreshes, as a fraction.

    A window or a short transfer holds few refreshes of all banks, so that one more or less
    matters: the clocks of those that it has go, and the mean share comes instead. Refreshes of
    single banks are many and short, and stay as they fell.
    """
    timings = device.timings
    if device.controller.refresh != "all_bank" or timings.trfc >= timings.trefi:
        return clocks, 1
    return (clocks - refreshes * timings.trfc) * timings.trefi, timings.trefi - timings.trfc


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
