"""Decode tokens of Llama 3.1 8B: tiles, events, and CPU time against two slower ways.

Run ``python benchmarks/decode_token.py``. The first token is the last of 2,048 in the cache, in
int8, on edge-npu with a 256 KiB scratchpad. One baseline is the same replay with every event
handled. The other, idiomatic SimPy, is what one would write in SimPy first: a process
for each of load, compute and store, a ``Resource`` for the bus and the array, and a ``Store`` with
two places between them. It plays the same tiles of some operators, and is scaled to all of them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, TypeVar

import simpy
from rich.console import Console
from rich.table import Table

import codesign
from codesign.hardware.plan import Tile
from codesign.mapping.place import place
from codesign.mapping.placement import Assignment
from codesign.models import resolve_model
from codesign.replay.result import Replay
from codesign.replay.run import replay
from codesign.units import PS_PER_S, cycles_to_ticks
from codesign.workload.precision import with_precision
from codesign.zoo.llama_tokens import decode_tokens

SAMPLE_TILES = 8_000
TARGET_A_TILE, TARGET_EVENTS = 3, 40_000
TARGET_S = {1: 0.4, 16: 1.5}
"""Seconds of replay allowed for so many tokens."""
T = TypeVar("T")
Process = Generator[simpy.Event, Any, None]


def cpu_seconds(action: Callable[[], T]) -> tuple[T, float]:
    """The result of ``action`` and the CPU time it took."""
    start = time.process_time()
    return action(), time.process_time() - start


class Pipeline:
    """One operator as three SimPy processes that hand tiles on through stores of two places."""

    def __init__(self, tiles: Sequence[Tile], clock_hz: float, bytes_per_s: float) -> None:
        self.tiles, self.clock_hz, self.bytes_per_s = tiles, clock_hz, bytes_per_s
        self.env = simpy.Environment()
        self.bus = simpy.Resource(self.env, capacity=1)
        self.array = simpy.Resource(self.env, capacity=1)
        self.loaded = simpy.Store(self.env, capacity=2)
        self.computed = simpy.Store(self.env, capacity=2)

    def play(self) -> int:
        """Runs all tiles and returns the makespan in ticks."""
        for process in (self.load(), self.compute(), self.store()):
            self.env.process(process)
        self.env.run()
        return int(self.env.now)

    def load(self) -> Process:
        for tile in self.tiles:
            with self.bus.request() as turn:
                yield turn
                yield self.env.timeout(self._move_ticks(sum(move.bytes for move in tile.loads)))
            yield self.loaded.put(tile)

    def compute(self) -> Process:
        for _ in self.tiles:
            tile = yield self.loaded.get()
            with self.array.request() as turn:
                yield turn
                yield self.env.timeout(cycles_to_ticks(tile.cycles, self.clock_hz))
            yield self.computed.put(tile)

    def store(self) -> Process:
        for _ in self.tiles:
            tile = yield self.computed.get()
            with self.bus.request() as turn:
                yield turn
                yield self.env.timeout(self._move_ticks(sum(move.bytes for move in tile.stores)))

    def _move_ticks(self, size: int) -> int:
        return round(size * PS_PER_S / self.bytes_per_s)


def sample(assignments: Sequence[tuple[Assignment, int]]) -> list[list[Tile]]:
    """Tiles of operators from the start of the model, about ``SAMPLE_TILES`` in all."""
    found: list[list[Tile]] = []
    for assignment, _ in assignments:
        if assignment.plan and sum(map(len, found)) < SAMPLE_TILES:
            segments = assignment.plan.segments()
            found.append([tile for tile, times in segments for _ in range(times)])
    return found


def main() -> None:
    """Prints the figures."""
    captured = resolve_model("llama_3_1_8b_decode", seq_len=2048)
    gc.freeze()  # torch leaves a million objects, and looking through them is no part of a replay
    hardware = codesign.load_hardware("edge-npu").with_("sram.size", "256 KiB")
    rows = Table("tokens", "figure", "value", "target", show_header=True)
    for count, target_s in TARGET_S.items():
        trace = with_precision(decode_tokens(captured, count), "int8")
        placement, map_s = cpu_seconds(partial(place, trace, hardware))
        played, replay_s = cpu_seconds(partial(replay, placement, hardware))
        plain, plain_s = cpu_seconds(partial(replay, placement, hardware, exact_events=True))
        assignments = placement.assignments()
        tiles = sum(a.plan.tiles * times for a, times in assignments if a.plan)
        for figure, value, target in (
            ("tiles", f"{tiles:,}", ""),
            ("events, each handled", f"{plain.events:,}", f"<= {TARGET_A_TILE} a tile"),
            ("events", f"{played.events:,}", f"<= {TARGET_EVENTS:,}" if count == 1 else ""),
            ("equal finish, bytes, spans", str(same(played, plain)), "True"),
            ("mapping, CPU s", f"{map_s:.2f}", ""),
            ("replay, CPU s", f"{replay_s:.2f}", f"< {target_s}"),
            ("each event handled, CPU s", f"{plain_s:.2f}", f"{plain_s / replay_s:.1f} x"),
        ):
            rows.add_row(str(count), figure, value, target)
        if count == 1:
            baseline_s = idiomatic_s(assignments, hardware.links[0].bytes_per_s, tiles)
            ratio = f"{baseline_s / replay_s:.1f} x"
            rows.add_row("1", "idiomatic SimPy, CPU s", f"{baseline_s:.2f}", ratio)
    Console().print(rows)


def same(one: Replay, other: Replay) -> bool:
    """Whether two replays measured the same."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("makespan", "moved", "busy", "spans")
    )


def idiomatic_s(assignments: Sequence[tuple[Assignment, int]], rate: float, tiles: int) -> float:
    """CPU time of the tiles as processes, from a sample."""
    some = sample(assignments)
    pipelines = [Pipeline(group, 1e9, rate) for group in some]
    _, sample_s = cpu_seconds(lambda: [pipeline.play() for pipeline in pipelines])
    return sample_s * tiles / sum(map(len, some))


if __name__ == "__main__":
    main()
