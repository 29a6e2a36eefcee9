"""What a study makes small or large: figures of a result, facts of a model, and users' functions.

Every figure is one number in SI units. A fact is known before anything is replayed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from codesign.errors import CodesignError, StudyError, one_line
from codesign.explore.functions import identity, import_function, name_of

if TYPE_CHECKING:
    from codesign.result.result import Result
    from codesign.workload.record import Trace

Measure: TypeAlias = "Callable[..., float]"
"""A user's function of the point and its result, or of named parameters."""

FIGURES: Mapping[str, Callable[[Result], float]] = {
    "latency_s": lambda result: result.latency_s,
    "energy_j": lambda result: result.energy_j,
    "offchip_bytes": lambda result: sum(result.offchip_bytes.values()),
    "edp_js": lambda result: result.energy_j * result.latency_s,
    "dynamic_energy_j": lambda result: result.energy_split.dynamic_j,
    "leakage_energy_j": lambda result: result.energy_split.leakage_j,
    "background_energy_j": lambda result: result.energy_split.background_j,
    "lower_bound_s": lambda result: result.lower_bound_s,
    "serial_bound_s": lambda result: result.serial_bound_s,
    "assumed_energy_share": lambda result: result.assumed_energy_share,
    "coverage": lambda result: result.coverage,
    "tiles": lambda result: result.tiles,
}
"""Figures of a run by name; ``offchip_bytes`` is the sum over roles, ``edp_js`` a product."""
FACTS: Mapping[str, Callable[[Trace], float]] = {
    "params": lambda trace: trace.parameters,
    "macs": lambda trace: trace.macs,
    "parameter_bytes": lambda trace: trace.parameter_bytes,
}
"""Facts of a model in the number format that it runs in."""
ALWAYS = ("latency_s", "energy_j", "offchip_bytes")
"""Figures that every point has."""

_PREFIXES = {"-": True, "max:": True, "min:": False}


@dataclass(frozen=True)
class Goal:
    """One objective.

    Attributes:
        name: of a figure or fact, or what the user's function is called.
        maximise: whether more is better.
        measure: the user's function; None for a figure or fact.
        takes: parameters that the function asks for by name, and nothing else, so that its answer
            is known before a replay; empty for a function of the point and its result.
    """

    name: str
    maximise: bool = False
    measure: Measure | None = None
    takes: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: object) -> Goal:
        """Reads ``energy_j``, ``max:accuracy``, ``-accuracy``, a function, or a pair of both.

        A text with a colon behind the prefix, ``max:package.module:function``, is imported.

        Raises:
            StudyError: something else.
        """
        if isinstance(given, (tuple, list)) and len(given) == 2 and callable(given[1]):
            named = cls.of(given[0])
            return cls(named.name, named.maximise, given[1])
        if callable(given):
            return cls(name_of(given), measure=given)
        if not isinstance(given, str):
            raise StudyError(
                f"an objective must be the name of a figure or a function of the point and its "
                f"result, got {repr(given)[:60]}; write for example 'energy_j' or "
                "('max:accuracy', accuracy)"
            )
        maximise, name = split_prefix(given)
        measure = import_function(name) if ":" in name else None
        return cls(name.rpartition(":")[2], maximise, measure)

    @property
    def identity(self) -> str:
        """Equal for equal objectives."""
        told = "" if self.measure is None else identity(self.measure)
        return f"{'max' if self.maximise else 'min'}:{self.name} {told}"


def split_prefix(text: str) -> tuple[bool, str]:
    """Whether a text such as ``max:accuracy`` asks for more, and what of."""
    prefix = next((p for p in _PREFIXES if text.startswith(p)), "")
    return _PREFIXES.get(prefix, False), text.removeprefix(prefix)


def measured(name: str, measure: Measure, point: Mapping[str, Any], result: Result) -> float:
    """What a user's function says of a point.

    Args:
        name: of the objective.
        measure: the function; it gets a copy of the point.
        point: values by name.
        result: of its replay.

    Raises:
        StudyError: it is no finite number.
    """
    return number(name, measure(dict(point), result))


def number(name: str, found: Any) -> float:
    """What a user's function has returned.

    Args:
        name: of the objective.
        found: by its function.

    Raises:
        StudyError: it is no finite number.
    """
    try:
        figure = float(found)
    except (TypeError, ValueError):
        figure = math.nan
    if isinstance(found, str) or not math.isfinite(figure):
        raise StudyError(
            f"objective {name!r} must be a finite number, got {repr(found)[:60]}; raise an "
            "error that says why there is none"
        )
    return figure


def told(error: BaseException) -> str:
    """An error as the one line that a record keeps."""
    return " ".join(str(error).split()) if isinstance(error, CodesignError) else one_line(error)
