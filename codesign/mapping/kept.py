"""Results that are kept because they may be asked for again, as many as there is room for.

All of them are pure functions of what they are kept by: whether one is kept or made anew changes
how long a run takes and nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")
Thing = TypeVar("Thing")

_every: WeakSet[Kept[Any]] = WeakSet()


class Kept(Generic[T]):
    """Results by key; where there is no more room, the one asked for longest ago goes first."""

    def __init__(self, most: int) -> None:
        """Keeps nothing yet.

        Args:
            most: sizes of all results together that there is room for. The latest is kept at any
                size.
        """
        self.most, self.size = most, 0
        self._entries: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        _every.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Hashable) -> T | None:
        """The result of a key, if it is kept."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def keep(self, key: Hashable, result: T, size: int = 1) -> T:
        """Keeps a result, and gives it back."""
        _, before = self._entries.pop(key, (None, 0))
        self._entries[key] = result, size
        self.size += size - before
        while self.size > self.most and len(self._entries) > 1:
            _, (_, gone) = self._entries.popitem(last=False)
            self.size -= gone
        return result

    def forget(self) -> None:
        """Forgets all results."""
        self._entries.clear()
        self.size = 0


class KeptOf(Generic[Thing, T]):
    """What follows from a thing alone, by the thing itself: another one, however equal, is new.

    Things are frozen. They are kept too, so that no other one is made at the address of one.
    """

    def __init__(self, most: int, make: Callable[[Thing], T]) -> None:
        """Keeps nothing yet.

        Args:
            most: things that are kept.
            make: what follows from one.
        """
        self._kept, self._make = Kept[tuple[Thing, T]](most), make

    def of(self, thing: Thing) -> T:
        """What follows from a thing."""
        found = self._kept.find(id(thing))
        if found is None:
            found = self._kept.keep(id(thing), (thing, self._make(thing)))
        return found[1]


class Mark:
    """Stands for all things of one content: as quick to compare and to look up as an identity.

    Attributes:
        content: what they have in common.
    """

    __slots__ = ("content",)

    def __init__(self, content: object) -> None:
        self.content = content


class Marks(Generic[Thing]):
    """Marks of things: the same one for equal contents, as long as it is known."""

    def __init__(self, most: int, content: Callable[[Thing], Hashable]) -> None:
        """Knows nothing yet.

        Args:
            most: contents, and things, that are known.
            content: what is compared of a thing; long to compute or to compare.
        """
        self._content = content
        self._marks = Kept[Mark](most)
        self._of = KeptOf[Thing, Mark](most, self._mark)

    def of(self, thing: Thing) -> Mark:
        """The mark of a thing."""
        return self._of.of(thing)

    def _mark(self, thing: Thing) -> Mark:
        content = self._content(thing)
        return self._marks.find(content) or self._marks.keep(content, Mark(content))


def forget_all() -> None:
    """Forgets every result of every place, as if the program had just begun."""
    for kept in list(_every):
        kept.forget()
