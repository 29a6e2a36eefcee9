"""The bank kernel: replays transactions on a device, command by command, and counts."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from codesign.errors import HardwareError
from codesign.memory import layout as f
from codesign.memory.compiled import executable, is_cached
from codesign.memory.controller import Style
from codesign.memory.counts import Run, count
from codesign.memory.device import Device
from codesign.memory.mapping import Ints, decode
from codesign.memory.setup import fresh_tables
from codesign.memory.streams import Stream
from codesign.memory.tables import Tables
from codesign.memory.window_log import Tally, tally

LOOPS: dict[Style, str] = {
    "dramsim3": "bank_queues",
    "ramulator": "shared_queues",
    "ideal": "shared_queues",
}
"""The module with the loop of each controller style. It is imported, and numba with it, at its
first run."""

_Part: TypeAlias = slice | Ints
"""Numbers of requests."""


def simulate(device: Device, requests: Stream, *, log: bool = False) -> Run:
    """Replays a stream of transactions.

    Args:
        device: its values are checked first.
        requests: addresses in bytes, directions and clocks of arrival.
        log: keep every command.

    Returns:
        Counts, the clocks of each request, and the commands if asked for.

    Raises:
        HardwareError: the device has impossible values, an address lies outside of it, or the
            arrivals are out of order.
    """
    parts, runs = _replays(device, requests, log)
    accepted, completed = np.zeros((2, len(requests.address)), dtype=np.int64)
    for part, tables in zip(parts, runs, strict=True):
        accepted[part] = tables.requests.rows[:, f.ACCEPTED]
        completed[part] = tables.requests.rows[:, f.DONE]
    counts = count(device, runs, (completed - accepted)[~requests.write])
    commands = np.concatenate([_log(*pair) for pair in zip(runs, parts, strict=True)])
    order = np.argsort(commands[:, 0], kind="stable")
    return Run(counts, accepted, completed, commands[order])


def simulate_middle(device: Device, requests: Stream, first: int, kept: int) -> tuple[int, Tally]:
    """Replays a stream and tells what happened from the completion of a request to that of another.

    Args:
        device: as for ``simulate``.
        requests: as for ``simulate``.
        first: requests that complete before, at least 1.
        kept: that complete meanwhile, at least 1; with ``first`` at most all.

    Returns:
        Clocks between the two, and what happened in them.

    Raises:
        HardwareError: as ``simulate``.
    """
    _, runs = _replays(device, requests, log=True)
    done = np.concatenate([tables.requests.rows[:, f.DONE] for tables in runs])
    places = first - 1, first + kept - 1
    begin, stop = np.partition(done, places)[list(places)].tolist()
    return stop - begin, tally(runs, executable(LOOPS[device.controller.style]), begin, stop)


def is_warm(style: Style) -> bool:
    """Whether the machine code of a controller style lies in the cache.

    Where it does not, and numba is installed, the first run takes some seconds to compile it.
    """
    return is_cached(LOOPS[style])


def compile_style(style: Style) -> None:
    """Compiles the loop of a controller style, or loads it, so that its next run starts at once."""
    executable(LOOPS[style])


def warm_up(device: Device) -> None:
    """``compile_style`` for the controller of a device."""
    compile_style(device.controller.style)


def _replays(device: Device, requests: Stream, log: bool) -> tuple[list[_Part], list[Tables]]:
    """The requests of each injection queue, and the state in which their run ends."""
    device.check()
    if np.any(np.diff(requests.arrival) < 0):
        raise HardwareError(f"{device.name}: arrivals of a stream must not go back; sort them")
    parts = _injection_queues(device, requests)
    return parts, [_replay(device, requests, part, log) for part in parts]


def _injection_queues(device: Device, requests: Stream) -> list[_Part]:
    """The requests that wait for each other: all of them, or those of each channel."""
    if device.controller.shared_injection:
        return [slice(None)]
    channel = decode(requests.address, device.mapping, device.organisation)["ch"]
    return [np.flatnonzero(channel == at) for at in range(device.organisation.channels)]


def _replay(device: Device, requests: Stream, part: _Part, log: bool) -> Tables:
    """Runs a part of the requests with an injection queue of its own."""
    own = Stream(requests.address[part], requests.write[part], requests.arrival[part])
    tables = fresh_tables(device, own, log)
    executable(LOOPS[device.controller.style])(tables.numbers)
    return tables


def _log(tables: Tables, part: _Part) -> Ints:
    """The commands of a run, with banks, ranks and requests by number."""
    log = tables.log.rows[: int(tables.numbers[f.LOGGED])].copy()
    of_bank, of_request = log[:, 2] >= 0, log[:, 4] != f.NONE
    log[of_bank, 2] = (log[of_bank, 2] - tables.banks.first) // f.BANK_FIELDS
    log[~of_bank, 2] = -1 - (-log[~of_bank, 2] - tables.ranks.first) // f.RANK_FIELDS
    number = (log[of_request, 4] - tables.requests.first) // f.REQUEST_FIELDS
    log[of_request, 4] = number if isinstance(part, slice) else part[number]
    return log
