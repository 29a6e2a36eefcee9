"""On-chip energy, latency, area and leakage from tables whose every figure has a source."""

from codesign.energy.estimate import Estimate, Estimated, Note, clocks, figure
from codesign.energy.query import Nanometres, Query, Volts, read_key, read_query
from codesign.energy.read import read_table, read_tables
from codesign.energy.row import Row
from codesign.energy.tables import EnergyTables, Estimator, NoRowError, shipped_tables

__all__ = [
    "EnergyTables",
    "Estimate",
    "Estimated",
    "Estimator",
    "Nanometres",
    "NoRowError",
    "Note",
    "Query",
    "Row",
    "Volts",
    "clocks",
    "figure",
    "read_key",
    "read_query",
    "read_table",
    "read_tables",
    "shipped_tables",
]
