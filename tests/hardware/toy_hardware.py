"""Component kinds as small as they can be, and a hardware file that uses all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from codesign.errors import HardwareError
from codesign.hardware.component import Component, Engine, Link, Memory
from codesign.hardware.spec import Hardware, read_hardware
from codesign.units import BytesPerSecond, Count, Hertz, Joules, JoulesPerByte


@dataclass(frozen=True, kw_only=True)
class ToyEngine(Engine):
    kind: ClassVar[str] = "toy-engine"

    rows: Count = 4
    clock: Hertz
    mode: Literal["fast", "slow"] = "fast"
    share: float = 0.5
    macs: Mapping[str, Joules] = field(default_factory=lambda: {"int8*int8": 1e-12})

    def check(self) -> None:
        if self.mode == "slow" and self.rows > 8:
            raise HardwareError(f"{self.name}.rows must be <= 8 in slow mode, got {self.rows}")


@dataclass(frozen=True, kw_only=True)
class ToyMemory(Memory):
    kind: ClassVar[str] = "toy-memory"

    energy: JoulesPerByte = 0.0


@dataclass(frozen=True, kw_only=True)
class ToyLink(Link):
    kind: ClassVar[str] = "toy-link"

    bandwidth: BytesPerSecond = 1e9


KINDS: Mapping[str, type[Component]] = {c.kind: c for c in (ToyEngine, ToyMemory, ToyLink)}

TOY = """\
name: toy
description: one of each
precision: int8
components:
  npu:
    kind: toy-engine
    buffer: sram
    rows: {value: 8, source: a paper, status: published, note: table 2}
    clock: 1 GHz
    macs:
      int8*int8: {value: 0.3 pJ, source: a datasheet, status: datasheet}
      bf16*bf16: 1 pJ
  sram: {kind: toy-memory, size: 1 MiB}
  bus:
    kind: toy-link
    connects: [dram, sram]
    bandwidth: 32 GB/s
  dram:
    kind: toy-memory
    size: 1 GiB
    energy: {value: 8 pJ/bit, source: a survey, status: assumed}
"""


def read(text: str, folder: Path, kinds: Mapping[str, type[Component]] = KINDS) -> Hardware:
    """Reads hardware from text, as ``toy.yaml``."""
    path = folder / "toy.yaml"
    path.write_text(text)
    return read_hardware(path, kinds, "toy.yaml")


def toy(**changes: Component | None) -> Hardware:
    """Hardware from components; ``None`` takes one out."""
    parts: dict[str, Component | None] = {
        "npu": ToyEngine(name="npu", buffer="sram", clock=1e9),
        "sram": ToyMemory(name="sram", size=2**20),
        "bus": ToyLink(name="bus", connects=("dram", "sram")),
        "dram": ToyMemory(name="dram", size=2**30),
        **changes,
    }
    kept = {name: part for name, part in parts.items() if part is not None}
    return Hardware("toy", "", None, kept)
