"""What a step of an LSTM takes, by where its weights lie, in the steady state."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

import codesign
from codesign import Engines, Hardware, Residency, Result, Trace, load_hardware
from codesign.workload.as_run import as_run
from codesign.workload.dtype import DType

SIZES = tuple(range(128, 1025, 128))
"""Hidden sizes; a step reads as many inputs."""
STEPS = (32, 96)
"""Lengths of the two runs whose difference is the steady state."""
MIB = 1 << 20
TILES = MIB // 4
"""Bytes of an SRAM beside the weights, for tiles and state."""


@dataclass(frozen=True)
class Side:
    """One place for the weights.

    Attributes:
        name: what it is called.
        engine: that multiplies.
        weight_bytes: of weights that may stay; 0 if every step fetches them from DRAM.
        sram_bytes: of the scratchpad.
        read_pj: picojoules per byte read from it, and ``write_pj`` written: CACTI 7 at 22 nm, read
            between its sizes, and with the root of the size beyond 2 MiB.
    """

    name: str
    engine: str
    weight_bytes: int
    sram_bytes: int
    read_pj: float
    write_pj: float

    @property
    def machine(self) -> Hardware:
        """The preset with this side's memories."""
        return _base().with_all(
            {
                "sram.size": self.sram_bytes,
                "sram.read_energy": f"{self.read_pj} pJ/B",
                "sram.write_energy": f"{self.write_pj} pJ/B",
            }
        )

    @property
    def residency(self) -> Residency:
        """What stays."""
        return Residency("region" if self.weight_bytes else "none")


CELLS = Side("cells, 2 MiB", "cim", 2 * MIB, TILES, 0.925, 0.703)
DRAM = Side("DRAM at every step", "npu", 0, TILES, 0.925, 0.703)
SRAM = Side("SRAM, 2 MiB", "npu", 2 * MIB, 2 * MIB + TILES, 2.687, 2.385)
LARGE = Side("SRAM, 8 MiB", "npu", 8 * MIB, 8 * MIB + TILES, 5.145, 4.567)
SIDES = (CELLS, SRAM, LARGE, DRAM)
MACROS = {"cim.macros": 4, "cim.sets": 32, "cim.double_buffer": True}
"""Macros of the study: 128 tiles of 16 KiB."""


@dataclass(frozen=True)
class Measured:
    """A step of an LSTM in the steady state.

    Attributes:
        latency_s: seconds.
        energy_j: joules: of the chip with its leakage, and of the bytes that the DRAM moves.
        weight_bytes: fetched from DRAM.
        engine_s: seconds in which the engine computes.
    """

    latency_s: float
    energy_j: float
    weight_bytes: int
    engine_s: float


def weight_bytes(hidden: int) -> int:
    """Bytes of the matrices of an LSTM with as many inputs as states: four gates of each, int8."""
    return 8 * hidden * hidden


def measure_all(sizes: Sequence[int] = SIZES) -> Mapping[tuple[int, str], Measured]:
    """Replays every size on every side, on all cores."""
    with multiprocessing.Pool() as pool:
        rows = pool.map(measure, sizes[::-1], chunksize=1)
    found = {(hidden, name): one for row in rows for (hidden, name), one in row.items()}
    return {(hidden, side.name): found[hidden, side.name] for hidden in sizes for side in SIDES}


def measure(hidden: int) -> dict[tuple[int, str], Measured]:
    """Replays one size on every side."""
    short, long = (lstm(hidden, steps) for steps in STEPS)
    return {(hidden, side.name): _between(_run(short, side), _run(long, side)) for side in SIDES}


def lstm(hidden: int, steps: int) -> Trace:
    """An LSTM layer in int8 over some steps."""
    with torch.device("meta"):
        layer, sequence = nn.LSTM(hidden, hidden), torch.empty(steps, 1, hidden)
    trace = codesign.trace(layer, (sequence,), name=f"lstm_{hidden}")
    return as_run(trace, DType.parse("int8"), schedule="time-major")


def _run(trace: Trace, side: Side) -> Result:
    engines = Engines(rules={"kind:contraction": side.engine})
    return codesign.simulate(
        trace, side.machine, dtype="native", residency=side.residency, engines=engines
    )


def _between(short: Result, long: Result) -> Measured:
    """A step of those that only the longer run has; both load the same and end alike."""
    steps = STEPS[1] - STEPS[0]
    engine = next(one.engine for one, _ in long.placement.assignments() if one.op.macs)
    weights = long.offchip_bytes["weight"] - short.offchip_bytes["weight"]
    busy = long.replay.busy[engine] - short.replay.busy[engine]
    return Measured(
        (long.latency_s - short.latency_s) / steps,
        (long.energy_j - short.energy_j) / steps,
        weights // steps,
        busy * 1e-12 / steps,
    )


@lru_cache(maxsize=1)
def _base() -> Hardware:
    return load_hardware("h4h-edge").with_all(MACROS)
