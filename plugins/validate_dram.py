"""Validation: the DRAM bank kernel and its windows against recorded runs of two simulators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from codesign import hookimpl
from codesign.memory.compiled import has_compiler
from codesign.memory.controller import Controller
from codesign.memory.device import Device, Organisation, Rail, Timings
from codesign.memory.mapping import AddressMapping
from codesign.memory.reference import Case as Recorded
from codesign.memory.reference import (
    device_of,
    reference_cases,
    reference_devices,
    replayed,
    windowed,
)
from codesign.validation import Case, NotRun, Validation

FILES = ("dram/device_params.json", "dram/dramsim3.csv", "dram/ramulator21.csv")
SOURCE = "own runs of DRAMsim3 2981759 and Ramulator 2.1 c5b1c3a (both MIT)"
UNITS = {"bandwidth": "B/s", "read_latency": "s", "activates": "", "energy": "J"}
LONGEST_INTERPRETED = 20_000
"""Requests that plain Python replays in some seconds."""

DDR4 = Device(
    name="ddr4_1rank",
    organisation=Organisation(
        bank_groups=4,
        banks_per_group=4,
        rows=65536,
        columns=1024,
        device_width=8,
        bus_width=64,
        burst_length=8,
    ),
    timings=Timings(
        tck_ps=630,
        cl=22,
        cwl=16,
        burst=4,
        trcd_read=22,
        trcd_write=22,
        trp=22,
        tras=52,
        trc=74,
        tccd_s=4,
        tccd_l=8,
        trrd_s=4,
        trrd_l=8,
        tfaw=34,
        twtr_s=4,
        twtr_l=12,
        trtw=11,
        trtp=12,
        twr=24,
        trtrs=1,
        trfc=560,
        trefi=12480,
        txp=10,
        txs=576,
    ),
    mapping=AddressMapping.parse("ro ch ra ba bg co"),
    controller=Controller(style="dramsim3"),
    rails=(
        (
            "vdd",
            Rail(
                voltage=1.2,
                idd0=0.057,
                idd2n=0.037,
                idd2p=0.025,
                idd3n=0.052,
                idd3p=0.043,
                idd4r=0.168,
                idd4w=0.15,
                idd5=0.25,
                idd6=0.03,
            ),
        ),
    ),
)
"""DDR4_8Gb_x8_3200.ini as DRAMsim3 (2981759, MIT) ships it, with one rank."""
TYPED = (
    ("seq_rd", 15_000, 0.5, 120_050, 56.24, 127, 136_422_864.0),
    ("two_1k", 15_000, 0.5, 146_345, 268.82, 950, 156_832_080.0),
    ("random_rd", 15_000, 0.5, 135_285, 537.52, 15_010, 245_022_576.0),
    ("seq_rd", 50_000, 0.0, 300_262, 178.66, 424, 398_995_142.4),
    ("random_rd", 50_000, 0.0, 449_925, 559.87, 50_055, 818_994_912.0),
)
"""Some of the runs, for those who do not have the files: stream, requests, load, clocks, mean read
latency in ns, activates, and energy in volt x mA x clocks."""


@dataclass(frozen=True)
class Run:
    """A recorded run and its device."""

    recorded: Recorded
    device: Device

    @property
    def name(self) -> str:
        """Tool, device, stream, requests and load."""
        run = self.recorded
        load = f"load {run.load:g}" if run.load else "saturating"
        return f"{run.tool} {run.config} {run.stream} {run.requests} {load}"


def rows(data: Path | None) -> Sequence[Run]:
    """The runs of the files, or the typed ones.

    Raises:
        HardwareError: a file that breaks a rule.
    """
    if data is None:
        return [Run(_typed(*values), DDR4) for values in TYPED]
    devices = reference_devices(data / "dram")
    return [Run(one, device_of(one, devices)) for one in reference_cases(data / "dram")]


def compare(
    run: Run, ours: Callable[[Recorded, Device], Mapping[str, float]]
) -> Iterator[Case | NotRun]:
    """What ``ours`` gives for a run, beside what the tool gave."""
    requests = run.recorded.requests
    if requests > LONGEST_INTERPRETED and not has_compiler():
        reason = "too long for plain Python; pip install 'codesign[kernel]'"
        yield NotRun(name=run.name, reason=reason)
        return
    found = ours(run.recorded, run.device)
    if not found:
        reason = "a window is of a memory that always has work waiting, and here it waits at times"
        yield NotRun(name=run.name, reason=reason)
    for name, theirs in run.recorded.values:
        if name in found:
            yield Case(
                name=run.name,
                quantity=name.replace("_", " "),
                unit=UNITS[name],
                ours=found[name],
                theirs=theirs,
            )


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Run]]:
    """Every transaction of the runs, and a window of those that saturate the memory."""
    kernel = Validation(
        title="bandwidth, read latency, activates and energy of the DRAM bank kernel",
        source=SOURCE,
        note="nothing is fitted; devices, mappings and queues are those of the tools; latency is "
        "recorded to 10 ps; energies of DRAMsim3 are put right for the clock length it leaves out",
        rows=rows,
        compare=partial(compare, ours=replayed),
        files=FILES,
    )
    window = Validation(
        title="bandwidth and activates of a window of each saturating run, extrapolated",
        source=SOURCE,
        note="nothing is fitted; a window of the first transactions stands for all, which says "
        "little about activates where few rows are opened",
        rows=rows,
        compare=partial(compare, ours=windowed),
        files=FILES,
    )
    return {"dram-kernel": kernel, "dram-window": window}


def _typed(
    stream: str,
    requests: int,
    load: float,
    clocks: int,
    latency_ns: float,
    activates: int,
    printed_energy: float,
) -> Recorded:
    tck_ns = DDR4.timings.tck_ps / 1000
    seconds = clocks * tck_ns * 1e-9
    values = {
        "bandwidth": requests * DDR4.organisation.transaction_bytes / seconds,
        "read_latency": latency_ns * 1e-9,
        "activates": float(activates),
        "energy": printed_energy * tck_ns * 1e-12,
    }
    return Recorded(
        tool="dramsim3",
        config=DDR4.name,
        stream=stream,
        requests=requests,
        load=load,
        values=tuple(values.items()),
    )
