"""A CPU that does what no accelerator takes, at the price of going there and back.

Emulating an operator on a host costs more than its arithmetic: the accelerator is waited for, its
numbers are turned into the CPU's own, operands cross over, and results go all the way back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from annotated_types import Gt

from codesign import Access, Budget, Component, DType, Engine, Op, TilePlan, hookimpl
from codesign.errors import HardwareError, TraceError, did_you_mean
from codesign.mapping.processor import Kernel, plan_kernel
from codesign.units import BytesPerCycle, Count, Hertz, Joules, JoulesPerByte, Seconds, Unit
from codesign.workload.work import (
    MOVEMENTS,
    PRODUCTS,
    amount,
    functions,
    movement,
    product,
)

Rate = Annotated[float, Gt(0), Unit("1")]
DEFAULT = "default"
"""The entry of a table that counts for everything without one of its own."""
_COMPUTES = ("contraction", "elementwise", "reduce", "normalize", "softmax")
"""Kinds that work on numbers; the others carry them as they are."""
_NATIVE_BITS = 32  # whole numbers from here on are positions and counts, which a CPU works on

MACS = {DEFAULT: 8.0, "temporal_filter": 2.0, "depthwise": 4.0}
"""Multiply-accumulates per cycle by sort of contraction (assumed)."""
_ARITHMETIC = ("add", "sub", "mul", "relu", "clamp", "minimum", "maximum", "where", "cast")
_SERIES = ("tanh", "sigmoid", "gelu", "silu", "erf", "exp", "log", "sin", "cos", "pow")
ELEMENTS = {
    DEFAULT: 1.0,
    **dict.fromkeys(_ARITHMETIC, 4.0),
    **dict.fromkeys(_SERIES, 0.25),
    **dict.fromkeys(("softmax", "normalize", "sort"), 0.25),
    "scatter": 0.5,
}
"""Elements per cycle by function or kind (assumed): arithmetic in vectors, series one by one."""
BYTES = {DEFAULT: 8.0}
"""Bytes written per cycle by sort of move (assumed)."""


@dataclass(frozen=True, kw_only=True)
class Cpu(Engine):
    """The engine of last resort: it takes every operator, an attention in its parts.

    An operator costs, one after the other,

    | part | cycles |
    |---|---|
    | synchronise | ``synchronisation * clock`` |
    | dequantise | elements of inputs in another format / ``dequantise`` |
    | transfer in | bytes of inputs outside the buffer / ``transfer_in`` |
    | compute | work / rate |
    | transfer out | bytes of outputs outside the buffer / ``transfer_out`` |
    | quantise | elements of outputs in another format / ``quantise`` |

    beside the loads and stores over the links, as for every engine. Each operator pays for
    itself, also where the CPU did the one before. Copies in the format of the CPU lie in its
    caches, which are not modelled. All rates and times are assumed unless a hardware file gives
    its own; energies are those of Horowitz (ISSCC 2014, 45 nm): multiply and add in fp32 3.7 and
    0.9 pJ, an instruction 70 pJ. Give it a buffer of its own: engines that share one share its
    bytes.

    Attributes:
        clock: clock of the core or, with their rates added up, cores.
        compute_dtype: format that it computes in. Operands of other formats are converted, but
            for flags and for integers of 32 bits and more; gathers, scatters, sorts, moves and
            casts convert nothing.
        synchronisation: time to hand an operator over and its results back.
        dequantise: elements per cycle that are turned into ``compute_dtype``.
        quantise: elements per cycle that are turned back.
        transfer_in: bytes per cycle that the CPU takes over from memory that others write.
        transfer_out: bytes per cycle that it makes visible to them.
        macs_per_cycle: multiply-accumulates per cycle by sort of contraction: ``linear``,
            ``convolution``, ``depthwise``, ``temporal_filter``, ``attention`` or ``default``.
        elements_per_cycle: elements per cycle of one function by its name, or else by the kind of
            its operator, or else ``default``. A sort takes its rate log2 of the row's length
            times.
        bytes_per_cycle: bytes written per cycle by sort of move: ``move``, ``state_shift``,
            ``ring_buffer`` or ``default``.
        block_rows: rows of results that registers add up at once.
        block_cols: columns of results that they add up at once.
        mac_energy: energy of one multiply-accumulate in ``compute_dtype``; assumed.
        element_energy: energy of one function on one element; assumed.
        conversion_energy: energy of one element converted; assumed.
        transfer_energy: energy per byte taken over, given back or moved, in the core; assumed.
        cycle_energy: energy of every cycle of an operator, waiting included; assumed.
    """

    kind: ClassVar[str] = "cpu"
    takes_mappings: ClassVar[bool] = True
    expected_error: ClassVar[str] = "CPU fallback: rates by sort of work, without its caches"

    clock: Hertz = 1.5e9
    compute_dtype: str = "fp32"
    synchronisation: Seconds = 2e-5
    dequantise: Rate = 4.0
    quantise: Rate = 2.0
    transfer_in: BytesPerCycle = 4.0
    transfer_out: BytesPerCycle = 4.0
    macs_per_cycle: Mapping[str, Rate] = field(default_factory=lambda: dict(MACS))
    elements_per_cycle: Mapping[str, Rate] = field(default_factory=lambda: dict(ELEMENTS))
    bytes_per_cycle: Mapping[str, Rate] = field(default_factory=lambda: dict(BYTES))
    block_rows: Count = 4
    block_cols: Count = 4
    mac_energy: Joules = 4.6e-12
    element_energy: Joules = 4.6e-12
    conversion_energy: Joules = 4.6e-12
    transfer_energy: JoulesPerByte = 1e-12
    cycle_energy: Joules = 7e-11

    def check(self) -> None:
        """The tables have a default and no work that there is not, and the format is one."""
        for table in ("macs_per_cycle", "elements_per_cycle", "bytes_per_cycle"):
            if DEFAULT not in getattr(self, table):
                raise HardwareError(
                    f"{self.name}.{table} must have an entry 'default', for what has no entry of "
                    "its own; add it"
                )
        for table, words in (("macs_per_cycle", PRODUCTS), ("bytes_per_cycle", MOVEMENTS)):
            for key in getattr(self, table):
                if key not in (DEFAULT, *words):
                    hint = did_you_mean(key[:60], (DEFAULT, *words))
                    raise HardwareError(f"{self.name}.{table}[{key[:60]!r}]: no such work{hint}")
        try:
            DType.parse(self.compute_dtype)
        except TraceError as error:
            raise HardwareError(f"{self.name}.compute_dtype: {error}") from error

    def supports(self, op: Op) -> str | None:
        """Takes all but whole attentions, so that an engine that takes their parts may."""
        return "takes no attention whole, but its parts" if op.kind == "attention" else None

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """The parts of the cost one after the other, with the work cut to the buffer."""
        inputs, outputs = op.distinct_inputs, range(len(op.inputs), len(op.operands))
        taken, given = (
            sum(_away(op, budget, place) for place in part) for part in (inputs, outputs)
        )
        into, back = (
            sum(self._converted(op, place) for place in part) for part in (inputs, outputs)
        )
        head = math.ceil(self.synchronisation * self.clock - 1e-6)
        head += math.ceil(into / self.dequantise) + math.ceil(taken / self.transfer_in)
        tail = math.ceil(given / self.transfer_out) + math.ceil(back / self.quantise)
        work, needs = amount(op), functions(op)
        counts = {
            "mac": work.macs,
            "element": math.ceil(work.elements * len(needs)),
            "conversion": into + back,
            "transfer": taken + given + work.moved,
        }
        peak, block = max(self.macs_per_cycle.values()), (self.block_rows, self.block_cols)
        cycles = self._compute(op)
        prices = self.energies_j()
        kernel = Kernel(cycles, self.clock, peak, block, head, tail, counts, prices)
        return plan_kernel(op, budget, kernel)

    def _compute(self, op: Op) -> float:
        """Cycles of the operator itself."""
        work = amount(op)
        cycles = sum(
            work.elements / _rate(self.elements_per_cycle, *names) for names in functions(op)
        )
        if op.kind == "contraction":
            cycles += work.macs / _rate(self.macs_per_cycle, product(op))
        if op.kind == "move":
            cycles += work.moved / _rate(self.bytes_per_cycle, movement(op))
        return cycles

    def _converted(self, op: Op, place: int) -> int:
        """Elements of an operand that are turned into the format of the CPU, or back."""
        access = op.operands[place]
        if op.kind not in _COMPUTES or op.functions == ("cast",) or self._is_own(access):
            return 0
        return access.elements

    def _is_own(self, access: Access) -> bool:
        """Whether the CPU works on an operand as it is."""
        dtype = access.tensor.dtype
        whole = dtype.kind in ("int", "uint") and dtype.bits >= _NATIVE_BITS
        return whole or dtype.kind == "bool" or str(dtype) == self.compute_dtype

    def energies_j(self) -> Mapping[str, float]:
        """Multiply-accumulates, elements, conversions, bytes, cycles."""
        return {
            "mac": self.mac_energy,
            "element": self.element_energy,
            "conversion": self.conversion_energy,
            "transfer": self.transfer_energy,
            "cycle": self.cycle_energy,
        }


def _away(op: Op, budget: Budget, place: int) -> int:
    """Bytes of an operand that do not lie in the buffer already."""
    return 0 if budget.is_resident(place) else op.operands[place].bytes


def _rate(table: Mapping[str, float], *names: str) -> float:
    return next(table[name] for name in (*names, DEFAULT) if name in table)


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``cpu``."""
    return [Cpu]
