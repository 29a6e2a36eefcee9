"""The log of a run says what happened between any two of its clocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_devices import DEVICE, variants

from codesign.memory import commands as c
from codesign.memory.counts import Run
from codesign.memory.device import Device
from codesign.memory.kernel import simulate
from codesign.memory.streams import stream
from codesign.memory.window_log import count_command, count_turnarounds, open_clocks

DEVICES = variants()


def replayed(device: Device, name: str, requests: int, load: float = 0.0) -> Run:
    made = stream(name, requests, 64, load)
    made = replace(made, address=made.address % device.organisation.capacity_bytes)
    return simulate(device, made, log=True)


@pytest.mark.parametrize("name", sorted(DEVICES))
@pytest.mark.parametrize(("pattern", "load"), [("random_rw", 0.0), ("seq_rd", 0.05)])
def test_the_log_says_what_the_kernel_counts(name: str, pattern: str, load: float) -> None:
    device = replace(DEVICES[name], timings=replace(DEVICES[name].timings, trefi=1500))
    run = replayed(device, pattern, 250, load)
    end = int(run.log[-1, 0])
    assert count_command(run.log, c.ACT, 0, end) == run.counts.activates > 0
    assert count_command(run.log, c.RD, 0, end) == run.counts.reads
    assert count_turnarounds(run.log, device, 0, end) == run.counts.turnarounds
    counted = open_clocks(run.log, device, 0, run.counts.clocks + 1)
    if "closed" not in name:
        # a row that closes with its column command is counted as closed a little too early or late
        assert counted == run.counts.active_clocks
    assert counted == open_by_hand(run, device, run.counts.clocks + 1)


def open_by_hand(run: Run, device: Device, end: int) -> int:
    """Clocks with an open bank, each clock by itself."""
    banks, total = device.organisation.rank_banks, 0
    opened: dict[int, set[int]] = {}
    rows = [tuple(row) for row in run.log.tolist()]
    rank_of = [-1 - row[2] if row[2] < 0 else row[2] // banks for row in rows]
    for rank in set(rank_of):
        since = 0
        held = opened.setdefault(rank, set())
        for clock, command, bank, *_ in (
            row for row, at in zip(rows, rank_of, strict=True) if at == rank
        ):
            total += (min(clock, end) - min(since, end)) * bool(held)
            since = clock
            if command == c.ACT:
                held.add(bank)
            elif command == c.PRE:
                held.discard(bank)
            elif command == c.PREA:
                held.clear()
        total += max(0, end - since) * bool(held)
    return total


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=30)
def test_parts_of_a_log_add_up(one: int, two: int, three: int) -> None:
    first, cut, last = sorted((one, two, three))
    log = LOGGED.log
    for measure in (open_clocks, count_turnarounds):
        parts = measure(log, DEVICE, first, cut) + measure(log, DEVICE, cut, last)
        assert parts == measure(log, DEVICE, first, last)
    for command in (c.ACT, c.RD, c.WR):
        parts = count_command(log, command, first, cut) + count_command(log, command, cut, last)
        assert parts == count_command(log, command, first, last)


LOGGED = replayed(DEVICE, "random_rw", 250)


def test_an_empty_log_counts_nothing() -> None:
    nothing = np.zeros((0, 5), dtype=np.int64)
    assert open_clocks(nothing, DEVICE, 0, 100) == 0
    assert count_turnarounds(nothing, DEVICE, 0, 100) == 0
