"""Macros of each kind, machines around them, and traces of one operator."""

from __future__ import annotations

import dataclasses
from typing import Any

from codesign_plugins.cim import (
    CimAnalogSram,
    CimDigitalSram,
    CimNvm,
    CimNvmBuffered,
    CimNvmPhases,
)
from codesign_plugins.cim.engine import Macros
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from codesign_plugins.vector import Vector
from hypothesis import strategies as st

from codesign.hardware.component import Component
from codesign.hardware.plan import Budget, Store
from codesign.hardware.spec import Hardware
from codesign.testing import convolution, matmul
from codesign.workload.record import Op, Role, Trace

KIB = 1024
CLOCK = 250e6
"""A given clock, so that cycles are whole numbers of nanoseconds."""

NVM = {
    "dac_bits": 2,
    "columns_per_adc": 8,
    "adc_time": 5e-9,
    "dac_energy": 1e-14,
    "cell_energy": 2e-15,
    "adc_energy": 3e-12,
    "shift_energy": 5e-15,
    "write_time": 100e-9,
    "write_pulses": 4.0,
    "write_energy": 2e-12,
    "clipping": True,
}
PHASES = {
    "weight_bits": 8,
    "pulse_cycles": 3,
    "step_cycles": 2,
    "phase_cycles": 5,
    "word_line_energy": 1e-12,
    "pulse_energy": 3e-12,
    "integration_energy": 4e-12,
    "step_energy": 5e-12,
    "write_time": 100e-9,
    "write_energy": 2e-12,
}
ANALOG = {"adc_bits": 8, "input_bits": 2}
BUFFERED = {"buffer_read_energy": 1e-12, "buffer_write_energy": 2e-12, "buffer_time": 1e-9}
KINDS = ("digital", "analog", "nvm", "buffered", "phases")


def macros(kind: str = "digital", **fields: Any) -> Macros:
    """Macros named ``macro`` with the buffer ``sram``."""
    common = {"name": "macro", "buffer": "sram", **fields}
    if kind == "digital":
        return CimDigitalSram(**common)
    if kind == "analog":
        return CimAnalogSram(**{"clipping": True, **ANALOG, **common})
    if kind == "phases":
        return CimNvmPhases(**{**PHASES, **common})
    if kind == "buffered":
        return CimNvmBuffered(**{**NVM, **BUFFERED, **common})
    return CimNvm(**{**NVM, **common})


def machine(
    engine: Macros,
    *,
    bandwidth: float = 8 * CLOCK,
    sram: int = 512 * KIB,
    vector: bool = False,
    port: bool = False,
) -> Hardware:
    """An engine behind one half-duplex link; with ``port`` weights have a link of their own.

    Memories never limit anything.
    """
    parts: list[Component] = [engine]
    parts += [Vector(name="vector", buffer="sram")] if vector else []
    parts.append(Sram(name="sram", size=sram, bandwidth=1e14))
    cells = f"{engine.name}.cells"
    ends = [("dram", "sram"), ("dram", cells)] if port else [("dram", "sram", cells)]
    for name, end in zip(("bus", "weight_port"), ends, strict=False):
        parts.append(Bus(name=name, connects=end, bandwidth=bandwidth, duplex="half", setup=0.0))
    parts.append(FlatDram(name="dram", device="t", size=1 << 32, bandwidth=1e14, efficiency=1.0))
    return Hardware("cim", "", None, {part.name: part for part in parts})


def beside(*engines: Macros, links: int) -> Hardware:
    """Engines on one buffer whose weights come over one link, or each over its own."""
    cells = [f"{engine.name}.cells" for engine in engines]
    ends = [cells] if links == 1 else [[name] for name in cells]
    parts: list[Component] = [*engines, Sram(name="sram", size=512 * KIB, bandwidth=1e14)]
    parts += [
        Bus(name=f"port{n}", connects=("dram", *names), bandwidth=2e9, duplex="half", setup=0.0)
        for n, names in enumerate(ends)
    ]
    parts.append(Bus(name="bus", connects=("dram", "sram"), bandwidth=1e14, setup=0.0))
    parts.append(FlatDram(name="dram", device="t", size=1 << 32, bandwidth=1e14, efficiency=1.0))
    return Hardware("beside", "", None, {part.name: part for part in parts})


def clock_hz(hardware: Hardware) -> float:
    """Clock of the macros of ``machine``."""
    engine = hardware.engine("macro")
    assert isinstance(engine, Macros)
    return float(engine.clock_hz)


def one(op: Op, **roles: Role) -> Trace:
    """A trace of one operator; its tensors by name may get other roles."""

    def with_role(access: Any) -> Any:
        role = roles.get(access.tensor.name, access.tensor.role)
        return dataclasses.replace(access, tensor=dataclasses.replace(access.tensor, role=role))

    inputs = tuple(with_role(access) for access in op.inputs)
    outputs = tuple(with_role(access) for access in op.outputs)
    op = dataclasses.replace(op, inputs=inputs, outputs=outputs)
    return Trace(op.name, (op,), tuple(access.tensor for access in op.operands))


def budget(
    engine: Macros, buffer: int = 512 * KIB, cells: int | None = None, **fields: Any
) -> Budget:
    """What the mapping grants; all of the cells by default."""
    granted = engine.cells.size if cells is None else cells
    stores = (
        Store("sram", buffer, 1e-12, 1e-12),
        Store(engine.stages[0], granted, 0.0, engine.cells.write_energy),
        Store("dram", 1 << 40, 1e-11, 1e-11),
    )
    return Budget(buffer, 2e9, 2e9, **{"stores": stores, **fields})


@st.composite
def contractions(draw: st.DrawFn) -> Op:
    """Products and convolutions of all shapes, grouped and depthwise ones too."""
    if draw(st.booleans()):
        m, k, n = (draw(st.integers(1, 70)) for _ in range(3))
        return matmul(m, k, n, batch=draw(st.sampled_from([1, 1, 3])), bias=draw(st.booleans()))
    channels, filters = draw(st.integers(1, 24)), draw(st.integers(1, 40))
    groups = draw(st.sampled_from([1, 1, channels]))
    kernel, stride = draw(st.sampled_from([1, 2, 3])), draw(st.sampled_from([1, 2]))
    size = draw(st.integers(kernel, 14))
    filters = groups * draw(st.integers(1, 2)) if groups > 1 else filters
    return convolution(channels, filters, size, kernel, stride, kernel // 2, groups)


@st.composite
def engines(draw: st.DrawFn, kind: str = "") -> Macros:
    """Small macros of any kind, few and many, with one or several sets."""
    fields: dict[str, Any] = {
        "rows": draw(st.sampled_from([8, 16, 64])),
        "columns": draw(st.sampled_from([8, 16, 64])),
        "macros": draw(st.sampled_from([1, 2, 3, 8])),
        "sets": draw(st.sampled_from([1, 1, 2, 8])),
        "row_split": draw(st.sampled_from(["linear", "loop_factors"])),
        "pack": draw(st.sampled_from(["none", "group", "diagonal"])),
        "double_buffer": draw(st.booleans()),
    }
    kind = kind or draw(st.sampled_from(KINDS))
    if kind in ("digital", "analog"):
        fields["input_bits"] = draw(st.sampled_from([1, 2, 8]))
    return macros(kind, **fields)
