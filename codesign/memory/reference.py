"""Signed errors of the kernel against recorded runs of DRAMsim3 and Ramulator 2.1."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from codesign.errors import HardwareError, did_you_mean, one_line
from codesign.memory.device import Device
from codesign.memory.energy import energy
from codesign.memory.kernel import simulate
from codesign.memory.reference_devices import dramsim3_device, ramulator_device
from codesign.memory.streams import Stream, stream
from codesign.memory.window import solve_stream

FILES = {"dramsim3": "dramsim3.csv", "ramulator2.1": "ramulator21.csv"}
"""Tools and the files with their runs, one row each."""
QUANTITIES = ("bandwidth", "read_latency", "activates", "energy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded run.

    Attributes:
        tool: ``dramsim3`` or ``ramulator2.1``.
        config: name of its device.
        stream: pattern of the requests.
        requests: number of them.
        load: share of the peak bandwidth that is offered; 0 for as much as is taken.
        values: what the tool gives, by ``QUANTITIES``: B/s, s, commands and J; a quantity that the
            tool does not give, or that is 0, is left out.
    """

    tool: str
    config: str
    stream: str
    requests: int
    load: float
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A recorded run and the kernel's signed errors.

    Attributes:
        case: the recorded run.
        errors: ours / theirs - 1 by quantity.
    """

    case: Case
    errors: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Errors of one quantity over the cases of a tool or configuration.

    Attributes:
        cases: number of them.
        mean: mean magnitude.
        median: median magnitude.
        largest: largest magnitude.
        signed_mean: mean with sign.
    """

    cases: int
    mean: float
    median: float
    largest: float
    signed_mean: float


def reference_devices(folder: Path) -> dict[tuple[str, str], Device]:
    """The device of each tool and configuration in ``device_params.json``.

    Raises:
        HardwareError: the folder has no such file, or one without those devices.
    """
    text = _text(folder, "device_params.json")
    build = {"dramsim3": dramsim3_device, "ramulator2.1": ramulator_device}
    try:
        tables = json.loads(text)
        return {
            (tool, name): build[tool](name, table)
            for tool in FILES
            for name, table in tables[tool].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise HardwareError(
            f"{folder / 'device_params.json'} does not describe the devices of "
            f"{' and '.join(FILES)}: {one_line(error)}; replace it"
        ) from error


def reference_cases(folder: Path) -> Iterator[Case]:
    """All recorded runs of both tools.

    Raises:
        HardwareError: a file is missing, or a row that is no run.
    """
    for tool, name in FILES.items():
        reader = csv.DictReader(_text(folder, name).splitlines())
        try:
            for row in reader:
                yield _case(tool, row)
        except (csv.Error, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            raise HardwareError(
                f"{folder / name}:{reader.line_num} is no recorded run: {one_line(error)}; "
                "correct the row"
            ) from error
        if reader.line_num < 2:
            raise HardwareError(f"{folder / name} has no recorded run; replace it")


def device_of(case: Case, devices: Mapping[tuple[str, str], Device]) -> Device:
    """The device that a recorded run was made on.

    Raises:
        HardwareError: there is none of its name.
    """
    if (case.tool, case.config) not in devices:
        known = [name for tool, name in devices if tool == case.tool]
        raise HardwareError(
            f"{FILES[case.tool]}: no device {case.config!r} in device_params.json"
            f"{did_you_mean(case.config, known)}"
        )
    return devices[case.tool, case.config]


def compare(case: Case, device: Device) -> Comparison:
    """Replays a recorded run."""
    return _compared(case, replayed(case, device))


def compare_window(case: Case, device: Device) -> Comparison:
    """The window of a recorded run: bandwidth and activates, as far as it stands for the run.

    A run at partial load has no error: a window is of a memory that always has work waiting.
    """
    return _compared(case, windowed(case, device))


def replayed(case: Case, device: Device) -> dict[str, float]:
    """What the kernel gives for a recorded run, by ``QUANTITIES``."""
    run = simulate(device, case_stream(case, device))
    counts = run.counts
    return {
        "bandwidth": counts.bandwidth_bytes_per_s,
        "read_latency": counts.latency_mean * counts.tck_ps * 1e-12,
        "activates": float(counts.activates),
        "energy": energy(device, counts).total_j,
    }


def windowed(case: Case, device: Device) -> dict[str, float]:
    """What a window gives for a recorded run: bandwidth and activates; nothing at partial load."""
    if case.load:
        return {}
    window = solve_stream(device, case_stream(case, device))
    size = case.requests * device.organisation.transaction_bytes
    return {
        "bandwidth": window.bandwidth_bytes_per_s,
        "activates": window.activates * size / window.bytes,
    }


def case_stream(case: Case, device: Device) -> Stream:
    """The requests of a recorded run; address bits above the capacity are dropped."""
    organisation = device.organisation
    buses = organisation.channels * organisation.pseudo_channels
    size = organisation.transaction_bytes
    requests = stream(case.stream, case.requests, size, case.load * buses / device.timings.burst)
    return replace(requests, address=requests.address % organisation.capacity_bytes)


def summarise(comparisons: Sequence[Comparison], quantity: str) -> Summary:
    """Errors of one of the ``QUANTITIES``; all zero where no case has it."""
    errors = [dict(one.errors)[quantity] for one in comparisons if quantity in dict(one.errors)]
    signed = np.array(errors or [0.0])
    size = np.abs(signed)
    return Summary(
        cases=len(errors),
        mean=float(size.mean()),
        median=float(np.median(size)),
        largest=float(size.max()),
        signed_mean=float(signed.mean()),
    )


def _compared(case: Case, ours: Mapping[str, float]) -> Comparison:
    errors = [(name, ours[name] / value - 1) for name, value in case.values if name in ours]
    return Comparison(case, tuple(errors))


def _case(tool: str, row: dict[str, str]) -> Case:
    values = {
        # the clocks are exact, the printed bandwidth is rounded
        "bandwidth": _bytes(row) / (float(row["clocks"]) * float(row["tck_ns"]) * 1e-9),
        "read_latency": float(row["read_latency_ns"]) * 1e-9,
        "activates": float(row["activates"]),
        # the tool prints V x mA x clocks as pJ and leaves out the clock's length
        "energy": float(row.get("reported_total_energy", 0)) * float(row["tck_ns"]) * 1e-12,
    }
    return Case(
        tool=tool,
        config=row["config"],
        stream=row["stream"],
        requests=int(row["requests"]),
        load=float(row["load"]),
        values=tuple((name, value) for name, value in values.items() if value),
    )


def _bytes(row: dict[str, str]) -> int:
    return int(row["requests"]) * int(row["tx_bytes"])


def _text(folder: Path, name: str) -> str:
    try:
        if (folder / name).exists() and not (folder / name).is_file():
            raise HardwareError(f"{folder / name} is no file; replace it")
        return (folder / name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise HardwareError(f"{folder / name} is no text in UTF-8; replace it") from error
    except OSError as error:
        raise HardwareError(
            f"no reference file {folder / name}; name the folder that holds it"
        ) from error
