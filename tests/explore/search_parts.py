"""Spaces and optimisers for tests of searches. Imports no torch."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import study_parts

from codesign.explore.executors import Executor, Serial
from codesign.explore.search.outcome import Outcome
from codesign.explore.search.run import run_search
from codesign.explore.search.searched import Searched
from codesign.explore.space import Point
from codesign.explore.study import Study
from codesign.result.result import Result

SIZES = ["64 KiB", "128 KiB", "256 KiB"]


def narrow(point: Point, result: Result) -> float:
    """Something that is bought with energy and time."""
    return 1.0 / float(point["width"])


def two(**changes: Any) -> Study:
    """The points of ``wide`` with two objectives: time, and what it buys."""
    return wide(objectives=["latency_s", ("max:quality", study_parts.quality)], **changes)


def wide(**changes: Any) -> Study:
    """2,880 points whose front has one for each width and more."""
    rates = [f"{n} GB/s" for n in range(1, 31)]
    given: dict[str, Any] = {
        "model_space": {"width": list(range(8, 257, 8))},
        "hardware_space": {"dram.bandwidth": rates, "sram.size": SIZES},
        "objectives": ["energy_j", "latency_s", narrow],
    }
    return study_parts.study(**(given | changes))


def search(study: Study, folder: Path, executor: Executor | None = None, **asked: Any) -> Searched:
    """A search of 20 evaluations at random, unless something else is asked for."""
    given: dict[str, Any] = {"sampler": "random", "budget": 20}
    return run_search(study, folder, executor or Serial(), **(given | asked))


class Scripted:
    """Asks for given points, then for no further one, and notes what it is told."""

    def __init__(self, *points: Point) -> None:
        self._points = list(points)
        self.told: list[tuple[Point, Outcome]] = []

    def ask(self) -> Point | None:
        return self._points.pop(0) if self._points else None

    def tell(self, point: Point, outcome: Outcome) -> None:
        self.told.append((point, outcome))


class Climber:
    """Moves one parameter of the best point so far, by the first objective."""

    def __init__(self, study: Study, seed: int) -> None:
        self._study, self._draw = study, random.Random(seed)
        self._best: tuple[float, Point] = (float("inf"), {})

    def ask(self) -> Point | None:
        point = {p.name: self._draw.choice(p.values) for p in self._study.space.parameters}
        kept = self._draw.choice(list(point))
        return {**self._best[1], kept: point[kept]} if self._best[1] else point

    def tell(self, point: Point, outcome: Outcome) -> None:
        if outcome.feasible:
            figure = outcome.figures[self._study.goals[0].name]
            self._best = min(self._best, (figure, point), key=lambda one: one[0])
