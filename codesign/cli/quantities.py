"""Numbers for people: four digits and the prefix that keeps them short."""

from __future__ import annotations

import math

_PREFIXES = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P")
_PLAIN = _PREFIXES.index("")


def quantity(value: float, unit: str) -> str:
    """A number with a decimal prefix: ``quantity(0.00673, "s")`` is ``6.730 ms``.

    Args:
        value: the number in the unit without prefix, not negative.
        unit: its symbol; whole units such as ``B`` get no fraction below 1000.
    """
    if value == 0:
        return f"0 {unit}"
    place = _PLAIN + math.floor(math.log10(value) / 3)
    # 999.96 would be printed as 1000 with four digits
    if float(f"{value / _scale(place):.4g}") >= 1000:
        place += 1
    place = min(max(place, 0), len(_PREFIXES) - 1)
    number = value / _scale(place)
    whole = place == _PLAIN and float(value).is_integer()
    digits = 0 if whole else max(0, 3 - math.floor(math.log10(number))) if number >= 1 else 4
    return f"{number:,.{digits}f} {_PREFIXES[place]}{unit}"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent; nothing of nothing is 0 %."""
    return f"{100 * part / whole if whole else 0.0:.1f} %"


def count(number: float) -> str:
    """A whole number with thousands separators."""
    return f"{number:,.0f}"


def _scale(place: int) -> float:
    return 1000.0 ** (place - _PLAIN)
