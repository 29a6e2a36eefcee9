"""The checks that the parts of a scenario share."""

from __future__ import annotations

import math

from codesign.errors import ScenarioError


def check_time(
    name: str, value: object, example: str, *, unit: str = "s", zero: bool = False
) -> None:
    """Raises a ScenarioError unless a value is a finite number above 0, or 0 where that is fine.

    Args:
        name: what the value is.
        value: the value.
        example: a right one, for the message.
        unit: unit of the value.
        zero: whether 0 is fine.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if math.isfinite(value) and (value > 0 or (zero and value == 0)):
            return
        got = f"{value:g} {unit}"
    else:
        got = repr(value)[:60]
    sign = ">=" if zero else ">"
    raise ScenarioError(f"{name} must be {sign} 0, got {got}; write for example {example!r}")


def check_count(name: str, value: object) -> None:
    """Raises a ScenarioError unless a value is a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        got = repr(value)[:60]
        raise ScenarioError(f"{name} must be a whole number >= 1, got {got}; raise it")
