"""Spaces: what may vary, together or apart, under which conditions, and the points that follow."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from codesign.errors import StudyError, did_you_mean
from codesign.explore.grammar import Constraint, Value

Point: TypeAlias = "dict[str, Any]"
"""Values by name of the parameter; what a condition leaves out is not there."""

_TRIES = 1000
"""Draws for each point that a sample may take, where constraints leave few (assumed)."""


@dataclass(frozen=True)
class Parameter:
    """Something that varies.

    Attributes:
        name: its path, such as ``sram.size`` or ``cell``.
        values: that it may take, at least one, all different.
        when: a condition on parameters before it, without which it is not there.
    """

    name: str
    values: tuple[Any, ...]
    when: Constraint | None = None

    @classmethod
    def of(cls, name: str, values: Any, when: str | None = None) -> Parameter:
        """Checks a parameter as a user gives it.

        Raises:
            StudyError: no list of different values, or a condition that breaks the grammar.
        """
        if isinstance(values, (str, Mapping)) or not hasattr(values, "__iter__"):
            raise StudyError(
                f"{name}: must have a list of values, got {repr(values)[:60]}; "
                f"write [{repr(values)[:60]}]"
            )
        found = tuple(values)
        if not found:
            raise StudyError(f"{name}: must have at least one value, got none; the space is empty")
        seen: set[Any] = set()
        for place, value in enumerate(found):
            # what has no hash is refused by who builds a study; a table of many takes no hours
            is_hashed = isinstance(value, Hashable)
            if value in (seen if is_hashed else found[:place]):
                raise StudyError(f"{name}: has the value {repr(value)[:60]} twice; keep one")
            if is_hashed:
                seen.add(value)
        return cls(name, found, None if when is None else Constraint.parse(when))


@dataclass(frozen=True)
class Space:
    """All combinations of parameters, but for those that go together or break a constraint.

    Attributes:
        parameters: in order; the last one varies fastest.
        zipped: groups of names whose first, second, third values go together.
        constraints: what a point has to keep to. One that names something else than parameters is
            left to whoever knows its value.
    """

    parameters: tuple[Parameter, ...]
    zipped: tuple[tuple[str, ...], ...] = ()
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        names = [parameter.name for parameter in self.parameters]
        if not names:
            raise StudyError("a space must have at least one parameter, got none; name what varies")
        for name in names:
            if names.count(name) > 1:
                raise StudyError(f"parameter {name!r} is given twice; keep one")
        self._check_zipped(names)
        for place, parameter in enumerate(self.parameters):
            for other in parameter.when.names if parameter.when else ():
                if other not in names[:place]:
                    raise StudyError(
                        f"{parameter.name}: its condition {parameter.when.text!r} speaks of "  # type: ignore[union-attr]
                        f"{other!r}, which is no parameter before it"
                        f"{did_you_mean(other, names[:place])}"
                    )

    @property
    def size(self) -> int:
        """Combinations before conditions and constraints."""
        return math.prod(self.radices)

    def points(self) -> Iterator[Point]:
        """Every point once, in order."""
        for index in range(self.size):
            point = self.point(index)
            if point is not None:
                yield point

    def point(self, index: int) -> Point | None:
        """The point of a combination; None where there is none, or another one stands for it.

        Args:
            index: 0 to ``size`` - 1.
        """
        pairs = zip(self.bases, self.radices, strict=True)
        digits = {place: index // base % radix for place, (base, radix) in enumerate(pairs)}
        point = self.part(digits)
        if any(digit and not self.is_there(place, point) for place, digit in digits.items()):
            return None  # the first combination stands for all that differ in what is not there
        is_kept = all(self.keeps(constraint, point) for constraint in self.constraints)
        return point if is_kept else None

    def part(self, digits: Mapping[int, int]) -> Point:
        """Values of some groups, which must be all that their conditions speak of.

        Args:
            digits: which of its values each group has, by place of the group.
        """
        point: Point = {}
        for place, digit in sorted(digits.items()):
            for parameter in self.groups[place]:
                if parameter.when is None or parameter.when.holds(_known(point, parameter)):
                    point[parameter.name] = parameter.values[digit]
        return point

    def is_there(self, place: int, point: Point) -> bool:
        """Whether a point has some parameter of a group."""
        return any(parameter.name in point for parameter in self.groups[place])

    def index(self, digits: Sequence[int]) -> int:
        """The combination in which each group has one of its values.

        Args:
            digits: which value, of each group in order.
        """
        return sum(digit * base for digit, base in zip(digits, self.bases, strict=True))

    def sample(self, count: int, seed: int = 0) -> list[Point]:
        """Different points, drawn at random; fewer where there are not so many.

        Args:
            count: how many, at least 1.
            seed: the same seed draws the same points, on any machine.
        """
        if count >= self.size:
            return list(self.points())
        draw, seen = random.Random(seed), set[int]()  # noqa: S311 - no secret
        found: list[Point] = []
        for _ in range(_TRIES * count):
            index = draw.randrange(self.size)
            if index not in seen and (point := self.point(index)) is not None:
                found.append(point)
            seen.add(index)
            if len(found) == count:
                break
        return found

    def keeps(self, constraint: Constraint, point: Mapping[str, Value]) -> bool:
        """Whether a point keeps to a constraint; one that speaks of what is not there is kept."""
        return any(name not in point for name in constraint.names) or constraint.holds(point)

    @cached_property
    def groups(self) -> tuple[tuple[Parameter, ...], ...]:
        """Parameters that go together, in order of the first of them."""
        by_name = {parameter.name: parameter for parameter in self.parameters}
        together = {name: group for group in self.zipped for name in group}
        groups = dict.fromkeys(together.get(p.name, (p.name,)) for p in self.parameters)
        return tuple(tuple(by_name[name] for name in group) for group in groups)

    @cached_property
    def radices(self) -> tuple[int, ...]:
        """How many values each group has."""
        return tuple(len(group[0].values) for group in self.groups)

    @cached_property
    def bases(self) -> tuple[int, ...]:
        """How many combinations pass before the value of a group changes."""
        return tuple(math.prod(self.radices[n + 1 :]) for n in range(len(self.radices)))

    def _check_zipped(self, names: Sequence[str]) -> None:
        seen: set[str] = set()
        lengths = {parameter.name: len(parameter.values) for parameter in self.parameters}
        for group in self.zipped:
            for name in group:
                if name not in lengths:
                    raise StudyError(f"zip: unknown parameter {name!r}{did_you_mean(name, names)}")
                if name in seen:
                    raise StudyError(f"zip: {name!r} stands in two groups; keep it in one")
                seen.add(name)
            if len({lengths[name] for name in group}) > 1:
                told = ", ".join(f"{name} has {lengths[name]}" for name in group)
                raise StudyError(f"zip: values that go together must be as many: {told}")


def _known(point: Point, parameter: Parameter) -> Point:
    """Values that a condition speaks of; what is itself not there is an empty text."""
    names = parameter.when.names if parameter.when else ()
    return point | {name: "" for name in names if name not in point}
