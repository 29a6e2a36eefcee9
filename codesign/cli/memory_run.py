"""``codesign memory run``: a stream of requests on a device, in a table or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from codesign.cli.quantities import count, quantity, share
from codesign.errors import HardwareError
from codesign.hardware.dram_file import DeviceFile, load_device_file
from codesign.memory.counts import Counts
from codesign.memory.device import Device
from codesign.memory.device_check import MOST_CHANNELS
from codesign.memory.energy import Energy, energy
from codesign.memory.kernel import simulate
from codesign.memory.mapping import AddressMapping, mop4clxor
from codesign.memory.streams import stream

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class Replay:
    """A run and what was asked for.

    Attributes:
        device: with channels and mapping as chosen.
        stream: name of the pattern.
        load: share of the peak that is offered; 0 for as much as is taken.
        counts: of the run.
        energy: of the run.
    """

    device: Device
    stream: str
    load: float
    counts: Counts
    energy: Energy


def chosen_device(
    name: str, channels: int | None, mapping: str | None, plugins: Sequence[Path]
) -> tuple[DeviceFile, Device]:
    """The device file, and its device with the channels and the mapping that the user chose.

    Raises:
        HardwareError: an unknown device, or one that cannot be like that.
    """
    file = load_device_file(name, plugins)
    device = file.device
    if channels is not None:
        if not 1 <= channels <= MOST_CHANNELS:
            raise HardwareError(
                f"--channels must be 1 to {MOST_CHANNELS}, got {channels}; correct it"
            )
        device = replace(device, organisation=replace(device.organisation, channels=channels))
    if mapping is not None:
        is_mop = mapping == "mop4clxor"
        chosen = mop4clxor(device.organisation) if is_mop else AddressMapping.parse(mapping)
        device = replace(device, mapping=chosen)
    device.check()
    return file, device


def replay(device: Device, name: str, requests: int, load: float) -> Replay:
    """Runs a stream; address bits above the capacity are dropped.

    Raises:
        HardwareError: an unknown stream or a number out of range.
    """
    if not 1 <= requests <= _MOST:
        raise HardwareError(f"--requests must be 1 to {_MOST:,}, got {requests:,}; correct it")
    if not 0 <= load <= 1:
        raise HardwareError(
            f"--load must be 0 to 1, a share of the peak, got {load:g}; 0 is as much as is taken"
        )
    organisation = device.organisation
    buses = organisation.channels * organisation.pseudo_channels
    size = organisation.transaction_bytes
    wanted = stream(name, requests, size, load * buses / device.timings.burst)
    wanted = replace(wanted, address=wanted.address % organisation.capacity_bytes)
    counts = simulate(device, wanted).counts
    return Replay(device, name, load, counts, energy(device, counts))


def content(file: DeviceFile, ran: Replay) -> dict[str, object]:
    """The run for a program, in SI units."""
    counts, clock_s = ran.counts, ran.counts.tck_ps * 1e-12
    spent = ran.energy
    return {
        "device": ran.device.name,
        "stream": ran.stream,
        "requests": counts.requests,
        "load": ran.load,
        "channels": ran.device.organisation.channels,
        "mapping": " ".join(ran.device.mapping.fields),
        "controller": ran.device.controller.style,
        "seconds": counts.seconds,
        "peak_bytes_per_s": ran.device.peak_bytes_per_s,
        "bandwidth_bytes_per_s": counts.bandwidth_bytes_per_s,
        "read_latency_mean_s": counts.latency_mean * clock_s,
        "read_latency_p99_s": counts.latency_p99 * clock_s,
        "row_hits": counts.row_hits,
        "row_misses": counts.row_misses,
        "row_conflicts": counts.row_conflicts,
        "activates": counts.activates,
        "refreshes": counts.refreshes,
        "refreshes_bank": counts.refreshes_bank,
        "turnarounds": counts.turnarounds,
        "forwarded": counts.forwarded,
        "energy_j": {part.name[:-2]: getattr(spent, part.name) for part in fields(spent)},
        "total_j": spent.total_j,
        "total_j_per_bit": spent.total_j / (8 * counts.bytes),
        "average_w": spent.total_j / counts.seconds,
        "statuses": _statuses(file),
    }


def report(file: DeviceFile, ran: Replay) -> Sequence[RenderableType]:
    """The run for people."""
    organisation, controller = ran.device.organisation, ran.device.controller
    offered = f"{100 * ran.load:g} % of the peak offered" if ran.load else "as much as is taken"
    title = Text.assemble((ran.stream, "bold"), " on ", (ran.device.name, "bold"))
    setting = (
        f"{count(ran.counts.requests)} requests of {organisation.transaction_bytes} B, {offered}; "
        f"{organisation.channels} x {organisation.pseudo_channels} x "
        f"{organisation.bus_width} bit, mapping '{' '.join(ran.device.mapping.fields)}', "
        f"controller style {controller.style}"
    )
    statuses = ", ".join(f"{number} {status}" for status, number in _statuses(file).items())
    return [title, setting, "", _times(ran), "", _energies(ran), "", f"device values: {statuses}"]


def _statuses(file: DeviceFile) -> dict[str, int]:
    return dict(Counter(row.status for row in file.provenance).most_common())


def _times(ran: Replay) -> Table:
    counts, peak = ran.counts, ran.device.peak_bytes_per_s
    clock_s = counts.tck_ps * 1e-12
    rate = counts.bandwidth_bytes_per_s
    refreshes = f"{count(counts.refreshes)} of a rank, {count(counts.refreshes_bank)} of a bank"
    return _grid(
        ("bandwidth", quantity(rate, "B/s"), f"{share(rate, peak)} of {quantity(peak, 'B/s')}"),
        ("time", quantity(counts.seconds, "s"), f"{count(counts.clocks)} clocks"),
        (
            "read latency",
            quantity(counts.latency_mean * clock_s, "s"),
            f"mean; 99 % within {quantity(counts.latency_p99 * clock_s, 's')}",
        ),
        (
            "row hits",
            share(counts.row_hits, counts.requests),
            f"{count(counts.row_hits)} hits, {count(counts.row_misses)} misses, "
            f"{count(counts.row_conflicts)} conflicts, {count(counts.forwarded)} from a queue",
        ),
        ("activates", count(counts.activates), f"refreshes {refreshes}"),
        ("turnarounds", count(counts.turnarounds), "between reading and writing"),
    )


def _energies(ran: Replay) -> Table:
    spent, bits = ran.energy, 8 * ran.counts.bytes
    if not spent.total_j:
        return _grid(("energy", "unknown", "the device has no currents"))
    rows = [
        (
            part.name[:-2],
            quantity(joules, "J"),
            f"{quantity(joules / bits, 'J')}/bit, {share(joules, spent.total_j)}",
        )
        for part in fields(spent)
        if (joules := getattr(spent, part.name))
    ]
    whole = f"{quantity(spent.total_j / bits, 'J')}/bit, mean power "
    power = quantity(spent.total_j / ran.counts.seconds, "W")
    total = f"{whole}{power}{_doubt(ran.device)}"
    return _grid(("energy", quantity(spent.total_j, "J"), total), *rows)


def _doubt(device: Device) -> str:
    """What of the energy of I/O is in no line, or in which it is."""
    if not device.rails:
        return "; I/O only, since the device has no currents"
    if device.io_j_per_bit:
        return ""
    if any(name == "vddq" for name, _ in device.rails):
        return "; I/O of the device is in rail vddq, that of the host is left out"
    return "; core only, without I/O"


def _grid(*rows: tuple[str, str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for name, value, more in rows:
        grid.add_row(Text(name, "dim"), Text(value, "bold"), more)
    return grid
