"""How a check speaks, and the rules that hold for the fields of every component."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping
from inspect import get_annotations
from numbers import Real
from types import MemberDescriptorType
from typing import Any, get_args, get_type_hints

from codesign.errors import HardwareError
from codesign.hardware.component import Component
from codesign.units import Unit

_NAME = re.compile(r"^\s+(\w+)(?: \([^)]*\))?:", re.MULTILINE)


def expect(holds: object, message: str) -> None:
    """Raises an AssertionError with ``message`` unless ``holds`` is true.

    A plain ``assert`` would vanish under ``python -O``, and with it the check.
    """
    if not holds:
        raise AssertionError(message)


def check_fields(kind: type[Component]) -> None:
    """Checks the class of a component: frozen, named, every field documented and in a unit.

    Args:
        kind: a class that a plugin returns from ``codesign_components``.

    Raises:
        AssertionError: says which field breaks which rule, and what to write.
    """
    title = kind.__name__
    params = getattr(kind, "__dataclass_params__", None)
    expect(
        params is not None and params.frozen and "__dataclass_fields__" in kind.__dict__,
        f"{title}: decorate it with @dataclass(frozen=True, kw_only=True)",
    )
    expect(
        isinstance(getattr(kind, "kind", None), str) and kind.kind,
        f"{title}: give it kind: ClassVar[str], the word that hardware files write",
    )
    documented = _documented(kind)
    hints = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        expect(
            field.name in documented,
            f"{title}.{field.name}: not documented; add it to 'Attributes:' of the class docstring",
        )
        expect(
            _has_unit(hints[field.name]),
            f"{title}.{field.name}: a number without a unit; annotate it with a type of "
            "codesign.units (Count, Bytes, Joules, ...) or Annotated[float, Unit('1')]",
        )
        expect(
            not _is_hidden(kind, field.name),
            f"{title}.{field.name}: set without a type, so that the default of the class before it "
            f"stays; write {field.name}: and its type before the =",
        )


def _is_hidden(kind: type, field: str) -> bool:
    """Whether a class gives a field of a base a value that no instance will have."""
    return any(
        field not in get_annotations(one)
        and field in one.__dict__
        and not isinstance(one.__dict__[field], MemberDescriptorType)  # of a class with slots
        for one in kind.__mro__
    )


def _documented(kind: type) -> set[str]:
    """Fields named under ``Attributes:`` in the docstrings of a class and its bases."""
    names: set[str] = set()
    for base in kind.__mro__:
        _, _, section = (base.__doc__ or "").partition("Attributes:")
        names |= set(_NAME.findall(section))
    return names


def _has_unit(hint: Any) -> bool:
    """Whether every number inside a type hint carries a unit."""
    if hint in (int, float, complex):
        return False
    if any(isinstance(part, Unit) for part in getattr(hint, "__metadata__", ())):
        return True
    return all(_has_unit(part) for part in get_args(hint))


def check_energies(part: Component) -> None:
    """Checks that every action of a component costs a finite energy of at least 0 J.

    Raises:
        AssertionError: names the action and what it got.
    """
    for action in _prices(part):
        check_priced(part, action)


def _prices(part: Component) -> Mapping[str, object]:
    prices: object = part.energies_j()
    expect(
        isinstance(prices, Mapping),
        f"{part.kind}: energies_j must return joules by action, got {prices!r:.60}; return a dict",
    )
    return part.energies_j()


def check_priced(part: Component, action: str) -> None:
    """Checks that a component has an energy for ``action``, at least 0 J, in proportion to counts.

    Raises:
        AssertionError: names the action and what it got.
    """
    price = _prices(part).get(action, 0.0)
    expect(
        isinstance(price, Real),
        f"{part.kind}: the energy of {action!r} must be a number of joules, got {price!r:.60}; "
        "correct energies_j",
    )
    try:
        energy, triple = part.energy_j(action, 1), part.energy_j(action, 3)
    except HardwareError as error:
        raise AssertionError(
            f"{part.kind}: action {action!r} has no energy; add it to energies_j"
        ) from error
    expect(
        math.isfinite(energy) and energy >= 0,
        f"{part.kind}: one {action!r} must cost at least 0 J, got {energy}; correct energies_j",
    )
    expect(
        math.isclose(triple, 3 * energy, abs_tol=1e-30),
        f"{part.kind}: three {action!r} must cost three times one, got {triple} J for {energy} J; "
        "make energy_j proportional to the count",
    )


def pairs(items: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """Every two different entries of a tuple, in order."""
    for place, first in enumerate(items):
        for second in items[place + 1 :]:
            yield first, second
