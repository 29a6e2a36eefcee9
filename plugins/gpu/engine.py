"""The engine: what a device like a GPU is made of, and how long each of its kernels takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast

from annotated_types import Ge, Gt, Le

from codesign import Budget, Engine, Op, TilePlan
from codesign.errors import HardwareError
from codesign.units import Count, Hertz, Joules, Seconds, Unit
from codesign.workload.work import format_pair

from . import calibrated, fitted_on
from .fitted_on import PRODUCTS
from .kernel import Kernel, attention, contraction, streaming
from .pieces import cut
from .times import Constants, Device, Times

if TYPE_CHECKING:
    from codesign.calibration import Constant, Fit, Measurements

Rate = Annotated[float, Gt(0), Unit("1")]
Share = Annotated[float, Ge(1e-3), Le(1), Unit("1")]
Size = Annotated[float, Ge(0), Unit("1")]
Protocol = Literal["kernel", "host", "queue"]
_FP32, _TF32 = "fp32*fp32", "tf32*tf32"
_NOISE = 1e-6  # cycles


@dataclass(frozen=True, kw_only=True)
class Gpu(Engine):
    """Many equal units behind one shared cache, each with a matrix core.

    The buffer is the shared cache; its port is the rate at which all units together read it. An
    operator is one kernel that takes

        t0 + max(time of the units, bytes / (rate from home * efficiency))

    and the units take whole waves of whole tiles, see ``times.py``. The file gives the memory its
    peak rate and the engine the share that each kind of operator reaches of it: a memory has one
    rate and kinds differ, so the share stands here, and a sweep of the memory's rate still counts.
    What stays in the cache between operators is up to the residency of a run, as for every engine.

    Attributes:
        units: cores that work side by side.
        clock: their clock.
        macs: multiply-accumulates of a unit in one clock by operand formats (``fp16*fp16``); a
            missing pair is refused, never guessed.
        allow_tf32: whether products of fp32 are rounded to TF32, the pair ``tf32*tf32`` of
            ``macs``, as torch does for products of matrices if it is asked to. Else they are exact,
            and run on the plain cores.
        t0: time that every kernel takes beside its work.
        compute_efficiency: share of the peak that contractions reach.
        memory_efficiency: share of the home's rate that an operator reaches.
        kind_efficiency: the same for kinds of operators that differ, such as ``softmax``.
        attention_efficiency: share of the peak that a fused attention reaches; that of
            contractions if not given.
        protocol: what a time is. ``kernel``: the device alone. ``host``: the host waits for each
            kernel and pays ``launch_overhead`` for it. ``queue``: the host launches one kernel
            while the device works on the one before, and waits for the outputs of the network.
        launch_overhead: time of the host for one kernel.
        mac_energy: energy of one multiply-accumulate by operand formats; assumed.
        element_energy: energy of one function on one element; assumed.
        calibrated_range: sizes that the constants were fitted on, ``m``, ``k``, ``n`` or ``bytes``:
            the smallest and the largest. An entry ``softmax bytes`` counts for that work alone.
        calibrated_work: kinds and formats that they were fitted on, as ``contraction
            fp16*fp16``; empty if they were not fitted.
        calibrated_protocol: protocol of the times that they were fitted to; empty if there is none.
        calibrated_constants: values of fields when they were fitted; an entry of a table is
            ``table.key``. A result says where they have changed since.
        calibration: how they were fitted and how well, in a sentence that every result repeats.
    """

    kind: ClassVar[str] = "gpu"
    protocols: ClassVar[tuple[str, ...]] = ("kernel", "host")
    expected_error: ClassVar[str] = (
        "GPU: a closed form per kernel, one kernel after the other; public measurements of one "
        "device differ by 20 %"
    )
    further_constants: ClassVar[tuple[str, ...]] = ()
    """Fields of a kind that may be fitted, beside those of this one."""

    units: Count = 108
    clock: Hertz = 1.41e9
    macs: Mapping[str, Rate] = field(default_factory=lambda: {"fp16*fp16": 1024.0})
    allow_tf32: bool = False
    t0: Seconds = 0.0
    compute_efficiency: Share = 1.0
    memory_efficiency: Share = 1.0
    kind_efficiency: Mapping[str, Share] = field(default_factory=dict)
    attention_efficiency: Share | None = None
    protocol: Protocol = "kernel"
    launch_overhead: Seconds = 0.0
    mac_energy: Mapping[str, Joules] = field(default_factory=lambda: {"fp16*fp16": 0.6e-12})
    element_energy: Joules = 1e-12
    calibrated_range: Mapping[str, tuple[Size, Size]] = field(default_factory=dict)
    calibrated_work: tuple[str, ...] = ()
    calibrated_protocol: Literal["", "kernel", "host"] = ""
    calibrated_constants: Mapping[str, Size] = field(default_factory=dict)
    calibration: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """How wrong it is, and how its constants came about."""
        return (self.expected_error, f"{self.name}: {fitted_on.about(self)}")

    def check(self) -> None:
        """Every pair of formats has a rate and an energy, and every name stands for something."""
        fitted_on.check(self)
        if self.allow_tf32 and _TF32 not in self.macs:
            raise HardwareError(
                f"{self.name}.allow_tf32 needs a rate for {_TF32!r} in {self.name}.macs, got none; "
                "add it, or leave allow_tf32 out"
            )
        for table in ("macs", "mac_energy"):
            other = {"macs": self.mac_energy, "mac_energy": self.macs}[table]
            for formats in getattr(self, table):
                if formats not in other or formats.count("*") != 1:
                    raise HardwareError(
                        f"{self.name}.{table}[{formats!r}] must name two formats, as in "
                        "'fp16*fp16', that the other table of this engine has too; add or mend it"
                    )

    def supports(self, op: Op) -> str | None:
        """Takes every kind; products only in formats that have a rate."""
        return self.measures(op.kind, format_pair(op)) if op.kind in PRODUCTS else None

    def rated(self, formats: str) -> str:
        """The pair of formats whose rate counts for a pair: for fp32 that of TF32 if allowed."""
        return _TF32 if self.allow_tf32 and formats == _FP32 else formats

    def work(self, op: Op) -> str:
        """What an operator is in ``calibrated_work``: its kind, of a product its formats too."""
        return f"{op.kind} {self.rated(format_pair(op))}" if op.kind in PRODUCTS else op.kind

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """A tile that waits for the start of the kernel, then its work in equal tiles."""
        kernel = self.kernel(op, budget)
        start = self._cycles(self._start_s(op, kernel))
        cycles = max(1, self._cycles(kernel.work_s))
        pieces = cut(op, budget, start, cycles)
        actions = [("", action, count) for action, count in kernel.actions.items()]
        if kernel.macs:
            actions.insert(0, ("", f"mac {self.rated(format_pair(op))}", kernel.macs))
        actions += [("buffer", "read", kernel.reads), ("buffer", "write", kernel.writes)]
        beyond = self.beyond(op)
        outside = beyond and f"outside of what it was fitted on: {beyond}"
        return TilePlan(
            pieces.loop,
            self.clock,
            slot_in_bytes=pieces.slot_in_bytes,
            slot_out_bytes=pieces.slot_out_bytes,
            actions=tuple(action for action in actions if action[2]),
            slots=self._slots(op, kernel, start + cycles) if op.kind in PRODUCTS else (),
            start_cycles=0 if op.kind in PRODUCTS else start,
            note="; ".join(part for part in (kernel.note, outside) if part),
        )

    def kernel(self, op: Op, budget: Budget) -> Kernel:
        """What the operator is to the device.

        Args:
            op: an operator that it takes.
            budget: what it may use.
        """
        if op.kind == "contraction":
            return contraction(op, budget, self.device(op, budget), self.constants())
        constants = self.constants(kind=op.kind)
        if op.kind == "attention":
            compute = self.attention_efficiency or self.compute_efficiency
            fused = replace(constants, compute=compute)
            return attention(op, budget, self.device(op, budget), fused)
        return streaming(op, budget, constants.memory)

    def device(self, op: Op, budget: Budget) -> Device:
        """The rates for the formats of a product."""
        return self.rates(format_pair(op), budget)

    def rates(self, formats: str, budget: Budget) -> Device:
        """The rates for a pair of formats.

        Args:
            formats: a pair in ``macs``.
            budget: rates of the home and of the shared cache.
        """
        shared = budget.port_bytes_per_s / self.clock
        rate = self.macs[self.rated(formats)]
        return Device(self.units, self.clock, rate, budget.load_bytes_per_s, shared)

    def constants(self, protocol: str = "kernel", kind: str = "") -> Constants:
        """The fitted constants of a kind of operator, with the launch that a protocol counts.

        Args:
            protocol: ``host`` counts the launch.
            kind: of the operator.
        """
        launch = self.launch_overhead if protocol == "host" else 0.0
        memory = self.kind_efficiency.get(kind, self.memory_efficiency)
        return Constants(self.t0, self.compute_efficiency, memory, launch)

    def measures(self, kind: str, formats: str) -> str | None:
        """Everything but products in formats that have no rate."""
        if kind in PRODUCTS and self.rated(formats) not in self.macs:
            return f"no MAC rate for {formats}; has {', '.join(sorted(self.macs))}"
        return None

    def constants_of(self, table: Measurements) -> Mapping[str, Constant]:
        """The start or the launch, and a share for each peak; see ``calibrated.py``."""
        return calibrated.constants_of(self, table)

    def predict_s(self, table: Measurements, budget: Budget) -> Times:
        """Seconds of each operator, as a plan takes for it alone."""
        return calibrated.predict_s(self, table, budget)

    def learned(self, fit: Fit) -> Mapping[str, object]:
        """The protocol and range of a fit, a sentence on how good it is, and what it rests on."""
        found = calibrated.learned(self, fit)
        works = cast("Sequence[str]", found["calibrated_work"])
        return {**found, **fitted_on.remembered(self, fit, works)}

    def beyond(self, op: Op) -> str:
        """In what an operator lies outside of what the constants were fitted on; "" for nothing.

        Sizes are those of the product, bytes those of all operands in their formats, each once.
        """
        return fitted_on.beyond(self, op)

    def energies_j(self) -> Mapping[str, float]:
        """MACs by format pair, functions of elements."""
        table = {f"mac {formats}": energy for formats, energy in self.mac_energy.items()}
        return table | {"element": self.element_energy}

    def _start_s(self, op: Op, kernel: Kernel) -> float:
        """Time beside the work, by what a time is.

        In a queue a kernel leaves no sooner than the launch of the next one, which the device hides
        or waits for. The host does not run ahead of an output of the network: there launch and
        kernel add up. So a run takes the max-plus of both, with a queue of depth 1.
        """
        is_output = any(access.tensor.role == "output" for access in op.outputs)
        if self.protocol == "host" or (self.protocol == "queue" and is_output):
            return self.t0 + self.launch_overhead
        if self.protocol == "queue":
            return max(self.t0, self.launch_overhead - kernel.work_s)
        return self.t0

    def _cycles(self, seconds: float) -> int:
        return math.ceil(seconds * self.clock - _NOISE)

    def _slots(self, op: Op, kernel: Kernel, cycles: int) -> tuple[tuple[str, int], ...]:
        """Slots of all units in all cycles of the kernel by cause."""
        per_cycle = self.units * self.macs[self.rated(format_pair(op))]
        spent = {cause: round(count) for cause, count in kernel.spent.items()}
        used = kernel.compute_s * self.clock * per_cycle
        waiting = max(0.0, kernel.memory_s - kernel.compute_s) * self.clock * per_cycle
        booked = {"effective": kernel.macs - kernel.zeros, "zero weights": kernel.zeros}
        booked |= {**spent, "memory": round(waiting)}
        booked["start"] = max(0, int(cycles * per_cycle - used - waiting))
        return tuple((cause, count) for cause, count in booked.items() if count)
