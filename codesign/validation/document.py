"""Results of validations as plain data, for JSON."""

from __future__ import annotations

from typing import Any

from codesign.validation.contract import Case
from codesign.validation.families import FamilyResult
from codesign.validation.summary import Summary


def document(result: FamilyResult) -> dict[str, Any]:
    """Everything about one family; errors are relative, 0.01 is 1 %."""
    about = result.validation
    return {
        "family": result.family,
        "title": about.title,
        "source": about.source,
        "note": about.note,
        "plugin": result.plugin,
        "summaries": [_summary(summary) for summary in result.summaries],
        "cases": [_case(case) for case in result.cases],
        "not_run": [{"name": one.name, "reason": one.reason} for one in result.not_run],
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "quantity": summary.quantity,
        "unit": summary.unit,
        "calibrated": summary.calibrated,
        "cases": summary.cases,
        "exact": summary.exact,
        "mean_absolute_error": summary.mean_absolute_error,
        "bias": summary.bias,
        "worst_case": summary.worst.name,
        "worst_error": summary.worst.error,
        "within_10_percent": summary.within_10_percent,
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "case": case.name,
        "quantity": case.quantity,
        "unit": case.unit,
        "ours": case.ours,
        "theirs": case.theirs,
        "error": case.error,
        "calibrated": case.calibrated,
        "note": case.note,
    }
