"""Questions and small tables that several tests of the energy tables ask."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from codesign.energy import EnergyTables, Estimate, read_query, read_table, shipped_tables
from codesign.energy.row import Quantity

REFERENCES = Path(__file__).parents[1] / "references"
HEAD = "component,action,tool,node_nm,size_bytes,width_bits,energy_j,status,source"


def rows_of(name: str) -> list[dict[str, str]]:
    """Rows of a reference file, without its line of origin."""
    lines = (REFERENCES / name).read_text().splitlines()
    assert lines[0].startswith("# source: ")
    return list(csv.DictReader(lines[1:]))


def ask(
    quantity: Quantity = "energy", tables: EnergyTables | None = None, **words: Any
) -> Estimate:
    """The best answer of some tables, those that ship by default."""
    return (tables or shipped_tables()).estimate(read_query(words, quantity))


def rivals(
    quantity: Quantity = "energy", tables: EnergyTables | None = None, **words: Any
) -> tuple[Estimate, ...]:
    """All answers."""
    return (tables or shipped_tables()).rivals(read_query(words, quantity))


def sram(size: object, node: object = 22, action: str = "read", **words: Any) -> Estimate:
    """An access of a memory."""
    return ask(component="sram", action=action, size=size, node=node, **words)


def of_tool(many: tuple[Estimate, ...], tool: str) -> Estimate:
    """The answer of one tool."""
    (found,) = (one for one in many if one.tool == tool)
    return found


def tables_of(*lines: str, head: str = HEAD, is_own: bool = True) -> EnergyTables:
    """Tables of a few lines of CSV, and nothing else."""
    return EnergyTables(read_table("\n".join((head, *lines)), "mine.csv", is_own=is_own))
