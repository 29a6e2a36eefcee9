"""The tile plan: how an engine runs one operator, as pure data.

The replay, the bounds, the ledger and the property tests all read this and nothing else of an
engine. A tile says what it moves and how long it computes; where a tensor lives at that moment is
the placement's business, so memory hierarchies of any depth need no code here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from codesign.hardware.fixed import FixedMapping
from codesign.hardware.objective import Objective

MOST_CYCLES = 2**60
"""Cycles of one tile: at and beyond it, sums of a few of them leave 64 bits."""


@dataclass(frozen=True, slots=True)
class Store:
    """A memory that operands are staged in, or that they come from, as an engine sees it.

    Attributes:
        memory: its name.
        bytes: that tiles may take.
        read_j: joules per byte read; of a home also those of the links on the way.
        write_j: joules per byte written; the same.
    """

    memory: str
    bytes: int
    read_j: float
    write_j: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What the mapping grants an engine for one operator.

    Attributes:
        buffer_bytes: bytes of the engine's buffer that its tiles may take.
        load_bytes_per_s: nominal rate from the home of the operands to the buffer.
        store_bytes_per_s: nominal rate back.
        setup_s: time that every transfer pays before its first byte.
        resident: for each operand (inputs, then outputs), whether it already lies in the buffer
            and so takes no tile space and no transfer.
        shared_link: whether loads and stores share one channel.
        port_bytes_per_s: rate of the engine's own port to its buffer; a tile computes no faster
            than its reads and writes there.
        burst_bytes: the fewest bytes that the home of the operands moves: a run of adjacent bytes
            costs whole multiples of it.
        stores: the buffer, the further memories that the engine stages operands in, in their
            order, and last the home of the operands.
        fixed: what the user has decided of the mapping; engines with ``takes_mappings`` keep to it.
        objective: what an engine that searches is to make small; None leaves it to the engine,
            which takes latency unless its hardware file says otherwise.
        shares: for each operand the time of a byte on its way from or to home, in bytes of one
            that is stored as it is; empty where all of them are.
    """

    buffer_bytes: int
    load_bytes_per_s: float
    store_bytes_per_s: float
    setup_s: float = 0.0
    resident: tuple[bool, ...] = ()
    shared_link: bool = True
    port_bytes_per_s: float = math.inf
    burst_bytes: int = 1
    stores: tuple[Store, ...] = ()
    fixed: FixedMapping | None = None
    objective: Objective | None = None
    shares: tuple[float, ...] = ()

    def share(self, operand: int) -> float:
        """Time of a byte of an operand on its way, in bytes of one that is not compressed."""
        return self.shares[operand] if self.shares else 1.0

    def port_cycles(self, size: int, clock_hz: float) -> int:
        """Cycles that ``size`` bytes take through the port."""
        return math.ceil(size * clock_hz / self.port_bytes_per_s)

    def is_resident(self, operand: int) -> bool:
        """Whether operand number ``operand`` needs no transfer."""
        return operand < len(self.resident) and self.resident[operand]


@dataclass(frozen=True, slots=True)
class Move:
    """Bytes of one operand that a tile loads or stores, with their access shape.

    Attributes:
        operand: index into the operator's operands (inputs, then outputs).
        bytes: whole bytes moved.
        rows: number of adjacent runs; what a DRAM needs to know.
        pitch: bytes from the start of one run to the next; 0 if there is one run.
    """

    operand: int
    bytes: int
    rows: int = 1
    pitch: int = 0


