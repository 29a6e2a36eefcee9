"""ResNet-50 over hardware parameters: points per CPU-second, work shared and not.

Run ``python benchmarks/replay_rate.py``. A point is a whole ``simulate`` of a loaded trace on a
preset with changed values, with its latency and its energy: mapping, replay and result. Points of
a sweep share what they have in common; a cold point is simulated alone, after all that is kept was
forgotten. Both run here in one process on one core, and their digests are compared. The first
point of each sweep is cold and counts like the others.
"""

from __future__ import annotations

import gc
import itertools
import random
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from codesign import Hardware, Result, Trace, load_hardware, simulate
from codesign.mapping.kept import forget_all
from codesign.models import resolve_model

PRESET = "edge-npu"
TARGET = 100
COLD = 5
"""Points of each kind that are simulated cold as well."""

Settings = Mapping[str, object]

PRICES: dict[str, Sequence[object]] = {
    "dram.energy": ("4 pJ/bit", "5 pJ/bit", "6 pJ/bit"),
    "sram.read_energy": ("1.5 pJ/B", "1.829 pJ/B", "2.2 pJ/B"),
    "npu.mac_energy.int8*int8": ("0.2 pJ", "0.304 pJ", "0.4 pJ"),
}
SPEEDS: dict[str, Sequence[object]] = {
    "dram.bandwidth": ("6.4 GB/s", "8.532 GB/s", "12.8 GB/s"),
    "sram.size": ("512 KiB", "1 MiB", "2 MiB"),
    "npu.rows": (32, 64, 128),
}


def grid(values: Mapping[str, Sequence[object]]) -> list[Settings]:
    """All combinations; what stands last varies fastest."""
    names = list(values)
    return [dict(zip(names, one, strict=True)) for one in itertools.product(*values.values())]


def kinds() -> dict[str, list[Settings]]:
    """Grids by what varies."""
    steps = range(1, 101)
    one: dict[str, dict[str, Sequence[object]]] = {
        "energy of the DRAM": {"dram.energy": [f"{n / 10} pJ/bit" for n in steps]},
        "energy of the SRAM": {"sram.read_energy": [f"{n / 20} pJ/B" for n in steps]},
        "energy of a product": {"npu.mac_energy.int8*int8": [f"{n / 100} pJ" for n in steps]},
        "leakage": {"sram.leakage": [f"{n} mW" for n in steps]},
        "rate of the DRAM": {"dram.bandwidth": [f"{3.2 + n / 10} GB/s" for n in steps]},
        "size of the SRAM": {"sram.size": [f"{192 + n * 32} KiB" for n in steps]},
        "clock of the vector unit": {"vector.clock": [f"{n / 50} GHz" for n in steps]},
        "rows of the array": {"npu.rows": [28 + n for n in steps]},
        "clock of the array": {"npu.clock": [f"{n / 50} GHz" for n in steps]},
        "all prices": PRICES,
        "all speeds": SPEEDS,
        "prices and speeds": {**SPEEDS, **PRICES},
    }
    return {name: grid(values) for name, values in one.items()}


def point(trace: Trace, machine: Hardware, settings: Settings) -> tuple[Result, float]:
    """One result, and the CPU seconds until its figures are there."""
    start = time.process_time()
    result = simulate(trace, machine, settings=settings)
    assert result.latency_s > 0
    assert result.energy_j > 0
    return result, time.process_time() - start


def cold_seconds(
    trace: Trace, machine: Hardware, points: Sequence[Settings], digests: Sequence[str]
) -> float:
    """Mean CPU seconds of some points, each simulated alone; their digests are compared."""
    taken = 0.0
    for place in random.Random(1).sample(range(len(points)), COLD):
        forget_all()
        result, seconds = point(trace, machine, points[place])
        taken += seconds
        assert result.digest == digests[place], f"{points[place]}: shared work changed the result"
    return taken / COLD


def main() -> None:
    trace, machine = resolve_model("resnet50"), load_hardware(PRESET)
    gc.collect()
    gc.freeze()  # what capturing has left behind is no part of it
    point(trace, machine, {})  # what is loaded at the first use
    table = Table(title=f"ResNet-50 on {PRESET}, points per CPU-second")
    for column in ("what varies", "points", "shared", "cold", "ratio", f"target {TARGET}"):
        table.add_column(column, justify="left" if column == "what varies" else "right")
    for name, points in kinds().items():
        forget_all()
        found = [point(trace, machine, settings) for settings in points]
        shared = sum(seconds for _, seconds in found) / len(points)
        digests = [result.digest for result, _ in found]
        cold = cold_seconds(trace, machine, points, digests)
        rates = f"{1 / shared:.1f}", f"{1 / cold:.1f}", f"{cold / shared:.1f}"
        table.add_row(name, str(len(points)), *rates, "met" if shared * TARGET <= 1 else "missed")
    Console(width=100).print(table)
    Console(width=100).print(f"digests of {COLD} points of each kind equal those of cold runs")


if __name__ == "__main__":
    main()
