"""Runs of traces and machines that are valid, and as large, small, fast or slow as may be."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import fuzz_seeds as seeds
from hostile_tree import written
from strategies import Sketch

from codesign import load_hardware, load_trace, save_trace, simulate
from codesign.errors import TraceError
from codesign.workload.dtype import DType

TRACE = "x.json"
_WRITTEN = 1000
"""Most turns of a loop that is written here."""
MOST_EVENTS = 100_000
"""Events of a replay here: what users may set ends what would take longer than a test may."""
_SIZES = (1, 2, 7, 64, 4096, 10**5, 10**6, 10**9, 2**31, 10**12, 2**40)
_RATES = ("1 MB/s", "8 GB/s", "1e18 B/s")
_CHOICES: dict[str, tuple[Any, ...]] = {
    "sram.size": ("1 KiB", "64 KiB", "1 GiB", "1000 PB"),
    "sram.bandwidth": _RATES,
    "dram.bandwidth": _RATES,
    "bus.bandwidth": _RATES,
    "bus.setup": ("0 s", "32 ns", "1 us"),
    "npu.clock": ("1 MHz", "1 GHz", "10 THz"),
    "npu.rows": (1, 8, 10**6),
    "npu.cols": (1, 8, 10**6),
    "vector.clock": ("1 GHz", "10 THz"),
    "vector.lanes": (64, 10**6),
}


def make(draw: random.Random | None, folder: Path) -> bytes:
    """A machine; the trace that is to run on it is written beside it."""
    machine = copy.deepcopy(seeds.MACHINE)
    parts = machine["components"]
    parts["dram"]["size"] = "1000 PB"
    sketch = Sketch("t", DType.parse("int8"))
    if draw is None:
        sketch.matmul("mm", sketch.input("x", 4, 8), 8)
    else:
        _grow(sketch, draw)
        for path, values in _CHOICES.items():
            name, _, field = path.partition(".")
            parts[name][field] = draw.choice(values)
    try:
        save_trace(sketch.trace(), folder / TRACE)
    except TraceError:  # beyond the limits of the format; another trace is not worth the while
        (folder / TRACE).write_text(json.dumps(seeds.trace_documents(folder)[0]))
    return written(machine, is_yaml=True).encode()


def _grow(sketch: Sketch, draw: random.Random) -> None:
    def size() -> int:
        return draw.choice(_SIZES)

    def few() -> int:
        return draw.choice((1, 3, 64, 10**4))

    kind = draw.choice(("matmul", "pointwise", "softmax", "conv", "recurrent", "long"))
    if kind == "conv":
        image = sketch.input("x", few(), 8 + few(), 8 + few())
        sketch.conv("c", image, few(), draw.choice((1, 3, 7)))
    elif kind == "long":
        steps = draw.choice((10**6, 10**9, 10**12))
        sketch.recurrent("r", sketch.input("x", steps, few()), few(), draw.choice((0, 2, 10**6)))
    elif kind == "recurrent":
        sketch.recurrent("r", sketch.input("x", size(), size()), size(), draw.choice((0, 10**12)))
    else:
        x = sketch.input("x", size(), size())
        if kind == "matmul":
            sketch.matmul("mm", x, size())
        else:
            getattr(sketch, kind)("p", x)


def run(path: Path) -> None:
    """Maps and replays, and writes the result where no loop is long.

    The first 100,000 runs of a long one are written too, which takes what they take.
    """
    trace, machine = load_trace(path.parent / TRACE), load_hardware(path)
    found = simulate(trace, machine, most_events=MOST_EVENTS)
    json.dumps(found.summary(), allow_nan=False)
    if max(times for _, times in trace.ops()) <= _WRITTEN:
        found.save(path.parent / "out")
