"""Numbers for people: four digits and the prefix that keeps them short."""

from __future__ import annotations

_PREFIXES = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P")
_PLAIN = _PREFIXES.index("")
LEAST_SHARE = 0.0005
"""Share below which ``share`` says 0.0 %."""
ROUNDING = 1e-9
"""Relative difference below which figures are the same; roundings of sums are about 1e-15."""


def quantity(value: float, unit: str) -> str:
    """A number with a decimal prefix: ``quantity(0.00673, "s")`` is ``6.730 ms``.

    Args:
        value: the number in the unit without prefix, not negative.
        unit: its symbol; whole numbers below 1000 get no fraction.
    """
    if value < 1000 and float(value).is_integer():
        return f"{value:.0f} {unit}"
    # through text, because the rounding to four digits may carry into the next prefix
    mantissa, _, power = f"{value:.3e}".partition("e")
    place = min(max(_PLAIN + int(power) // 3, 0), len(_PREFIXES) - 1)
    shift = int(power) - 3 * (place - _PLAIN)
    return f"{float(mantissa) * 10.0**shift:,.{max(0, 3 - shift)}f} {_PREFIXES[place]}{unit}"


def size(number: int) -> str:
    """Bytes with the largest binary prefix that leaves them whole: ``size(2**20)`` is ``1 MiB``."""
    power = next((p for p in (4, 3, 2, 1) if number and number % 2 ** (10 * p) == 0), 0)
    return f"{number // 2 ** (10 * power):,} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent; nothing of nothing is 0 %."""
    return f"{100 * part / whole if whole else 0.0:.1f} %"


def count(number: float) -> str:
    """A whole number with thousands separators."""
    return f"{number:,.0f}"
