"""What one operator is to a device: seconds, bytes at the shared cache, slots, a word on why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from codesign import Budget, Op
from codesign.workload.work import elements, functions

from .times import OPTIONS, Constants, Device, Product

ATTENTION_TILE = 128
"""Queries and keys that a fused attention works on at once (assumed)."""
_NARROW = 16
"""Rows of a matrix instruction: fewer queries are filled up to whole ones (published)."""
_RADIX_BITS = 8  # bits of a key that a pass of a radix sort looks at (assumed)


@dataclass(frozen=True, slots=True)
class Kernel:
    """An operator as it runs.

    Attributes:
        compute_s: seconds of the units, and of the port through which they reach the shared cache.
        memory_s: seconds of the memory; the longer of both counts.
        extra_s: seconds beside both and beside the start of every kernel.
        reads: bytes read from the shared cache.
        writes: bytes written to it.
        macs: multiply-accumulates that are carried out, edges of tiles not counted.
        zeros: those of them with a weight that is known to be 0.
        spent: slots of the units by cause, in multiply-accumulates; they fill ``compute_s``.
        actions: counts of further actions of the engine.
        note: one sentence on the choice.
    """

    compute_s: float
    memory_s: float
    extra_s: float = 0.0
    reads: int = 0
    writes: int = 0
    macs: int = 0
    zeros: int = 0
    spent: Mapping[str, float] = field(default_factory=dict)
    actions: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def work_s(self) -> float:
        """Seconds of whichever takes longer, and what comes beside."""
        return max(self.compute_s, self.memory_s) + self.extra_s


def memory_s(op: Op, budget: Budget, efficiency: float, *, passes: int = 1) -> float:
    """Seconds of the memory for what does not lie in the buffer: each byte once, as it is stored.

    Args:
        op: the operator.
        budget: rates, residents, and the fewest bytes that the memory moves.
        efficiency: share of the rates that such an operator reaches.
        passes: times that everything goes back and forth.
    """
    seconds = 0.0
    for place in (*op.distinct_inputs, *range(len(op.inputs), len(op.operands))):
        if budget.is_resident(place):
            continue
        is_input = place < len(op.inputs)
        rate = budget.load_bytes_per_s if is_input else budget.store_bytes_per_s
        seconds += _home_bytes(op, place, budget) / rate
    return passes * seconds / efficiency


def contraction(
    op: Op, budget: Budget, device: Device, constants: Constants, product: Product | None = None
) -> Kernel:
    """A product of matrices, with the tile and split that take the least time.

    Args:
        op: a contraction.
        budget: what it may use.
        device: rates of its formats.
        constants: the fitted constants.
        product: its sizes, if they are not those of the operator.
    """
    product = product or product_of(op)
    options = product.options_s(device, constants)
    best = int(np.argmin(options))
    rows, columns, split = OPTIONS[best]
    spilled = float(split * product.results * product.sum_bytes) if split > 1 else 0.0
    beside = sum(op.operands[place].bytes for place in op.distinct_inputs if place > 1)
    reads = math.ceil(product.operand_bytes(rows, columns) + spilled) + beside
    writes = math.ceil(op.outputs[0].bytes + spilled)
    # what is fused behind the product reads more than the options know
    compute = max(float(options[best]), (reads + writes) / device.port_bytes_per_s)
    memory = memory_s(op, budget, constants.memory)
    limit = "memory" if memory > compute else "compute"
    return Kernel(
        compute,
        memory,
        reads=reads,
        writes=writes,
        macs=op.macs,
        spent=_spent(product, op.macs, device, constants, best, compute),
        actions=_elements(op),
        note=f"tiles of {rows} x {columns}, sums split {split} ways; limited by {limit}",
    )


def product_of(op: Op) -> Product:
    """The sizes of a contraction and of the elements of its factors and results."""
    first, second, result = (element_bytes(op, place) for place in (0, 1, len(op.inputs)))
    return Product.of(*op.gemm, first, second, result_bytes=result)


def _spent(
    product: Product, macs: int, device: Device, constants: Constants, option: int, seconds: float
) -> dict[str, float]:
    """Slots of the units by cause, for one option; together they are those ``seconds``."""
    rows, columns, split = OPTIONS[option]
    area, turns = rows * columns, math.ceil(float(product.k) / split)
    tiles = float(product.tiles(rows, columns)) * split
    waves = math.ceil(tiles / device.units) * device.units
    issued = waves * turns * area
    step = float(product.step(device, rows, columns)) * device.macs
    held_up = waves * turns * (step - area)
    slots_per_s = device.units * device.macs * device.clock_hz
    units, _, sums = (float(part[option]) for part in product.parts_s(device, constants))
    return {
        "edge of tiles": tiles * turns * area - macs,
        "last wave": (waves - tiles) * turns * area,
        "shared cache": held_up + max(0.0, seconds - units - sums) * slots_per_s,
        "split sums": sums * slots_per_s,
        "efficiency": (issued + held_up) * (1 / constants.compute - 1),
    }


def attention(op: Op, budget: Budget, device: Device, constants: Constants) -> Kernel:
    """A fused attention: scores never leave the units (Dao et al., NeurIPS 2022).

    Blocks of queries and keys are spread over the units, also those of one query (a second kernel
    that joins their parts is not modelled). A causal one leaves out the blocks above the diagonal.
    Query heads that share a key head lie side by side in a block if all their queries fit into one,
    as the kernels of FlashAttention-2 do for one query; otherwise each reads the keys for itself.
    """
    batch, heads, queries, width = op.inputs[0].shape
    groups, keys = op.inputs[1].shape[1:3]
    depth = width + op.inputs[2].shape[3]
    together = heads // groups if heads // groups * queries <= ATTENTION_TILE else 1
    rows = min(ATTENTION_TILE, -(-queries * together // _NARROW) * _NARROW)
    is_causal = bool(op.attribute("causal", False))
    pairs, blocks_each = (
        _causal(queries, keys, rows)
        if is_causal
        else (queries * keys, _blocks(queries, keys, rows))
    )
    effective, turns = batch * heads * pairs * depth, batch * heads // together
    blocks, block = turns * blocks_each, rows * ATTENTION_TILE * depth
    waves = math.ceil(blocks / device.units) * device.units
    rate = device.units * device.macs * device.clock_hz
    units = waves * block / (rate * constants.compute)
    # the last block of a row of blocks may be cut short
    seen = min(blocks_each * ATTENTION_TILE, math.ceil(queries / rows) * keys)
    reads = math.ceil(turns * seen * depth * element_bytes(op, 1)) + op.inputs[0].bytes
    writes = op.outputs[0].bytes
    port = (reads + writes) / device.port_bytes_per_s
    spent = {
        "edge of tiles": float(blocks * block - effective),
        "last wave": float((waves - blocks) * block),
        "shared cache": max(0.0, port - units) * rate,
        "efficiency": waves * block * (1 / constants.compute - 1),
    }
    return Kernel(
        max(units, port),
        memory_s(op, budget, constants.memory),
        reads=reads,
        writes=writes,
        macs=effective,
        spent=spent,
        actions={"element": effective // depth},
        note=f"fused, blocks of {rows} queries and {ATTENTION_TILE} keys",
    )


def _blocks(queries: int, keys: int, rows: int) -> int:
    return math.ceil(queries / rows) * math.ceil(keys / ATTENTION_TILE)


def _causal(queries: int, keys: int, rows: int) -> tuple[int, int]:
    """Pairs of a query and a key that it sees, and the blocks that hold them.

    The first query sees the first key, as in torch.
    """
    short = min(queries, keys)
    pairs = short * (short + 1) // 2 + (queries - short) * keys
    starts = range(0, queries, rows)
    last = [min(keys, queries, start + rows) for start in starts]
    return pairs, sum(math.ceil(key / ATTENTION_TILE) for key in last)


def streaming(op: Op, budget: Budget, efficiency: float) -> Kernel:
    """Everything else: its bytes, once; a sort goes over them for every byte of a key."""
    passes = 1
    if op.kind == "sort":
        passes = max(1, math.ceil(op.inputs[0].tensor.dtype.bits / _RADIX_BITS))
    reads = passes * sum(op.operands[place].bytes for place in op.distinct_inputs)
    writes = passes * sum(access.bytes for access in op.outputs)
    return Kernel(
        (reads + writes) / budget.port_bytes_per_s,
        memory_s(op, budget, efficiency, passes=passes),
        reads=reads,
        writes=writes,
        actions=_elements(op) if op.kind != "move" else {},
    )


def _elements(op: Op) -> dict[str, int]:
    """Functions of one element: of a product those fused behind it."""
    names = len(functions(op))
    count = op.outputs[0].elements if op.kind == "contraction" else elements(op)
    return {"element": count * names} if names else {}


def element_bytes(op: Op, place: int) -> float:
    """Bytes of an element of an operand, with its share of a scale."""
    dtype = op.operands[place].tensor.dtype
    return (dtype.bits + (dtype.scale_bits / dtype.block if dtype.block else 0)) / 8


def _home_bytes(op: Op, place: int, budget: Budget) -> int:
    """Bytes of an operand at home; of the rows that a gather reads, in whole bursts each."""
    access, row = op.operands[place], op.attribute("row_bytes")
    moved = access.tensor.home_bytes(access.bytes)
    if op.kind != "gather" or place or not isinstance(row, int) or row < 1:
        return moved
    stored, burst = access.tensor.home_bytes(row), budget.burst_bytes
    return -(-access.bytes // row) * -(-stored // burst) * burst
