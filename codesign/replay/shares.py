"""How concurrent transfers share links and memories: max-min fair, in integers.

A transfer's work is counted in units of 1e-12 / 840 byte, so that a rate of R bytes/s is 840 R
units per picosecond tick, and 1 to 8 equal shares of a link divide without a remainder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from codesign.errors import MappingError
from codesign.hardware.component import Descriptor, Link, Memory
from codesign.units import PS_PER_S

PARTS = 840
"""Sub-units of a byte/s: the least common multiple of 1 to 8."""
WORK_PER_BYTE = PS_PER_S * PARTS
_MEMORY = -1  # stands for the channel where a resource is a memory


@dataclass(frozen=True, slots=True)
class Route:
    """A way from one memory to another.

    Attributes:
        source: memory that is read.
        links: links crossed, each with the channel used (0, or 1 for writes on a separate link).
        target: memory that is written.
        crossed: memories on the way, which are written and read at once.
        setup: ticks from issuing a transfer to its first byte.
    """

    source: str
    links: tuple[tuple[str, int], ...]
    target: str
    setup: int
    crossed: tuple[str, ...] = ()


class Shares:
    """Rates of transfer classes, for every combination that is active together.

    A class is a route and what the memories at its ends tell apart about the access pattern.
    """

    def __init__(self, memories: dict[str, Memory], links: dict[str, Link]) -> None:
        self._memories, self._links = memories, links
        self._classes: dict[tuple[object, ...], int] = {}
        self._members: list[tuple[Route, Descriptor, Descriptor]] = []
        self._rates: dict[tuple[int, ...], dict[int, int]] = {}
        self._alone: dict[int, dict[tuple[str, int], int]] = {}
        self.setups: list[int] = []
        """Set-up ticks by class."""

    def classify(self, route: Route, read: Descriptor, write: Descriptor) -> int:
        """The class of a transfer along ``route``: transfers of one class behave alike."""
        key = (
            route,
            self._memories[route.source].classify(read),
            self._memories[route.target].classify(write),
        )
        if key not in self._classes:
            self._classes[key] = len(self._members)
            self._members.append((route, read, write))
            self.setups.append(route.setup)
        return self._classes[key]

    def ends(self, number: int) -> tuple[str, str]:
        """Source and target memory of a class."""
        route = self._members[number][0]
        return route.source, route.target

    def alone(self, number: int, size: int) -> int:
        """Ticks of a transfer of ``size`` bytes that shares with nobody, set-up included."""
        return self.setups[number] - (-size * WORK_PER_BYTE // self.rates((number,))[number])

    def resources(self, number: int) -> dict[tuple[str, int], int]:
        """Work units per tick of each resource that a class crosses, when it is alone there."""
        if number not in self._alone:
            self._alone[number] = self._resources(Counter((number,)))[0]
        return self._alone[number]

    def rates(self, active: tuple[int, ...]) -> dict[int, int]:
        """Work units per tick of one transfer of each class, given all active ones (sorted)."""
        found = self._rates.get(active)
        if found is None:
            found = self._rates[active] = self._solve(Counter(active))
        return found

    def _solve(self, active: Counter[int]) -> dict[int, int]:
        """Progressive filling: the tightest resource fixes the share of those that cross it."""
        room, users = self._resources(active)
        rates: dict[int, int] = {}
        while len(rates) < len(active):
            share, tightest = min(
                (room[name] // sum(active[c] for c in crossing), name)
                for name, crossing in users.items()
                if crossing
            )
            for number in dict.fromkeys(users[tightest]):
                rates[number] = max(1, share)
                for name, crossing in users.items():
                    room[name] -= share * active[number] * crossing.count(number)
                    users[name] = [other for other in crossing if other != number]
        return rates

    def _resources(
        self, active: Counter[int]
    ) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], list[int]]]:
        """Capacity of each resource in use, and the classes that cross it."""
        users: dict[tuple[str, int], list[int]] = {}
        patterns: dict[str, list[Descriptor]] = {}
        for number in sorted(active):
            route, read, write = self._members[number]
            patterns.setdefault(route.source, []).extend([read] * active[number])
            patterns.setdefault(route.target, []).extend([write] * active[number])
            for name in route.crossed:
                patterns.setdefault(name, []).extend([write, read] * active[number])
            ends = [(name, _MEMORY) for name in (route.source, route.target)]
            twice = [(name, _MEMORY) for name in route.crossed for _ in range(2)]  # in and out
            for resource in (*dict.fromkeys((*ends, *route.links)), *twice):
                users.setdefault(resource, []).append(number)
        room = {}
        for name, channel in users:
            is_memory = channel == _MEMORY
            rate = (
                self._served(name, patterns[name]) if is_memory else self._links[name].bytes_per_s
            )
            room[name, channel] = rate * PARTS
        return room, users

    def _served(self, name: str, patterns: list[Descriptor]) -> int:
        rate = self._memories[name].service(tuple(patterns)).bytes_per_s
        if rate < 1:
            raise MappingError(
                f"{name}: service() must return at least 1 byte/s, got {rate}; mend the plugin"
            )
        return rate
