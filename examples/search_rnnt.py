"""Which recogniser with which memory, if only sixty of 7,200 may be replayed?

A streaming transducer's cell, width and chunk are searched together with the buffer and the DRAM of
the chip, by a Gaussian process. Needs ``pip install 'codesign[search]'``; run
``python examples/search_rnnt.py``.
"""

from __future__ import annotations

import tempfile
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from codesign import Study
from codesign.result.result import Result
from codesign.workload.record import Trace
from codesign.zoo.transducer import Transducer

STEP_S = 0.01
"""Seconds of a feature step."""
STEPS = 32
"""Feature steps that are replayed: 320 ms of sound."""
CELLS = {"lstm": ("lstm", 1), "cifg": ("cifg", 1), "cifg/2": ("cifg", 2), "cifg/4": ("cifg", 4)}
"""Kind of cell and diagonal blocks of its recurrent matrices, by name."""
REFERENCE = {"energy_j": 10e-3, "delay_s": 0.4, "params": 5e6}
"""Where the hypervolume ends: more energy or delay, or a smaller model, counts nothing."""


def encoder(cell: str, hidden: int) -> Trace:
    """The encoder of a transducer, and the joiner's layer behind it, over 320 ms."""
    kind, blocks = CELLS[cell]
    model = Transducer(cell=kind, width=hidden, blocks=blocks, prediction_cell=kind, joint=640)
    return model.encoder(STEPS, join=True)


def delay_s(point: dict[str, Any], result: Result) -> float:
    """Seconds from the first step of a chunk to its last output: it is waited for, then run."""
    chunk = int(point["schedule"].partition(":")[2] or 1)
    return (chunk - 1) * STEP_S + result.latency_s * chunk / STEPS


def rnnt() -> Study:
    """The study: size stands for quality, for want of a table of error rates."""
    return Study(
        model=encoder,
        model_space={"cell": list(CELLS), "hidden": range(384, 833, 64)},
        hardware="edge-npu-lpddr5",
        hardware_space={
            "sram.size": ["256 KiB", "512 KiB", "1 MiB", "2 MiB", "4 MiB"],
            "dram.device": ["lpddr4x-4266", "lpddr5-6400", "lpddr5x-8533"],
            "dram.channels": [1, 2, 4],
        },
        schedule_space={
            "schedule": ["time-major", *(f"layer-major:{chunk}" for chunk in (4, 8, 16, 32))]
        },
        constraints=["params <= 20e6"],
        objectives=["energy_j", delay_s, "max:params"],
    )


def main() -> None:
    """Searches, and prints the front."""
    console = Console(highlight=False)
    study = rnnt()
    with tempfile.TemporaryDirectory() as folder:
        found = study.search(folder, sampler="gp", reference=REFERENCE)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in (*found.parameters, "mJ", "delay, ms", "M parameters"):
        table.add_column(name, justify="right", no_wrap=True)
    front = found.pareto()
    for row in front:
        table.add_row(
            *(str(row[name]) for name in found.parameters),
            f"{row['energy_j'] * 1e3:.3f}",
            f"{row['delay_s'] * 1e3:.1f}",
            f"{row['params'] / 1e6:.1f}",
        )
    console.print(
        f"{len(found.order)} of {found.points:,} combinations replayed, of which 20 M parameters "
        f"leave some out; {len(front)} on the front. Energy is that of 320 ms of sound; delay is "
        "from the first step of a chunk to its last output. Derived figures of a stated machine, "
        "no measurement.\n"
    )
    console.print(table)


if __name__ == "__main__":
    main()
