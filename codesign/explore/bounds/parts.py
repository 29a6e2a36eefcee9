"""What bounds need of memories and links: rates, prices and sizes in every configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter
from typing import Any

import numpy as np

from codesign.errors import CodesignError
from codesign.explore.grid import Bools, Grid, Ints
from codesign.explore.pareto import Floats
from codesign.hardware.component import Link, Memory
from codesign.hardware.machine import Hardware
from codesign.result.utilization import peak_bytes_per_s


@dataclass(frozen=True)
class Variants:
    """The configurations of some parts that the points of a grid have.

    Attributes:
        ids: of each point, which one.
        machines: the hardware with each of them; None where a value breaks a rule.
    """

    ids: Ints
    machines: tuple[Hardware | None, ...]

    @classmethod
    def of(cls, grid: Grid, machine: Hardware, parts: set[str], paths: tuple[str, ...]) -> Variants:
        """Configurations of parts.

        Args:
            grid: the points.
            machine: before changes.
            parts: their names; what a part brings changes with it.
            paths: of all hardware values that vary.
        """
        owners = {name.partition(".")[0] for name in parts}
        column = grid.column([path for path in paths if path.partition(".")[0] in owners])
        return cls(column.ids, tuple(_changed(machine, values) for values in column.values))

    @property
    def is_known(self) -> Bools:
        """Of each point, whether its values keep to the rules."""
        return np.array([machine is not None for machine in self.machines], dtype=bool)[self.ids]


@dataclass(frozen=True)
class Places:
    """Memories and links of every point.

    Attributes:
        capacity: bytes of all memories on chip.
        is_away: whether tensors live off chip, as they do where the largest memory that is no
            buffer lies there.
        rate: bytes per second at which all off-chip memories together can be reached.
        moved_j: joules of a byte on its way between them and the chip.
        buffer_j: by memory and action, joules of a byte that an engine reads or writes there.
        static_w: watts that flow all the time.
        leakage_w: of these, those of leakage.
        is_known: whether all values keep to the rules.
    """

    capacity: Floats
    is_away: Bools
    rate: Floats
    moved_j: Floats
    buffer_j: Mapping[tuple[str, str], Floats]
    static_w: Floats
    leakage_w: Floats
    is_known: Bools

    @classmethod
    def of(cls, grid: Grid, machine: Hardware, paths: tuple[str, ...]) -> Places:
        """Those of a grid.

        Args:
            grid: the points.
            machine: before changes.
            paths: of all hardware values that vary.
        """
        return _Reader(grid, machine, paths).places()


class _Reader:
    """Looks up one figure of a part for every point."""

    def __init__(self, grid: Grid, machine: Hardware, paths: tuple[str, ...]) -> None:
        self._count = len(grid)
        self._machine = machine
        self._variants = {
            name: Variants.of(grid, machine, {name}, paths) for name in machine.components
        }

    def places(self) -> Places:
        machine = self._machine
        chip = [memory for memory in machine.memories if not memory.off_chip]
        away = [memory for memory in machine.memories if memory.off_chip]
        buffers = {engine.buffer for engine in machine.engines}
        leakage = sum(
            (self._of(name, attrgetter("leakage")) for name in machine.components),
            np.zeros(self._count),
        )
        floor = sum(
            (self._of(m.name, attrgetter("least_background")) for m in machine.memories), leakage
        )
        known = np.ones(self._count, dtype=bool)
        for variants in self._variants.values():
            known &= variants.is_known
        priced = [memory.name for memory in machine.memories]
        return Places(
            capacity=sum(
                (self._of(m.name, attrgetter("size")) for m in chip), np.zeros(self._count)
            ),
            is_away=self._most(away) > self._most([m for m in chip if m.name not in buffers]),
            rate=sum((self._reached(m.name) for m in away), np.zeros(self._count)),
            moved_j=self._moved_j([m.name for m in away], [m.name for m in chip]),
            buffer_j={
                (name, action): self._price(name, action)
                for name in priced
                for action in ("read", "write")
            },
            static_w=floor,
            leakage_w=leakage,
            is_known=known,
        )

    def _of(self, name: str, figure: Callable[[Any], float]) -> Floats:
        """A figure of a part for every point."""
        variants = self._variants[name]
        parts = [one.components[name] if one else None for one in variants.machines]
        found = np.array([0.0 if part is None else figure(part) for part in parts], dtype=float)
        return found[variants.ids]

    def _most(self, memories: list[Memory]) -> Floats:
        """Size of the largest of some memories."""
        sizes = (self._of(memory.name, attrgetter("size")) for memory in memories)
        return reduce(np.maximum, sizes, np.zeros(self._count))

    def _price(self, name: str, action: str) -> Floats:
        return self._of(name, lambda part: part.energies_j().get(action, 0.0))

    def _links(self, memory: str) -> list[str]:
        return [link.name for link in self._machine.links if memory in link.connects]

    def _reached(self, memory: str) -> Floats:
        """Rate of a memory, or of the links that lead there if they carry less."""
        own = self._of(memory, peak_bytes_per_s)
        links = self._links(memory)
        carried = sum((self._of(name, _carried) for name in links), np.zeros(self._count))
        return np.minimum(own, carried) if links else own

    def _moved_j(self, away: list[str], chip: list[str]) -> Floats:
        """The cheapest way: a read or a write off chip, one link, and the other end on chip."""
        ways = []
        for memory in away:
            links = [self._price(name, "move") for name in self._links(memory)]
            link = np.min(links, axis=0) if links else np.zeros(self._count)
            for first, last in (("read", "write"), ("write", "read")):
                ends = [self._price(name, last) for name in chip]
                end = np.min(ends, axis=0) if ends else np.zeros(self._count)
                ways.append(self._price(memory, first) + link + end)
        return np.min(ways, axis=0) if ways else np.zeros(self._count)


def _changed(machine: Hardware, values: Mapping[str, object]) -> Hardware | None:
    try:
        return machine.with_all(values)
    except CodesignError:  # points with it fail when they are measured, and say why
        return None


def _carried(link: Link) -> float:
    """Bytes per second of all channels of a link."""
    return float(link.bytes_per_s * (2 if link.separate else 1))
