"""What a component that codesign does not ship answers when it is asked, before any work.

An answer of another type than its base class says would fail far from here, or pass as a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from numbers import Real
from typing import Any, NamedTuple

from codesign.errors import OF_OTHERS, CodesignError, PluginError
from codesign.hardware.component import Component, Descriptor, Link, Memory, Rest, Service
from codesign.hardware.provenance import Provenance
from codesign.raised import class_place, defined_at, raised

_BYTES = 64
"""Of the transfers that a memory is asked for."""
_TRANSFERS = tuple(Descriptor(_BYTES, 1, _BYTES, way) for way in ("read", "write"))


class _Question(NamedTuple):
    """Something that a component is asked.

    Attributes:
        name: of the method or property.
        given: its arguments; None for a property.
        holds: whether an answer is one.
        rule: what it must be.
    """

    name: str
    given: tuple[Any, ...] | None
    holds: Callable[[Any], bool]
    rule: str


def check_answers(part: Component) -> None:
    """Asks a component what every run asks it.

    Args:
        part: a component of a kind that does not ship.

    Raises:
        PluginError: it fails, or answers with another type or out of range; with its line.
        CodesignError: what it raises itself.
    """
    for question in _questions(part):
        try:
            answer = getattr(part, question.name)
            answer = answer if question.given is None else answer(*question.given)
        except CodesignError:
            raise
        except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
            raise PluginError(
                f"{part.name} ({part.kind}): raised {raised(error, part)}; run "
                "'codesign plugins check' on its plugin"
            ) from error
        if not question.holds(answer):
            raise PluginError(
                f"{_place(type(part), question.name)}{part.name} ({part.kind}): {question.name} "
                f"must be {question.rule}, got {_told(answer)}"
            )


def _questions(part: Component) -> Iterator[_Question]:
    yield _Question("expected_error", None, _is_text, "a text")
    yield _Question("notes", None, _tuple_of(str), "a tuple of texts; give it @property")
    yield _Question("preparation", None, _is_text, "a text; give it @property")
    yield _Question("origins", None, _tuple_of(Provenance), "a tuple of Provenance")
    if isinstance(part, Link):
        yield _Question("bytes_per_s", None, _is_count, "a whole number of at least 1")
        yield _Question("setup_s", None, _is_amount, "seconds, at least 0 and finite")
        yield _Question("separate", None, lambda one: isinstance(one, bool), "True or False")
        yield _Question("decoders", None, _is_map, "a dict from codecs to elements per second")
    if isinstance(part, Memory):
        yield from _of_memory(part.IDLE)


def _of_memory(idle: str) -> Iterator[_Question]:
    yield _Question("alignment", None, _is_count, "a whole number of bytes; give it @property")
    yield _Question("rests", None, _tuple_of(Rest), "a tuple of Rest; give it @property")
    yield _Question("endurance", None, _is_endurance, "None or a number above 0")
    yield _Question("background", ({idle: 1},), _is_spent, "(count, joules) by action")
    for one in _TRANSFERS:
        yield _Question("latency_s", (one.direction,), _is_amount, "seconds, at least 0 and finite")
        yield _Question("classify", (one,), _is_hashable, "hashable, such as a text or a tuple")
        yield _Question("served_bytes", (one,), _is_served, "a whole number of bytes, all of them")
        yield _Question(
            "service", ((one,),), _is_service, "a Service of a whole number of bytes a second"
        )


def _place(cls: type, name: str) -> str:
    """Where a class defines something, else where the class is."""
    found = getattr(cls, name, None)
    at = defined_at(found.fget if isinstance(found, property) else found)
    return f"{at.removeprefix(' at ')}: " if at else class_place(cls)


def _told(answer: object) -> str:
    return "a function" if callable(answer) else f"{answer!r:.60}"


def _is_text(answer: object) -> bool:
    return isinstance(answer, str)


def _tuple_of(cls: type) -> Callable[[object], bool]:
    return lambda answer: isinstance(answer, tuple) and all(isinstance(one, cls) for one in answer)


def _is_count(answer: object) -> bool:
    return type(answer) is int and answer >= 1


def _is_amount(answer: object) -> bool:
    return isinstance(answer, Real) and 0 <= float(answer) < math.inf


def _is_endurance(answer: object) -> bool:
    return answer is None or (_is_amount(answer) and answer != 0)


def _is_map(answer: object) -> bool:
    return isinstance(answer, Mapping)


def _is_spent(answer: object) -> bool:
    return isinstance(answer, Mapping) and all(
        isinstance(one, tuple) and len(one) == 2 and all(map(_is_amount, one))
        for one in answer.values()
    )


def _is_hashable(answer: object) -> bool:
    return isinstance(answer, Hashable)


def _is_served(answer: object) -> bool:
    return type(answer) is int and answer >= _BYTES


def _is_service(answer: object) -> bool:
    return isinstance(answer, Service) and _is_count(answer.bytes_per_s)
