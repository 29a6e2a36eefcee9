"""What a run of the bank kernel gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.device import Device
from codesign.memory.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Commands and times of one run, summed over channels. Clocks are those of the device.

    Attributes:
        clocks: clock at which the last request completed, in the last channel; the run starts with
            clock 1.
        tck_ps: one clock.
        requests: reads and writes asked for.
        bytes: moved for them.
        activates: rows opened.
        precharges: rows closed one by one, with or without a command of their own.
        precharges_all: commands that close all rows of a rank.
        reads: read commands.
        writes: write commands; writes that are still queued at the end have none.
        refreshes: refreshes of a whole rank.
        refreshes_bank: refreshes of one bank.
        row_hits: requests that found their row open.
        row_misses: requests that found their bank closed.
        row_conflicts: requests that had to close another row.
        forwarded: requests that were answered from a queue.
        turnarounds: changes between reading and writing on a data bus.
        latency_mean: mean clocks from acceptance to the end of the data over all reads; 0 without.
        latency_p99: the same for the slowest hundredth.
        active_clocks: clocks with a bank open, summed over ranks.
        precharged_clocks: clocks with all banks closed, summed over ranks.
    """

    clocks: int
    tck_ps: int
    requests: int
    bytes: int
    activates: int
    precharges: int
    precharges_all: int
    reads: int
    writes: int
    refreshes: int
    refreshes_bank: int
    row_hits: int
    row_misses: int
    row_conflicts: int
    forwarded: int
    turnarounds: int
    latency_mean: float
    latency_p99: float
    active_clocks: int
    precharged_clocks: int

    @property
    def seconds(self) -> float:
        """Duration of the run."""
        return self.clocks * self.tck_ps * 1e-12

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """Bytes asked for over the duration; 0 for an empty run."""
        return self.bytes / self.seconds if self.clocks else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """Counts of a run and what happened to each request.

    Attributes:
        counts: totals.
        accepted: clock at which each request entered a queue, in the order of the stream.
        completed: clock at which each request completed.
        log: each command's clock, command, bank, row and request, in the order of issue; empty
            unless the run was asked for it. A command for a whole rank has bank -1 - rank.
    """

    counts: Counts
    accepted: NDArray[np.int64]
    completed: NDArray[np.int64]
    log: NDArray[np.int64]


def count(device: Device, runs: Sequence[Tables], waits: NDArray[np.int64]) -> Counts:
    """Totals of one run, or of runs of separate channels; the latest channel ends the run.

    Args:
        device: that was run.
        runs: final states; ranks without commands count as idle to the end.
        waits: clocks from acceptance to completion of each read.
    """
    clocks = max(int(one.numbers[f.END]) for one in runs)
    requests = sum(len(one.requests.rows) for one in runs)
    number = np.sum([one.numbers[: f.CLOCK] for one in runs], axis=0).tolist()
    active = sum(_open_clocks(one) for one in runs)
    ranks = device.organisation.channels * device.organisation.channel_ranks
    return Counts(
        clocks=clocks,
        tck_ps=device.timings.tck_ps,
        requests=requests,
        bytes=requests * device.organisation.transaction_bytes,
        activates=number[f.COUNTED + c.ACT],
        precharges=number[f.COUNTED + c.PRE],
        precharges_all=number[f.COUNTED + c.PREA],
        reads=number[f.COUNTED + c.RD],
        writes=number[f.COUNTED + c.WR],
        refreshes=number[f.COUNTED + c.REF],
        refreshes_bank=number[f.COUNTED + c.REFB],
        row_hits=number[f.ROW_HIT],
        row_misses=number[f.ROW_MISS],
        row_conflicts=number[f.ROW_CONFLICT],
        forwarded=number[f.FORWARDED],
        turnarounds=number[f.TURNAROUNDS],
        latency_mean=float(waits.mean()) if len(waits) else 0.0,
        latency_p99=_slowest_hundredth(waits) if len(waits) else 0.0,
        active_clocks=active,
        precharged_clocks=clocks * ranks - active,
    )


def _slowest_hundredth(waits: NDArray[np.int64]) -> float:
    """The 99th percentile, or the next larger value where it lies between two."""
    place = math.ceil(0.99 * (len(waits) - 1))
    return float(np.partition(waits, place)[place])


def _open_clocks(run: Tables) -> int:
    """Clocks with a bank open, summed over ranks; a row that is still open is open to the end.

    One that closes behind the last answer is open no longer than the run.
    """
    ranks, end = run.ranks.rows, run.numbers[f.END]
    tail = np.maximum(end + 1 - ranks[:, f.OPEN_SINCE], 0) * (ranks[:, f.OPEN_BANKS] > 0)
    return int(np.minimum(ranks[:, f.OPEN_CLOCKS] + tail, end).sum())
