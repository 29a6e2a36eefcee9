"""The kind ``streaming``: an int8 engine that weights flow through, block of rows by block."""

from dataclasses import dataclass
from typing import ClassVar

from codesign import Budget, Component, Engine, Op, TilePlan, hookimpl
from codesign.mapping.streaming import Stream, stream
from codesign.units import Count, Hertz, Joules


@dataclass(frozen=True, kw_only=True)
class Streaming(Engine):
    """Reads one weight byte from its buffer for each multiply-accumulate.

    Attributes:
        width: multiply-accumulates, or elements of other work, per cycle.
        clock: clock of the engine.
        mac_energy: energy of a multiply-accumulate; other work is free.
    """

    kind: ClassVar[str] = "streaming"

    width: Count = 256
    clock: Hertz = 500e6
    mac_energy: Joules = 0.23e-12

    def supports(self, op: Op) -> str | None:
        """Takes all but whole attentions and products of other than 8 bits."""
        if op.kind == "attention":
            return "takes no attention"
        formats = [access.tensor.dtype for access in op.inputs[:2] if op.macs]
        return next((f"multiplies int8, not {f}" for f in formats if f.bits != 8), None)

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """Every operand crosses once: the small ones with the first block, weights in order."""
        work = op.macs or max(access.elements for access in op.operands)
        flow = stream(op, budget, Stream(work, lambda units: -(-units // self.width)))
        return TilePlan(
            flow.loop,
            self.clock,
            held_bytes=flow.held_bytes,
            slot_in_bytes=flow.slot_in_bytes,
            slot_out_bytes=flow.slot_out_bytes,
            actions=(("", "mac", op.macs), ("buffer", "read", op.macs)) if op.macs else (),
            slots=(("effective", op.macs),) if op.macs else (),
        )

    def energies_j(self) -> dict[str, float]:
        """Multiply-accumulates."""
        return {"mac": self.mac_energy}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``streaming``."""
    return [Streaming]
