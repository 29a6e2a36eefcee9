"""CPU time of a window of a DRAM for patterns that nobody has asked for yet, device by device.

Run ``python benchmarks/memory_windows.py``. A run over whole models asks for some 10 to 100 windows
(one for each set of transfers of another class that it finds active), and keeps them. The baseline
is every transaction of 4 MiB of each pattern, by the same kernel in the same process. The target is
5 ms a window.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import mean

from rich import box
from rich.console import Console
from rich.table import Table

from codesign.hardware.dram_file import list_devices, load_device
from codesign.memory import Device, Pattern, solve, solve_exactly, warm_up

TARGET_MS = 5.0
GRAIN = 1024
RUNS = 3
MIB = 1 << 20
WIDTH = 100
ONE = {
    "one run": Pattern(row_bytes=MIB),
    "tiles": Pattern(row_bytes=256, rows=64, pitch=4096),
    "4 KiB strides": Pattern(row_bytes=64, rows=1 << 14, pitch=4096),
}
"""Weights of a layer, tiles of an activation, and columns of a matrix: the worst of a DMA."""
TOGETHER = 2, 4, 8


def cpu_ms(action: Callable[[], object]) -> float:
    """The least CPU time of some calls."""
    taken = []
    for _ in range(RUNS):
        gc.collect()
        start = time.process_time()
        action()
        taken.append(time.process_time() - start)
    return 1e3 * min(taken)


def several(pattern: Pattern, count: int) -> list[Pattern]:
    """Initiators with the same walk in places of their own; every third one writes."""
    return [replace(pattern, base=37 * MIB * at, write=at % 3 == 2) for at in range(count)]


def row(device: Device) -> tuple[list[float], float, float, float]:
    """Times of one pattern, mean and worst of several, and how many times that all take."""
    warm_up(device)
    alone = [cpu_ms(partial(solve, device, [one], GRAIN)) for one in ONE.values()]
    sets = [several(one, count) for one in ONE.values() for count in TOGETHER]
    more = [cpu_ms(partial(solve, device, patterns, GRAIN)) for patterns in sets]
    every = [
        cpu_ms(partial(solve_exactly, device, [one], [4 * MIB], GRAIN)) for one in ONE.values()
    ]
    return alone, mean(more), max(more), sum(every) / sum(alone)


def main() -> None:
    columns = ("device", *ONE, "2 to 8 together", "worst", "all of 4 MiB")
    table = Table(*columns, title="CPU ms of a new window", box=box.SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    times: list[float] = []
    for name in (preset.name for preset in list_devices()):
        alone, several_ms, worst, ratio = row(load_device(name))
        times += alone
        cells = (f"{value:.1f}" for value in (*alone, several_ms, worst))
        table.add_row(name, *cells, f"{ratio:.1f} x")
    met = sum(value < TARGET_MS for value in times)
    console = Console(width=WIDTH)
    console.print(table)
    console.print(f"{met} of {len(times)} single patterns under {TARGET_MS:g} ms")


if __name__ == "__main__":
    main()
