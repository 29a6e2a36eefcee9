"""The engine: processors in the chips of a DIMM, each with a memory of its own and no neighbour.

A rate model: what a unit takes is the bytes that it reads and writes in its own memory and the
instructions that it runs, one after the other. Units never talk to each other: what one needs of
another goes through the host, over the link to their memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from annotated_types import Gt

from codesign import Budget, DType, Engine, Op, TilePlan
from codesign.errors import HardwareError, MappingError, TraceError
from codesign.hardware.plan import Loop, Move, Tile
from codesign.mapping.streaming import Stream, stream
from codesign.units import BytesPerSecond, Count, Hertz, Joules, JoulesPerByte, Unit
from codesign.workload.compulsory import compulsory_bytes
from codesign.workload.work import elements, format_pair, number_format

from .refusals import WEIGHTS, refused_product
from .units import parts_of

Instructions = Annotated[float, Gt(0), Unit("1")]


@dataclass(frozen=True, kw_only=True)
class PimUpmem(Engine):
    """Units that each work on a share of the outputs, out of memories that the host fills.

    The buffer is the memory of all units together. A unit takes

        bytes / memory_bandwidth + instructions / (clock * min(1, tasklets / full_tasklets))

    and the slowest sets the time. Every unit gets a copy of the vectors; results leave over the
    link. Weights are copied in too, unless they are kept there.

    Attributes:
        units: processors.
        clock: of a unit.
        tasklets: hardware threads that run at a time.
        full_tasklets: threads that it takes to issue an instruction in every cycle.
        memory_bandwidth: rate between a unit and its own memory.
        mac_instructions: instructions of a multiply-accumulate by formats (``int8*int8``).
        element_instructions: instructions of a function on one element, by function and format
            (``add int32``).
        instruction_energy: energy of one instruction; assumed.
        byte_energy: energy per byte between a unit and its memory; cells of a bank (O'Connor,
            MICRO 2017), assumed.
    """

    kind: ClassVar[str] = "pim_upmem"
    expected_error: ClassVar[str] = (
        "UPMEM by rates of memory and instructions alone; a cycle simulator of it is itself 12 % "
        "off for one unit and 27 % for many"
    )

    units: Count
    clock: Hertz = 350e6
    tasklets: Count = 16
    full_tasklets: Count = 11
    memory_bandwidth: BytesPerSecond = 628e6
    mac_instructions: Mapping[str, Instructions]
    element_instructions: Mapping[str, Instructions] = field(default_factory=dict)
    instruction_energy: Joules = 2e-11
    byte_energy: JoulesPerByte = 4.4e-12

    def check(self) -> None:
        """Every entry names formats that there are."""
        for table, factors in (("mac_instructions", 2), ("element_instructions", 1)):
            for key in getattr(self, table):
                formats = key.split("*") if factors == 2 else key.split(" ")[1:]
                try:
                    found = [DType.parse(name) for name in formats]
                except TraceError:
                    found = []
                if len(found) != factors:
                    example = "int8*int8" if factors == 2 else "add int32"
                    raise HardwareError(
                        f"{self.name}.{table}[{key[:60]!r}] must name {factors} number format(s), "
                        f"as in {example!r}; correct it"
                    )

    def supports(self, op: Op) -> str | None:
        """Takes products with stored weights and elementwise work that it has instructions for."""
        if op.kind == "contraction":
            behind = [name for name in op.functions if self._entry(op, name)]
            return refused_product(op, self.mac_instructions, behind)
        if op.kind != "elementwise":
            return f"takes products with stored weights and elementwise work, not {op.kind}"
        missing = [name for name in op.functions if not self._entry(op, name)]
        wanted = ", ".join(f"{name} {number_format(op)}" for name in missing)
        return (
            f"has no instructions for it; add {wanted} to element_instructions" if missing else None
        )

    def _entry(self, op: Op, function: str) -> float:
        """Instructions of a function on one element; 0 where there is no entry."""
        access = op.outputs[0] if op.kind == "contraction" else None
        dtype = access.tensor.dtype if access else number_format(op)
        return self.element_instructions.get(f"{function} {dtype}", 0.0)

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """Vectors, or pieces of elementwise work, shared out over the units."""
        return self._product(op, budget) if op.kind == "contraction" else self._elements(op, budget)

    def _cycles(self, size: float, instructions: float) -> int:
        """Cycles of the slowest unit for its bytes and instructions."""
        issue = min(1.0, self.tasklets / self.full_tasklets)
        return math.ceil(size * self.clock / self.memory_bandwidth + instructions / issue - 1e-9)

    def _elements(self, op: Op, budget: Budget) -> TilePlan:
        per_element = sum(self._entry(op, name) for name in op.functions)
        bits = sum(access.tensor.dtype.bits for access in op.operands)

        def cycles(piece: int) -> int:
            share = parts_of(piece, self.units)
            return self._cycles(share * bits / 8, share * per_element)

        parts = stream(op, budget, Stream(elements(op), cycles))
        moved = sum(access.bytes for access in op.operands)
        counts = {"instruction": math.ceil(elements(op) * per_element), "byte": moved}
        return TilePlan(
            parts.loop,
            self.clock,
            held_bytes=parts.held_bytes,
            slot_in_bytes=parts.slot_in_bytes,
            slot_out_bytes=parts.slot_out_bytes,
            actions=tuple(("", action, count) for action, count in counts.items() if count),
        )

    def _product(self, op: Op, budget: Budget) -> TilePlan:
        """All vectors at once: copies of the inputs to every unit, then a share of the outputs."""
        away = [n for n in op.distinct_inputs if not budget.is_resident(n)]
        loads = tuple(
            Move(n, compulsory_bytes(op, n) * (self.units if n == 0 else 1)) for n in away
        )
        held = sum(move.bytes for move in loads)
        outputs = range(len(op.inputs), len(op.operands))
        stores = tuple(Move(n, op.operands[n].bytes) for n in outputs if not budget.is_resident(n))
        leaving = sum(move.bytes for move in stores)
        if held + leaving > budget.buffer_bytes:
            raise MappingError(
                f"{op.name}: weights, a copy of its inputs for each of {self.units} units and its "
                f"results take {held + leaving} B, the buffer grants {budget.buffer_bytes} B; "
                "enlarge the buffer"
            )
        cycles, counts = self._work(op)
        return TilePlan(
            Loop((Tile(cycles, loads, stores),)),
            self.clock,
            held_bytes=held,
            slot_out_bytes=leaving,
            slots_out=1,
            actions=tuple(("", action, count) for action, count in counts.items() if count),
            slots=(("effective", op.macs),),
            note=f"inputs are copied to each of {self.units} units",
        )

    def _work(self, op: Op) -> tuple[int, dict[str, int]]:
        """Cycles of the slowest unit, and instructions and bytes of all of them."""
        groups, vectors, inner, outputs = op.gemm
        share = parts_of(groups * outputs, self.units)
        bits = [access.tensor.dtype.bits for access in (*op.inputs[:2], op.outputs[0])]
        behind = sum(self._entry(op, name) for name in op.functions)
        per_output = inner * self.mac_instructions[format_pair(op)] + behind
        # a unit reads its weights, the vector and its results once for each vector
        size = vectors * (share * (inner * bits[WEIGHTS] + bits[2]) + inner * bits[0]) / 8
        counts = {
            "instruction": math.ceil(groups * vectors * outputs * per_output),
            "byte": math.ceil(size * min(self.units, groups * outputs)),
        }
        return self._cycles(size, vectors * share * per_output), counts

    def energies_j(self) -> Mapping[str, float]:
        """Instructions, and bytes between units and their memories."""
        return {"instruction": self.instruction_energy, "byte": self.byte_energy}
