"""Transactions of the bank kernel per CPU second, against DRAMsim3.

Run ``python benchmarks/bank_kernel.py [DIR]``. DIR holds the ``device_params.json`` of the recorded
runs; without it, one DDR4 stands for all devices. Where ``dramsim3main`` is on the path, it plays
the same requests on the devices that it knows, for as many clocks, and reads them from a file.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from codesign.memory import STREAMS, Device, Stream, simulate, stream, warm_up
from codesign.memory.compiled import has_compiler
from codesign.memory.reference import reference_devices
from codesign.memory.reference_devices import dramsim3_device

TARGET_PER_S, TARGET_RATIO = 2_000_000, 12
RECORDED_PER_S = 150_700
"""DRAMsim3 (2981759), mean of 102 recorded runs on a shared x86-64 server: +-30 %."""
REQUESTS = {True: 30_000, False: 300}
"""Of each stream, with and without the compiler."""
Sections = Mapping[str, Mapping[str, str]]
TIMING = (
    "tck 0.63 al 0 cl 22 cwl 16 trcd 22 trp 22 tras 52 trfc 560 trfc2 416 trfc4 256 trefi 12480 "
    "trpre 1 twpre 1 trrd_s 4 trrd_l 8 twtr_s 4 twtr_l 12 tfaw 34 twr 24 twr2 25 trtp 12 tccd_s 4 "
    "tccd_l 8 tcke 8 tckesr 9 txs 576 txp 10 trtrs 1"
)
SECTIONS = {
    "dram_structure": "protocol DDR4 bankgroups 4 banks_per_group 4 rows 65536 columns 1024 "
    "device_width 8 bl 8",
    "timing": TIMING,
    "power": "vdd 1.2 idd0 57 ipp0 3.0 idd2p 25 idd2n 37 idd3p 43 idd3n 52 idd4w 150 idd4r 168 "
    "idd5ab 250 idd6x 30",
    "system": "channel_size 8192 channels 1 bus_width 64 address_mapping rochrababgco "
    "queue_structure PER_BANK refresh_policy RANK_LEVEL_STAGGERED row_buf_policy OPEN_PAGE "
    "cmd_queue_size 8 trans_queue_size 32",
}
"""The file DDR4_8Gb_x8_3200.ini of DRAMsim3 with one rank, as the recorded runs have it."""


@dataclass
class Tally:
    """Requests and CPU seconds of the kernel, and of both where DRAMsim3 ran too."""

    requests: int = 0
    seconds: float = 0.0
    both_s: float = 0.0
    there_s: float = 0.0

    def add(self, requests: int, seconds: float, there_s: float | None) -> None:
        self.requests += requests
        self.seconds += seconds
        if there_s is not None:
            self.both_s += seconds
            self.there_s += there_s

    def cells(self) -> tuple[str, str, str]:
        rate = self.requests / self.seconds
        here = f"{self.there_s / self.both_s:.1f} x" if self.both_s else "-"
        return f"{rate / 1e6:.2f}", f"{rate / RECORDED_PER_S:.1f} x", here


def devices(folder: Path | None) -> Iterator[tuple[str, Device, Sections | None]]:
    """Devices by name, and the sections of DRAMsim3's file where it knows the device."""
    if folder is None:
        sections = {name: pairs(text) for name, text in SECTIONS.items()}
        yield "ddr4_1rank", dramsim3_device("ddr4_1rank", sections), sections
        return
    tables = json.loads((folder / "device_params.json").read_text(encoding="utf-8"))
    for (tool, name), device in reference_devices(folder).items():
        yield name, device, tables[tool][name] if tool == "dramsim3" else None


def pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def kernel_s(device: Device, requests: Stream) -> tuple[int, float]:
    """Clocks of a run and the CPU seconds that it took."""
    start = time.process_time()
    clocks = simulate(device, requests).counts.clocks
    return clocks, time.process_time() - start


def dramsim3_s(sections: Sections, requests: Stream, clocks: int) -> float | None:
    """CPU seconds of DRAMsim3 for the same requests; None where it is not installed."""
    program = shutil.which("dramsim3main")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        ini, trace = Path(folder, "device.ini"), Path(folder, "trace.txt")
        parts = {**sections, "other": {"epoch_period": str(1 << 30), "output_level": "0"}}
        ini.write_text(
            "".join(
                f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in part.items())
                for name, part in parts.items()
            )
        )
        words = zip(requests.address.tolist(), requests.write.tolist(), strict=True)
        lines = [f"{address:#x} {'WRITE' if write else 'READ'} 0\n" for address, write in words]
        trace.write_text("".join(lines))
        before = children_s()
        command = [program, str(ini), "-c", str(clocks), "-t", str(trace), "-o", folder]
        subprocess.run(command, check=True, capture_output=True)
        return children_s() - before


def children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints transactions per CPU second by stream, by device and of all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    by_stream = {name: Tally() for name in STREAMS}
    by_device: dict[str, Tally] = {}
    total, count = Tally(), REQUESTS[has_compiler()]
    for name, device, sections in devices(folder):
        warm_up(device)
        by_device[name] = Tally()
        organisation = device.organisation
        for pattern, tally in by_stream.items():
            made = stream(pattern, count, organisation.transaction_bytes)
            made = replace(made, address=made.address % organisation.capacity_bytes)
            clocks, seconds = kernel_s(device, made)
            there_s = dramsim3_s(sections, made, clocks) if sections else None
            for one in (tally, by_device[name], total):
                one.add(count, seconds, there_s)
    how = "compiled" if has_compiler() else "plain Python: numba is not installed"
    table = Table("", "M per CPU s", "recorded", "run here", title=f"bank kernel, {how}")
    for label, tally in (*by_stream.items(), *by_device.items(), ("all", total)):
        table.add_row(label, *tally.cells(), end_section=label in (list(STREAMS)[-1], name))
    table.add_row("target", f"{TARGET_PER_S / 1e6:.2f}", f"{TARGET_RATIO:.1f} x", "")
    Console().print(table)


if __name__ == "__main__":
    main()
