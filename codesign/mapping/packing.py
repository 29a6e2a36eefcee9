"""Holds that fit together: at every operator, what stays in a memory takes at most its limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from codesign.mapping.hold import Hold


class Packing:
    """Chosen holds, and the bytes that they leave free at every operator.

    Attributes:
        saved: bytes that the chosen holds save.
    """

    def __init__(self, limits: Mapping[str, int], length: int, fixed: Iterable[Hold] = ()) -> None:
        """An empty packing.

        Args:
            limits: the most bytes that holds may take, by memory.
            length: number of operators.
            fixed: holds that are decided already; they take room and cannot leave.
        """
        self.saved = 0
        self._free = {memory: np.full(length, most) for memory, most in limits.items()}
        self._chosen: dict[int, Hold] = {}
        self._by_name: dict[str, dict[int, Hold]] = {}
        for hold in fixed:
            self._free[hold.memory][hold.first : hold.last + 1] -= hold.bytes

    @property
    def holds(self) -> tuple[Hold, ...]:
        """The chosen holds."""
        return tuple(self._chosen.values())

    def __contains__(self, hold: Hold) -> bool:
        return id(hold) in self._chosen

    def room(self, hold: Hold) -> int:
        """Bytes free in the hold's memory over its whole range."""
        return int(self._free[hold.memory][hold.first : hold.last + 1].min())

    @property
    def free(self) -> dict[str, list[int]]:
        """Bytes free at each operator, by memory."""
        return {memory: free.tolist() for memory, free in self._free.items()}

    def tightest(self, hold: Hold) -> int:
        """The first operator of its range at which least is free."""
        free = self._free[hold.memory][hold.first : hold.last + 1]
        return hold.first + int(free.argmin())

    def clashes(self, hold: Hold) -> list[Hold]:
        """Chosen holds that speak of the same tensor at the same time."""
        found = {
            number: other
            for name in hold.names
            for number, other in self._by_name.get(name, {}).items()
            if other.meets(hold)
        }
        return list(found.values())

    def takes(self, hold: Hold) -> bool:
        """Whether a hold can be added as it is."""
        return not self.clashes(hold) and hold.bytes <= self.room(hold)

    def at(self, memory: str, place: int) -> Iterator[Hold]:
        """Chosen holds that take bytes of a memory at an operator."""
        for hold in self._chosen.values():
            if hold.memory == memory and hold.first <= place <= hold.last:
                yield hold

    def add(self, hold: Hold) -> None:
        """Chooses a hold."""
        self._free[hold.memory][hold.first : hold.last + 1] -= hold.bytes
        self._chosen[id(hold)] = hold
        self.saved += hold.saved
        for name in hold.names:
            self._by_name.setdefault(name, {})[id(hold)] = hold

    def remove(self, hold: Hold) -> None:
        """Gives a chosen hold up."""
        self._free[hold.memory][hold.first : hold.last + 1] += hold.bytes
        del self._chosen[id(hold)]
        self.saved -= hold.saved
        for name in hold.names:
            del self._by_name[name][id(hold)]

    def copy(self) -> Packing:
        """A packing that can change by itself."""
        other = Packing({}, 0)
        other.saved = self.saved
        other._free = {memory: free.copy() for memory, free in self._free.items()}
        other._chosen = dict(self._chosen)
        other._by_name = {name: dict(mine) for name, mine in self._by_name.items()}
        return other

    def fill(self, holds: Sequence[Hold]) -> list[Hold]:
        """Chooses what can still be added, in this order, and says what that was."""
        added = []
        for hold in holds:
            if hold not in self and self.takes(hold):
                self.add(hold)
                added.append(hold)
        return added
