"""A value of a parsed JSON document that knows where it stands, for strict typed reading."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Iterator
from typing import Any, NoReturn

from codesign.errors import TraceError, did_you_mean

MAX_INTEGER = 2**63 - 1
"""Largest magnitude of an integer in a trace file."""
MAX_TEXT = 4096
"""Most characters of a string in a trace file."""
MAX_RANK = 64
"""Most axes of a tensor, and loops of a nest."""


class Cursor:
    """A JSON value and its path, which is spelled out only when something is wrong.

    Args:
        value: the parsed value.
        parent: the cursor of the object or array that holds it.
        key: its key or index there.
    """

    __slots__ = ("key", "parent", "value")

    def __init__(self, value: Any, parent: Cursor | None = None, key: str | int = "") -> None:
        self.value, self.parent, self.key = value, parent, key

    @property
    def path(self) -> str:
        """Where the value stands, such as ``items[3].inputs[0]``; empty for the document."""
        if self.parent is None:
            return str(self.key)
        head = self.parent.path
        if isinstance(self.key, int):
            return f"{head}[{self.key}]"
        key = self.key if len(self.key) <= 60 else self.key[:57] + "..."
        return f"{head}.{key}" if head else key

    def fail(self, rule: str, remedy: str = "write the trace again") -> NoReturn:
        """Raises a TraceError that gives the path, the rule, the value and the remedy."""
        place = f"{self.path}: " if self.path else ""
        raise TraceError(f"{place}{rule}, got {reprlib.repr(self.value)[:80]}; {remedy}")

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> None:
        """Checks that the value is an object with just these keys.

        Raises:
            TraceError: another type, a missing key or an unknown key.
        """
        if not isinstance(self.value, dict):
            self.fail("must be an object")
        for key in self.value:
            if key not in required and key not in optional:
                hint = did_you_mean(key[:60], [*required, *optional])
                raise TraceError(f"{self.path or 'document'}: unknown key {key[:60]!r}{hint}")
        for key in required:
            if key not in self.value:
                raise TraceError(f"{self.path or 'document'}: key {key!r} is missing; add it")

    def __getitem__(self, key: str) -> Cursor:
        return Cursor(self.value[key], self, key)

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def __iter__(self) -> Iterator[Cursor]:
        if not isinstance(self.value, list):
            self.fail("must be an array")
        return (Cursor(value, self, index) for index, value in enumerate(self.value))

    def at_most(self, limit: int) -> Cursor:
        """This array, if it has at most ``limit`` elements."""
        if isinstance(self.value, list) and len(self.value) > limit:
            raise TraceError(
                f"{self.path}: must have at most {limit:,} elements, "
                f"got {len(self.value):,}; split the model into parts"
            )
        return self

    def text(self) -> str:
        """A printable string of at most ``MAX_TEXT`` characters."""
        value = self.value
        if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
            self.fail(f"must be a printable string of at most {MAX_TEXT} characters")
        return value

    def name(self) -> str:
        """A printable string that is not empty."""
        return self.text() or self.fail("must not be empty", "give a name")

    def integer(self, low: int = 0) -> int:
        """A whole number from ``low`` to ``MAX_INTEGER``."""
        value = self.value
        if type(value) is not int or not low <= value <= MAX_INTEGER:
            self.fail(f"must be an integer from {low} to 2**63 - 1")
        return value

    def real(self) -> float:
        """A finite number, kept as it was written: an integer stays one."""
        value = self.value
        if type(value) is int:
            return self.integer(-MAX_INTEGER)
        if type(value) is not float or not math.isfinite(value):
            self.fail("must be a finite number")
        return value

    def texts(self) -> tuple[str, ...]:
        """An array of strings."""
        return tuple(item.text() for item in self)

    def integers(self, low: int = 0) -> tuple[int, ...]:
        """An array of at most ``MAX_RANK`` whole numbers."""
        return tuple(item.integer(low) for item in self.at_most(MAX_RANK))

    def extents(self, low: int = 0) -> tuple[int, ...]:
        """An array of extents whose product is an integer of the format."""
        found = self.integers(low)
        if math.prod(found) > MAX_INTEGER:
            self.fail("must have fewer than 2**63 elements", "use a smaller shape")
        return found
