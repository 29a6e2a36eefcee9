"""The checks that the parts of a scenario share: each failure names the field it found it in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

from codesign.errors import ScenarioError

MAX_SECONDS = 1e6
"""Longest time in a scenario, and longest scenario: its ticks stay far below 2**63."""
TICK_S = 1e-12
"""Shortest time: one tick."""

_DIGITS = 10**18
T = TypeVar("T")


class FieldError(ScenarioError):
    """A value that breaks a rule.

    Attributes:
        field: name of the field that holds it.
    """

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


def shown(value: object) -> str:
    """A value in at most 60 characters; whole numbers beyond 18 digits by their magnitude."""
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) < _DIGITS:
            return f"{value:,}"
        return f"{'-' if value < 0 else ''}10**{math.log10(abs(value)):.0f} or so"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def check_time(
    name: str,
    value: object,
    example: float,
    *,
    field: str,
    zero: bool = False,
) -> None:
    """Checks a time in seconds.

    Args:
        name: what the value is.
        value: the value.
        example: a right one, for the message; bare seconds are right in Python and in a file.
        field: name of the field that holds it.
        zero: whether 0 is fine; if not, it is at least a tick.

    Raises:
        FieldError: no finite number, one below that, or one above ``MAX_SECONDS``.
    """
    number = _number(name, value, "of seconds", example, field)
    if number < 0 or (number == 0 and not zero):
        sign = ">=" if zero else ">"
        raise FieldError(
            f"{name} must be {sign} 0, got {number:g} s; write for example {example:g}", field
        )
    if number < TICK_S and not zero:
        raise FieldError(
            f"{name} must be at least a tick of 1 ps, got {number:g} s; raise it", field
        )
    if number > MAX_SECONDS:
        raise FieldError(
            f"{name} must be at most {MAX_SECONDS:,.0f} s, got {number:g} s; shorten it", field
        )


def check_rate(name: str, value: object, example: float, *, field: str) -> None:
    """Raises a FieldError unless a value is a finite rate above 0, of at most one a tick."""
    number = _number(name, value, "per second", example, field)
    if number <= 0:
        raise FieldError(
            f"{name} must be > 0, got {number:g} /s; write for example {example:g}", field
        )
    if number > 1 / TICK_S:
        raise FieldError(
            f"{name} must be at most one a tick of 1 ps, 1e+12 /s, got {number:g} /s; lower it",
            field,
        )


def check_count(name: str, value: object, *, field: str, most: int | None = None) -> None:
    """Raises a FieldError unless a value is a whole number from 1 to ``most``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(
            f"{name} must be a whole number >= 1, got {shown(value)}; write for example 2", field
        )
    if value < 1:
        raise FieldError(f"{name} must be a whole number >= 1, got {shown(value)}; raise it", field)
    if most is not None and value > most:
        raise FieldError(f"{name} must be <= {most:,}, got {shown(value)}; lower it", field)


def check_truth(name: str, value: object, *, field: str) -> None:
    """Raises a FieldError unless a value is True or False: text such as ``"no"`` counts as true."""
    if not isinstance(value, bool):
        raise FieldError(f"{name} must be True or False, got {shown(value)}; choose one", field)


def check_list(
    name: str, value: object, kinds: tuple[type[T], ...], example: str, *, field: str
) -> tuple[T, ...]:
    """A list or tuple of entries of some types, as a tuple.

    Args:
        name: what the value is.
        value: the value; bare text, which would fall into its letters, is refused.
        kinds: types of its entries.
        example: a right one, for the message.
        field: name of the field that holds it.

    Raises:
        FieldError: anything else.
    """
    if not isinstance(value, (list, tuple)):
        raise FieldError(
            f"{name} must be a list, got {shown(value)}; write for example {example}", field
        )
    for entry in value:
        if not isinstance(entry, kinds):
            words = " or ".join(kind.__name__ for kind in kinds)
            raise FieldError(
                f"{name} must hold nothing but {words}, got {shown(entry)}; write for "
                f"example {example}",
                field,
            )
    return tuple(value)


def check_type(name: str, value: object, kind: type[T], way_out: str, *, field: str = "") -> None:
    """Raises a FieldError unless a value is of a type."""
    if not isinstance(value, kind):
        raise FieldError(f"{name} must be a {kind.__name__}, got {shown(value)}; {way_out}", field)


def check_map(name: str, value: object, example: str, *, field: str) -> Mapping[str, object]:
    """A map from text, or a FieldError."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise FieldError(
            f"{name} must be a map from names, got {shown(value)}; write for example {example}",
            field,
        )
    return value


def _number(name: str, value: object, unit: str, example: float, field: str) -> float:
    """A finite number as a float, or a FieldError."""
    way_out = f"number {unit}, got {shown(value)}; write for example {example:g}"
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise FieldError(f"{name} must be a {way_out}", field)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FieldError(f"{name} must be a finite {way_out}", field)
    return number
