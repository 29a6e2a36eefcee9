"""Results of computations by what they read, so that one serves all who would read the same.

Of inputs that hold the same as others wherever a computation has read those, it would read the same
first field, take the same way, read the same second field, and so on to the same result. These are
the verifying traces of build systems (Mokhov, Mitchell and Peyton Jones, "Build systems à la
carte", ICFP 2018). Where a computation gets a value from a step, it depends on what it reads of the
value, and no longer on what the step has read for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from codesign.errors import CodesignError
from codesign.mapping.kept import Kept, Mark
from codesign.mapping.twins import Path, Watch, watch_of

T = TypeVar("T")
Value = TypeVar("Value")
Part = TypeVar("Part")
Made = TypeVar("Made")

_WAYS = 16
"""Sets of fields that results of one question are looked up by (assumed): there are one or two."""
_MET = 16384
"""Computations that are known to have been met (assumed)."""

Watches: TypeAlias = "Mapping[str, Watch[Any]]"


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """The fields that some results of one question were made from, by input."""

    read: tuple[tuple[str, tuple[Path, ...]], ...]

    def held(self, inputs: Watches) -> tuple[object, ...]:
        """What inputs hold there."""
        return tuple([inputs[name].content.held(paths) for name, paths in self.read])


class Recall(Generic[T]):
    """Results by question and by all that was read to answer it."""

    def __init__(self, most: int) -> None:
        """Knows nothing yet.

        Args:
            most: sizes of all results together that there is room for.
        """
        self._known = Kept[T](most)
        self._ways = Kept[list[_Way]](most)

    def find(self, question: Hashable, inputs: Watches, *, notes: bool = False) -> T | None:
        """The result for inputs that hold what was read, if it is known.

        Args:
            question: all that the computation depends on beside the inputs.
            inputs: by name.
            notes: whether what was read for the result is noted as read of the inputs.
        """
        for way in self._ways.find(question) or ():
            found = self._known.find((way, way.held(inputs)))
            if found is not None:
                for name, paths in way.read if notes else ():
                    for path in paths:
                        inputs[name].note(path)
                return found
        return None

    def keep(self, question: Hashable, inputs: Watches, result: T, size: int = 1) -> T:
        """Keeps a result that was made from the twins of the inputs, and gives it back."""
        read = tuple([(name, watch.paths) for name, watch in inputs.items()])
        ways = self._ways.find(question) or self._ways.keep(question, [], size)
        way = next((way for way in ways if way.read == read), None)
        if way is None:
            way = _Way(read)
            ways[:] = [way, *ways[: _WAYS - 1]]
        return self._known.keep((way, way.held(inputs)), result, size)


@dataclass(frozen=True, slots=True, eq=False)
class Step(Generic[Made, Part]):
    """A step of a computation, ready to be taken with other inputs that begin alike.

    Attributes:
        made: what the step needs of all that was read before.
        take: its value, of that and an input.
        part: name of the input.
        rest: stands for what follows the step, and for nothing that it needs room for.
    """

    made: Made
    take: Callable[[Made, Part], object]
    part: str
    rest: Mark


class Steps:
    """Steps that computations have taken, and which computations have been met at all."""

    def __init__(self, most: int) -> None:
        """Knows nothing yet.

        Args:
            most: sizes of what all steps have made together that there is room for.
        """
        self.recall = Recall[Step[Any, Any]](most)
        self._met = Kept[bool](_MET)

    def is_met(self, question: Hashable, inputs: Watches) -> bool:
        """Whether somebody has been here before who had read the same; from now on somebody has.

        Of an input that lasts nobody knows who has read what; all of it has to be the same.
        """
        every = inputs.values()
        read = [w.content.whole if w.is_lasting else frozenset(w.read.items()) for w in every]
        key = question, tuple(read)
        return self._met.find(key) or not self._met.keep(key, True)


class Computation(Generic[T]):
    """One computation, which may have steps."""

    def __init__(
        self, question: Hashable, inputs: Watches, results: Recall[T], steps: Steps
    ) -> None:
        """Nothing is read yet.

        Args:
            question: all that it depends on beside the inputs.
            inputs: by name.
            results: what others have come to.
            steps: that others have taken.
        """
        self._begin = question, inputs
        self._question, self._inputs = question, dict(inputs)
        self._results, self._steps = results, steps
        self._values: dict[Step[Any, Any], tuple[Watch[Any], Watch[Any]]] = {}
        self._taken: list[tuple[str, Watch[Any]]] = []
        self._goes_by_steps: bool | None = None

    def result(self, make: Callable[[], T]) -> T:
        """The result that others have come to, or one that is made now.

        Args:
            make: makes it from the twins of the inputs.
        """
        found = self._results.find(self._question, self._inputs)
        if found is not None:
            return found
        found = self._find()
        if found is None:
            self._restart()
            self._read_by(self)
            try:
                found = make()
            finally:  # twins that live on in what was made hold nothing of this
                self._read_by(None)
            self._results.keep(self._question, self._inputs, found)
        if self._taken:
            self._results.keep(self._begin[0], self._without_steps(), found)
        return found

    def _restart(self) -> None:
        self._question, self._inputs = self._begin[0], dict(self._begin[1])
        self._taken = []

    def _without_steps(self) -> Watches:
        """The inputs with all that was read of them, by the steps too: who reads that takes none.

        To find a result so is quicker than to take its steps.
        """
        found = {name: Watch(w.part, w.content) for name, w in self._begin[1].items()}
        for name, watch in (*self._begin[1].items(), *self._taken):
            if name in found:  # what one step reads of another's value follows from the rest
                found[name].read.update(watch.read)
        return found

    def _read_by(self, reader: Computation[T] | None) -> None:
        for watch in self._begin[1].values():
            watch.reader = reader

    def _find(self) -> T | None:
        """The result of others who have read the same, along the steps that they have taken."""
        while True:
            step = self._steps.recall.find(self._question, self._inputs, notes=True)
            if step is None or self._value(step) is None:
                return None
            found = self._results.find(self._question, self._inputs, notes=True)
            if found is not None:
                return found

    def step(
        self,
        watch: Watch[Part],
        make: Callable[[], Made],
        take: Callable[[Made, Part], Value | None],
        size: Callable[[Made], int],
    ) -> Value | None:
        """The value of the next step, see ``take_step``."""
        if self._goes_by_steps is None:  # it takes all steps or none
            known = bool(self._values)
            self._goes_by_steps = known or self._steps.is_met(self._question, self._inputs)
        if not self._goes_by_steps:
            return None
        found = self._steps.recall.find(self._question, self._inputs, notes=True)
        if found is None:
            part = next(name for name, one in self._inputs.items() if one is watch)
            made = make()
            step = Step(made, take, part, Mark(None))
            found = self._steps.recall.keep(self._question, self._inputs, step, size(made))
        value = self._value(found)
        if value is None:  # of a question there is one next step: those after this one are none
            self._goes_by_steps = False
            return None
        twin: Value = value.twin
        return twin

    def _value(self, step: Step[Any, Any]) -> Watch[Any] | None:
        """Takes a step: its value is a further input of the rest. None if it has none."""
        if step not in self._values:
            given = Watch(self._inputs[step.part].part)
            try:
                value = step.take(step.made, given.twin)
            except CodesignError:
                return None
            if value is None:
                return None
            self._values[step] = given, Watch(value)
        given, known = self._values[step]
        self._taken.append((step.part, given))
        self._question = step.rest
        self._inputs[f"step {len(self._taken)}"] = known
        return known


def take_step(
    part: Part,
    make: Callable[[], Made],
    take: Callable[[Made, Part], Value | None],
    size: Callable[[Made], int],
) -> Value | None:
    """Takes a step of a computation that others with the same beginning would take too.

    Args:
        part: an input as the computation was given it.
        make: makes what the step needs of all that was read before, and reads for that.
        take: its value, of that and the input alone.
        size: of what is made, in the unit of the place where it is kept.

    Returns:
        The value; None if there is none, and where a step would not pay: nobody has asked before,
        or the input is no twin, so that nothing is known of what was read.
    """
    watch = watch_of(part)
    reader = watch.reader if watch else None
    return reader.step(watch, make, take, size) if watch and reader else None
