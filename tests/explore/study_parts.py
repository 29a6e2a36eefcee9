"""Studies of a few cheap points, and the functions of users that go with them. Imports no torch."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from codesign.explore.study import Study
from codesign.result.result import Result
from codesign.testing.operators import matmul
from codesign.workload.record import Trace

Point = dict[str, Any]
RATES = [f"{n} GB/s" for n in range(1, 7)]


def tiny(width: int = 16, rows: int = 2) -> Trace:
    """One matrix product."""
    op = matmul(rows, width, 8)
    return Trace("tiny", (op,), tuple(access.tensor for access in op.operands))


def study(**changes: Any) -> Study:
    """Twelve points: two widths at six rates."""
    given: dict[str, Any] = {
        "model": tiny,
        "hardware": "edge-npu",
        "objectives": ["energy_j", "latency_s"],
        "model_space": {"width": [16, 32]},
        "hardware_space": {"dram.bandwidth": RATES},
    }
    return Study(**(given | changes))


def many() -> Study:
    """Three hundred points."""
    rates = [f"{n} GB/s" for n in range(1, 151)]
    return study(hardware_space={"dram.bandwidth": rates})


def quality(point: Point, result: Result) -> float:
    """What a user knows of a point."""
    assert result.macs == 2 * 8 * point["width"]
    return float(point["width"])


def has_torch(point: Point, result: Result) -> float:
    """Whether the process that measures has imported torch."""
    return float("torch" in sys.modules)


def process(point: Point, result: Result) -> float:
    """Which process measures."""
    return float(os.getpid())


def raises_at_3(point: Point, result: Result) -> float:
    """Fails at one rate."""
    if point["dram.bandwidth"] == "3 GB/s":
        raise RuntimeError("no data for 3\nat all")
    return 1.0


def exits_at_3(point: Point, result: Result) -> float:
    """Would end the program at one rate, as what was once a script does."""
    if point["dram.bandwidth"] == "3 GB/s":
        sys.exit(2)
    return 1.0


def is_nan_at_3(point: Point, result: Result) -> float:
    """Knows nothing at one rate."""
    return float("nan") if point["dram.bandwidth"] == "3 GB/s" else 1.0


def says_text(point: Point, result: Result) -> Any:
    """What no front can hold."""
    return "1.0"


def kills_at_3(point: Point, result: Result) -> float:
    """Ends its process at one rate."""
    if point["dram.bandwidth"] == "3 GB/s":
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def kills_once(point: Point, result: Result) -> float:
    """Ends its process at every third rate, the first time that it is asked in this folder."""
    rate = point["dram.bandwidth"]
    mark = Path(f"killed {rate.replace('/', ' ')} {point['width']}")
    if rate in RATES[::3] and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0
