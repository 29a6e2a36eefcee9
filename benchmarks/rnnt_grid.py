"""Recurrent transducers of nearly equal size: how far apart is their weight traffic?

Replays every model of 15.2 to 16.2 million parameters of a grid of layers, widths, cells and places
of the time reductions, under four schedules, step by step, on all cores. Run
``python benchmarks/rnnt_grid.py``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from multiprocessing import Pool
from pathlib import Path

from codesign.zoo.transducer import Transducer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from rnnt_study.design import MIB, Design  # lies beside the examples
from rnnt_study.measure import Task, measure

SIZES = range(15_200_000, 16_200_001)
LAYERS = (4, 5, 6, 8, 10, 12, 14, 16, 20)
WIDTHS = range(256, 1025, 32)
CELLS = (("lstm", 1), ("cifg", 1), ("cifg", 2), ("cifg", 4))
STRIDES = ((0, 1), (1, 2), (0, 3), (1, 3))
CHUNKS = (1, 4, 8, 16)
"""Feature steps of 10 ms; 1 is frame by frame."""


def models() -> Iterator[Transducer]:
    """The models; their last time reduction comes before the last layer."""
    for layers in LAYERS:
        for width in WIDTHS:
            for cell, blocks in CELLS:
                for strides in STRIDES:
                    model = Transducer(
                        layers=layers,
                        width=width,
                        cell=cell,
                        blocks=blocks,
                        strides=strides,
                        prediction_cell=cell,
                        joint=640,
                    )
                    if strides[-1] < layers - 1 and model.parameters in SIZES:
                        yield model


def traffic(design: Design) -> Fraction:
    """Weight bytes per second of audio, over 25 runs of the encoder and whole tokens."""
    return measure(Task(design, 25 * design.steps * design.step_s)).bytes_per_s


def designs(found: Sequence[Transducer], chunks: Sequence[int]) -> list[Design]:
    """The models under schedules, at 1 MiB of weight buffer."""
    return [Design(f"{n}", model, chunk, MIB) for n, model in enumerate(found) for chunk in chunks]


def main() -> None:
    """Replays the grid and prints its spreads."""
    grid = designs(list(models()), CHUNKS)
    begin = time.perf_counter()
    with Pool() as pool:
        sizes = pool.map(traffic, grid, chunksize=4)
    seconds = time.perf_counter() - begin
    found = list(zip(grid, sizes, strict=True))
    print(f"{len(grid)} replays in {seconds:.1f} s")
    for name, chunks in (("frame by frame", (1,)), ("80 ms chunks", (8,)), ("all four", CHUNKS)):
        for strides in (STRIDES, STRIDES[:1]):
            some = [s for d, s in found if d.chunk in chunks and d.model.strides in strides]
            where = "all strides" if strides == STRIDES else "strides (0, 1)"
            low, high = min(some), max(some)
            spread = f"{int(low):,} to {int(high):,} B/s, {float(high / low):.2f}x"
            print(f"{name:>14}, {where:14}: {len(some):3} runs, {spread}")


if __name__ == "__main__":
    main()
