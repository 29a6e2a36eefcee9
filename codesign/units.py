"""Unit strings become SI numbers here, at the configuration boundary, and nowhere else.

``"25.6 GB/s"`` is 25.6e9 B/s, ``"2 MiB"`` is 2,097,152 B and ``"8 pJ/bit"`` is 8e-12 J/bit. A bare
number is taken in the SI unit of its field. Times inside the replay are integer picoseconds.

The parser is our own because the libraries we tried read ``2 MiB`` as 2,000,000 in silence
(quantiphy 2.21) or cost half a second at import (pint 0.25).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator

from codesign.errors import UnitError

PS_PER_S = 10**12
"""Replay ticks per second: a tick is one picosecond."""
_NOISE = 1e-12  # relative; thousands of roundings of a double

_PREFIX = {"": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3}
_PREFIX |= {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_NUMBER = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*$")
# unit -> spellings of it and their factor; a prefix may stand before each spelling
_SPELLINGS: dict[str, dict[str, float]] = {
    "B": {"B": 1.0, "bit": 0.125, "b": 0.125},
    "B/s": {"B/s": 1.0, "bit/s": 0.125, "b/s": 0.125},
    "Hz": {"Hz": 1.0},
    "/s": {"/s": 1.0, "Hz": 1.0},
    "s": {"s": 1.0},
    "J": {"J": 1.0},
    "J/B": {"J/B": 1.0, "J/bit": 8.0, "J/b": 8.0},
    "W": {"W": 1.0},
    "V": {"V": 1.0},
    "A": {"A": 1.0},
    "B/cycle": {"B/cycle": 1.0, "bit/cycle": 0.125},
    "cycle": {"cycle": 1.0, "cycles": 1.0},
}


def parse_quantity(value: object, unit: str) -> float:
    """Reads a number with a unit.

    Args:
        value: a number already in ``unit``, or text such as ``"25.6 GB/s"``.
        unit: the SI unit of the result, one of the keys of the table in this module, or ``"1"``.

    Returns:
        The value in ``unit``.

    Raises:
        UnitError: no number, or a unit of another dimension; names the rule, value and remedy.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _finite(value, 1.0, unit)
    match = _NUMBER.match(value) if isinstance(value, str) and len(value) < 64 else None
    if match is None:
        got = repr(str(value)[:60])
        raise UnitError(f"expected a number in {_word(unit)}, got {got}; {_example(unit)}")
    number, text = float(match[1].replace("_", "")), match[2] or ""
    factor = 1.0 if not text else _factor(text, unit)
    if factor is None:
        raise UnitError(f"expected a unit of {_word(unit)}, got {value!r}; {_example(unit)}")
    return _finite(number, factor, unit)


def _finite(number: float, factor: float, unit: str) -> float:
    try:
        product = float(number) * factor
    except OverflowError:
        product = math.inf
    if not math.isfinite(product):
        got = "nan" if math.isnan(product) else "one beyond 1.8e308"
        raise UnitError(f"expected a finite number in {_word(unit)}, got {got}; correct it")
    return product


def _factor(text: str, unit: str) -> float | None:
    for spelling, factor in _SPELLINGS.get(unit, {}).items():
        head = text.removesuffix(spelling)
        if head == text:
            continue
        scale = _PREFIX.get(head) or (_BINARY.get(head) if unit in ("B", "B/s") else None)
        if scale is not None:
            return factor * scale
    return None


def _word(unit: str) -> str:
    return "1 (a plain number)" if unit == "1" else unit


def _example(unit: str) -> str:
    prefix = {"B": "1 MiB", "B/s": "25.6 GB/s", "Hz": "1 GHz", "s": "10 ns", "J": "0.3 pJ"}
    prefix |= {"J/B": "8 pJ/bit", "W": "3 mW", "V": "0.9 V", "A": "55 mA", "/s": "4 /s"}
    return f"write for example {prefix.get(unit, '64')!r}"


@dataclass(frozen=True, slots=True)
class Unit:
    """The SI unit of a component field, as an annotation that tools can read back."""

    symbol: str


def _real(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: parse_quantity(value, unit))


def _whole(unit: str) -> BeforeValidator:
    def read(value: object) -> int:
        number = parse_quantity(value, unit)
        if number != int(number):
            where = "" if unit == "1" else f" in {unit}"
            raise UnitError(f"expected a whole number{where}, got {value!r}; round it")
        return int(number)

    return BeforeValidator(read)


# The upper limits lie far beyond any hardware. They keep the integer arithmetic of the tile search
# within 64 bits, and catch a forgotten prefix.
Count = Annotated[int, _whole("1"), Ge(1), Le(10**6), Unit("1")]
"""A whole number from 1 to a million."""
Natural = Annotated[int, _whole("1"), Ge(0), Le(10**6), Unit("1")]
"""A whole number from 0 to a million."""
Bytes = Annotated[int, _whole("B"), Ge(1), Le(2**60), Unit("B")]
"""A whole number of bytes up to 1 EiB, ``"1 MiB"``."""
Hertz = Annotated[float, _real("Hz"), Ge(1), Le(1e13), Unit("Hz")]
"""A clock from 1 Hz to 10 THz, ``"1 GHz"``."""
BytesPerSecond = Annotated[float, _real("B/s"), Ge(1), Le(1e18), Unit("B/s")]
"""A rate from 1 B/s to 1 EB/s, ``"25.6 GB/s"``."""
Seconds = Annotated[float, _real("s"), Ge(0), Le(1), Unit("s")]
"""A time up to 1 s, ``"10 ns"``."""
Joules = Annotated[float, _real("J"), Ge(0), Le(1), Unit("J")]
"""An energy for one action up to 1 J, ``"0.3 pJ"``."""
JoulesPerByte = Annotated[float, _real("J/B"), Ge(0), Le(1), Unit("J/B")]
"""An energy per byte moved up to 1 J/B, ``"8 pJ/bit"``."""
Watts = Annotated[float, _real("W"), Ge(0), Le(1e6), Unit("W")]
"""A power up to 1 MW, ``"3 mW"``."""
BytesPerCycle = Annotated[float, _real("B/cycle"), Gt(0), Unit("B/cycle")]
"""A port width, ``"32 B/cycle"``."""


def ticks(seconds: float) -> int:
    """Rounds a time up to whole picoseconds, but for the rounding error of the time itself.

    A product such as 5 x 0.1 ns carries a relative error of about 1e-16 and would be rounded up by
    a whole tick. So a time that exceeds a whole number of ticks by no more than 1e-12 of itself is
    taken for that number: it loses less than a thousandth of a tick below 1 ms, and from 0.5 s on
    it goes to the nearest tick, up or down.
    """
    exact = seconds * PS_PER_S
    near = round(exact)
    return near if abs(exact - near) <= _NOISE * max(1.0, abs(exact)) else -int(-exact // 1)


def cycles_to_ticks(cycles: int, clock_hz: float) -> int:
    """Rounds ``cycles`` of a clock up to whole picoseconds, once."""
    hertz = round(clock_hz)
    return -(-cycles * PS_PER_S // hertz)
