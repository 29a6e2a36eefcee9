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

JOINED, ANEW = range(100), range(0, 100, 20)


def main() -> None:
    """Prints rates of both ways for both spaces."""
    for name, model, blocks, inputs, roles in (
        ("HAT", hat_supernet.translator, lambda s: hat_supernet.blocks(hat_supernet.drawn(s)),
         hat_supernet.inputs, {"table": "weight"}),
        ("NASRec", nasrec_supernet.recommender,
         lambda s: nasrec_supernet.blocks(nasrec_supernet.found_by(s)), nasrec_supernet.inputs, {}),
    ):
        supernet = sys.modules[model.__module__].SUPERNET
        warm = timed(model, JOINED)
        captured = supernet.captures
        joined = timed(model, JOINED)
        anew = timed(lambda seed: at_once(blocks(seed), inputs(), roles=roles), ANEW)
        hardware = codesign.load_hardware("edge-npu")
        traces = [model(seed) for seed in ANEW]
        for seed, trace in zip(ANEW, traces, strict=True):
            other = at_once(blocks(seed), inputs(), roles=roles)
            if other.replace(name=trace.name) != trace:
                raise SystemExit(f"{name}: the traces of {seed} differ")
        replay = timed(lambda trace: codesign.simulate(trace, hardware, dtype="int8"), traces)
        print(
            f"{name}: joined {joined:.1f}/s ({warm:.1f}/s the first time, with {captured} captures), "
            f"captured anew {anew:.2f}/s: {joined / anew:.0f}x; replay alone {replay:.1f}/s"
        )


def timed(work: Callable[[Any], object], points: Sequence[Any]) -> float:
    """Points per CPU-second."""
    start = time.process_time()
    for point in points:
        work(point)
    return len(points) / (time.process_time() - start)


if __name__ == "__main__":
    main()
