"""What a class of components may promise, so that points of a study share more of their work."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T", bound=type)

_MARK = "_computes_from_fields_only"


def fields_only(kind: T) -> T:
    """Promises that instances compute from their fields and their arguments alone.

    A plan or a rate is then taken again for another instance that holds the same in the fields
    which were read for it; without the promise all fields have to be the same. Instances may keep
    what they have computed (``functools.cached_property``), but neither set attributes that are no
    fields, nor ask for their exact type, nor read what changes while the program runs. Who derives
    a class promises it anew. ``codesign plugins check`` holds a kind to it.

    Args:
        kind: the class, a frozen dataclass.

    Example:
        >>> from dataclasses import dataclass
        >>> from codesign import Link, fields_only
        >>> @fields_only
        ... @dataclass(frozen=True, kw_only=True)
        ... class Wire(Link):
        ...     kind = "wire"
    """
    setattr(kind, _MARK, kind)
    return kind


def is_fields_only(kind: type) -> bool:
    """Whether a class itself has promised it."""
    return vars(kind).get(_MARK) is kind
