"""What stands next to the banks, and how much work there is for it."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.memory import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The units of all channels; those of one channel work in lock step.

    Attributes:
        device: the DRAM whose banks they read.
        channels: (pseudo-)channels with units.
        blocks: units of a channel.
        lanes: products that a unit makes at a time.
        input_registers: registers for inputs, each as wide as a column.
        output_registers: accumulators, each as wide as a column.
        buffer_bytes: of the input buffer that a channel shares (``global_buffer``).
        power_cap: least clocks between column reads of all banks; 0 for no cap.
        mode_writes: writes that enter the mode in which all banks work; half of them leave it.
        program_writes: writes of a column that load the program.
        reduction: clocks of the adder tree behind the lanes.
        overlaps_activates: whether one half of the banks opens a row while the other is read.
    """

    device: Device
    channels: int
    blocks: int
    lanes: int
    input_registers: int
    output_registers: int
    buffer_bytes: int
    power_cap: int
    mode_writes: int
    program_writes: int
    reduction: int
    overlaps_activates: bool

    @property
    def column_bytes(self) -> int:
        """Bytes of a column: what one command moves at a bank."""
        return self.device.organisation.transaction_bytes

    @property
    def columns_per_row(self) -> int:
        """Columns of a row of one bank."""
        organisation = self.device.organisation
        return organisation.columns // organisation.burst_length

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of one bank."""
        return self.columns_per_row * self.column_bytes

    @property
    def banks_per_block(self) -> int:
        """Banks that share a unit."""
        return self.device.organisation.rank_banks // self.blocks

    def elements(self, bits: int) -> int:
        """Numbers of so many bits in a column."""
        return self.column_bytes * 8 // bits

    def spacing(self, bits: int) -> int:
        """Clocks from one column to the next: tCCD_L, the power cap, and turns of the lanes."""
        turns = -(-self.elements(bits) // self.lanes)
        return max(self.device.timings.tccd_l * turns, self.power_cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A matrix-vector product: ``outputs`` dot products of ``inputs`` numbers.

    Attributes:
        outputs: rows of the matrix.
        inputs: columns of the matrix.
        bits: of a weight and of an input.
    """

    outputs: int
    inputs: int
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one channel does, in clocks without refreshes, and what all of them count.

    Attributes:
        enter: clocks before the work: rows closed, mode, program.
        each: clocks of one vector, or of one piece of elementwise work.
        leave: clocks after the last one.
        result: clocks in which the host reads the accumulators of one vector.
        activates: rows opened in banks by one vector, in all channels.
        bank_bytes: read and written at banks.
        host_bytes: that cross the way between host and units.
        lanes: products or element operations issued, used or not.
    """

    enter: int
    each: int
    leave: int
    result: int = 0
    activates: int
    bank_bytes: int
    host_bytes: int
    lanes: int


def mean_clocks(clocks: int, device: Device) -> int:
    """Clocks with the refreshes that fall into them in the mean: tRFC in every tREFI."""
    t = device.timings
    if device.controller.refresh == "none":
        return clocks
    return -(-clocks * t.trefi // (t.trefi - t.trfc))


def clocks_with_refreshes(clocks: int, device: Device, first: int) -> int:
    """Clocks with the refreshes that fall due, the first of them after ``first`` clocks.

    Args:
        clocks: without refreshes.
        device: its tRFC and tREFI.
        first: clocks from the start to the first refresh.
    """
    t, total, due = device.timings, clocks, first
    while due < total and device.controller.refresh != "none":
        total, due = total + t.trfc, due + t.trefi
    return total


def parts_of(total: int, part: int) -> int:
    """Parts of at most ``part`` that ``total`` has."""
    return -(-total // part)
