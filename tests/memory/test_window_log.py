"""The log of a run says what happened between any two of its clocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_devices import DEVICE, variants

from codesign.memory import commands as c
from codesign.memory.counts import Run
from codesign.memory.device import Device
from codesign.memory.kernel import simulate, simulate_middle
from codesign.memory.streams import Stream, stream
from codesign.memory.window_log import Tally

DEVICES = variants()
REQUESTS = 250


def requests(device: Device, name: str, load: float = 0.0) -> Stream:
    made = stream(name, REQUESTS, 64, load)
    return replace(made, address=made.address % device.organisation.capacity_bytes)


def quick(device: Device) -> Device:
    """With refreshes that a short run meets."""
    return replace(device, timings=replace(device.timings, trefi=1500))


# -- by hand -------------------------------------------------------------------------------------


def by_hand(run: Run, device: Device, begin: int, stop: int) -> Tally:
    """What the log says, row by row."""
    inside = [row for row in run.log.tolist() if begin < row[0] <= stop]
    issued = Counter(row[1] for row in inside)
    return Tally(
        tuple(issued[command] for command in range(c.COMMANDS)),
        turnarounds_by_hand(run, device, begin, stop),
        open_by_hand(run, device, begin, stop),
    )


def turnarounds_by_hand(run: Run, device: Device, begin: int, stop: int) -> int:
    organisation = device.organisation
    last: dict[int, int] = {}
    turned = 0
    for clock, command, bank, *_ in run.log.tolist():
        if command in (c.RD, c.WR):
            bus = bank // (organisation.ranks * organisation.rank_banks)
            turned += last.get(bus, command) != command and begin < clock <= stop
            last[bus] = command
    return turned


def open_by_hand(run: Run, device: Device, begin: int, stop: int) -> int:
    """Clocks with an open bank, from one command of a rank to the next."""
    banks, total = device.organisation.rank_banks, 0
    rows = [tuple(row) for row in run.log.tolist()]
    rank_of = [-1 - row[2] if row[2] < 0 else row[2] // banks for row in rows]

    def seen(clock: int) -> int:
        return max(begin, min(clock, stop))

    for rank in set(rank_of):
        since, held = 0, set[int]()
        for clock, command, bank, *_ in (
            row for row, at in zip(rows, rank_of, strict=True) if at == rank
        ):
            total += (seen(clock) - seen(since)) * bool(held)
            since = clock
            if command == c.ACT:
                held.add(bank)
            elif command == c.PRE:
                held.discard(bank)
            elif command == c.PREA:
                held.clear()
        total += (stop - seen(since)) * bool(held)
    return total


# -- the same, compiled --------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(DEVICES))
@pytest.mark.parametrize(("pattern", "load"), [("random_rw", 0.0), ("seq_rd", 0.05)])
def test_a_part_of_a_run_holds_what_its_log_says(name: str, pattern: str, load: float) -> None:
    device = quick(DEVICES[name])
    made = requests(device, pattern, load)
    run = simulate(device, made, log=True)
    ends = sorted(run.completed.tolist())
    for first, kept in ((1, REQUESTS - 1), (1, 1), (40, 150), (200, 50)):
        begin, stop = ends[first - 1], ends[first + kept - 1]
        clocks, tally = simulate_middle(device, made, first, kept)
        assert clocks == stop - begin
        assert tally == by_hand(run, device, begin, stop)
        assert tally.issued[c.RD] + tally.issued[c.WR] > 0 or kept == 1


@given(st.integers(1, REQUESTS - 2), st.data())
@settings(max_examples=30)
def test_parts_of_a_run_add_up(first: int, data: st.DataObject) -> None:
    one = data.draw(st.integers(1, REQUESTS - first - 1))
    other = data.draw(st.integers(1, REQUESTS - first - one))
    device = quick(DEVICE)
    made = requests(device, "random_rw")
    parts = [
        simulate_middle(device, made, first, one),
        simulate_middle(device, made, first + one, other),
    ]
    clocks, tally = simulate_middle(device, made, first, one + other)
    assert clocks == sum(part for part, _ in parts)
    assert tally.turnarounds == sum(part.turnarounds for _, part in parts)
    assert tally.active_clocks == sum(part.active_clocks for _, part in parts)
    each = zip(*(part.issued for _, part in parts), strict=True)
    assert tally.issued == tuple(map(sum, each))
