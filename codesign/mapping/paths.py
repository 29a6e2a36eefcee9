"""Where tensors live by default and how fast they reach each engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from codesign.errors import MappingError
from codesign.hardware.component import Descriptor, Direction, Engine, Link, Memory
from codesign.hardware.objective import Objective
from codesign.hardware.plan import Budget, Store
from codesign.hardware.spec import Hardware
from codesign.mapping.codec import load_share
from codesign.units import PS_PER_S
from codesign.workload.record import Op

NOMINAL = (
    Descriptor(4096, 16, 4096, "read"),
    Descriptor(4096, 16, 4096, "write"),
)
"""A plain stream, for the nominal rates that the tile search and the reports use."""
_ONE_BYTE = Descriptor(1, 1, 1, "read")

Way: TypeAlias = "tuple[str, str]"
"""A home and the memory in which its operands are staged."""


class Paths:
    """Routes, nominal rates and buffer shares of one piece of hardware.

    Attributes:
        hardware: the hardware.
        home: name of the memory where tensors live by default.
        buffers: names of the engines' buffers, in order of the engines.
        stages: names of the further memories that they stage operands in, in the same order.
        objective: what plans are to make small; None leaves it to each engine.
        users: names of the engines that share buffers; the others run nothing.
    """

    def __init__(
        self,
        hardware: Hardware,
        objective: Objective | None = None,
        users: Collection[str] | None = None,
    ) -> None:
        """Looks at the hardware.

        Args:
            hardware: the hardware.
            objective: what plans are to make small; None leaves it to each engine.
            users: names of the engines that share buffers; all of them by default.
        """
        self.hardware, self.objective = hardware, objective
        everyone = (engine.name for engine in hardware.engines)
        self.users = frozenset(everyone if users is None else users)
        self.home_memory = hardware.home(hardware.engines[0].name)
        self.home = self.home_memory.name
        self.buffers = tuple(dict.fromkeys(engine.buffer for engine in hardware.engines))
        stages = (name for engine in hardware.engines for name in engine.stages)
        self.stages = tuple(n for n in dict.fromkeys(stages) if n not in self.buffers)
        self._budgets: dict[tuple[object, ...], Budget] = {}
        self._routes: dict[tuple[str, str], tuple[Link, ...]] = {}
        for buffer in self.buffers:
            self.route(self.home, buffer)

    def memory(self, name: str) -> Memory:
        """A memory by name."""
        found = self.hardware.components[name]
        if not isinstance(found, Memory):
            raise MappingError(f"{name} is not a memory")
        return found

    def staged_with(self, buffer: str) -> tuple[str, ...]:
        """A buffer, and the stages of its engines that those of no buffer before it have."""
        found = {buffer: None}
        for stage in self.stages:
            first = next(e for e in self.hardware.engines if stage in e.stages)
            if first.buffer == buffer:
                found[stage] = None
        return tuple(found)

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
            if memory.name not in (*self.buffers, *self.stages, self.home) and not memory.off_chip
        ]
        found.sort(key=lambda memory: -memory.size)
        return tuple(m.name for m in found if all(self.is_on_chip(m.name, b) for b in self.buffers))

    def is_on_chip(self, memory: str, buffer: str) -> bool:
        """Whether the way from a memory to a buffer crosses no off-chip memory and no home."""
        crossed = self.hardware.crossed(memory, buffer)
        return not any(name == self.home or self.memory(name).off_chip for name in crossed)

    def budget(
        self,
        engine: Engine,
        taken: Mapping[str, int],
        homes: Sequence[str] = (),
        inputs: int = 0,
        stages: Sequence[str] = (),
        op: Op | None = None,
    ) -> Budget:
        """What an engine may use for an operator: users that share a buffer get equal shares.

        Of several memories that operands come from or go to, the slowest sets the rate.

        Args:
            engine: the engine.
            taken: by memory, bytes that other tensors hold.
            homes: for each operand, inputs first, the memory that holds it.
            inputs: how many of the operands are inputs.
            stages: for each operand the memory that it is staged in; the buffer by default.
            op: the operator, if some tensor of it is stored in a codec.
        """
        if op is not None and any(access.tensor.stored for access in op.operands):
            plain = self.budget(engine, taken, homes, inputs, stages)
            return replace(plain, shares=self._shares(engine, op, homes, plain.load_bytes_per_s))
        mine = {n: taken[n] for n in (engine.buffer, *engine.stages) if n in taken}
        key = engine.name, tuple(mine.items()), tuple(homes), inputs, tuple(stages)
        if key not in self._budgets:
            self._budgets[key] = self._budget(engine, mine, homes, inputs, stages)
        return self._budgets[key]

    def _shares(
        self, engine: Engine, op: Op, homes: Sequence[str], rate: float
    ) -> tuple[float, ...]:
        return tuple(
            load_share(engine, op, operand, home, rate, self.hardware)
            for operand, home in enumerate(homes)
        )

    def _budget(
        self,
        engine: Engine,
        taken: Mapping[str, int],
        homes: Sequence[str],
        inputs: int,
        stages: Sequence[str],
    ) -> Budget:
        buffer = self.memory(engine.buffer)
        ends = list(zip(homes, stages or [buffer.name] * len(homes), strict=True))
        sources = self._away(ends[:inputs], buffer.name)
        targets = self._away(ends[inputs:], buffer.name)
        read = min(self._rate(*way, "read") for way in sources)
        write = min(self._rate(*way, "write") for way in targets)
        ways = [*sources, *((stage, home) for home, stage in targets)]
        stores = self._stores(engine, taken, sources, targets)
        return Budget(
            stores[0].bytes,
            read,
            write,
            max(self.hardware.setup(*way) for way in ways) / PS_PER_S,
            tuple(home == stage for home, stage in ends),
            self._is_shared(sources, targets, read + write),
            buffer.service(NOMINAL).bytes_per_s,
            max(self.memory(home).served_bytes(_ONE_BYTE) for home, _ in (*sources, *targets)),
            stores,
            objective=self.objective,
        )

    def _sharers(self, memory: str, engine: Engine) -> int:
        """Engines that stage operands in a memory: this one and all others that run something."""
        return sum(
            memory in (one.buffer, *one.stages)
            for one in self.hardware.engines
            if one is engine or one.name in self.users
        )

    def _stores(
        self,
        engine: Engine,
        taken: Mapping[str, int],
        sources: Sequence[Way],
        targets: Sequence[Way],
    ) -> tuple[Store, ...]:
        """The memories that an operator uses, with their energies; of several homes the dearest."""
        found = []
        for name in (engine.buffer, *engine.stages):
            left = self.memory(name).size - taken.get(name, 0)
            found.append(self._store(name, left // self._sharers(name, engine)))
        read_j = max(self._joules(home, stage, "read") for home, stage in sources)
        write_j = max(self._joules(home, stage, "write") for home, stage in targets)
        home = sources[0][0]
        return (*found, Store(home, self.memory(home).size, read_j, write_j))

    def _store(self, name: str, granted: int) -> Store:
        prices = self.memory(name).energies_j()
        return Store(name, granted, prices.get("read", 0.0), prices.get("write", 0.0))

    def _joules(self, home: str, stage: str, direction: Direction) -> float:
        """Joules per byte of the links and memories between a stage and a home, the home's too."""
        links = (link.energies_j().get("move", 0.0) for link in self.route(home, stage))
        crossed = self.hardware.crossed(home, stage)
        between = (price for name in crossed for price in self._both(name))
        return self.memory(home).energies_j().get(direction, 0.0) + sum(links) + sum(between)

    def _both(self, name: str) -> tuple[float, float]:
        prices = self.memory(name).energies_j()
        return prices.get("read", 0.0), prices.get("write", 0.0)

    def _away(self, ends: Sequence[Way], buffer: str) -> list[Way]:
        """Ways between different memories, that from the default home if there is none."""
        return [way for way in dict.fromkeys(ends) if way[0] != way[1]] or [(self.home, buffer)]

    def _is_shared(self, sources: Sequence[Way], targets: Sequence[Way], rate: float) -> bool:
        """Whether loads and stores meet in one channel, or in a memory too slow for both."""
        loading = {link.name for way in sources for link in self.route(*way)}
        storing = [link for way in targets for link in self.route(*way)]
        written = {home for home, _ in targets}
        both = {home for home, _ in sources if home in written}
        return any(not link.separate and link.name in loading for link in storing) or any(
            self.memory(memory).service(NOMINAL).bytes_per_s < rate for memory in both
        )

    def _rate(self, memory: str, buffer: str, direction: Direction) -> float:
        served = tuple(d for d in NOMINAL if d.direction == direction)
        opposite = tuple(d for d in NOMINAL if d.direction != direction)
        rates = [self.memory(memory).service(served).bytes_per_s]
        rates.append(self.memory(buffer).service(opposite).bytes_per_s)
        for name in self.hardware.crossed(memory, buffer):  # bytes go in and out again
            rates.append(self.memory(name).service(NOMINAL).bytes_per_s // 2)
        return float(min([*rates, *(link.bytes_per_s for link in self.route(memory, buffer))]))
