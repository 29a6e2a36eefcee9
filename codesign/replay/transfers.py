"""Classes of transfers: the way of each load and store, looked up once a tile."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cache, partial

from codesign.hardware.component import Descriptor, Direction
from codesign.hardware.plan import Move, Tile
from codesign.hardware.spec import Hardware
from codesign.mapping.allocate import Addresses, base_of, phases
from codesign.mapping.codec import at_home, find_decoder
from codesign.mapping.placement import Assignment
from codesign.replay.shares import Decoder, Route, Shares
from codesign.replay.template import Load, Part, Parts, Template

_AT_REST = ("weight", "constant", "input")
WAYS: tuple[Direction, Direction] = ("read", "write")
"""What the source and the target of a transfer do."""


def at_rest(assignment: Assignment, written: Collection[str]) -> tuple[bool, ...]:
    """For each operand, whether nobody writes it, so that it may be loaded at any time.

    Args:
        assignment: an operator on an engine.
        written: names of the tensors that some operator of its program writes.
    """
    return tuple(
        access.tensor.role in _AT_REST and access.tensor.name not in written
        for access in assignment.op.operands
    )


def describe(move: Move, direction: Direction, initiator: str, base: int) -> Descriptor:
    """A move as the memory at one of its ends sees it."""
    row = -(-move.bytes // move.rows)
    return Descriptor(row, move.rows, move.pitch, direction, base, initiator)


class Transfers:
    """Looks up the class of each transfer between two memories."""

    def __init__(self, hardware: Hardware, shares: Shares) -> None:
        self.hardware, self.shares = hardware, shares
        self._buffers = {name for e in hardware.engines for name in (e.buffer, *e.stages)}
        self._routes: dict[tuple[str, str], Route] = {}

    def number(
        self,
        source: str,
        target: str,
        move: Move,
        initiator: str,
        base: int = 0,
        decoder: Decoder | None = None,
    ) -> int:
        """Class of a transfer of a move's bytes, started by an engine or a process.

        Args:
            source: memory that is read.
            target: memory that is written.
            move: bytes and access shape.
            initiator: who asks.
            base: first byte at the home of what is moved.
            decoder: what unpacks it at the end.
        """
        forth, back = (describe(move, way, initiator, base) for way in WAYS)
        route = self._route(source, target)
        way = replace(route, decoder=decoder) if decoder else route
        return self.shares.classify(way, forth, back)

    def _decoder(
        self, assignment: Assignment, operand: int, source: str, target: str
    ) -> Decoder | None:
        tensor = assignment.op.operands[operand].tensor
        link = find_decoder(source, target, tensor, self.hardware)
        if link is None or tensor.stored is None:
            return None
        rate = int(link.decoders[tensor.stored.codec])
        written = max(1, int(tensor.home_share * self.shares.written(target)))
        return Decoder(link.name, rate, tensor.stored.bits, written)

    def _route(self, source: str, target: str) -> Route:
        key = (source, target)
        if key not in self._routes:
            names = self.hardware.route(source, target)
            links = [link for name in names for link in self.hardware.links if link.name == name]
            channel = int(target not in self._buffers)
            crossed = tuple((link.name, channel * link.separate) for link in links)
            setup = self.hardware.setup(source, target)
            between = self.hardware.crossed(source, target)
            self._routes[key] = Route(source, crossed, target, setup, between)
        return self._routes[key]

    def part(
        self, assignment: Assignment, addresses: Addresses, move: Move, direction: Direction
    ) -> Part | None:
        """The transfer of a move; None for what lies in the engine's buffer."""
        engine = self.hardware.engine(assignment.engine)
        home, stage = assignment.homes[move.operand], assignment.stage(move.operand, engine)
        if home == stage:
            return None
        is_load = direction == "read"
        ends = (home, stage) if is_load else (stage, home)
        base = base_of(assignment, move.operand, addresses)
        sent = at_home(move, assignment.op)
        decoder = self._decoder(assignment, move.operand, *ends) if is_load else None
        return self.number(*ends, sent, engine.name, base, decoder), sent.bytes


def merged(parts: Iterable[Part | None]) -> Parts:
    """Transfers of one tile, those of one class together."""
    total: dict[int, int] = {}
    for number, size in filter(None, parts):
        total[number] = total.get(number, 0) + size
    return tuple(total.items())


class Templates:
    """Templates of assignments; those that behave alike share one."""

    def __init__(self, hardware: Hardware, shares: Shares) -> None:
        self.transfers = Transfers(hardware, shares)
        self._known: dict[tuple[object, ...], Template] = {}
        self._plans: list[object] = []  # keeps plans alive, so that their identities stay unique

    def template(
        self, assignment: Assignment, written: Collection[str], addresses: Addresses
    ) -> Template:
        """The template of an assignment.

        Args:
            assignment: an operator on an engine.
            written: names of the tensors that some operator of its program writes.
            addresses: of its operands.
        """
        rests = at_rest(assignment, written)
        key = (
            id(assignment.plan),
            assignment.engine,
            assignment.homes,
            assignment.stages,
            assignment.budget_bytes,
            rests,
            phases(assignment, addresses, self.transfers.hardware),
        )
        if key not in self._known:
            self._plans.append(assignment.plan)
            self._known[key] = self._new(assignment, addresses, rests)
        return self._known[key]

    def _new(
        self, assignment: Assignment, addresses: Addresses, rests: tuple[bool, ...]
    ) -> Template:
        # one move stands in many tiles
        part = cache(partial(self.transfers.part, assignment, addresses))
        exclusive = assignment.plan.exclusive if assignment.plan else ()

        def parts(moves: Iterable[Move]) -> Parts:
            return merged(part(move, "read") for move in moves)

        def loads(tile: Tile) -> Load:
            alone = [move for move in tile.loads if move.operand in exclusive]
            others = [move for move in tile.loads if move.operand not in exclusive]
            return Load(
                parts(move for move in others if rests[move.operand]),
                parts(move for move in others if not rests[move.operand]),
                parts(others),
                parts(alone),
                not all(rests[move.operand] for move in alone),
            )

        def stores(tile: Tile) -> Parts:
            return merged(part(move, "write") for move in tile.stores)

        number, size = len(self._known), assignment.budget_bytes
        occupied = self.transfers.hardware.engine(assignment.engine).occupies
        wake = self.transfers.shares.wake(occupied)
        return Template(assignment.plan, size, number, loads, stores, wake)
