"""A space as an optimiser sees it: a row of choices, one for each group of parameters.

A choice is the place of a value in its list, so that every optimiser of whole numbers can make one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from codesign.errors import StudyError, UnitError, did_you_mean
from codesign.explore.space import Parameter, Point, Space
from codesign.units import parse_quantity

_UNITS = ("1", "B", "B/s", "Hz", "s", "J", "J/B", "W", "V", "A", "B/cycle", "cycle")
_NUMBERED = re.compile(r"([^\d\s]+)(\d+)")
_TRIES = 1000
"""Draws at random for a point that is not taken, before the space is walked (assumed)."""
_WALK = 100_000
"""Most combinations that are walked for one that is not taken (assumed)."""


def is_ordered(values: Sequence[Any]) -> bool:
    """Whether values rise or fall from first to last, so that neighbours in a list are alike.

    Numbers do, quantities of one dimension (``256 KiB``, ``1 MiB``) and texts of one word with a
    number behind it (``layer-major:4``, ``layer-major:8``).
    """
    numbers = _numbers(values)
    steps = [after - before for before, after in pairwise(numbers)]
    return bool(steps) and (all(step > 0 for step in steps) or all(step < 0 for step in steps))


def in_order(space: Space) -> tuple[bool, ...]:
    """Of each group, whether the values of all its parameters are ordered."""
    return tuple(all(is_ordered(one.values) for one in group) for group in space.groups)


def choose(space: Space, decide: Callable[[int, Sequence[Parameter]], int]) -> tuple[int, ...]:
    """The choices of a point, group by group.

    Args:
        space: of the point.
        decide: the choice for a group, from its place and those of its parameters whose condition
            holds; not asked where none does.

    Returns:
        A choice for each group, 0 where none is made.
    """
    digits: dict[int, int] = {}
    for place, group in enumerate(space.groups):
        there: Sequence[Parameter] = group
        if any(parameter.when for parameter in group):
            part = space.part(digits | {place: 0})
            there = [parameter for parameter in group if parameter.name in part]
        digits[place] = decide(place, there) if there else 0
    return tuple(digits.values())


def choices_of(space: Space, point: Mapping[str, Any]) -> tuple[int, ...]:
    """The choices that make a point.

    Args:
        space: of the point.
        point: values by name; those that a condition leaves out are not looked at.

    Raises:
        StudyError: a name that does not vary, one that is missing, a value that is not in the list,
            or values that do not go together.
    """
    known = [parameter.name for parameter in space.parameters]
    for name in point:
        if name not in known:
            raise StudyError(f"a point: {name!r} does not vary{did_you_mean(name, known)}")

    def decide(_: int, group: Sequence[Parameter]) -> int:
        found = {_place(parameter, point) for parameter in group}
        if len(found) > 1:
            names = " and ".join(repr(parameter.name) for parameter in group)
            raise StudyError(f"a point: the values of {names} do not go together; see zipped")
        return found.pop()

    return choose(space, decide)


def choices_at(space: Space, index: int) -> tuple[int, ...]:
    """The choices that make a combination, by its number."""
    digits: list[int] = []
    for radix in reversed(space.radices):
        index, digit = divmod(index, radix)
        digits.append(digit)
    return tuple(reversed(digits))


def values_at(space: Space, index: int) -> Point:
    """Values of a combination by name, whether or not a constraint excludes it."""
    return space.part(dict(enumerate(choices_at(space, index))))


def neighbours(
    space: Space,
    digits: Sequence[int],
    ordered: Sequence[bool],
    draw: random.Random,
    most: int | None = None,
) -> Iterator[int]:
    """Combinations that differ in one choice, in an order drawn at random; nearest values first.

    Args:
        space: of the combinations.
        digits: choices to start from.
        ordered: as of ``in_order``.
        draw: where chance comes from.
        most: how far a choice may be where values are in order; None for any.
    """
    found: list[tuple[int, float, tuple[int, ...]]] = []
    for place, radix in enumerate(space.radices):
        for digit in range(radix):
            far = abs(digit - digits[place]) if ordered[place] else int(digit != digits[place])
            if far and (most is None or far <= most):
                other = (*digits[:place], digit, *digits[place + 1 :])
                found.append((far, draw.random(), other))
    yield from (space.index(other) for *_, other in sorted(found))


def draw_free(space: Space, taken: Collection[int], draw: random.Random) -> int | None:
    """A combination at random that is a point and not taken.

    Args:
        space: of the combinations.
        taken: combinations that are not wanted; a set.
        draw: where chance comes from.

    Returns:
        Its number; None where many draws and a walk through part of the space find none.
    """
    for _ in range(_TRIES):
        index = draw.randrange(space.size)
        if index not in taken and space.point(index) is not None:
            return index
    start = draw.randrange(space.size)
    walked = ((start + step) % space.size for step in range(min(space.size, _WALK)))
    return next((n for n in walked if n not in taken and space.point(n) is not None), None)


def _numbers(values: Sequence[Any]) -> list[float]:
    """Values as numbers of one dimension; none where they are not."""
    for unit in _UNITS:
        try:
            return [parse_quantity(value, unit) for value in values]
        except UnitError:
            continue
    matches = [_NUMBERED.fullmatch(value) for value in values if isinstance(value, str)]
    found = [match for match in matches if match is not None]
    alike = len(found) == len(values) and len({match[1] for match in found}) == 1
    return [float(match[2]) for match in found] if alike else []


def _place(parameter: Parameter, point: Mapping[str, Any]) -> int:
    if parameter.name not in point:
        raise StudyError(f"a point: {parameter.name!r} is missing; give it a value")
    value = point[parameter.name]
    for place, one in enumerate(parameter.values):
        if one == value and isinstance(one, bool) == isinstance(value, bool):
            return place
    raise StudyError(
        f"a point: {parameter.name} must be one of {list(parameter.values)}, got {value!r}"
    )
