"""Validation: our figures beside those of other tools and of silicon, with signed errors.

A plugin offers families of cases through the hook ``codesign_validations``; ``validate`` runs them.
"""

from codesign.validation.contract import Case, NotRun, Validation
from codesign.validation.families import FamilyResult, find_validations
from codesign.validation.run import validate
from codesign.validation.summary import Summary, summaries
from codesign.validation.table import TableRow, parse_table, read_table

__all__ = [
    "Case",
    "FamilyResult",
    "NotRun",
    "Summary",
    "TableRow",
    "Validation",
    "find_validations",
    "parse_table",
    "read_table",
    "summaries",
    "validate",
]
