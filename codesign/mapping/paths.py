"""Where tensors live by default and how fast they reach each engine."""

from __future__ import annotations

from codesign.errors import MappingError
from codesign.hardware.component import Descriptor, Engine, Link, Memory
from codesign.hardware.plan import Budget
from codesign.hardware.spec import Hardware

NOMINAL = (
    Descriptor(4096, 16, 4096, "read"),
    Descriptor(4096, 16, 4096, "write"),
)
"""A plain stream, for the nominal rates that the tile search and the reports use."""


class Paths:
    """Routes, nominal rates and buffer shares of one piece of hardware."""

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.home_memory = hardware.home(hardware.engines[0].name)
        self.home = self.home_memory.name
        self._sharers = {
            memory.name: sum(engine.buffer == memory.name for engine in hardware.engines)
            for memory in hardware.memories
        }
        self._routes = {engine.buffer: self._links_to(engine.buffer) for engine in hardware.engines}

    def memory(self, name: str) -> Memory:
        """A memory by name."""
        found = self.hardware.components[name]
        if not isinstance(found, Memory):
            raise MappingError(f"{name} is not a memory")
        return found

    def route(self, buffer: str) -> tuple[Link, ...]:
        """Links between the home memory and a buffer, in order."""
        return self._routes[buffer]

    def _links_to(self, buffer: str) -> tuple[Link, ...]:
        names = self.hardware.route(self.home, buffer)
        parts = [self.hardware.components[name] for name in names]
        return tuple(part for part in parts if isinstance(part, Link))

    def budget(self, engine: Engine, taken: int, resident: tuple[bool, ...]) -> Budget:
        """What an engine may use of its buffer: engines that share a buffer get equal shares."""
        buffer = self.memory(engine.buffer)
        share = (buffer.size - taken) // self._sharers[engine.buffer]
        route = self.route(engine.buffer)
        if engine.buffer == self.home:
            resident = (True,) * len(resident)
        read = self._rate(engine.buffer, "read")
        write = self._rate(engine.buffer, "write")
        home_rate = self.home_memory.service(NOMINAL).bytes_per_s
        shared = any(not link.separate for link in route) or home_rate < read + write
        setup = sum(link.setup_s for link in route)
        port = buffer.service(NOMINAL).bytes_per_s
        return Budget(share, read, write, setup, resident, shared, port)

    def _rate(self, buffer: str, direction: str) -> float:
        served = tuple(d for d in NOMINAL if d.direction == direction)
        opposite = tuple(d for d in NOMINAL if d.direction != direction)
        rates = [self.home_memory.service(served).bytes_per_s]
        rates.append(self.memory(buffer).service(opposite).bytes_per_s)
        for name in self.hardware.crossed(self.home, buffer):  # bytes go in and out again
            rates.append(self.memory(name).service(NOMINAL).bytes_per_s // 2)
        return float(min([*rates, *(link.bytes_per_s for link in self.route(buffer))]))