@dataclass(frozen=True, slots=True)
class Tile:
    """One step of an engine: load, compute, store.

    Attributes:
        cycles: compute cycles of the engine's clock, at least 0.
        loads: what must arrive before the compute.
        stores: what leaves after it.
    """

    cycles: int
    loads: tuple[Move, ...] = ()
    stores: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A body of tiles and loops, repeated."""

    body: tuple[Tile | Loop, ...]
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Room:
    """What a plan takes of a memory, other than the buffer, that operands are staged in.

    Attributes:
        memory: its name.
        granted_bytes: that tiles may take of it.
        held_bytes: taken from the first load to the last compute.
        slot_in_bytes: taken by the inputs of one tile, from its load to its compute end.
    """

    memory: str
    granted_bytes: int
    held_bytes: int
    slot_in_bytes: int


@dataclass(frozen=True, slots=True)
class NestLoop:
    """One loop of how an operator runs, for people.

    Attributes:
        name: of the loop, or of several that run as one (``ci ky kx``).
        count: turns.
        level: the memory that its turns bring operands from; of loops side by side, where in the
            engine they lie.
        spatial: whether its turns run side by side.
        brings: numbers of the operands of which a turn brings or takes away another part.
        stays: numbers of the operands that it walks through and that stay all the same.
    """

    name: str
    count: int
    level: str
    spatial: bool = False
    brings: tuple[int, ...] = ()
    stays: tuple[int, ...] = ()


@dataclass(frozen=True)
class TilePlan:
    """Run-length loops of tiles and the action counts of the whole operator.

    Attributes:
        loop: all tiles in order.
        clock_hz: the clock that tile cycles are counted in.
        held_bytes: bytes of the buffer taken from the first load to the last compute.
        slot_in_bytes: bytes taken by the inputs of one tile, from its load to its compute end.
        slot_out_bytes: bytes taken by the outputs of one tile, from its compute to its store end.
        slots_in: tiles whose inputs the buffer holds at once (2 is double buffering).
        slots_out: tiles whose outputs it holds at once.
        actions: (component, action, count) triples for energy; component ``""`` is the engine
            itself, ``"buffer"`` its buffer. For a memory the actions are ``read`` and ``write``
            and the counts are bytes.
        slots: MAC slots by cause, ``effective`` and the wasted ones (``fill``, ``edge``, ...);
            their sum is what the engine issued.
        note: one sentence on the choice, for people.
        rooms: what it takes of further memories that the engine stages inputs in.
        nest: the loops that the tiles are turns of, and those inside a tile, from the outermost to
            the innermost, for people; empty for an operator that is one loop over its elements.
        exclusive: numbers of the inputs whose place holds one tile's worth: they are loaded when
            all earlier tiles of the engine have computed, whatever else the tile loads meanwhile.
        start_cycles: of all ``cycles`` those that start kernels, calls or pieces; 0 where slots
            tell them. Only the critical path asks.
    """

    loop: Loop
    clock_hz: float
    held_bytes: int = 0
    slot_in_bytes: int = 0
    slot_out_bytes: int = 0
    slots_in: int = 2
    slots_out: int = 2
    actions: tuple[tuple[str, str, int], ...] = ()
    slots: tuple[tuple[str, int], ...] = ()
    note: str = ""
    rooms: tuple[Room, ...] = ()
    nest: tuple[NestLoop, ...] = ()
    exclusive: tuple[int, ...] = ()
    start_cycles: int = 0

    @property
    def buffer_bytes(self) -> int:
        """Bytes of the buffer that the plan takes at most."""
        return (
            self.held_bytes
            + self.slots_in * self.slot_in_bytes
            + self.slots_out * self.slot_out_bytes
        )

    def segments(self) -> Iterator[tuple[Tile, int]]:
        """Tiles in order as (tile, how many in a row)."""
        return _segments(self.loop)

    @property
    def first(self) -> Tile:
        """The first tile."""
        return _end(self.loop, 0)

    @property
    def last(self) -> Tile:
        """The last tile."""
        return _end(self.loop, -1)

    @cached_property
    def counts(self) -> tuple[tuple[Tile, int], ...]:
        """Each distinct tile with the number of times it runs, in order of first use."""
        found: dict[Tile, int] = {}
        _count(self.loop, 1, found)
        return tuple(found.items())

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return sum(times for _, times in self.counts)

    @property
    def cycles(self) -> int:
        """Compute cycles of all tiles."""
        return sum(tile.cycles * times for tile, times in self.counts)

    @cached_property
    def loaded(self) -> dict[int, int]:
        """Bytes loaded, by operand index."""
        return _moved((tile.loads, times) for tile, times in self.counts)

    @cached_property
    def stored(self) -> dict[int, int]:
        """Bytes stored, by operand index."""
        return _moved((tile.stores, times) for tile, times in self.counts)


@dataclass(frozen=True, slots=True)
class Least:
    """What no plan of an operator goes below, whatever it is granted; for bounds of whole models.

    Attributes:
        seconds: of computing.
        actions: (component, action, count) triples as of ``TilePlan``.
    """

    seconds: float = 0.0
    actions: tuple[tuple[str, str, float], ...] = ()


def _moved(moves: Iterable[tuple[tuple[Move, ...], int]]) -> dict[int, int]:
    total: dict[int, int] = {}
    for group, times in moves:
        for move in group:
            total[move.operand] = total.get(move.operand, 0) + move.bytes * times
    return total


def _end(loop: Loop, place: int) -> Tile:
    part = loop.body[place]
    return part if isinstance(part, Tile) else _end(part, place)


def _segments(loop: Loop) -> Iterator[tuple[Tile, int]]:
    if len(loop.body) == 1 and isinstance(loop.body[0], Tile):
        yield loop.body[0], loop.repeats
        return
    for _ in range(loop.repeats):
        for part in loop.body:
            if isinstance(part, Tile):
                yield part, 1
            else:
                yield from _segments(part)


def _count(loop: Loop, times: int, found: dict[Tile, int]) -> None:
    for part in loop.body:
        if isinstance(part, Tile):
            found[part] = found.get(part, 0) + times * loop.repeats
        else:
            _count(part, times * loop.repeats, found)
