"""What a DRAM device is: organisation, timings, command bus and currents. Frozen.

Timings are in clocks of the command bus; ``tck_ps`` says how long one is. Names are JEDEC's in
lower case: ``trcd_read`` is tRCDRD, ``tccd_s`` is tCCD_S.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from codesign.memory.controller import Controller
from codesign.memory.device_check import check_device
from codesign.memory.mapping import AddressMapping


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """What a memory consists of. All counts are powers of two.

    Attributes:
        channels: channels, each with its own controller.
        pseudo_channels: parts of a channel with a data bus each and one command bus for all.
        ranks: ranks on one data bus.
        bank_groups: bank groups of a rank; 1 where the standard has none.
        banks_per_group: banks of a bank group.
        rows: rows of a bank.
        columns: columns of a row, each as wide as the device.
        device_width: data bits of one device.
        bus_width: data bits of one (pseudo-)channel.
        burst_length: data beats of one transaction.
    """

    channels: int = 1
    pseudo_channels: int = 1
    ranks: int = 1
    bank_groups: int
    banks_per_group: int
    rows: int
    columns: int
    device_width: int
    bus_width: int
    burst_length: int

    @property
    def transaction_bytes(self) -> int:
        """Bytes that one read or write moves."""
        return self.bus_width // 8 * self.burst_length

    @property
    def devices(self) -> int:
        """Devices that work in lock step behind one data bus."""
        return self.bus_width // self.device_width

    @property
    def rank_banks(self) -> int:
        """Banks of a rank."""
        return self.bank_groups * self.banks_per_group

    @property
    def channel_ranks(self) -> int:
        """Ranks of a channel over all of its pseudo-channels."""
        return self.pseudo_channels * self.ranks

    @property
    def capacity_bytes(self) -> int:
        """Bytes that the memory holds."""
        row_bytes = self.columns * self.bus_width // 8
        return row_bytes * self.rows * self.rank_banks * self.channel_ranks * self.channels


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Timing parameters in clocks, as JEDEC names them.

    Attributes:
        tck_ps: one clock.
        cl: read command to first data.
        cwl: write command to first data.
        burst: clocks that the data of one transaction take.
        burst_long: clocks that the array is busy with it, for a write followed by a read in its
            bank group (BL/n_max of LPDDR5); 0 for ``burst``.
        trcd_read: activate to read in a bank.
        trcd_write: activate to write in a bank.
        trp: precharge to activate in a bank.
        trp_all: precharge of all banks to activate; 0 for ``trp``.
        tras: activate to precharge in a bank.
        trc: activate to activate in a bank.
        tccd_s: read to read in different bank groups.
        tccd_l: read to read in one bank group.
        tccd_s_write: write to write in different bank groups; 0 for ``tccd_s``.
        tccd_l_write: write to write in one bank group; 0 for ``tccd_l``.
        trrd_s: activate to activate in different bank groups.
        trrd_l: activate to activate in one bank group.
        tfaw: a window with at most four activates in a rank.
        twtr_s: end of write data to read in different bank groups.
        twtr_l: end of write data to read in one bank group.
        trtw: read to write in a rank.
        trtp: read to precharge in a bank.
        twr: end of write data to precharge in a bank.
        trtrs: idle clocks of the data bus when its rank changes.
        tppd: precharge to precharge in a rank; 0 for none.
        trfc: refresh of all banks to activate.
        trfc_bank: refresh of one bank to activate in it.
        trrefd: refresh of one bank to activate or refresh of another.
        trefi: a rank needs one refresh of all banks, or of each bank, in this time.
        taad: first half of an activate to its second half, at most; 0 where it is one command.
        twck_hold: clocks that the data clock of LPDDR5 runs on after a burst; -1 where it needs no
            synchronisation.
        txp: power-down exit to the next command.
        txs: self-refresh exit to the next command.
    """

    tck_ps: int
    cl: int
    cwl: int
    burst: int
    burst_long: int = 0
    trcd_read: int
    trcd_write: int
    trp: int
    trp_all: int = 0
    tras: int
    trc: int
    tccd_s: int
    tccd_l: int
    tccd_s_write: int = 0
    tccd_l_write: int = 0
    trrd_s: int
    trrd_l: int
    tfaw: int
    twtr_s: int
    twtr_l: int
    trtw: int
    trtp: int
    twr: int
    trtrs: int = 0
    tppd: int = 0
    trfc: int
    trfc_bank: int = 0
    trrefd: int = 0
    trefi: int
    taad: int = 0
    twck_hold: int = -1
    txp: int = 0
    txs: int = 0


@dataclass(frozen=True, kw_only=True)
class CommandBus:
    """How long commands occupy the command bus.

    Attributes:
        activate: clocks of an activate; a timing counts from its last clock.
        precharge: clocks of a precharge or refresh.
        column: clocks of a read or write.
        separate: row commands and column commands have a bus each (HBM).
        half_clock: the clock of this device is half a bus clock, and only a precharge may start in
            its second half (HBM3, JESD238).
    """

    activate: int = 1
    precharge: int = 1
    column: int = 1
    separate: bool = False
    half_clock: bool = False


@dataclass(frozen=True, kw_only=True)
class Rail:
    """Currents of one device on one supply rail.

    Attributes:
        voltage: volts.
        idd0: amperes, activate and precharge once in tRC.
        idd2n: all banks closed.
        idd2p: all banks closed, power-down.
        idd3n: a bank open.
        idd3p: a bank open, power-down.
        idd4r: reads back to back.
        idd4w: writes back to back.
        idd5: refresh of all banks.
        idd5_bank: refresh of one bank.
        idd6: self-refresh.
    """

    voltage: float
    idd0: float
    idd2n: float
    idd2p: float
    idd3n: float
    idd3p: float
    idd4r: float
    idd4w: float
    idd5: float
    idd5_bank: float = 0.0
    idd6: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Device:
    """A DRAM with its controller.

    Attributes:
        name: for messages.
        organisation: channels, banks, rows, widths.
        timings: in clocks.
        bus: occupancy of the command bus.
        mapping: address to channel, rank, bank, row and column.
        controller: queues, policies and scheduling style.
        rails: currents by name of the rail; none for a device without energy.
        io_j_per_bit: energy of I/O, termination and PHY; 0 is a core-only model.
    """

    name: str
    organisation: Organisation
    timings: Timings
    bus: CommandBus = CommandBus()
    mapping: AddressMapping
    controller: Controller = field(default_factory=Controller)
    rails: tuple[tuple[str, Rail], ...] = ()
    io_j_per_bit: float = 0.0

    def check(self) -> None:
        """Refuses values that no device can have.

        Raises:
            HardwareError: with the rule, the values and the way out in one line.
        """
        check_device(self)

    @property
    def peak_bytes_per_s(self) -> float:
        """Bytes per second of all data buses when they never pause."""
        organisation, timings = self.organisation, self.timings
        buses = organisation.channels * organisation.pseudo_channels
        return buses * organisation.transaction_bytes / (timings.burst * timings.tck_ps * 1e-12)
