"""The engine: what it takes, and how it runs it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from codesign import Budget, Engine, Op, TilePlan
from codesign.errors import HardwareError
from codesign.hardware.provenance import Provenance
from codesign.mapping.streaming import Stream, stream
from codesign.units import Hertz, Joules, JoulesPerByte, Natural
from codesign.workload.work import elements, format_pair, number_format

from .core import CORES, FORMATS, NOISE, SOURCE, Core
from .functions import KNOWN, PRODUCTS, SUMS, WINDOWS, per_result
from .layer import Layer
from .parts import STORED, WEIGHTS
from .planner import Planner

Configuration = Literal["u55-32", "u55-64", "u55-128", "u55-256", "u65-256", "u65-512"]
_BITS = 8
_POOLINGS = tuple((name,) for name in WINDOWS)


@dataclass(frozen=True, kw_only=True)
class EthosU(Engine):
    """An Arm Ethos-U55 or U65 at work on int8, as Arm's own estimator describes it.

    Results are made block by block, as large as the RAM inside allows. The buffer is the SRAM that
    images lie in: a block takes as long as the slowest of its multiplications, its results and its
    bytes at the port of the buffer. Weights come from wherever they lie and go past the buffer,
    again for every block of the image, or are held in the buffer where that is faster.

    Attributes:
        configuration: family and multiply-accumulates per cycle, ``u55-32`` to ``u65-512``.
        clock: clock of the core.
        record_latency: cycles from asking for biases and scales to their first byte, wherever the
            weights lie. They are asked for 256 bytes at a time, for every block.
        mac_energy: energy of one multiply-accumulate by operand formats; ``int8*int8`` only;
            assumed.
        internal_energy: energy per byte read or written in the RAM inside; assumed.
        function_energy: energy of one function on one result, and of one input of a pooling;
            assumed.
    """

    kind: ClassVar[str] = "ethos_u"
    expected_error: ClassVar[str] = (
        "Ethos-U cycles follow Arm's estimator, which is no measurement of silicon"
    )

    configuration: Configuration = "u55-128"
    clock: Hertz = 5e8
    record_latency: Natural = 64
    mac_energy: Mapping[str, Joules] = field(default_factory=lambda: {FORMATS: 0.3e-12})
    internal_energy: JoulesPerByte = 0.3e-12
    function_energy: Joules = 0.1e-12

    @property
    def core(self) -> Core:
        """The figures behind the configuration."""
        return CORES[self.configuration]

    @property
    def origins(self) -> tuple[Provenance, ...]:
        """Where the figures behind the configuration come from."""
        core, label = self.core, f"configuration.{self.configuration}"
        values = {
            "microblock": "x".join(map(str, core.microblock)),
            "banks": str(core.banks),
            "output": ", ".join(f"{name} {rate:g}" for name, rate in core.output.items()),
        }
        return tuple(
            Provenance(self.name, f"{label}.{name}", value, SOURCE, "published")
            for name, value in values.items()
        )

    def check(self) -> None:
        """Int8 is the only format that it has cells for."""
        for formats in [*self.mac_energy, FORMATS]:
            if formats != FORMATS or FORMATS not in self.mac_energy:
                raise HardwareError(
                    f"{self.name}.mac_energy must have the entry {FORMATS!r} and no other, got "
                    f"{', '.join(sorted(self.mac_energy)) or 'none'}; write {{{FORMATS}: 0.3 pJ}}"
                )

    def supports(self, op: Op) -> str | None:
        """Takes contractions with weights, windows, elementwise work and copies, all of int8."""
        if op.kind == "move":
            return None
        if op.kind not in ("contraction", "reduce", "elementwise"):
            return f"takes contractions, pooling, elementwise work and moves, not {op.kind}"
        reason = _refused_format(op) or _refused_loops(op)
        unknown = [name for name in _behind(op) if name not in KNOWN]
        if reason is None and unknown:
            reason = f"has no way to do {', '.join(unknown)}"
        return reason

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """Blocks of a layer, or pieces that flow through the buffer."""
        if op.kind in ("contraction", "reduce"):
            first = "max" if op.functions[:1] == ("max",) else "other"
            cycles = per_result(self.core, [self.core.output[first]], _behind(op))
            waits = self.record_latency if op.kind == "contraction" else 0
            return Planner(self.core, self.clock, op, budget, cycles, waits).plan()
        return self._flowing(op, budget)

    def _flowing(self, op: Op, budget: Budget) -> TilePlan:
        """Elementwise work and copies: a result or, of a copy, a byte at a time."""
        units = elements(op)
        if op.kind == "move":
            pace = self.core.output["other"] * op.outputs[0].bytes / op.outputs[0].elements
        else:
            pace = per_result(self.core, [], op.functions)
        touched = sum(access.bytes for access in op.operands)

        def cycles(piece: int) -> int:
            port = budget.port_cycles(-(-touched * piece // units), self.clock)
            return max(math.ceil(pace * piece - NOISE), port)

        parts = stream(op, budget, Stream(units, cycles))
        actions = (
            ("", "function", units * max(1, len(op.functions))),
            ("buffer", "read", sum(access.bytes for access in op.inputs)),
            ("buffer", "write", sum(access.bytes for access in op.outputs)),
        )
        return TilePlan(
            parts.loop,
            self.clock,
            held_bytes=parts.held_bytes,
            slot_in_bytes=parts.slot_in_bytes,
            slot_out_bytes=parts.slot_out_bytes,
            actions=tuple(action for action in actions if action[2]),
        )

    def energies_j(self) -> Mapping[str, float]:
        """MACs, bytes of the RAM inside, functions."""
        return {
            f"mac {FORMATS}": self.mac_energy[FORMATS],
            "internal read": self.internal_energy,
            "internal write": self.internal_energy,
            "function": self.function_energy,
        }


def _behind(op: Op) -> tuple[str, ...]:
    """Functions after the first pass of the output stage.

    That pass adds the bias and multiplies by the scale of a channel; what reads an image of its
    own comes after it.
    """
    if op.kind != "contraction":
        return op.functions[op.kind == "reduce" :]
    images = sum(access.tensor.role not in STORED for access in op.inputs[2:])
    arithmetic = [n for n, name in enumerate(op.functions) if name in (*SUMS, *PRODUCTS)]
    first_pass = arithmetic[: max(0, len(arithmetic) - images)]
    return tuple(name for n, name in enumerate(op.functions) if n not in first_pass)


def _refused_format(op: Op) -> str | None:
    if op.kind == "contraction":
        pair = format_pair(op)
        return None if pair == FORMATS else f"multiplies {FORMATS}, not {pair}"
    found = number_format(op)
    is_taken = found.kind in ("int", "uint") and found.bits == _BITS
    return None if is_taken else f"works on integers of {_BITS} bits, not {found}"


def _refused_loops(op: Op) -> str | None:
    if op.kind == "elementwise":
        return None
    if op.kind == "contraction" and op.inputs[WEIGHTS].tensor.role not in STORED:
        return "takes weights that are known before the run as second factor"
    if op.kind == "reduce" and (op.nest is None or op.functions[:1] not in _POOLINGS):
        return f"reduces by {', '.join(WINDOWS)} over loops of a nest only"
    if Layer.of(op).more_sums > 1:
        return "adds up over the taps of two axes and over one loop of channels at most"
    return None
