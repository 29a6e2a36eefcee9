"""The bank kernel: replays transactions on a device, command by command, and counts."""

from __future__ import annotations

import numpy as np

from codesign.errors import HardwareError
from codesign.memory import layout as f
from codesign.memory.counts import Run, count
from codesign.memory.device import Device
from codesign.memory.layout import Ints, State
from codesign.memory.loop import run
from codesign.memory.mapping import decode
from codesign.memory.setup import fresh_state
from codesign.memory.streams import Stream, stream


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
    device.check()
    if np.any(np.diff(requests.arrival) < 0):
        raise HardwareError(f"{device.name}: arrivals of a stream must not go back; sort them")
    parts = _injection_queues(device, requests)
    states = [_replay(device, requests, part, log) for part in parts]
    accepted, completed = np.zeros((2, len(requests.address)), dtype=np.int64)
    for part, state in zip(parts, states, strict=True):
        accepted[part] = state.request[:, f.ACCEPTED]
        completed[part] = state.request[:, f.DONE]
    commands = np.concatenate([_log(*pair) for pair in zip(states, parts, strict=True)])
    order = np.argsort(commands[:, 0], kind="stable")
    return Run(count(device, states), accepted, completed, commands[order])


def warm_up(device: Device) -> None:
    """Compiles the kernel, or loads it, so that the next run starts at once."""
    simulate(device, stream("seq_rd", 1, device.organisation.transaction_bytes))


def _injection_queues(device: Device, requests: Stream) -> list[Ints]:
    """The requests that wait for each other: all of them, or those of each channel."""
    if device.controller.shared_injection:
        return [np.arange(len(requests.address))]
    channel = decode(requests.address, device.mapping, device.organisation)["ch"]
    return [np.flatnonzero(channel == at) for at in range(device.organisation.channels)]


def _replay(device: Device, requests: Stream, part: Ints, log: bool) -> State:
    """Runs a part of the requests with an injection queue of its own."""
    own = Stream(requests.address[part], requests.write[part], requests.arrival[part])
    state = fresh_state(device, own, log)
    if len(part):
        run(state)
    return state


def _log(s: State, part: Ints) -> Ints:
    """The commands of a run, with requests by their number in the whole stream."""
    log = s.log[: int(s.counters[f.LOGGED])].copy()
    for_request = log[:, 4] >= 0
    log[for_request, 4] = part[log[for_request, 4]]
    return log
