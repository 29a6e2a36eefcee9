"""The recorded macros and layers of zigzag-dse, as macros of ours."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from codesign_plugins.cim.sram_analog import AnalogSram
from codesign_plugins.cim.sram_digital import DigitalSram

REFERENCES = Path(__file__).resolve().parents[2] / "references"
Macro: TypeAlias = AnalogSram | DigitalSram
PARTS = {
    "dac": "dacs",
    "adc": "adcs",
    "product": "mults",
    "bit line": "analog_bl_addition",
    "adder": "adders_regular",
    "shift adder": "adders_pv",
    "accumulator": "accumulators",
}
"""What the tool calls our actions; its adder trees are our full and half adders together."""


@dataclass(frozen=True)
class Recorded:
    """A row of the tool, and the macro that it is of."""

    row: Mapping[str, str]
    macro: Macro

    def number(self, column: str) -> float:
        return float(self.row[column])

    @property
    def widths(self) -> tuple[int, int]:
        return int(self.row["act_bits"]), int(self.row["weight_bits"])


def energies_pj(macro: Macro, rows: Any, columns: Any, widths: tuple[int, int]) -> dict[str, Any]:
    """Energy of a matrix-vector product by the parts of the tool."""
    prices = macro.prices()
    counts = macro.counts(rows, columns, *widths)
    found = {action: count * prices[action] * 1e12 for action, count in counts.items()}
    found["adder"] = found.get("adder", 0.0) + found.pop("half adder", 0.0)
    assert set(found) <= set(PARTS)
    return {PARTS[action]: found.get(action, 0.0) for action in PARTS}


def recorded(file: str, rows: str, columns: str) -> list[Recorded]:
    """The rows of a file with their macros."""
    with (REFERENCES / file).open() as lines:
        assert next(lines).startswith("# source: own run of zigzag-dse 3.9.1")
        return [Recorded(row, macro_of(row, rows, columns)) for row in csv.DictReader(lines)]


def macro_of(row: Mapping[str, str], rows: str, columns: str) -> Macro:
    fields = {
        "rows": int(row[rows]),
        "columns": int(row[columns]),
        "activation_bits": int(row["act_bits"]),
        "weight_bits": int(row["weight_bits"]),
        "input_bits": int(row["bit_serial"]),
    }
    if row["kind"].lower() == "dimc":
        return DigitalSram(**fields)
    return AnalogSram(adc_bits=int(row["adc_bits"]), **fields)


@cache
def sweep() -> list[Recorded]:
    """The macros of the peak sweep."""
    return recorded("zigzag_imc_peak_sweep.csv", "inputs", "outputs")


@cache
def layers() -> list[Recorded]:
    """The mapped layers."""
    return recorded("zigzag_imc_layers.csv", "rows", "cols_weights")
