"""Programs of units with one input buffer for all banks of a channel, as GDDR6-AiM has it.

Inputs are written to the buffer once (``WR_GB``) and broadcast; every bank multiplies its own row
of the matrix through an adder tree, and the host reads one sum of every bank (``RD_RES``). Two
forms: the serial one of PIMeval (github.com/UVA-LavaLab/PIMeval-PIMbench 40ce162,
libpimeval/src/pimPerfEnergyAim.cpp), told anew, in which a column waits for all of the one before,
and ours, in which columns follow each other as closely as tCCD_L and the power cap allow.
"""

from __future__ import annotations

from functools import lru_cache

from .units import Cost, Product, Units, parts_of

_SUM_BYTES = 4
"""Bytes of the sum that a bank hands over."""


@lru_cache(maxsize=4096)
def broadcast_cost(units: Units, product: Product) -> Cost:
    """One matrix-vector product after the other, one output in every bank at a time.

    Args:
        units: with a buffer.
        product: of one vector.
    """
    t = units.device.timings
    passes = parts_of(product.outputs, units.blocks * units.channels)
    input_bytes = parts_of(product.inputs * product.bits, 8)
    fills = [
        min(units.buffer_bytes, input_bytes - at)
        for at in range(0, input_bytes, units.buffer_bytes)
    ]
    written = sum(parts_of(fill, units.column_bytes) for fill in fills)
    results = parts_of(units.blocks * _SUM_BYTES, units.column_bytes)
    filling = written * t.tccd_l + len(fills) * (t.cwl + t.burst + t.twtr_l)
    reading = sum(_pass_clocks(units, fill, product.bits) for fill in fills)
    columns = passes * written
    wide = units.blocks * units.channels
    sums = passes * len(fills) * results
    return Cost(
        enter=t.trp,
        each=filling + passes * reading,
        leave=t.trp,
        result=sums * max(t.tccd_s, t.burst),
        activates=passes * sum(parts_of(fill, units.row_bytes) for fill in fills) * wide,
        bank_bytes=columns * units.column_bytes * wide,
        host_bytes=(written + sums) * units.column_bytes * units.channels,
        lanes=columns * units.elements(product.bits) * wide,
    )


def serial_s(rows: int, units: Units) -> float:
    """Seconds that the serial form takes to multiply whole rows of all banks, without copies.

    A row is opened and closed for each, and a column takes the time from its command to its data
    and four clocks of the adder tree.

    Args:
        rows: of each bank.
        units: timings, columns of a row and the depth of the adder tree.
    """
    t = units.device.timings
    column = (t.cl - t.tccd_l) + (t.tccd_l + units.reduction)
    clocks = rows * (t.trcd_read + t.trp + units.columns_per_row * column)
    return clocks * t.tck_ps * 1e-12


def _pass_clocks(units: Units, fill: int, bits: int) -> int:
    """Clocks in which every bank reads what belongs to one fill of the buffer, and adds it up."""
    t, spacing = units.device.timings, units.spacing(bits)
    clocks = units.reduction
    for at in range(0, fill, units.row_bytes):
        columns = parts_of(min(units.row_bytes, fill - at), units.column_bytes)
        if units.overlaps_activates:
            clocks += max(columns * spacing, t.trc)
        else:
            clocks += max(t.trcd_read + (columns - 1) * spacing + t.trtp, t.tras) + t.trp
    return clocks
