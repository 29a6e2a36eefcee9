"""How arrivals are written in scenario files: the shipped kinds, offered as any plugin offers its.

A kind is what builds the arrival, and the keys that it has in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codesign.hookspecs import hookimpl
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.reader import Scalar, quantity, text, texts, whole
from codesign.scenario.release import Arrival


@dataclass(frozen=True)
class Key:
    """One key of an arrival in a scenario file.

    Attributes:
        read: how its value is read: ``whole``, ``text``, ``texts``, ``switch`` or
            ``quantity(unit)`` of ``codesign.scenario.reader``.
        field: argument that takes it; empty if that has the name of the key.
        is_needed: whether it must be there.
    """

    read: Scalar
    field: str = ""
    is_needed: bool = False


@dataclass(frozen=True)
class ArrivalKind:
    """What ``kind:`` of an arrival may name.

    Attributes:
        make: builds the arrival from its arguments; it checks them and raises a ``ScenarioError``.
        keys: what may stand beside ``kind``.
    """

    make: Callable[..., Arrival]
    keys: Mapping[str, Key]


@hookimpl
def codesign_arrivals() -> Mapping[str, ArrivalKind]:
    """The kinds that come with codesign."""
    period = {
        "period": Key(quantity("s"), "period_s", True),
        "first": Key(quantity("s"), "first_s"),
    }
    rate = {"rate": Key(quantity("/s"), "per_s", True), "seed": Key(whole), "within": Key(text)}
    after = {"streams": Key(texts, is_needed=True), "times": Key(whole)}
    return {
        "periodic": ArrivalKind(Periodic, period),
        "rate": ArrivalKind(Rate, rate),
        "after": ArrivalKind(After, after),
    }
