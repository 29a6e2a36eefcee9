"""Presets of compute-in-memory chips in tests: their macros, and runs that fill these."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from codesign_plugins.cim.engine import Macros
from codesign_plugins.cim.nvm_designs import mnsim_rram, neurram_core
from codesign_plugins.cim.silicon import AIMC1, DIMC1

from codesign import Result, Trace, simulate
from codesign.hardware.plan import TilePlan
from codesign.hardware.spec import Hardware, list_hardware
from codesign.testing import matmul

CHIPS = ("aimc1", "colonnade", "dimc1", "jia-2020", "mnsim-like", "neurram")
SAME: Mapping[str, Any] = {
    "aimc1": AIMC1.physics,
    "dimc1": DIMC1.physics,
    "mnsim-like": mnsim_rram(),
    "neurram": neurram_core(2),
}
"""Macros that a preset is, field by field."""
WIDTHS = {
    "aimc1": (7, 2),
    "colonnade": (8, 8),
    "dimc1": (8, 8),
    "jia-2020": (8, 8),
    "mnsim-like": (9, 8),
    "neurram": (8, 4),
}
"""Bits of an activation and of a weight that fill the macro."""
ROWS = 24
"""Products of a run."""


def macros(machine: Hardware) -> Macros:
    """The macros of a preset."""
    (found,) = [engine for engine in machine.engines if isinstance(engine, Macros)]
    return found


def header(preset: str) -> str:
    """The comment that a preset begins with, in one line."""
    lines = _paths()[preset].read_text(encoding="utf-8").split("\nname:")[0].splitlines()
    assert all(line.startswith("#") or not line for line in lines)
    return " ".join(line.removeprefix("#").strip() for line in lines)


@cache
def _paths() -> dict[str, Path]:
    return {entry.name: entry.path for entry in list_hardware()}


def run_full(machine: Hardware, bits: tuple[int, int]) -> Result:
    """A run of products that fill every row and column of every macro, in these formats."""
    part = macros(machine)
    columns = part.columns * part.macros
    op = matmul(ROWS, part.rows, columns, dtype=f"int{bits[0]}", weight_dtype=f"int{bits[1]}")
    trace = Trace("full", (op,), tuple(access.tensor for access in op.operands))
    return simulate(trace, machine, dtype="native")


def plan_of(result: Result) -> TilePlan:
    """The plan of the only operator."""
    ((assignment, _),) = result.placement.assignments()
    assert assignment.plan is not None
    return assignment.plan


def macro_j(result: Result, only: tuple[str, ...] = ()) -> float:
    """Joules of what the macros do themselves, without what follows them."""
    ledger, behind = result.ledger, ("partial sum", "requantisation", "function")
    rows = zip(ledger.component, ledger.action, ledger.energy, strict=True)
    return float(
        sum(
            joules
            for component, action, joules in rows
            if component == "cim" and (action in only if only else action not in behind)
        )
    )


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Fields of a dataclass and of those in it, by path."""
    if not dataclasses.is_dataclass(value):
        return {path: value}
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        found |= flat(getattr(value, field.name), f"{path}.{field.name}")
    return found
