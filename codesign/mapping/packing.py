"""Holds that fit together: at every operator, what stays in a memory takes at most its limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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

    @property
    def free(self) -> dict[str, list[int]]:
        """Bytes free at each operator, by memory."""
        return {memory: free.tolist() for memory, free in self._free.items()}

    def room(self, hold: Hold) -> int:
        """Bytes free in the hold's memory over its whole range."""
        return int(self._free[hold.memory][hold.first : hold.last + 1].min())

    def clashes(self, hold: Hold) -> bool:
        """Whether a chosen hold speaks of the same tensor at the same time."""
        for name in hold.names:
            for other in self._by_name.get(name, {}).values():
                if other.meets(hold):
                    return True
        return False

    def takes(self, hold: Hold) -> bool:
        """Whether a hold can be added as it is."""
        return not self.clashes(hold) and hold.bytes <= self.room(hold)

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

    def fill(self, holds: Iterable[Hold]) -> None:
        """Chooses what can still be added, in this order."""
        for hold in holds:
            if self.takes(hold):
                self.add(hold)
