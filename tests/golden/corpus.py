"""A small corpus of traces on the presets; run as a script, it freezes the numbers anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from strategies import Sketch

from codesign import simulate
from codesign.workload.dtype import DType
from codesign.workload.record import Trace

NUMBERS = Path(__file__).with_name("numbers.json")
PRESETS = ("edge-npu", "server-npu")


def sketch(name: str) -> Sketch:
    """A trace in fp32: each preset stores it in its own precision."""
    return Sketch(name, DType.parse("fp32"))


def perceptron() -> Trace:
    """Three layers on a batch of 64."""
    s = sketch("perceptron")
    x = s.input("x", 64, 784)
    for number, width in enumerate((512, 256)):
        x = s.pointwise(f"relu{number}", s.matmul(f"layer{number}", x, width))
    s.softmax("soft", s.matmul("head", x, 10))
    return s.trace()


def vector_matrix() -> Trace:
    """A decode step: matrix-vector products bound by their weights."""
    s = sketch("vector_matrix")
    x = s.matmul("up", s.input("x", 1, 1024), 2816)
    s.matmul("down", s.pointwise("silu", x, function="silu"), 1024)
    return s.trace()


def convolutions() -> Trace:
    """Two convolutions with halos."""
    s = sketch("convolutions")
    x = s.pointwise("relu", s.conv("first", s.input("image", 3, 34, 34), 16, 3))
    s.conv("second", x, 32, 3)
    return s.trace()


def residual() -> Trace:
    """A diamond with a residual addition, and a half that depends on nothing."""
    s = sketch("residual")
    x = s.input("x", 48, 256)
    left, right = s.matmul("left", x, 256), s.matmul("right", x, 256)
    joined = s.pointwise("join", left, right, function="mul")
    s.pointwise("add", s.matmul("out", joined, 256), x, function="add")
    s.matmul("apart", s.input("y", 7, 100), 130)
    return s.trace()


def recurrent() -> Trace:
    """A region whose weights stay on chip."""
    s = sketch("recurrent")
    s.matmul("head", s.recurrent("rnn", s.input("x", 20, 80), 256), 32)
    return s.trace()


def large_recurrent() -> Trace:
    """A region whose weights do not fit the smaller preset."""
    s = sketch("large_recurrent")
    s.recurrent("rnn", s.input("x", 4, 640), 1024)
    return s.trace()


CORPUS: tuple[Callable[[], Trace], ...] = (
    perceptron,
    vector_matrix,
    convolutions,
    residual,
    recurrent,
    large_recurrent,
)


def measure(trace: Trace, preset: str) -> dict[str, Any]:
    """The frozen figures of one trace on one preset."""
    result = simulate(trace, preset)
    return {
        "latency_ps": result.replay.makespan,
        "energy_j": result.energy_j,
        "offchip_bytes": result.offchip_bytes,
        "fabric_events": result.fabric_events,
    }


def freeze() -> None:
    """Writes the numbers of today."""
    found = {f"{make.__name__} {p}": measure(make(), p) for make in CORPUS for p in PRESETS}
    NUMBERS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    freeze()
