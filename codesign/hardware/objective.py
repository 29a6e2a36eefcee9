"""What a mapping is to make small: latency, energy, their product, or any weighting of the two."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError, did_you_mean

Floats: TypeAlias = "NDArray[np.float64]"

_WORDS = {"latency": (1.0, 0.0), "energy": (0.0, 1.0), "edp": (1.0, 1.0)}
_FACTOR = re.compile(r"([^\s^*]+)\s*(?:\^\s*([^\s^*]+))?")
_FORM = "write latency, energy, edp or a product such as latency^2*energy"


@dataclass(frozen=True, slots=True)
class Objective:
    """The score ``latency^a * energy^b``, the smaller the better.

    A product of powers ranks alike in any units: a second that counts for a joule would have to be
    chosen for every model anew. Twice both exponents is the same objective.

    Attributes:
        latency: exponent a of the seconds, at least 0.
        energy: exponent b of the joules, at least 0; one of the two is above 0.

    Raises:
        MappingError: a negative or endless exponent, or two that are 0.
    """

    latency: float = 1.0
    energy: float = 0.0

    def __post_init__(self) -> None:
        for name in ("latency", "energy"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise MappingError(
                    f"the exponent of {name} in an objective must be a number of at least 0, "
                    f"got {value!r}; {_FORM}"
                )
            object.__setattr__(self, name, float(value))
        if self.latency == self.energy == 0:
            raise MappingError(
                f"an objective must weigh latency or energy, got 0 for both; {_FORM}"
            )

    @classmethod
    def parse(cls, text: str) -> Objective:
        """Reads ``latency``, ``energy``, ``edp`` or a product of their powers.

        Args:
            text: for example ``latency^2*energy``; a word without a power has the power 1.

        Raises:
            MappingError: an unknown word, or an exponent that is no number of at least 0.
        """
        if not isinstance(text, str):
            raise MappingError(f"an objective must be a text, got {text!r}; {_FORM}")
        latency = energy = 0.0
        for factor in text.split("*"):
            found = _FACTOR.fullmatch(factor.strip())
            if found is None:
                raise MappingError(
                    f"an objective must be a product of powers, got {text[:80]!r}; {_FORM}"
                )
            word, power = found[1], _power(found[2], text)
            if word not in _WORDS:
                raise MappingError(
                    f"an objective must be made of {', '.join(_WORDS)}, got {word[:80]!r}"
                    f"{did_you_mean(word[:80], _WORDS)}"
                )
            latency += power * _WORDS[word][0]
            energy += power * _WORDS[word][1]
        return cls(latency, energy)

    @property
    def weighs_energy(self) -> bool:
        """Whether energy counts at all."""
        return self.energy > 0

    def score(self, latency: float | Floats, energy: float | Floats) -> Floats:
        """``latency^a * energy^b`` element by element.

        Args:
            latency: seconds, or any multiple of them.
            energy: joules, or any multiple of them, of the same shape or one number.

        Returns:
            An array of the shape that both broadcast to, without a unit.
        """
        score: Floats = _raised(latency, self.latency) * _raised(energy, self.energy)
        return score

    def __str__(self) -> str:
        """The text that ``parse`` reads back."""
        for word, exponents in _WORDS.items():
            if exponents == (self.latency, self.energy):
                return word
        named = (("latency", self.latency), ("energy", self.energy))
        factors = [
            name if power == 1 else f"{name}^{_number(power)}" for name, power in named if power
        ]
        return "*".join(factors)


LATENCY = Objective()
"""What engines make small by themselves."""


def as_objective(asked: Objective | str | None) -> Objective | None:
    """What a text stands for; anything else as it is.

    Raises:
        MappingError: a text that is no objective.
    """
    return asked if asked is None or isinstance(asked, Objective) else Objective.parse(asked)


def _power(text: str | None, whole: str) -> float:
    try:
        power = 1.0 if text is None else float(text)
    except ValueError:
        power = -1.0
    if 0 <= power < math.inf:
        return power
    raise MappingError(
        f"an exponent of an objective must be a number of at least 0, got {text!r} in "
        f"{whole[:80]!r}; {_FORM}"
    )


def _number(power: float) -> str:
    return str(int(power)) if power == int(power) else repr(power)


def _raised(values: float | Floats, power: float) -> Any:
    """A power; those of 0 and 1 are exact and cost no time."""
    values = np.asarray(values, dtype=np.float64)
    if power == 0:
        return np.ones_like(values)
    return values if power == 1 else values**power
