"""Random programs of tasks for two or three machines, and the best of all ways by trying each."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from codesign.mapping.assign.finish import Task, Turn, finish

CHANNEL = 6
"""Number of the one channel that all machines share, behind three machines and their loaders."""


def random_tasks(seed: int, most: int = 10, machines: int = 0) -> list[Task]:
    """A program of 4 to ``most`` tasks; some run on some of the machines only."""
    rng = random.Random(seed)
    count = machines or rng.randint(2, 3)
    return [_task(rng, number, count) for number in range(rng.randint(4, most))]


def _task(rng: random.Random, number: int, machines: int) -> Task:
    after = tuple(before for before in range(number) if rng.random() < 0.3)
    base = rng.choice([1, 2, 5, 10]) * rng.uniform(0.8, 1.2)
    loads = base * rng.uniform(0, 1)
    early = loads * rng.uniform(0, 1)
    able = list(range(machines))
    if rng.random() < 0.3:
        able = sorted(rng.sample(able, rng.randint(1, machines)))
    ways = []
    for machine in able:
        seconds = max(base * rng.uniform(0.3, 3), loads)
        ways.append((Turn(machine, machine + 3, seconds, early, loads, ((CHANNEL, loads),)),))
    return Task(after, tuple(ways))


def best_of_all(tasks: Sequence[Task]) -> float:
    """The earliest end over every way of every task."""
    every = itertools.product(*(range(len(task.ways)) for task in tasks))
    return min(finish(tasks, CHANNEL + 1, ways) for ways in every)
