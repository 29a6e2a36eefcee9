"""Plans of engines that are programmed, not wired: a kernel per operator, and its rate.

The cycles of a kernel are known for the whole operator; a tile takes its share of them, by its
multiply-accumulates or by its part of the data, rounded up once, and is never faster than its
bytes at the port of the buffer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, Loop, TilePlan
from codesign.mapping.emit import Emitted, emit, with_fill
from codesign.mapping.footprint import fused_bytes
from codesign.mapping.streaming import Stream, Streamed, stream
from codesign.mapping.tiling import INNER, Array, ArrayModel, Sizes, search, whole_cycles
from codesign.workload.record import Op
from codesign.workload.work import cuts

_NOISE = 1e-6
"""Cycles that the rounding of rates may add; less than any byte or multiplication takes."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What one operator takes on a processor.

    Attributes:
        cycles: of all its work, functions fused behind it included.
        clock_hz: clock of those cycles.
        peak: most multiply-accumulates per cycle of any kernel in these formats; the slots that
            the processor issues.
        block: rows and columns of results that a contraction adds up in registers at once: each
            first factor is read again for every block of columns, each second one for every block
            of rows.
        head: cycles before the work, such as the call.
        tail: cycles after it.
        actions: what the engine itself does: counts by action.
        energies_j: joules of each of those actions and of a ``cycle``, for objectives that weigh
            energy.
    """

    cycles: float
    clock_hz: float
    peak: float = 1.0
    block: tuple[int, int] = (1, 1)
    head: int = 0
    tail: int = 0
    actions: Mapping[str, int] = field(default_factory=dict)
    energies_j: Mapping[str, float] = field(default_factory=dict)


def plan_kernel(op: Op, budget: Budget, kernel: Kernel) -> TilePlan:
    """Tiles of an operator on a processor.

    A contraction is cut by the tile search, all else flows through the buffer. ``head`` delays the
    first tile and ``tail`` the last. Beside the actions of the kernel, every cycle is an action
    ``cycle``, and the buffer is charged for what is read and written.

    Raises:
        MappingError: not even the smallest piece fits the buffer.
    """
    if op.kind == "contraction":
        return _Product(op, budget, kernel).plan()
    return _flowing(op, budget, kernel)


def _round_up(cycles: float) -> int:
    return math.ceil(cycles - _NOISE)


def _finished(
    kernel: Kernel,
    loop: Loop,
    tiles: Emitted | Streamed,
    traffic: tuple[int, int],
    slots: dict[str, int],
) -> TilePlan:
    """The plan with its ends, its actions and its slots."""
    whole = with_fill(loop, kernel.head, kernel.tail)
    cycles = TilePlan(whole, kernel.clock_hz).cycles
    every = [("", action, count) for action, count in kernel.actions.items()]
    every.append(("", "cycle", cycles))
    every += [("buffer", "read", traffic[0]), ("buffer", "write", traffic[1])]
    booked: dict[str, int] = {}
    if slots:
        booked = slots | {"call": int((kernel.head + kernel.tail) * kernel.peak)}
        booked["kernel"] = max(0, int(cycles * kernel.peak) - sum(booked.values()))
    return TilePlan(
        whole,
        kernel.clock_hz,
        held_bytes=tiles.held_bytes,
        slot_in_bytes=tiles.slot_in_bytes,
        slot_out_bytes=tiles.slot_out_bytes,
        slots_out=tiles.slots_out if isinstance(tiles, Emitted) else 2,
        actions=tuple(action for action in every if action[2]),
        slots=tuple((cause, count) for cause, count in booked.items() if count),
        start_cycles=0 if slots else kernel.head + kernel.tail,
        nest=tiles.nest if isinstance(tiles, Emitted) else (),
    )


def _flowing(op: Op, budget: Budget, kernel: Kernel) -> TilePlan:
    """Pieces of an operator without reuse."""
    touched = sum(access.bytes for access in op.operands)

    def flow(units: int, sweeps: int) -> Stream:
        def cycles(piece: int) -> int:
            share = piece / units
            port = budget.port_cycles(math.ceil(touched * share - _NOISE), kernel.clock_hz)
            return max(_round_up(kernel.cycles / sweeps * share), port)

        return Stream(units, cycles, sweeps)

    chosen, parts = _fitting(op, budget, [flow(units, sweeps) for units, _, sweeps in cuts(op)])
    read = chosen.sweeps * sum(access.bytes for access in op.inputs)
    written = sum(access.bytes for access in op.outputs)
    return _finished(kernel, parts.loop, parts, (read, written), {})


def _fitting(op: Op, budget: Budget, flows: list[Stream]) -> tuple[Stream, Streamed]:
    """The first flow whose pieces fit."""
    for flow in flows[:-1]:
        try:
            return flow, stream(op, budget, flow)
        except MappingError:
            continue
    return flows[-1], stream(op, budget, flows[-1])


class _Product:
    """A contraction, tiled by the search."""

    def __init__(self, op: Op, budget: Budget, kernel: Kernel) -> None:
        self.op, self.budget, self.kernel = op, budget, kernel
        self.per_mac = kernel.cycles / op.macs

    def plan(self) -> TilePlan:
        model = ArrayModel(
            self._cycles,
            lambda sizes: np.ones(len(sizes[0]), dtype=np.bool_),
            self.kernel.clock_hz,
            (1, self.kernel.block[0], 1, self.kernel.block[1]),
            fill_cycles=self.kernel.head + self.kernel.tail,
            joules=self._joules,
        )
        tiling = search(self.op, self.budget, model)
        tiles = emit(self.op, tiling, self.budget, lambda *sizes: int(self._cycles(_one(sizes))[0]))
        reads = writes = stalled = 0
        for (g, m, k, n, final), times in tiles.sizes.items():
            sizes = _one((g, m, k, n))
            factors, fused, results = (int(part[0]) for part in self._traffic(sizes))
            reads += times * (factors + fused * final)
            writes += times * results * final
            stalled += times * int(self._cycles(sizes)[0] - self._work(sizes)[0])
        slots = {"effective": self.op.macs, "buffer port": int(stalled * self.kernel.peak)}
        return _finished(self.kernel, tiles.loop, tiles, (reads, writes), slots)

    def _work(self, sizes: Sizes) -> Array:
        """Cycles of a tile: its share of the operator's."""
        g, m, k, n = (size.astype(np.float64) for size in sizes)
        return _up(g * m * k * n * self.per_mac)

    def _cycles(self, sizes: Sizes) -> Array:
        """Cycles of a tile at the pace of the slower: the kernel or the port of the buffer.

        Results leave while the reduction proceeds: a tile with a share of the reduction is charged
        that share of them.
        """
        factors, fused, results = self._traffic(sizes)
        touched = factors + (fused + results) * (sizes[INNER] / self.op.gemm[INNER])
        port = _up(touched * (self.kernel.clock_hz / self.budget.port_bytes_per_s))
        cycles: Array = np.maximum(self._work(sizes), port)
        return cycles

    def _joules(self, sizes: Sizes) -> NDArray[np.float64]:
        """Energy of a tile: its share of the kernel's actions, its cycles, the buffer's port."""
        prices, (g, m, k, n) = self.kernel.energies_j, sizes
        factors, fused, results = self._traffic(sizes)
        share = sizes[INNER] / self.op.gemm[INNER]
        whole = sum(prices.get(name, 0.0) * times for name, times in self.kernel.actions.items())
        total = np.asarray(g * m * k * n * (whole / self.op.macs), dtype=np.float64)
        total = total + self._cycles(sizes) * prices.get("cycle", 0.0)
        for buffer in self.budget.stores[:1]:
            total = total + (factors + fused * share) * buffer.read_j
            total = total + results * share * buffer.write_j
        return total

    def _traffic(self, sizes: Sizes) -> tuple[Array, Array, Array]:
        """Bytes at the port of the buffer: factors, operands of fused functions, results."""
        g, m, k, n = sizes
        rows, columns = self.kernel.block
        first, second = (access.tensor.dtype for access in self.op.inputs[:2])
        factors = first.storage_bytes(g * m * k) * -(-n // columns)
        factors = factors + second.storage_bytes(g * k * n) * -(-m // rows)
        results = self.op.outputs[0].tensor.dtype.storage_bytes(g * m * n)
        return factors, fused_bytes(self.op, sizes), results


def _one(sizes: tuple[int, ...]) -> Sizes:
    g, m, k, n = (np.array([size], dtype=np.int64) for size in sizes)
    return g, m, k, n


def _up(cycles: NDArray[np.floating]) -> Array:
    return whole_cycles(cycles - _NOISE)
