"""A whole space at once: which combinations are points, and which values each of them has.

What a condition or a constraint speaks of is a few parameters; it is asked once for each
combination of those, and the answer is looked up for all points together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.explore.space import Point, Space

Ints: TypeAlias = "NDArray[np.int64]"
Bools: TypeAlias = "NDArray[np.bool_]"

_AT_ONCE = 1 << 20
"""Combinations looked at at a time, to bound memory (assumed)."""


@dataclass(frozen=True)
class Column:
    """Some parameters of every point.

    Attributes:
        ids: of each point, which of the distinct values it has.
        values: the distinct values, by name of the parameter; what is not there is left out.
    """

    ids: Ints
    values: tuple[Point, ...]


@dataclass(frozen=True)
class Grid:
    """Points of a space.

    Attributes:
        space: that they are of.
        indexes: their combinations, ascending.
    """

    space: Space
    indexes: Ints

    @classmethod
    def of(cls, space: Space) -> Grid:
        """All points of a space."""
        rules = tuple(_rules(space))
        kept = []
        for start in range(0, space.size, _AT_ONCE):
            indexes = np.arange(start, min(start + _AT_ONCE, space.size), dtype=np.int64)
            for places, table in rules:
                indexes = indexes[table[_keys(space, indexes, places)]]
            kept.append(indexes)
        return cls(space, np.concatenate(kept))

    def __len__(self) -> int:
        return len(self.indexes)

    def only(self, mask: Bools) -> Grid:
        """Those points for which a mask of shape ``(points,)`` is true."""
        return Grid(self.space, self.indexes[mask])

    def point(self, place: int) -> Point:
        """The point at a place."""
        return self.space.point(int(self.indexes[place])) or {}

    def column(self, names: Collection[str]) -> Column:
        """The values of some parameters.

        Args:
            names: of the parameters.
        """
        places = _closure(self.space, names)
        keys, ids = _distinct(
            _keys(self.space, self.indexes, places), _combinations(self.space, places)
        )
        numbers: dict[str, int] = {}
        values: list[Point] = []
        merged = np.empty(len(keys), dtype=np.int64)
        for place, digits in enumerate(_digits(self.space, keys, places)):
            point = self.space.part(digits)
            mine = {name: value for name, value in point.items() if name in names}
            merged[place] = numbers.setdefault(json.dumps(mine, sort_keys=True), len(numbers))
            if len(numbers) > len(values):
                values.append(mine)
        return Column(merged[ids], tuple(values))


def left_out(grid: Grid) -> int:
    """How many combinations would be points if the space had no constraints.

    Args:
        grid: all points of a space.
    """
    if not grid.space.constraints:
        return 0
    return len(Grid.of(replace(grid.space, constraints=()))) - len(grid)


def _rules(space: Space) -> Iterator[tuple[tuple[int, ...], Bools]]:
    """For some groups, which combinations of their values a point may have."""
    for place, group in enumerate(space.groups):
        if any(parameter.when for parameter in group):
            places = _closure(space, [parameter.name for parameter in group])
            yield (
                places,
                np.array(
                    [
                        not digits[place] or space.is_there(place, space.part(digits))
                        for digits in _all_digits(space, places)
                    ]
                ),
            )
    for constraint in space.constraints:
        places = _closure(space, constraint.names)
        points = map(space.part, _all_digits(space, places))
        yield places, np.array([space.keeps(constraint, point) for point in points])


def _closure(space: Space, names: Collection[str]) -> tuple[int, ...]:
    """Places of the groups of some parameters, and of all that their conditions speak of."""
    of = {p.name: place for place, group in enumerate(space.groups) for p in group}
    found: set[int] = set()
    left = [of[name] for name in names]
    while left:
        place = left.pop()
        if place not in found:
            found.add(place)
            asked = (p.when.names for p in space.groups[place] if p.when)
            left += [of[name] for names in asked for name in names]
    return tuple(sorted(found))


def _combinations(space: Space, places: Sequence[int]) -> int:
    return math.prod(space.radices[place] for place in places)


def _all_digits(space: Space, places: Sequence[int]) -> Iterator[Mapping[int, int]]:
    """Every combination of the values of some groups, the last one fastest."""
    for digits in product(*(range(space.radices[place]) for place in places)):
        yield dict(zip(places, digits, strict=True))


def _keys(space: Space, indexes: Ints, places: Sequence[int]) -> Ints:
    """For each combination of all groups, that of some of them, in order of ``_all_digits``."""
    keys = np.zeros(len(indexes), dtype=np.int64)
    for place in places:
        radix = space.radices[place]
        keys = keys * radix + indexes // space.bases[place] % radix
    return keys


def _digits(space: Space, keys: Ints, places: Sequence[int]) -> Iterator[Mapping[int, int]]:
    """Values of some groups by their keys."""
    for key in keys.tolist():
        digits = {}
        for place in reversed(places):
            key, digits[place] = divmod(key, space.radices[place])
        yield digits


def _distinct(keys: Ints, bound: int) -> tuple[Ints, Ints]:
    """The different keys, ascending, and which of them each is.

    Args:
        keys: below ``bound``.
        bound: where it is small, a table takes less time than sorting.
    """
    if bound > 4 * len(keys):
        found, ids = np.unique(keys, return_inverse=True)
        return found, ids.astype(np.int64)
    seen = np.zeros(bound, dtype=bool)
    seen[keys] = True
    return np.flatnonzero(seen).astype(np.int64), (np.cumsum(seen) - 1)[keys]
