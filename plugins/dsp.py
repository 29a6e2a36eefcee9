"""A DSP as microcontrollers have one: a table of how fast its kernels are, by work and format.

The time of an operator is its work over the rate of its kernel, and a call. A multiply-accumulate
count hides which kernels it goes through: a table tells them apart. It says nothing of caches, of
pipelines or of compilers; its rates are those that kernels reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from annotated_types import Gt

from codesign import Budget, Component, DType, Engine, Least, Op, TilePlan, fields_only, hookimpl
from codesign.errors import HardwareError, TraceError, did_you_mean
from codesign.mapping.processor import Kernel, plan_kernel
from codesign.units import Count, Hertz, Joules, JoulesPerByte, Natural, Unit
from codesign.workload.work import (
    MOVEMENTS,
    PRODUCTS,
    amount,
    format_pair,
    functions,
    movement,
    number_format,
    product,
)

Rate = Annotated[float, Gt(0), Unit("1")]


@fields_only
@dataclass(frozen=True, kw_only=True)
class Dsp(Engine):
    """A programmed core with a kernel for every entry of its tables; it takes nothing else.

    An operator takes ``work / rate`` cycles, and ``call_overhead`` more. Functions fused behind a
    contraction take their own rate on every result. A tile is never faster than its bytes at the
    port of the buffer.

    Attributes:
        clock: clock of the core.
        macs_per_cycle: multiply-accumulates per cycle by sort of contraction and formats of the
            two factors (``linear int8*int8``): ``linear``, ``convolution``, ``depthwise``,
            ``temporal_filter`` (a dot product per channel with taps of its own) and ``attention``
            (two activations).
        elements_per_cycle: elements per cycle of one function by its name, or else by the kind of
            its operator, and the format of the largest operand (``gelu int8``, ``softmax int8``).
            What is fused behind another operator is ``elementwise``. A sort takes its rate log2
            of the row's length times.
        bytes_per_cycle: bytes written per cycle by sort of move and format: ``move``,
            ``state_shift`` (what is kept of a state moves with what is new) and ``ring_buffer``
            (only what is new is written).
        call_overhead: cycles of every call of an operator.
        block_rows: rows of results that registers add up at once; weights are read again for
            every block of them.
        block_cols: columns of results that they add up at once; inputs are read again for every
            block of them.
        mac_energy: energy of one multiply-accumulate by formats (``int8*int8``).
        element_energy: energy of one function on one element; assumed.
        byte_energy: energy per byte that a move writes, in the core; assumed.
        cycle_energy: energy of every cycle of an operator: instructions, addresses, loops; assumed.
    """

    kind: ClassVar[str] = "dsp"
    takes_mappings: ClassVar[bool] = True
    expected_error: ClassVar[str] = (
        "DSP rates by kernel: no caches and no pipelines; as good as the table is"
    )

    clock: Hertz = 6e8
    macs_per_cycle: Mapping[str, Rate]
    elements_per_cycle: Mapping[str, Rate] = field(default_factory=dict)
    bytes_per_cycle: Mapping[str, Rate] = field(default_factory=dict)
    call_overhead: Natural = 0
    block_rows: Count = 1
    block_cols: Count = 4
    mac_energy: Mapping[str, Joules]
    element_energy: Joules = 1e-12
    byte_energy: JoulesPerByte = 0.5e-12
    cycle_energy: Joules = 1e-11

    def check(self) -> None:
        """Every entry names work and a format, and every pair of formats has an energy."""
        for table, words in (("macs_per_cycle", PRODUCTS), ("bytes_per_cycle", MOVEMENTS)):
            for key in getattr(self, table):
                word, formats = self._entry(table, key)
                if word not in words:
                    hint = did_you_mean(word[:60], words)
                    raise HardwareError(f"{self.name}.{table}[{key[:60]!r}]: no such work{hint}")
                if table == "macs_per_cycle" and formats not in self.mac_energy:
                    raise HardwareError(
                        f"{self.name}.mac_energy must have every pair of macs_per_cycle, got none "
                        f"for {formats[:60]!r}; add it"
                    )
        for key in self.elements_per_cycle:
            self._entry("elements_per_cycle", key)

    def _entry(self, table: str, key: str) -> tuple[str, str]:
        """Word and formats of an entry."""
        word, _, formats = key.partition(" ")
        factors = 2 if table == "macs_per_cycle" else 1
        try:
            found = [DType.parse(name) for name in formats.split("*")]
        except TraceError:
            found = []
        if len(found) != factors:
            example = "linear int8*int8" if factors == 2 else "softmax int8"
            raise HardwareError(
                f"{self.name}.{table}[{key[:60]!r}] must be work and {factors} number format(s), "
                f"as in {example!r}; correct it"
            )
        return word, formats

    def supports(self, op: Op) -> str | None:
        """Takes what its tables have entries for, and no attention whole."""
        if op.kind == "attention":
            return "takes no attention whole, but its parts"
        missing = {
            f"{' or '.join(repr(key) for key in keys)} to {table}": None
            for table, keys, _ in self._needs(op)
            if not any(key in getattr(self, table) for key in keys)
        }
        return f"has no rate for it; add {', and '.join(missing)}" if missing else None

    def _needs(self, op: Op) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """What an operator goes through: a table, keys of which the first counts, and the work."""
        work, dtype = amount(op), number_format(op)
        if op.kind == "move":
            yield "bytes_per_cycle", (f"{movement(op)} {dtype}",), work.moved
        if op.kind == "contraction":
            dtype = op.outputs[0].tensor.dtype
            yield "macs_per_cycle", (f"{product(op)} {format_pair(op)}",), work.macs
        for name, kind in functions(op):
            keys = dict.fromkeys((f"{name} {dtype}", f"{kind} {dtype}"))
            yield "elements_per_cycle", tuple(keys), work.elements

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """Tiles or pieces that each take their share of the kernel's cycles."""
        cycles = sum(done / self._rate(table, keys) for table, keys, done in self._needs(op))
        work, needs = amount(op), functions(op)
        counts = {"element": math.ceil(work.elements * len(needs)), "byte": work.moved}
        peak = 1.0
        if op.kind == "contraction":
            formats = format_pair(op)
            counts[f"mac {formats}"] = work.macs
            peak = max(r for key, r in self.macs_per_cycle.items() if key.endswith(f" {formats}"))
        block = (self.block_rows, self.block_cols)
        prices, head = self.energies_j(), self.call_overhead
        kernel = Kernel(cycles, self.clock, peak, block, head, actions=counts, energies_j=prices)
        return plan_kernel(op, budget, kernel)

    def least(self, op: Op) -> Least:
        """The cycles of the kernel, whatever it is cut into."""
        work = amount(op)
        cycles = sum(done / self._rate(table, keys) for table, keys, done in self._needs(op))
        counts = {"element": work.elements * len(functions(op)), "byte": work.moved}
        if op.kind == "contraction":
            counts[f"mac {format_pair(op)}"] = work.macs
        return Least(cycles / self.clock, tuple(("", key, n) for key, n in counts.items()))

    def _rate(self, table: str, keys: tuple[str, ...]) -> float:
        rates: Mapping[str, float] = getattr(self, table)
        return next(rates[key] for key in keys if key in rates)

    def energies_j(self) -> Mapping[str, float]:
        """Multiply-accumulates by formats, elements, bytes of moves, cycles."""
        table = {f"mac {formats}": energy for formats, energy in self.mac_energy.items()}
        return table | {
            "element": self.element_energy,
            "byte": self.byte_energy,
            "cycle": self.cycle_energy,
        }


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``dsp``."""
    return [Dsp]
