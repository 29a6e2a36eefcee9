"""How concurrent transfers share links and memories: max-min fair, in integers.

A transfer's work is counted in units of 1e-12 / 840 byte, so that a rate of R bytes/s is 840 R
units per picosecond tick, and 1 to 8 equal shares of a link divide without a remainder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from codesign.errors import MappingError
from codesign.hardware.component import Descriptor, Link, Memory, Service
from codesign.mapping.paths import NOMINAL
from codesign.units import PS_PER_S

PARTS = 840
"""Sub-units of a byte/s: the least common multiple of 1 to 8."""
WORK_PER_BYTE = PS_PER_S * PARTS
TIED = ", "
"""Between the names of links and memories that bound a rate together; no name contains it."""
_MEMORY = -1  # stands for the channel where a resource is a memory
_DECODER = -2  # stands for the channel where a resource is the decoder of a link
_SECOND = 1 << 80  # of a decoder, in parts: so many that a class takes a whole number for a byte
_ALONE = -3  # less a class, stands for the rate of that class alone at a memory

Resource: TypeAlias = "tuple[str, int]"
"""A link and its channel, or a memory."""

Pattern: TypeAlias = "tuple[object, Descriptor]"
"""What a memory tells apart about a transfer, and a transfer of that class."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """A decoder at the end of a link, which all that it decodes share.

    Attributes:
        link: whose it is.
        rate: elements per second.
        bits: of an element in the codec of the transfer.
        written: most bytes per second of the codec, since the memory behind takes plain elements.
    """

    link: str
    rate: int
    bits: Fraction
    written: int

    @property
    def bytes_per_s(self) -> int:
        """Bytes of the codec that it decodes in a second, at least 1."""
        return max(1, int(self.rate * self.bits / 8))


@dataclass(frozen=True, slots=True)
class Route:
    """A way from one memory to another.

    Attributes:
        source: memory that is read.
        links: links crossed, each with the channel used (0, or 1 for writes on a separate link).
        target: memory that is written.
        crossed: memories on the way, which are written and read at once.
        setup: ticks from issuing a transfer to its first byte.
        decoder: what unpacks it at the end; None where nothing has to.
    """

    source: str
    links: tuple[tuple[str, int], ...]
    target: str
    setup: int
    crossed: tuple[str, ...] = ()
    decoder: Decoder | None = None


class Shares:
    """Rates of transfer classes, for every combination that is active together.

    A class is a route and what the memories at its ends tell apart about the access pattern.
    """

    def __init__(self, memories: dict[str, Memory], links: dict[str, Link]) -> None:
        self._memories, self._links = memories, links
        self._classes: dict[tuple[object, ...], int] = {}
        self._members: list[tuple[Route, tuple[tuple[str, object, Descriptor], ...]]] = []
        self._services: dict[tuple[str, tuple[object, ...]], Service] = {}
        self._rates: dict[tuple[int, ...], dict[int, int]] = {}
        self._limits: dict[tuple[int, ...], dict[int, set[str]]] = {}
        self._ceilings: dict[int, dict[Resource, int]] = {}
        self.setups: list[int] = []
        """Set-up ticks by class."""
        self.rests = {name: memory.rests for name, memory in memories.items() if memory.rests}
        """Power states of the memories that have any."""

    def classify(self, route: Route, read: Descriptor, write: Descriptor) -> int:
        """The class of a transfer along ``route``: transfers of one class behave alike."""
        seen = [(route.source, read), (route.target, write)]
        for name in route.crossed:
            seen += [(name, write), (name, read)]
        told = tuple((name, self._memories[name].classify(one), one) for name, one in seen)
        key = route, tuple(kind for _, kind, _ in told)
        if key not in self._classes:
            self._classes[key] = len(self._members)
            self._members.append((route, told))
            self.setups.append(route.setup)
        return self._classes[key]

    def ends(self, number: int) -> tuple[str, str]:
        """Source and target memory of a class."""
        route = self._members[number][0]
        return route.source, route.target

    def touches(self, number: int, memory: str) -> bool:
        """Whether a class of transfers keeps a memory awake."""
        return bool(self.patterns(number, memory))

    def patterns(self, number: int, memory: str) -> tuple[Pattern, ...]:
        """What a memory sees of a class: nothing, one pattern, or two if both happen there."""
        return tuple((kind, one) for name, kind, one in self._members[number][1] if name == memory)

    def served(self, memory: str, patterns: Sequence[Pattern]) -> Service:
        """How a memory serves transfers of these patterns together.

        Raises:
            MappingError: less than a byte per second.
        """
        key = memory, tuple([kind for kind, _ in patterns])
        if key not in self._services:
            found = self._memories[memory].service(tuple([one for _, one in patterns]))
            if found.bytes_per_s < 1:
                raise MappingError(
                    f"{memory}: service() must return at least 1 byte/s, got {found.bytes_per_s}; "
                    "mend the plugin"
                )
            self._services[key] = found
        return self._services[key]

    def written(self, memory: str) -> int:
        """Bytes per second that a memory takes of a plain stream alone."""
        return self._memories[memory].service(NOMINAL[1:]).bytes_per_s

    def wait(self, number: int) -> int:
        """Most ticks that a transfer of a class may wait for memories to wake up."""
        return self.wake(name for name, _, _ in self._members[number][1])

    def wake(self, memories: Iterable[str]) -> int:
        """Most ticks until these memories are awake."""
        rests = (rest for name in memories for rest in self.rests.get(name, ()))
        return max((rest.exit for rest in rests), default=0)

    def alone(self, number: int, size: int) -> int:
        """Ticks of a transfer of ``size`` bytes that shares with nobody, set-up included."""
        return self.setups[number] - (-size * WORK_PER_BYTE // self.rates((number,))[number])

    def ceilings(self, number: int) -> dict[tuple[str, int], int]:
        """Most work units per tick of each resource that a class crosses, in any company."""
        if number not in self._ceilings:
            self._ceilings[number] = {
                (name, channel): self._ceiling(name, channel, number) * PARTS
                for name, channel in self._users(Counter((number,)))
            }
        return self._ceilings[number]

    def _ceiling(self, name: str, channel: int, number: int) -> int:
        if channel == _DECODER:
            return self._decoded(number)
        if channel != _MEMORY:
            return self._links[name].bytes_per_s
        return max(self._memories[name].ceiling(one) for _, one in self.patterns(number, name))

    def rates(self, active: tuple[int, ...]) -> dict[int, int]:
        """Work units per tick of one transfer of each class, given all active ones (sorted)."""
        found = self._rates.get(active)
        if found is None:
            self._limits[active] = {}
            found = self._rates[active] = self._solve(Counter(active), self._limits[active])
        return found

    def limit(self, active: tuple[int, ...], number: int) -> str:
        """The link or memory that bounds the rate of a class, given all active ones (sorted).

        Where several leave it the same rate all of them, in the order of their names and with
        ``TIED`` between: more of one alone makes nothing faster.
        """
        self.rates(active)
        target = self._members[number][0].target
        return TIED.join(sorted({name or target for name in self._limits[active][number]}))

    def route(self, number: int) -> Route:
        """The way of a class."""
        return self._members[number][0]

    def _solve(self, active: Counter[int], limits: dict[int, set[str]]) -> dict[int, int]:
        """Progressive filling: the tightest resource fixes the share of those that cross it."""
        users = self._users(active)
        room = {resource: self._room(resource, active) * PARTS for resource in users}
        for number in active:
            self._cap(number, active, room, users)
        rates: dict[int, int] = {}
        while len(rates) < len(active):
            offered = {
                name: room[name] // self._weight(name, crossing, active)
                for name, crossing in users.items()
                if crossing
            }
            share, tightest = min((share, name) for name, share in offered.items())
            full = set(users[tightest])
            rates |= dict.fromkeys(full, max(1, share))
            tied = [name for name, other in offered.items() if other == share]
            limits |= {n: {name[0] for name in tied if n in users[name]} for n in full}
            for name, crossing in users.items():
                left = [number for number in crossing if number not in full]
                if len(left) < len(crossing):
                    room[name] = self._left(name, room[name], share, (crossing, left), active)
                    users[name] = left
        return rates

    def _left(
        self,
        resource: Resource,
        room: int,
        share: int,
        classes: tuple[list[int], list[int]],
        active: Counter[int],
    ) -> int:
        """Work per tick for those that are left, when all that crossed have got ``share``.

        A memory has spent on these shares a part of its time, at the joint rate of all; in the rest
        it serves those that are left at theirs.
        """
        before, left = (self._weight(resource, some, active) for some in classes)
        room -= share * before
        if resource[1] == _MEMORY and left:
            all_of_them, rest = (
                self._room(resource, Counter({number: active[number] for number in some}))
                for some in classes
            )
            room = room * rest // all_of_them
        return room + share * left

    def _users(self, active: Counter[int]) -> dict[Resource, list[int]]:
        """The resources in use, and the classes that cross each."""
        users: dict[Resource, list[int]] = {}
        for number in sorted(active):
            route = self._members[number][0]
            ends = [(name, _MEMORY) for name in (route.source, route.target)]
            twice = [(name, _MEMORY) for name in route.crossed for _ in range(2)]  # in and out
            for resource in (*dict.fromkeys((*ends, *route.links)), *twice):
                users.setdefault(resource, []).append(number)
            if route.decoder:
                users.setdefault((route.decoder.link, _DECODER), []).append(number)
        return users

    def _weight(self, resource: Resource, classes: list[int], active: Counter[int]) -> int:
        """What classes take of a resource together at a rate of 1 each."""
        if resource[1] != _DECODER:
            return sum(active[number] for number in classes)
        return sum(-(-active[number] * _SECOND // self._decoded(number)) for number in classes)

    def _decoded(self, number: int) -> int:
        """Bytes per second of a class that its decoder takes alone."""
        decoder = self._members[number][0].decoder
        return decoder.bytes_per_s if decoder else 1

    def _room(self, resource: Resource, active: Counter[int]) -> int:
        """Bytes per second of a resource, given all active classes."""
        name, channel = resource
        if channel == _DECODER:
            return _SECOND
        if channel != _MEMORY:
            return self._links[name].bytes_per_s
        patterns = [
            pattern
            for number in sorted(active)
            for pattern in self.patterns(number, name) * active[number]
        ]
        return self.served(name, patterns).bytes_per_s

    def _cap(
        self,
        number: int,
        active: Counter[int],
        room: dict[Resource, int],
        users: dict[Resource, list[int]],
    ) -> None:
        """Nobody gets more of a memory than it would alone, however little the others take."""
        for name in dict.fromkeys(name for name, _, _ in self._members[number][1]):
            patterns = self.patterns(number, name)
            alone = self.served(name, patterns).bytes_per_s * PARTS
            if alone < room[name, _MEMORY]:
                room[name, _ALONE - number] = alone * active[number]
                users[name, _ALONE - number] = [number] * len(patterns)
        decoder = self._members[number][0].decoder
        if decoder:
            room["", _ALONE - number] = decoder.written * active[number] * PARTS
            users["", _ALONE - number] = [number]
