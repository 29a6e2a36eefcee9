"""A plugin of two kinds with a hardware file beside it, to be broken, and others that fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from codesign.templates import write_plugin
from codesign.testing import matmul
from codesign.workload.record import Trace

HEAD = """
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from codesign import hookimpl
from codesign_plugins.sram import Sram
from codesign_plugins.vector import Vector
"""
BOARD = """
name: board
precision: int8
components:
  fancy: {kind: fancy, buffer: sram, lanes: 16}
  npu: {kind: systolic, buffer: sram}
  sram: {kind: store, size: 256 KiB}
  bus: {kind: link, connects: [dram, sram]}
  dram: {kind: flat_dram, device: LPDDR4, size: 1 GiB, bandwidth: 6.4 GB/s}
"""
KINDS = """
@dataclass(frozen=True, kw_only=True)
class Fancy(Vector):
    \"\"\"An engine.\"\"\"
    kind: ClassVar[str] = "fancy"
    {engine}

@dataclass(frozen=True, kw_only=True)
class Store(Sram):
    \"\"\"A memory.\"\"\"
    kind: ClassVar[str] = "store"
    {memory}

@hookimpl
def codesign_components():
    return [Fancy, Store]
"""
PASS = """
def zz(trace):
    return trace.items[len(trace.items)]

@hookimpl
def codesign_fusion_passes():
    return {"zz": zz}
"""
MODEL = """
from codesign.zoo import ModelEntry

def build(batch):
    return [][batch]

@hookimpl
def codesign_models():
    return {"mine": ModelEntry(build, "none")}
"""


def write(folder: Path, body: str, name: str = "engine") -> Path:
    file = folder / f"{name}.py"
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(HEAD + dedent(body))
    return file


def line_of(file: Path, text: str) -> int:
    """Number of the only line with a text."""
    (found,) = (n for n, line in enumerate(file.read_text().splitlines(), 1) if text in line)
    return found


def board(folder: Path, engine: str = "", memory: str = "") -> Path:
    """A hardware file beside the plugin of its two kinds."""
    write(folder, KINDS.format(engine=engine or "pass", memory=memory or "pass"))
    (folder / "board.yaml").write_text(BOARD)
    return folder / "board.yaml"


def work() -> Trace:
    op = matmul(8, 8, 8)
    return Trace("work", (op,), tuple(access.tensor for access in op.operands))


def lowering(folder: Path) -> tuple[Path, str]:
    """A plugin whose lowering fails, and where that is."""
    write_plugin("lowering", "gate_mine", folder / "made")
    file = folder / "made" / "gate_mine.py"
    file.write_text(file.read_text().replace("builder.new(node.outputs[0])", "node.wrong"))
    return file, f" at {file}:{line_of(file, 'node.wrong')} in lower_gate; "


def caught(call: Callable[[], object]) -> Exception:
    """What a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - that is what is looked at
        return error
    raise AssertionError("nothing was raised")
