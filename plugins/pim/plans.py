"""Tile plans of near-bank programs: few tiles, each some vectors or pieces long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from codesign import Budget, Op, TilePlan
from codesign.hardware.plan import Loop, Move, Tile
from codesign.mapping.streaming import Stream, Streamed, stream
from codesign.units import PS_PER_S
from codesign.workload.compulsory import compulsory_bytes
from codesign.workload.work import elements, format_pair, number_format

from .refusals import WEIGHTS
from .units import Cost, Units, mean_clocks, parts_of


@dataclass(frozen=True)
class Planner:
    """One operator on units next to the banks.

    Attributes:
        op: what they do.
        budget: what it may use.
        units: that do it.
        cost: of one vector, or of one piece of elementwise work.
    """

    op: Op
    budget: Budget
    units: Units
    cost: Cost

    def product(self, result_reads: bool) -> TilePlan:
        """Vectors one after the other; weights that live elsewhere are brought first.

        Args:
            result_reads: whether the host's reads of the accumulators take time.

        Raises:
            MappingError: not even one vector fits the buffer twice.
        """
        groups, rows, _, outputs = self.op.gemm
        vectors, cost = groups * rows, self.cost
        each = cost.each + cost.result * result_reads
        flow = Stream(vectors, lambda count: self._clocks(each * count))
        lanes = cost.lanes * vectors
        counts = {
            "activate": cost.activates * vectors,
            "bank byte": cost.bank_bytes * vectors,
            "host byte": cost.host_bytes * vectors,
            f"mac {format_pair(self.op)}": lanes,
            "host operation": vectors * outputs * (self.units.lanes - 1 + len(self.op.functions)),
        }
        parts = stream(self.op, self._without_weights, flow)
        return self._between_ends(parts, counts, lanes - self.op.macs)

    def elements(self, size: int) -> TilePlan:
        """Pieces of elementwise work one after the other, in all banks.

        Args:
            size: numbers of one piece.

        Raises:
            MappingError: operands live elsewhere, and not one number of each fits the buffer.
        """
        count, cost = elements(self.op), self.cost
        flow = Stream(count, lambda piece: self._clocks(cost.each * parts_of(piece, size)))
        pieces = parts_of(count, size)
        counts = {
            "activate": cost.activates * pieces,
            "bank byte": cost.bank_bytes * pieces,
            f"element {number_format(self.op)}": cost.lanes * pieces,
        }
        return self._between_ends(stream(self.op, self.budget, flow), counts, 0)

    def _clocks(self, clocks: int) -> int:
        return mean_clocks(clocks, self.units.device)

    @property
    def _without_weights(self) -> Budget:
        """The budget with weights taken for there: they do not flow through the buffer."""
        operands = range(len(self.op.operands))
        resident = tuple(n == WEIGHTS or self.budget.is_resident(n) for n in operands)
        return replace(self.budget, resident=resident)

    def _between_ends(self, parts: Streamed, counts: Mapping[str, int], idle: int) -> TilePlan:
        """The plan: enter the mode, with a copy of weights before it, work, and leave it."""
        first = Tile(self._clocks(self.cost.enter), self._brought)
        last = Tile(self._clocks(self.cost.leave))
        slots = {"effective": self.op.macs, "idle lanes": idle}
        return TilePlan(
            Loop((first, *parts.loop.body, last)),
            PS_PER_S / self.units.device.timings.tck_ps,
            held_bytes=parts.held_bytes,
            slot_in_bytes=parts.slot_in_bytes,
            slot_out_bytes=parts.slot_out_bytes,
            actions=(
                *(("", action, count) for action, count in counts.items() if count),
                *self._through_buffer,
            ),
            slots=tuple((cause, count) for cause, count in slots.items() if count),
            start_cycles=first.cycles + last.cycles,
            note="weights are read anew for every vector" if self.op.macs else "",
        )

    @property
    def _brought(self) -> tuple[Move, ...]:
        """Weights that do not live in the banks."""
        if self.op.kind != "contraction" or self.budget.is_resident(WEIGHTS):
            return ()
        return (Move(WEIGHTS, compulsory_bytes(self.op, WEIGHTS)),)

    @property
    def _through_buffer(self) -> tuple[tuple[str, str, int], ...]:
        """What the host reads from its buffer for a product, and writes to it."""
        if self.op.kind != "contraction":
            return ()
        read = sum(access.bytes for n, access in enumerate(self.op.inputs) if n != WEIGHTS)
        written = sum(access.bytes for access in self.op.outputs)
        return ("buffer", "read", read), ("buffer", "write", written)
