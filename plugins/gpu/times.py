"""Time of one operator on a device like a GPU, with three fitted constants.

The equations hold for arrays: one call gives the times of a whole table of operators. Tile shapes,
splits and the operand term are our definition; the constants are fitted with them and mean nothing
without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Times: TypeAlias = NDArray[np.float64]

TILES = ((256, 128), (128, 256), (128, 128), (128, 64), (64, 128), (64, 64))
"""Rows and columns of results that one unit works on at once; the best is taken (assumed)."""
SPLITS = (1, 2, 4, 8)
"""Shares of the sum that different units may add up, with partial sums through memory (assumed)."""
OPTIONS = tuple((*tile, split) for tile in TILES for split in SPLITS)
"""Rows, columns and split of every way to run a product."""


@dataclass(frozen=True, slots=True)
class Device:
    """What a data sheet says about a device, for one pair of number formats.

    Attributes:
        units: cores that work side by side, such as streaming multiprocessors.
        clock_hz: their clock.
        macs: multiply-accumulates of a unit in one clock.
        bandwidth: bytes per second of the memory.
        l2_bytes_per_clock: bytes that all units together move through the port of the shared cache
            in one clock.
    """

    units: int
    clock_hz: float
    macs: float
    bandwidth: float
    l2_bytes_per_clock: float

    @property
    def port_bytes_per_s(self) -> float:
        """Rate of that port: nothing goes through it faster."""
        return self.l2_bytes_per_clock * self.clock_hz


@dataclass(frozen=True, slots=True)
class Constants:
    """What is fitted to measurements of a device.

    Attributes:
        t0: seconds that every operator takes at least, 0 or more.
        compute: share of the peak that contractions reach, above 0, at most 1.
        memory: share of the bandwidth that operators reach, above 0, at most 1.
        launch: seconds of the host for each call; 0 for kernel times.
    """

    t0: float
    compute: float
    memory: float
    launch: float = 0.0


def contraction_s(
    device: Device,
    constants: Constants,
    batch: ArrayLike,
    m: ArrayLike,
    k: ArrayLike,
    n: ArrayLike,
    moved_bytes: ArrayLike,
    element_bytes: ArrayLike,
    accumulator_bytes: float = 4.0,
) -> Times:
    """Seconds of products of (m, k) by (k, n), ``batch`` times; all arrays broadcast.

    Args:
        device: rates of the format pair.
        constants: the fitted constants.
        batch: products beside each other.
        m: rows of results.
        k: products added up for one result.
        n: columns of results.
        moved_bytes: bytes of inputs, weights and outputs, once each.
        element_bytes: bytes of an element of the operands that the units read.
        accumulator_bytes: bytes of a partial sum that is added up by another unit.
    """
    product = Product.of(batch, m, k, n, element_bytes, element_bytes, accumulator_bytes)
    compute = product.options_s(device, constants).min(axis=0)
    memory = np.asarray(moved_bytes, float) / (device.bandwidth * constants.memory)
    time: Times = constants.t0 + constants.launch + np.maximum(compute, memory)
    return time


def streaming_s(device: Device, constants: Constants, moved_bytes: ArrayLike) -> Times:
    """Seconds of an operator that only moves bytes, such as an elementwise one."""
    moved = np.asarray(moved_bytes, float) / (device.bandwidth * constants.memory)
    return constants.t0 + constants.launch + moved


@dataclass(frozen=True, slots=True)
class Product:
    """Products of matrices, as arrays that broadcast.

    Attributes:
        batch: products beside each other.
        m: rows of results.
        k: products added up for one result.
        n: columns of results.
        first_bytes: bytes of an element of the first factor, as the units read it.
        second_bytes: the same of the second factor.
        result_bytes: bytes of a result, as the units write it.
        sum_bytes: bytes of a partial sum that is added up by another unit.
    """

    batch: Times
    m: Times
    k: Times
    n: Times
    first_bytes: Times
    second_bytes: Times
    result_bytes: Times
    sum_bytes: float = 4.0

    @classmethod
    def of(
        cls,
        batch: ArrayLike,
        m: ArrayLike,
        k: ArrayLike,
        n: ArrayLike,
        first_bytes: ArrayLike,
        second_bytes: ArrayLike,
        sum_bytes: float = 4.0,
        result_bytes: ArrayLike | None = None,
    ) -> Product:
        """The same from numbers or arrays; results are of the format of the first factor."""
        results = first_bytes if result_bytes is None else result_bytes
        given = (batch, m, k, n, first_bytes, second_bytes, results)
        one, *sizes = np.broadcast_arrays(*(np.asarray(size, float) for size in given))
        rows, inner, columns, first, second, result = sizes
        return cls(one, rows, inner, columns, first, second, result, sum_bytes)

    def options_s(self, device: Device, constants: Constants) -> Times:
        """Seconds of the units with each of ``OPTIONS``, along the first axis."""
        units, port, sums = self.parts_s(device, constants)
        time: Times = np.maximum(units, port) + sums
        return time

    def parts_s(self, device: Device, constants: Constants) -> tuple[Times, Times, Times]:
        """Seconds of the units, of the port of the shared cache, and of partial sums.

        The last wave lasts as long as a full one, a tile at an edge as long as a whole one, and a
        step of a tile as long as its products or its operands out of the shared cache. Nothing is
        faster than all operands and results through its port. Each is along the first axis as
        ``OPTIONS``.
        """
        shape = (-1, *(1 for _ in self.m.shape))
        rows, columns, split = (np.reshape(part, shape) for part in np.array(OPTIONS, float).T)
        waves = np.ceil(self.tiles(rows, columns) * split / device.units)
        clocks = waves * np.ceil(self.k / split) * self.step(device, rows, columns)
        moved = self.operand_bytes(rows, columns) + self.results * self.result_bytes
        home = min(device.bandwidth * constants.memory, device.port_bytes_per_s)
        return (
            clocks / (device.clock_hz * constants.compute),
            np.asarray(moved / device.port_bytes_per_s),
            np.where(split > 1, 2 * split * self.results * self.sum_bytes / home, 0.0),
        )

    @property
    def results(self) -> Times:
        """Elements of all results."""
        return self.batch * self.m * self.n

    def tiles(self, rows: ArrayLike, columns: ArrayLike) -> Times:
        """Tiles of all results."""
        high, wide = np.asarray(rows, float), np.asarray(columns, float)
        tiles: Times = np.ceil(self.m / high) * np.ceil(self.n / wide) * self.batch
        return tiles

    def operand_bytes(self, rows: ArrayLike, columns: ArrayLike) -> Times:
        """Bytes of both factors that all tiles together read."""
        read: Times = self.tiles(rows, columns) * self._line(rows, columns) * self.k
        return read

    def step(self, device: Device, rows: ArrayLike, columns: ArrayLike) -> Times:
        """Clocks for each of the ``k`` products that a tile adds up."""
        shared = self._line(rows, columns) * device.units / device.l2_bytes_per_clock
        area = np.asarray(rows, float) * np.asarray(columns, float)
        clocks: Times = np.maximum(area / device.macs, shared)
        return clocks

    def _line(self, rows: ArrayLike, columns: ArrayLike) -> Times:
        """Bytes of both factors that a tile reads for each of the ``k``."""
        high, wide = np.asarray(rows, float), np.asarray(columns, float)
        line: Times = high * self.first_bytes + wide * self.second_bytes
        return line
