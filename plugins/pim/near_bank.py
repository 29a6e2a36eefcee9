"""The engine: units next to the banks of a DRAM, which multiply weights where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

from codesign import Budget, DType, Engine, Op, TilePlan
from codesign.errors import HardwareError, TraceError
from codesign.hardware.dram_field import DramDevice
from codesign.hardware.provenance import Provenance
from codesign.units import PS_PER_S, Bytes, Count, Joules, Natural
from codesign.workload.work import number_format

from .broadcast import broadcast_cost
from .places import FINE_GRAINED, Parts, check_parts, way_to
from .plans import Planner
from .programs import elementwise_cost, piece_elements, product_cost
from .refusals import WEIGHTS, refused
from .units import Cost, Product, Units

Program = Literal["registers", "global_buffer"]
_ERRORS: Mapping[Program, str] = {
    "registers": "near-bank clocks: within 1 % of PIMSimulator for products of 1024 inputs and "
    "more, 9 % for short programs, which meet no refresh or a whole one; silicon not compared",
    "global_buffer": "near-bank clocks: columns that follow each other every tCCD_L are compared "
    "with nothing; their serial form is PIMeval's",
}
"""How wrong each program is known to be."""


@dataclass(frozen=True, kw_only=True)
class PimNearBank(Engine):
    """Units that all banks of a channel feed at once, in lock step, under one program.

    ``registers`` is HBM-PIM: a unit for some banks, inputs in registers that the host writes for
    every tile, sums in accumulators, and elementwise work from bank to bank. ``global_buffer`` is
    GDDR6-AiM: a unit with an adder tree for each bank, and inputs in a buffer that a channel
    shares. Every vector reads the matrix anew: time is linear in the batch. While a program runs,
    the memory serves nobody else. Weights lie tile by tile in the banks; putting them there is done
    once, before anything that is simulated. The host that adds up lanes and does ``host_functions``
    is no bottleneck: it costs energy and no time.

    Attributes:
        memory: name of the memory whose banks compute.
        device: name of its device file, or its path.
        channels: (pseudo-)channels with units, those of the memory; 0 for as many as the device
            file has.
        program: ``registers`` or ``global_buffer``.
        blocks: units of a channel.
        banks_per_block: banks that share a unit.
        lanes: products that a unit makes in tCCD_L.
        input_registers: registers of a unit for inputs, each as wide as a column.
        output_registers: accumulators of a unit.
        input_buffer: bytes of the buffer of a channel (``global_buffer``).
        mode_writes: writes that enter the mode in which all banks work; half of them leave it.
        program_writes: writes that load the program.
        power_cap: least clocks between column reads of all banks, where power allows no less; 0
            for no cap.
        reduction: clocks of the adder tree (``global_buffer``).
        overlaps_activates: whether one half of the banks opens a row while the other half is read
            (``global_buffer``).
        result_reads: whether the time in which the host reads the accumulators belongs to the
            program; its energy always does. Recorded runs of PIMSimulator end before it.
        host_functions: functions behind a product that the host does while it adds up lanes.
        mac_energy: energy of one product of a lane by formats (``fp16*fp16``); no other is taken.
        element_energy: energy of one elementwise operation of a lane by format.
        host_energy: energy of one addition or function of the host; assumed.
        parts: energy per byte of each part of the way from the cells to the host; fine-grained DRAM
            (O'Connor et al., MICRO 2017), assumed for any.
    """

    kind: ClassVar[str] = "pim_near_bank"
    expected_error: ClassVar[str] = _ERRORS["registers"]

    memory: str
    device: DramDevice
    channels: Natural = 0
    program: Program = "registers"
    blocks: Count = 8
    banks_per_block: Count = 2
    lanes: Count = 16
    input_registers: Count = 8
    output_registers: Count = 8
    input_buffer: Bytes = 2048
    mode_writes: Natural = 4
    program_writes: Natural = 1
    power_cap: Natural = 0
    reduction: Natural = 4
    overlaps_activates: bool = True
    result_reads: bool = True
    host_functions: tuple[str, ...] = ("add", "relu")
    mac_energy: Mapping[str, Joules]
    element_energy: Mapping[str, Joules] = field(default_factory=dict)
    host_energy: Joules = 0.4e-12
    parts: Parts = field(default_factory=lambda: dict(FINE_GRAINED))

    def check(self) -> None:
        """Refuses units that do not fit the banks, unknown formats and an incomplete way."""
        organisation = self.device.device.organisation
        banks = organisation.rank_banks
        if self.blocks * self.banks_per_block != banks:
            raise HardwareError(
                f"{self.name}.blocks times banks_per_block must be {banks}, the banks of a channel "
                f"of {self.device.device.name}, got {self.blocks} x {self.banks_per_block}; "
                "correct one of them"
            )
        timings = self.device.device.timings
        if timings.trfc >= timings.trefi:
            raise HardwareError(
                f"{self.name}.device must have time between its refreshes, got trfc "
                f"{timings.trfc} and trefi {timings.trefi} clocks of {self.device.device.name}; "
                "correct them"
            )
        if self.memory == self.buffer:
            raise HardwareError(
                f"{self.name}.buffer must be a memory of the host, got {self.buffer!r}, whose "
                "banks compute; name an SRAM"
            )
        if self.program == "global_buffer" and self.element_energy:
            raise HardwareError(
                f"{self.name}.element_energy must be empty, since the program global_buffer does "
                "no elementwise work; remove it"
            )
        for table, factors in (("mac_energy", 2), ("element_energy", 1)):
            for key in getattr(self, table):
                self._check_formats(table, key, factors)
        check_parts(self.name, self.parts)

    def _check_formats(self, table: str, key: str, factors: int) -> None:
        column = self.units.column_bytes * 8
        try:
            bits = [DType.parse(name).bits for name in key.split("*")]
        except TraceError:
            bits = []
        if len(bits) != factors or len(set(bits)) != 1 or column % bits[0]:
            example = "fp16*fp16" if factors == 2 else "fp16"
            raise HardwareError(
                f"{self.name}.{table}[{key[:60]!r}] must be {factors} format(s) of one width that "
                f"fills a column of {column} bits, as in {example!r}; correct it"
            )

    @cached_property
    def units(self) -> Units:
        """The units as the programs see them."""
        device = self.device.device
        organisation = device.organisation
        return Units(
            device=device,
            channels=self.channels or organisation.channels * organisation.pseudo_channels,
            blocks=self.blocks,
            lanes=self.lanes,
            input_registers=self.input_registers,
            output_registers=self.output_registers,
            buffer_bytes=self.input_buffer,
            power_cap=self.power_cap,
            mode_writes=self.mode_writes,
            program_writes=self.program_writes,
            reduction=self.reduction,
            overlaps_activates=self.overlaps_activates,
        )

    @property
    def clock(self) -> float:
        """Hertz of the command clock."""
        return PS_PER_S / self.device.device.timings.tck_ps

    @property
    def occupies(self) -> tuple[str, ...]:
        """Its memory: host and units share the channels."""
        return (self.memory,)

    @property
    def notes(self) -> tuple[str, ...]:
        """Expected error, the layout of weights, and what a speed-up would be measured against."""
        organisation = self.device.device.organisation
        share = self.units.channels / (organisation.channels * organisation.pseudo_channels)
        peak = self.device.device.peak_bytes_per_s * share
        return (
            _ERRORS[self.program],
            f"{self.name}: weights lie tile by tile in {self.memory}; the conversion to that "
            "layout, once before the first run, is not charged",
            f"{self.name}: the host it competes with is the other engines of this machine, at "
            f"most {peak / 1e9:g} GB/s of {self.memory}; no speed-up over anything else is meant",
        )

    @property
    def origins(self) -> tuple[Provenance, ...]:
        """Where the timings are from."""
        return tuple(
            Provenance(self.name, f"device.{row.field}", row.value, row.source, row.status)
            for row in self.device.provenance
            if row.field.startswith("timings.")
        )

    def stage(self, op: Op, operand: int) -> str:
        """Weights, and all operands of elementwise work, in the banks; the others in the buffer."""
        in_banks = op.kind == "elementwise" or operand == WEIGHTS
        return self.memory if in_banks else self.buffer

    def supports(self, op: Op) -> str | None:
        """Takes products with stored weights, and elementwise work in registers."""
        return refused(op, self.mac_energy, self.element_energy, self.host_functions)

    def cost(self, op: Op) -> Cost:
        """What one channel does for one vector, or for one piece of elementwise work."""
        if op.kind != "contraction":
            return elementwise_cost(self.units, len(op.inputs), number_format(op).bits)
        _, _, inputs, outputs = op.gemm
        bits = op.inputs[WEIGHTS].tensor.dtype.bits
        product = Product(outputs=outputs, inputs=inputs, bits=bits)
        build = product_cost if self.program == "registers" else broadcast_cost
        return build(self.units, product)

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """Enter the mode, vector after vector or piece after piece, leave it."""
        planner = Planner(op, budget, self.units, self.cost(op))
        if op.kind == "contraction":
            return planner.product(self.result_reads)
        return planner.elements(piece_elements(self.units, number_format(op).bits))

    def energies_j(self) -> Mapping[str, float]:
        """Rows opened, bytes at the banks, bytes between host and units, lanes, host work."""
        row = self.units.row_bytes
        table = {
            "activate": self.parts["cell_activate"] * row,
            "bank byte": self.parts["cell_access"],
            "host byte": way_to("host", self.parts),
            "host operation": self.host_energy,
        }
        table |= {f"mac {formats}": energy for formats, energy in self.mac_energy.items()}
        return table | {f"element {one}": joules for one, joules in self.element_energy.items()}
