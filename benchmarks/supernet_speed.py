"""Sub-networks per CPU-second: blocks joined, against each whole model captured anew.

Run ``python benchmarks/supernet_speed.py``. Both give the same traces, which is checked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "examples"), str(ROOT / "tests")]

import hat_supernet  # noqa: E402
import nasrec_supernet  # noqa: E402
from supernet_models import at_once  # noqa: E402

import codesign  # noqa: E402
from codesign.workload.record import Trace  # noqa: E402

JOINED, ANEW = range(100), range(0, 100, 20)


def main() -> None:
    """Prints rates of both ways for both spaces."""
    compare(
        "HAT",
        hat_supernet.translator,
        lambda seed: at_once(
            hat_supernet.blocks(hat_supernet.drawn(seed)),
            hat_supernet.inputs(),
            roles={"table": "weight"},
        ),
    )
    compare(
        "NASRec",
        nasrec_supernet.recommender,
        lambda seed: at_once(
            nasrec_supernet.blocks(nasrec_supernet.found_by(seed)),
            nasrec_supernet.inputs(),
            roles={},
        ),
    )


def compare(name: str, joined: Callable[[int], Trace], whole: Callable[[int], Trace]) -> None:
    """Prints the rates of one space."""
    supernet = sys.modules[joined.__module__].SUPERNET
    first = timed(joined, JOINED)
    captured = supernet.captures
    again = timed(joined, JOINED)
    anew = timed(whole, ANEW)
    hardware = codesign.load_hardware("edge-npu")
    traces = [joined(seed) for seed in ANEW]
    for seed, trace in zip(ANEW, traces, strict=True):
        if whole(seed).replace(name=trace.name) != trace:
            raise SystemExit(f"{name}: the traces of {seed} differ")
    replay = timed(lambda trace: codesign.simulate(trace, hardware, dtype="int8"), traces)
    print(
        f"{name}: joined {again:.1f}/s ({first:.1f}/s the first time, with {captured} captures), "
        f"captured anew {anew:.2f}/s: {again / anew:.0f}x; replay alone {replay:.1f}/s"
    )


def timed(work: Callable[[Any], object], points: Sequence[Any]) -> float:
    """Points per CPU-second."""
    start = time.process_time()
    for point in points:
        work(point)
    return len(points) / (time.process_time() - start)


if __name__ == "__main__":
    main()
