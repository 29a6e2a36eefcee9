"""Figures of benchmarks beside their baselines: the table, ``results.json`` and the docs page."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

LESS, MORE = "less is better", "more is better"


@dataclass(frozen=True)
class Figure:
    """What one benchmark measured.

    Attributes:
        what: what was done.
        ours: the figure, best of several.
        unit: of both figures.
        baseline: what it is compared with.
        theirs: its figure.
        source: where that comes from: ``this run``, a budget, or who recorded it and how.
        cold: our figure the first time, where nothing was remembered; None if there is no such.
        better: whether less or more is better.
    """

    what: str
    ours: float
    unit: str
    baseline: str
    theirs: float
    source: str
    cold: float | None = None
    better: Literal["less is better", "more is better"] = "less is better"

    def __post_init__(self) -> None:
        given = [self.ours, self.theirs, *([] if self.cold is None else [self.cold])]
        if not all(math.isfinite(one) and one > 0 for one in given):
            raise ValueError(f"{self.what}: figures must be finite and above 0, got {given}")

    @property
    def ratio(self) -> float:
        """How many times better ours is; below 1 it is worse."""
        pair = (self.theirs, self.ours) if self.better == LESS else (self.ours, self.theirs)
        return pair[0] / pair[1]


Case = Callable[[], Iterator[Figure]]
"""A benchmark: it measures when it is called, and gives one figure or several."""


def chosen(cases: Mapping[str, Case], names: Sequence[str]) -> dict[str, Case]:
    """The named cases, or all, in their own order.

    Raises:
        ValueError: a name of no case.
    """
    unknown = [name for name in names if name not in cases]
    if unknown:
        raise ValueError(f"no benchmark {unknown[0]!r}; known: {', '.join(cases)}")
    return {name: case for name, case in cases.items() if not names or name in names}


def digits(value: float) -> str:
    """Three digits, in full: 0.0123, 4.56, 7,890."""
    if value == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(0, places)}f}" if places > 0 else f"{rounded:,.0f}"


HEAD = ("what", "ours", "first time", "unit", "baseline", "theirs", "ratio")


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure as a row below ``HEAD``."""
    return (
        figure.what,
        digits(figure.ours),
        "-" if figure.cold is None else digits(figure.cold),
        figure.unit,
        figure.baseline,
        digits(figure.theirs),
        f"{digits(figure.ratio)} x",
    )


def machine() -> dict[str, str | int]:
    """What the figures depend on, as far as it is not this one machine's own."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "processor": platform.machine(),
        "cpus": os.cpu_count() or 0,
    }


def as_json(figures: Sequence[Figure], where: Mapping[str, str | int]) -> str:
    """``results.json``: three digits each, so that a run on a quiet machine changes little."""
    rows = []
    for figure in figures:
        row = {name: _rounded(value) for name, value in asdict(figure).items()}
        rows.append(row | {"ratio": _rounded(Figure(**row).ratio)})
    return json.dumps({"machine": dict(where), "figures": rows}, indent=1) + "\n"


def _rounded(value: Any) -> Any:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def from_json(text: str) -> tuple[list[Figure], dict[str, str | int]]:
    """The figures of a ``results.json``, and the machine."""
    found = json.loads(text)
    rows = [{k: v for k, v in row.items() if k != "ratio"} for row in found["figures"]]
    return [Figure(**row) for row in rows], found["machine"]


_TOP = """# Benchmarks

How long codesign itself takes, beside other ways to the same kind of answer. `make bench` \
measures all of it in one run, and writes this page and `benchmarks/results.json`; `python \
benchmarks/bench.py NAME ...` measures some cases and writes nothing.

Times are CPU seconds of one process, the least of several, so that other work on the machine \
counts little. *First time* is a run where nothing is remembered: bytecode, compiled kernels, \
plans. A ratio above 1 says how many times better ours is. A baseline of *this run* was measured \
on the same machine in the same minute; of a recorded one the machine was another, so read its \
ratio as +-30 % at best. Tools do not model the same things: a ratio says what an answer costs, \
not which is better.
"""


def as_page(figures: Sequence[Figure], where: Mapping[str, str | int]) -> str:
    """The docs page."""
    lines = [_TOP, "| " + " | ".join(HEAD) + " |", "|---|--:|--:|---|---|--:|--:|"]
    lines += ["| " + " | ".join(_escaped(cells(figure))) + " |" for figure in figures]
    lines += ["", "Where the baselines come from:", ""]
    sources = dict.fromkeys((figure.baseline, figure.source) for figure in figures)
    lines += [f"- {baseline}: {source}" for baseline, source in sources]
    told = ", ".join(f"{name} {value}" for name, value in where.items())
    lines += ["", f"Measured with {told}.", "", _BOTTOM]
    return "\n".join(lines)


def _escaped(row: Sequence[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in row]


_BOTTOM = """Studies that take longer are scripts of their own in `benchmarks/`: \
`pruned_front.py` (an exact front of 150,000 points), `search_samplers.py` (samplers at an equal \
budget), `rnnt_grid.py` (weight traffic of recurrent transducers), `zoo_capture.py` (every model \
of the zoo), `supernet_speed.py` (sub-networks joined and captured anew).
"""
