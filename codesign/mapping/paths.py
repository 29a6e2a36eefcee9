"""Where tensors live by default and how fast they reach each engine."""

from __future__ import annotations

from collections.abc import Sequence

from codesign.errors import MappingError
from codesign.hardware.component import Descriptor, Direction, Engine, Link, Memory
from codesign.hardware.plan import Budget
from codesign.hardware.spec import Hardware
from codesign.units import PS_PER_S

NOMINAL = (
    Descriptor(4096, 16, 4096, "read"),
    Descriptor(4096, 16, 4096, "write"),
)
"""A plain stream, for the nominal rates that the tile search and the reports use."""
_ONE_BYTE = Descriptor(1, 1, 1, "read")


class Paths:
    """Routes, nominal rates and buffer shares of one piece of hardware.

    Attributes:
        hardware: the hardware.
        home: name of the memory where tensors live by default.
        buffers: names of the engines' buffers, in order of the engines.
    """

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.home_memory = hardware.home(hardware.engines[0].name)
        self.home = self.home_memory.name
        self.buffers = tuple(dict.fromkeys(engine.buffer for engine in hardware.engines))
        self._routes: dict[tuple[str, str], tuple[Link, ...]] = {}
        for buffer in self.buffers:
            self.route(self.home, buffer)

    def memory(self, name: str) -> Memory:
        """A memory by name."""
        found = self.hardware.components[name]
        if not isinstance(found, Memory):
            raise MappingError(f"{name} is not a memory")
        return found

    def route(self, memory: str, buffer: str) -> tuple[Link, ...]:
        """Links between a memory and a buffer, in order.

        Raises:
            HardwareError: no path joins them.
        """
        if (memory, buffer) not in self._routes:
            names = self.hardware.route(memory, buffer)
            parts = [self.hardware.components[name] for name in names]
            links = tuple(part for part in parts if isinstance(part, Link))
            self._routes[memory, buffer] = links
        return self._routes[memory, buffer]

    @property
    def beside(self) -> tuple[str, ...]:
        """On-chip memories beside the buffers that every buffer reaches on chip, largest first."""
        found = [
            memory
            for memory in self.hardware.memories
            if memory.name not in (*self.buffers, self.home) and not memory.off_chip
        ]
        found.sort(key=lambda memory: -memory.size)
        return tuple(m.name for m in found if all(self.is_on_chip(m.name, b) for b in self.buffers))

    def is_on_chip(self, memory: str, buffer: str) -> bool:
        """Whether the way from a memory to a buffer crosses no off-chip memory and no home."""
        crossed = self.hardware.crossed(memory, buffer)
        return not any(name == self.home or self.memory(name).off_chip for name in crossed)

    def budget(
        self, engine: Engine, taken: int, homes: Sequence[str] = (), inputs: int = 0
    ) -> Budget:
        """What an engine may use for an operator: engines that share a buffer get equal shares.

        Of several memories that operands come from or go to, the slowest sets the rate.

        Args:
            engine: the engine.
            taken: bytes of its buffer that other tensors hold.
            homes: for each operand, inputs first, the memory that holds it.
            inputs: how many of the operands are inputs.
        """
        buffer = self.memory(engine.buffer)
        sharers = sum(other.buffer == engine.buffer for other in self.hardware.engines)
        sources = self._away(homes[:inputs], engine.buffer)
        targets = self._away(homes[inputs:], engine.buffer)
        read = min(self._rate(memory, engine.buffer, "read") for memory in sources)
        write = min(self._rate(memory, engine.buffer, "write") for memory in targets)
        ways = [(memory, engine.buffer) for memory in sources]
        ways += [(engine.buffer, memory) for memory in targets]
        return Budget(
            (buffer.size - taken) // sharers,
            read,
            write,
            max(self.hardware.setup(*way) for way in ways) / PS_PER_S,
            tuple(home == engine.buffer for home in homes),
            self._is_shared(sources, targets, engine.buffer, read + write),
            buffer.service(NOMINAL).bytes_per_s,
            max(self.memory(memory).served_bytes(_ONE_BYTE) for memory in (*sources, *targets)),
        )

    def _away(self, homes: Sequence[str], buffer: str) -> list[str]:
        """Memories other than the buffer, the default one if there is none."""
        return [home for home in dict.fromkeys(homes) if home != buffer] or [self.home]

    def _is_shared(
        self, sources: Sequence[str], targets: Sequence[str], buffer: str, rate: float
    ) -> bool:
        """Whether loads and stores meet in one channel, or in a memory too slow for both."""
        loading = {link.name for memory in sources for link in self.route(memory, buffer)}
        storing = [link for memory in targets for link in self.route(memory, buffer)]
        both = [self.memory(memory) for memory in sources if memory in targets]
        return any(not link.separate and link.name in loading for link in storing) or any(
            memory.service(NOMINAL).bytes_per_s < rate for memory in both
        )

    def _rate(self, memory: str, buffer: str, direction: Direction) -> float:
        served = tuple(d for d in NOMINAL if d.direction == direction)
        opposite = tuple(d for d in NOMINAL if d.direction != direction)
        rates = [self.memory(memory).service(served).bytes_per_s]
        rates.append(self.memory(buffer).service(opposite).bytes_per_s)
        for name in self.hardware.crossed(memory, buffer):  # bytes go in and out again
            rates.append(self.memory(name).service(NOMINAL).bytes_per_s // 2)
        return float(min([*rates, *(link.bytes_per_s for link in self.route(memory, buffer))]))
