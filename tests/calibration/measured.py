"""Measurements that were never taken: those of an engine whose constants are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from codesign import Hardware, load_hardware
from codesign.calibration import (
    Calibratable,
    Measurements,
    Point,
    budget_of,
    tabulate,
    with_constants,
)
from codesign.workload.dtype import DType

PRESET = "h100"
"""Uncalibrated: all of its constants are those of the data sheet."""
TRUTH = {"t0": 5e-6, "compute_efficiency": 0.7, "memory_efficiency": 0.85}
HEAD = "kind,dims,dtype,latency_us,protocol,source"
FP16 = DType.parse("fp16")


def machine() -> Hardware:
    return load_hardware(PRESET)


def engine(hardware: Hardware) -> Calibratable:
    (found,) = hardware.engines
    assert isinstance(found, Calibratable)
    return found


def sizes(count: int, seed: int = 0) -> list[tuple[int, int, int]]:
    """Products of all sorts, with rows from 1 to 8192."""
    random = np.random.default_rng(seed)
    rows = np.round(2.0 ** random.uniform(0, 13, count)).astype(int)
    others = random.choice([512, 1024, 4096, 5120, 8192, 11008], (2, count))
    return [(int(m), int(k), int(n)) for m, k, n in zip(rows, *others, strict=True)]


def products(
    shapes: Sequence[tuple[int, ...]], seconds: Sequence[float], protocol: str = "kernel"
) -> Measurements:
    pairs = zip(shapes, seconds, strict=True)
    points = [Point("contraction", dims, (FP16, FP16), one) for dims, one in pairs]
    return tabulate(points, protocol, ("made up",))


def truly(
    points: Sequence[Point],
    truth: Mapping[str, float],
    hardware: Hardware | None = None,
    protocol: str = "kernel",
    noise: float = 0.0,
) -> Measurements:
    """The operators, each with the time that a device with such constants would take for it."""
    hardware = hardware or machine()
    true = with_constants(engine(hardware), truth)
    bare = tabulate(points, protocol, ("made up",))
    seconds = true.predict_s(bare, budget_of(hardware, hardware.engines[0]))
    random = np.random.default_rng(1)
    times = (seconds * np.exp(random.normal(0, noise, len(points)))).tolist()
    timed = [replace(point, seconds=time) for point, time in zip(points, times, strict=True)]
    return tabulate(timed, protocol, ("made up",))


def synthetic(
    count: int = 100,
    truth: Mapping[str, float] | None = None,
    protocol: str = "kernel",
    noise: float = 0.0,
) -> Measurements:
    """Products as a device with those constants would measure them, with some noise."""
    points = [Point("contraction", dims, (FP16, FP16), 1e-3) for dims in sizes(count)]
    return truly(points, truth or TRUTH, protocol=protocol, noise=noise)


def streams(kind: str = "softmax", dtype: str = "fp16", count: int = 30) -> list[Point]:
    """Operators of a kind, each with rows of its own."""
    number = DType.parse(dtype)
    return [
        Point(kind, (rows, 4096), (number,), 1e-3) for rows in range(200, 200 + 160 * count, 160)
    ]


def lines(table: Measurements) -> list[str]:
    """The rows of a CSV file of products, times to the nanosecond."""
    sizes = zip(table.m, table.k, table.n, table.seconds, strict=True)
    return [
        f"contraction,{m:.0f}x{k:.0f}x{n:.0f},fp16,{seconds * 1e6:.3f},{table.protocol},made up"
        for m, k, n, seconds in sizes
    ]


def written(folder: Path, rows: Sequence[str], head: str = HEAD) -> Path:
    path = folder / "measured.csv"
    path.write_text("\n".join([head, *rows, ""]))
    return path
