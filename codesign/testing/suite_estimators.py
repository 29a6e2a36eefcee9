"""The checks of estimators: what external tools answer to questions about energy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from codesign.energy import Query, Row, read_query
from codesign.energy.row import COLUMNS, STATUSES
from codesign.errors import EnergyError
from codesign.testing.offered import Check, Offered, Skip
from codesign.testing.rules import expect

_MEMORY = {"size": "64 KiB", "width": 64, "node": "22 nm"}
_QUESTIONS: tuple[Mapping[str, object], ...] = (
    {"component": "sram", "action": "read", **_MEMORY},
    {"component": "sram", "action": "write", **_MEMORY},
    {"component": "cache", "action": "read", **_MEMORY},
    {"component": "register_file", "action": "read", **_MEMORY},
    {"component": "dram", "action": "read", "node": "22 nm"},
    {"component": "mac", "action": "compute", "node": "22 nm"},
    {"component": "adder", "action": "compute", "bits": 8, "node": "22 nm"},
    {"component": "multiplier", "action": "compute", "bits": 8, "node": "22 nm"},
    {"component": "wire", "action": "move", "node": "22 nm"},
    {"component": "adc", "action": "convert", "bits": 8, "node": "22 nm"},
)
"""One of each kind that the tables know; an estimator need not answer all."""


def estimator_checks(offered: Offered, name: str, estimator: Any) -> Iterator[Check]:
    """The checks of an estimator of energies.

    Args:
        offered: all that is offered beside it; its example, if it has one, makes a question.
        name: its name.
        estimator: what the plugin returned.
    """
    yield Check(
        f"estimator {name}: answers questions", partial(_check_estimator, offered, name, estimator)
    )


def _check_estimator(offered: Offered, name: str, estimator: Any) -> None:
    expect(callable(estimator), f"must be a function of a query, got {estimator!r:.60}")
    own = offered.example(name)
    if own is not None:
        expect(isinstance(own, Query), f"its example must make a Query, got {own!r:.60}")
        check_answer(estimator, own)
    refused, answered = "", own is not None
    for words in _QUESTIONS:
        try:
            check_answer(estimator, read_query(words))
            answered = True
        except EnergyError as error:  # what it cannot answer
            refused = str(error)
    if not answered:
        raise Skip(
            f"answers none of {len(_QUESTIONS)} questions, the last one with: {refused}; offer "
            "a codesign.energy.Query that it answers through codesign_examples"
        )


def check_answer(estimator: Any, query: Query) -> None:
    """Checks what an estimator answers to one question.

    Args:
        estimator: a function of a query.
        query: the question.

    Raises:
        AssertionError: says which promise is broken and what to change.
        EnergyError: it does not answer.
    """
    row = estimator(query)
    expect(isinstance(row, Row), f"must return a codesign.energy.Row, got {row!r:.60}")
    expect(
        row.status in STATUSES,
        f"status must be one of {', '.join(STATUSES)}, got {row.status!r:.60}; say how far it can "
        "be trusted",
    )
    expect(bool(row.source), "has no source; say where the figure is from")
    figures = {COLUMNS[quantity]: row.figure(quantity) for quantity in COLUMNS}
    known = {column: value for column, value in figures.items() if value is not None}
    expect(bool(known), "has no figure; give one of " + ", ".join(figures))
    for column, value in known.items():
        expect(
            math.isfinite(value) and value >= 0,
            f"{column} must be a finite number of at least 0, got {value!r:.60}",
        )
    expect(estimator(query) == row, "two calls gave two answers; keep no state")
