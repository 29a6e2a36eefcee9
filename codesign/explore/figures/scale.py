"""How numbers of an objective stand on an axis: name, unit with its prefix, linear or by decades.

The unit is the end of the name, as everywhere here: ``latency_s`` is in seconds. A name without one
is a plain number, and its label says in what it is counted once the numbers are long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from codesign.explore.levels import text_of
from codesign.explore.pareto import Floats
from codesign.quantities import ROUNDING

_UNITS = {
    "_bytes_per_s": "B/s",
    "_macs_per_s": "MAC/s",
    "_per_s": "/s",
    "_bytes": "B",
    "_js": "J s",
    "_m2": "m²",
    "_hz": "Hz",
    "_s": "s",
    "_j": "J",
    "_w": "W",
    "_v": "V",
    "_a": "A",
    "_m": "m",
}
"""Ends of names and their units, longest first."""
_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_PREFIXES |= {12: "T", 15: "P"}
_WORDS = {3: "thousand", 6: "million", 9: "billion"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLEST = -300
"""Power of ten that leaves the smallest doubles finite when they are divided by it."""
_DECADE = 10.0
"""Range from which on an axis goes by decades."""


@dataclass(frozen=True)
class Scale:
    """How one objective is drawn.

    Attributes:
        name: without its unit.
        unit: with its prefix; empty for a plain number.
        factor: what a value is divided by before it is drawn.
        decades: whether the axis is logarithmic.
        maximise: whether more is better.
        dimension: power of the unit that a prefix stands for; 0 without a unit.
    """

    name: str
    unit: str
    factor: float
    decades: bool
    maximise: bool
    dimension: int = 0

    @classmethod
    def of(cls, name: str, values: Floats, *, maximise: bool = False) -> Scale:
        """Chooses the prefix and whether the axis is logarithmic.

        Args:
            name: of the objective, with the unit at its end if it has one.
            values: what the axis has to show, finite.
            maximise: whether more is better.
        """
        sizes = np.abs(values[values != 0])
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        decades = low > 0 and high > _DECADE * low
        largest = float(sizes.max()) if sizes.size else 1.0
        shown = math.sqrt(low) * math.sqrt(high) if decades else largest
        end = next((end for end in _UNITS if name.endswith(end) and name != end), None)
        if end is None:
            power = _plain_power(shown)
            return cls(text_of(name), _in_words(power), 10.0**power, decades, maximise)
        unit, dimension = _UNITS[end], 2 if end == "_m2" else 1
        power = min(max(3 * math.floor(math.log10(shown) / 3 / dimension + 1e-9), -15), 15)
        told = text_of(name.removesuffix(end)).replace("_", " ")
        factor = 10.0 ** (power * dimension)
        return cls(told, _PREFIXES[power] + unit, factor, decades, maximise, dimension)

    @property
    def has_unit(self) -> bool:
        """Whether the name ended in a unit, so that this is more than a plain number."""
        return self.dimension > 0

    @property
    def label(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def sense(self) -> str:
        """Label with an arrow to where it is better; on an upright axis it turns with the text."""
        return f"{self.label}  →" if self.maximise else f"←  {self.label}"

    def drawn(self, values: Floats) -> Floats:
        """Values in the unit of the axis."""
        scaled: Floats = values / self.factor
        return scaled

    def text(self, value: float) -> str:
        """A value with its unit, to four digits."""
        return f"{short(value / self.factor)} {self.unit}".strip()


def change_text(name: str, before: float, after: float) -> str:
    """A change of an objective in words, with its unit.

    Args:
        name: of the objective.
        before: in its unit, finite.
        after: likewise.
    """
    scale = Scale.of(name, np.array([before, after]))
    if abs(after - before) <= ROUNDING * max(abs(before), abs(after)):
        return f"stays {scale.text(after)}"
    ratio = after / before if before * after > 0 else math.nan
    more = f", {ratio - 1:+.1%}"
    if _DECADE <= ratio < math.inf:
        more = f", {short(ratio)} times"
    more = more if math.isfinite(ratio) else ""
    return f"{short(before / scale.factor)} to {scale.text(after)}{more}"


def short(number: float) -> str:
    """A number as an axis or a caption shows it: four digits, powers of ten where it is long."""
    sign, size = "−" if number < 0 else "", abs(number)
    if size and not 1e-3 <= size < 1e5:
        digits, _, power = f"{size:.3e}".partition("e")
        head = f"{float(digits):g}"
        times = "" if head == "1" else f"{head}·"
        return f"{sign}{times}10{str(int(power)).translate(_RAISED)}"
    return sign + (f"{size:,.4g}" if size < 1e4 else f"{size:,.0f}")


def shortened(text: str, most: int) -> str:
    """A text of at most so many signs; the middle of a longer one goes."""
    if len(text) <= most:
        return text
    head = (most - 1 + 1) // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def wrapped(text: str, most: int, lines: int = 3) -> str:
    """A name on at most so many lines, broken behind dots, blanks, dashes and underscores."""
    parts: list[str] = []
    word = ""
    for sign in text:
        word += sign
        if sign in "._- /+":
            parts.append(word)
            word = ""
    made: list[str] = [""]
    for part in (shortened(part, most) for part in [*parts, word]):
        if len(made[-1]) + len(part) <= most:
            made[-1] += part
        else:
            made.append(part)
    if len(made) > lines:
        made = [*made[: lines - 1], shortened("".join(made[lines - 1 :]), most)]
    return "\n".join(line.strip() for line in made if line.strip())


def thinned(count: int, most: int) -> range:
    """Places of the labels that are shown of many, from the first one on."""
    return range(0, count, -(-count // most))


def _plain_power(shown: float) -> int:
    """Power of ten by which plain numbers are divided: none where they are short anyway."""
    if 1e-3 <= shown < 1e4:
        return 0
    return max(3 * math.floor(math.log10(shown) / 3 + 1e-9), _SMALLEST)


def _in_words(power: int) -> str:
    if not power:
        return ""
    return _WORDS.get(power) or f"10{str(power).translate(_RAISED)}"
