"""What engines cannot do without: the least time and the least actions of a model's operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np

from codesign.explore.grid import Bools
from codesign.explore.pareto import Floats
from codesign.hardware.component import Engine
from codesign.hardware.plan import Least
from codesign.mapping.answers import refusals
from codesign.mapping.charges import owner
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op, Trace

Charge: TypeAlias = "tuple[str, str]"
"""A component and one of its actions."""

_MOST_ENGINES = 6
"""Engines whose subsets are looked at one by one (assumed): 63 subsets."""


@dataclass(frozen=True)
class Work:
    """Operators of a model that differ, and how often each of them runs.

    Attributes:
        ops: one of each content.
        times: of each.
    """

    ops: tuple[Op, ...]
    times: Floats

    @classmethod
    def of(cls, trace: Trace, engines: Sequence[Sequence[Engine]]) -> Work:
        """The work of a model as it runs.

        Args:
            trace: the model.
            engines: of every configuration; an attention that none of them takes runs in parts.
        """
        times: Counter[tuple[object, ...]] = Counter()
        first: dict[tuple[object, ...], Op] = {}
        for whole, count in trace.ops():
            for op in _parts(whole, engines):
                first.setdefault(op.content, op)
                times[op.content] += count
        return cls(tuple(first.values()), np.array([times[key] for key in first], dtype=float))


@dataclass(frozen=True)
class Compute:
    """What engines in one configuration cannot do without, for one model.

    Attributes:
        seconds: that the run takes at least.
        engine_j: joules of the engines' own actions.
        bytes: by memory and action, bytes that engines read and write there.
    """

    seconds: float
    engine_j: float
    bytes: dict[Charge, float]


class Engines:
    """Engines in their configurations, and what they have said of operators."""

    def __init__(self, engines: Sequence[Sequence[Engine]]) -> None:
        """Takes the engines of every configuration.

        Args:
            engines: in the order of the hardware, for each configuration.
        """
        self.configurations = tuple(map(tuple, engines))
        self._said: dict[tuple[int, object], Least | None] = {}

    def least(self, work: Work) -> list[Compute]:
        """The least of a model, for each configuration."""
        return [self._least(work, engines) for engines in self.configurations]

    def _least(self, work: Work, engines: tuple[Engine, ...]) -> Compute:
        said = [[self._ask(engine, op) for op in work.ops] for engine in engines]
        takes = np.array([[one is not None for one in row] for row in said], dtype=bool)
        seconds = np.array([[one.seconds if one else np.inf for one in row] for row in said])
        fastest = np.where(takes.any(axis=0), seconds.min(axis=0, initial=np.inf), 0.0) * work.times
        joules, moved = 0.0, Counter[Charge]()
        for number, times in enumerate(work.times):
            able = [(e, row[number]) for e, row in zip(engines, said, strict=True) if row[number]]
            own, there = _cheapest([(engine, one) for engine, one in able if one is not None])
            joules += own * times
            for charge, count in there.items():
                moved[charge] += count * times
        return Compute(_longest(takes, fastest), joules, dict(moved))

    def _ask(self, engine: Engine, op: Op) -> Least | None:
        key = id(engine), op.content
        if key not in self._said:
            self._said[key] = engine.least(op) if not refusals(op, (engine,)) else None
        return self._said[key]


def _parts(op: Op, engines: Sequence[Sequence[Engine]]) -> tuple[Op, ...]:
    if op.kind != "attention":
        return (op,)
    everyone = [engine for some in engines for engine in some]
    return attention_parts(op) if len(refusals(op, everyone)) == len(everyone) else (op,)


def _longest(takes: Bools, seconds: Floats) -> float:
    """The largest share of work that some engines cannot leave to others, evenly over them.

    Args:
        takes: whether an engine takes an operator, of shape ``(engines, operators)``.
        seconds: of each operator on the engine that is fastest at it.
    """
    count = len(takes)
    found = 0.0
    for some in _subsets(count):
        others = np.ones(count, dtype=bool)
        others[list(some)] = False
        stays = ~takes[others].any(axis=0)
        found = max(found, float(seconds[stays].sum()) / len(some))
    return found


def _subsets(count: int) -> Iterator[tuple[int, ...]]:
    """Subsets of the engines; of many, each alone and all together."""
    sizes = range(1, count + 1) if count <= _MOST_ENGINES else (1, count)
    for size in sizes:
        yield from combinations(range(count), size)


def _cheapest(said: Sequence[tuple[Engine, Least]]) -> tuple[float, dict[Charge, float]]:
    """Own joules of the engine that needs least, and of each other action the least of all."""
    own: list[float] = []
    others: list[Counter[Charge]] = []
    for engine, least in said:
        joules, counts = 0.0, Counter[Charge]()
        for component, action, count in least.actions:
            if component:
                counts[owner(component, engine), action] += count  # type: ignore[assignment]
            else:
                joules += engine.energy_j(action, count)
        own.append(joules)
        others.append(counts)
    charges = set.intersection(*map(set, others)) if others else set()
    return min(own, default=0.0), {
        charge: float(min(counts[charge] for counts in others)) for charge in sorted(charges)
    }
