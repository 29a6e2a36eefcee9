"""Programs of units with registers: command by command what a channel is told to do.

The order of the commands is that of HBM-PIM as Samsung's PIMSimulator issues them (github.com/
SAITPublic/PIMSimulator b464dde, src/tests/PIMKernel.cpp), told anew: all rows are closed by a read
in every bank, mode writes let all banks work, the program is written, and for each tile of outputs
and each vector the accumulators are cleared, inputs written to registers (``WR_REG``), products
read (``MAC``) from even banks and then from odd ones, and the accumulators written to the banks.
Registers and modes are addressed as rows that no data lies in. No constant is fitted: how long it
takes follows from the timings of the device alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from .banks import Banks, Columns, Group
from .units import Cost, Product, Units, parts_of

_EVEN, _REGISTERS, _CLOSED, _MODE = 0, "registers", "closed", "mode"


@lru_cache(maxsize=4096)
def product_cost(units: Units, product: Product) -> Cost:
    """One matrix-vector product after the other.

    Args:
        units: with registers.
        product: of one vector.
    """
    per_register = units.elements(product.bits)
    tiles_out = parts_of(product.outputs, units.output_registers * units.blocks * units.channels)
    tiles_in = parts_of(product.inputs, per_register * units.input_registers)
    tile = units.input_registers * units.output_registers  # columns
    banks = Banks(units.device)
    enter = banks.issue(list(_enter(units)))
    first, each = (_vector(units, product, banks, number) for number in range(2))
    leave = _leave(units, banks)
    columns = tiles_out * tiles_in * tile
    results = tiles_out * units.output_registers
    written = tiles_out * tiles_in * units.input_registers
    # and two for the results, which are written and read
    rows = tiles_out * (tiles_in * parts_of(tile, units.columns_per_row) + 2)
    wide = units.blocks * units.channels
    return Cost(
        enter=max(0, enter + first - each),
        each=each * tiles_out,
        leave=leave,
        result=results * units.blocks * _host_pace(units),
        activates=rows * wide,
        bank_bytes=(columns + 2 * results) * units.column_bytes * wide,
        host_bytes=(written + results * units.blocks) * units.column_bytes * units.channels,
        lanes=columns * per_register * wide,
    )


@lru_cache(maxsize=4096)
def elementwise_cost(units: Units, inputs: int, bits: int) -> Cost:
    """One register after the other in every bank: read, read with the operation, write.

    Args:
        units: with registers.
        inputs: tensors read, 1 or 2.
        bits: of a number.

    Returns:
        ``each`` is one piece: all input registers of every bank.
    """
    banks = Banks(units.device)
    enter = banks.issue([*_enter(units), _switch()])
    first, each = (banks.issue(list(_piece(units, inputs))) for _ in range(2))
    leave = banks.issue([_switch()]) + _leave(units, banks)
    wide = units.device.organisation.rank_banks * units.channels
    columns = (inputs + 1) * units.input_registers
    return Cost(
        enter=max(0, enter + first - each),
        each=each,
        leave=leave,
        activates=(inputs + 1) * wide,
        bank_bytes=columns * units.column_bytes * wide,
        host_bytes=0,
        lanes=units.input_registers * units.elements(bits) * wide,
    )


def piece_elements(units: Units, bits: int) -> int:
    """Numbers of one piece of elementwise work."""
    banks = units.device.organisation.rank_banks * units.channels
    return units.input_registers * units.elements(bits) * banks


def _park(units: Units, name: str) -> Group:
    """A read in every bank, bank groups in turn: whatever row was open is closed after it."""
    organisation = units.device.organisation
    groups, per_group = organisation.bank_groups, organisation.banks_per_group
    return tuple(
        Columns(bank + group * per_group, name)
        for bank in range(per_group)
        for group in range(groups)
    )


def _enter(units: Units) -> Iterator[Group]:
    yield _park(units, _CLOSED)
    yield _modes(units, units.mode_writes)
    if units.program_writes:
        yield (_registers(units, units.program_writes),)


def _modes(units: Units, writes: int) -> Group:
    """Writes to two banks side by side in as many bank groups as it takes, far from each other."""
    organisation = units.device.organisation
    step = max(1, organisation.rank_banks // max(1, (writes + 1) // 2))
    return tuple(
        Columns(number // 2 * step % organisation.rank_banks + number % 2, _MODE, writes=True)
        for number in range(writes)
    )


def _leave(units: Units, banks: Banks) -> int:
    """Modes, a read in every bank, and the data of the last one; modes hold after their data."""
    t = units.device.timings
    clocks = banks.issue([_modes(units, units.mode_writes // 2)] if units.mode_writes else [])
    settle = t.cwl + t.burst
    return clocks + settle + banks.issue([_park(units, "left")]) + t.cl + t.burst


def _registers(units: Units, count: int) -> Columns:
    return Columns(units.banks_per_block - 1, _REGISTERS, writes=True, count=count)


def _switch() -> Group:
    """Starts or stops the program, which clears the accumulators."""
    return (Columns(_EVEN, _REGISTERS, writes=True),)


def _vector(units: Units, product: Product, banks: Banks, number: int) -> int:
    """Clocks of one tile of outputs for one vector."""
    start, registers = banks.clock, _registers(units, units.input_registers)
    tiles = parts_of(product.inputs, units.elements(product.bits) * units.input_registers)
    spacing = units.spacing(product.bits)
    banks.issue([_switch()])
    for parity in range(units.banks_per_block):

        def body(place: int, bank: int = parity) -> list[Group]:
            weights = _weights(units, place, number)
            reads = [(replace(columns, bank=bank, spacing=spacing),) for columns in weights]
            return [(registers,), *reads]

        banks.repeat(body, parts_of(tiles - parity, units.banks_per_block))
    last = units.banks_per_block - 1
    results = Columns(last, ("result", number), writes=True, count=units.output_registers)
    banks.issue([(results,), _switch()])
    return banks.clock - start


def _weights(units: Units, place: int, number: int) -> Iterator[Columns]:
    """Columns of one tile, row by row; every tile begins in a row of its own."""
    left = units.input_registers * units.output_registers
    part = 0
    while left:
        count = min(units.columns_per_row, left)
        yield Columns(_EVEN, ("weights", number, place, part), count=count)
        left, part = left - count, part + 1


def _piece(units: Units, inputs: int) -> Iterator[Group]:
    for bank in range(units.banks_per_block):
        for source in range(inputs):
            yield (Columns(bank, ("input", source), count=units.input_registers),)
        yield (Columns(bank, "result", writes=True, count=units.input_registers),)


def _host_pace(units: Units) -> int:
    """Clocks of a column that the host reads in turn from all bank groups."""
    t = units.device.timings
    return max(t.tccd_s, t.burst)
