"""How many of 150,000 designs of a recogniser must be replayed to know the exact front?

A streaming transducer's cell, width, depth and chunk, together with the buffer, the array and the
DRAM rate of the chip. Prints the points, the share replayed, the bounds per CPU-second and the time
of all. Run ``python benchmarks/pruned_front.py [WORKERS]``.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from codesign import Study
from codesign.explore.bounds import Bounder
from codesign.explore.executors import Serial
from codesign.explore.forms import Forms
from codesign.explore.grid import Grid
from codesign.explore.session import Session
from codesign.workload.record import Trace
from codesign.zoo.transducer import Transducer

CELLS = {"lstm": ("lstm", 1), "cifg": ("cifg", 1), "cifg/2": ("cifg", 2), "cifg/4": ("cifg", 4)}
"""Kind of cell and diagonal blocks of its recurrent matrices, by name."""
STEPS = 16
"""Feature steps of 10 ms that are replayed."""
KIB = (128, 256, 384, 512, 768, 1024, 1536, 2048)
SIDES = (16, 32, 48, 64)
RATES = (2, 3, 4, 5, 6, 8, 10, 12, 17, 25)
TARGETS = {"share": 0.1, "points": 100_000, "minutes": 10.0, "rate": 500_000.0}


def encoder(cell: str, hidden: int, layers: int, steps: int = STEPS) -> Trace:
    """The encoder of a transducer, and the joiner's layer behind it."""
    kind, blocks = CELLS[cell]
    model = Transducer(
        cell=kind, width=hidden, blocks=blocks, layers=layers, prediction_cell=kind, joint=640
    )
    return model.encoder(steps, join=True)


def quality(cell: str, hidden: int, layers: int) -> float:
    """Stands for an accuracy, which a user would train or look up: it grows with the weights."""
    kind, blocks = CELLS[cell]
    gates = 4 if kind == "lstm" else 3
    return math.log(layers * gates * hidden * hidden * (1 + 1 / blocks))


def study(
    cells: Sequence[str] = tuple(CELLS),
    widths: Sequence[int] = range(384, 833, 32),
    layers: Sequence[int] = (6, 8),
) -> Study:
    """A larger buffer takes more energy per byte and leaks more, a larger array leaks more."""
    return Study(
        model=encoder,
        model_space={"cell": list(cells), "hidden": list(widths), "layers": list(layers)},
        hardware="edge-npu",
        hardware_space={
            "sram.size": [f"{size} KiB" for size in KIB],
            "sram.read_energy": [1.829e-12 * math.sqrt(size / 1024) for size in KIB],
            "sram.leakage": [147e-6 * size / 1024 for size in KIB],
            "npu.rows": SIDES,
            "npu.cols": SIDES,
            "npu.leakage": [2.1e-6 * side * side for side in SIDES],
            "dram.bandwidth": [f"{rate} GB/s" for rate in RATES],
            "dram.leakage": [rate * 5e-3 for rate in RATES],
        },
        schedule_space={
            "schedule": ["time-major", *(f"layer-major:{chunk}" for chunk in (4, 8, 16))]
        },
        zipped=[
            ("sram.size", "sram.read_energy", "sram.leakage"),
            ("npu.rows", "npu.cols", "npu.leakage"),
            ("dram.bandwidth", "dram.leakage"),
        ],
        constraints=["params <= 20e6"],
        objectives=["energy_j", "latency_s", ("max:quality", quality)],
    )


def bounds_per_s(made: Study, folder: Path) -> tuple[int, float, float]:
    """Points, bounds per CPU-second, and CPU-seconds for what is done once for each model."""
    with Session(made, folder, Serial(), resume=True) as session:
        grid = Grid.of(made.space)
        bounder = Bounder(made, grid)
        start = time.process_time()
        forms = Forms.of(session, grid, bounder.read)
        models = time.process_time() - start
        start = time.process_time()
        grid = Grid.of(made.space)
        Bounder(made, grid).bounds(forms)
        taken = time.process_time() - start
    return len(grid), len(grid) / taken, models


def told(done: int, failed: int, pruned: int, total: int) -> None:
    if done % 500 == 0:
        print(f"{done:,} replayed, {failed:,} failed, {pruned:,} of {total:,} pruned", flush=True)


def main() -> None:
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    made = study()
    with tempfile.TemporaryDirectory() as folder:
        points, rate, models = bounds_per_s(made, Path(folder) / "bounds")
        print(f"{points:,} points, {models:.1f} CPU-s for capture and bounds of their models")
        print(f"{rate:,.0f} bounds per CPU-second (target {TARGETS['rate']:,.0f})")
        start = time.perf_counter()
        found = made.run(
            Path(folder) / "front",
            workers=workers,
            watch=told,
        )
        minutes = (time.perf_counter() - start) / 60
        assert not found.failed, found.failed[0]["message"]
        print(f"{len(found.pareto()):,} on the front")
        print(
            f"{len(found.done):,} replayed: {len(found.done) / found.points:.2%} of "
            f"{found.points:,} (target under {TARGETS['share']:.0%} of {TARGETS['points']:,})"
        )
        print(
            f"{minutes:.1f} minutes with {workers} workers (target under {TARGETS['minutes']:.0f})"
        )


if __name__ == "__main__":
    main()
