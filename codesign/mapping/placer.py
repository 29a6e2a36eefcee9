"""From a layout to a program: operators on engines, and the moves that residency needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from codesign.hardware.component import Engine
from codesign.mapping.assign.ways import Way, run_by
from codesign.mapping.cut import cut
from codesign.mapping.hold import Hold
from codesign.mapping.layout import Layout
from codesign.mapping.moves import Move, copy, fetch, write_back
from codesign.mapping.placement import Assignment, Block, Residence, Step
from codesign.mapping.plans import Plans
from codesign.mapping.timeline import Level
from codesign.workload.record import Op, Region, Tensor


@dataclass(frozen=True, slots=True)
class Meant:
    """The engines that holds were chosen for.

    Attributes:
        engines: of each operator, None if several run it; empty if any may.
        keeps_buffer: whether an operator stays on engines that work in the same buffer.
    """

    engines: Sequence[Engine | None] = ()
    keeps_buffer: bool = False

    def of(self, leaf: int, homes: Sequence[str], engine: str) -> tuple[str, str]:
        """The buffer and the engine that an operator must run on; "" if any may do.

        Args:
            leaf: its place.
            homes: of its operands; what lies in a stage of an engine is there for that engine.
            engine: the engine that it must run on by a rule, or "".
        """
        meant = self.engines[leaf] if self.engines and not engine else None
        if meant is None:
            return "", engine
        if not set(meant.stages).isdisjoint(homes):
            return "", meant.name
        return meant.buffer * self.keeps_buffer, ""


class Placer:
    """Writes one program.

    Attributes:
        layout: where every tensor is.
        plans: plans of operators.
        ways: for each operator where it runs; empty if each may run anywhere.
        meant: for each operator the engine that the holds were chosen for.
        moved_in: by index of an item of the program, the tensors that are moved to a home on chip
            before it; by -1, those that are moved there before the first run.
    """

    def __init__(
        self,
        layout: Layout,
        plans: Plans,
        ways: Sequence[Way] = (),
        meant: Meant | None = None,
        moved_in: dict[int, list[Tensor]] | None = None,
    ) -> None:
        self.layout, self.plans, self.ways = layout, plans, ways
        self.meant = meant or Meant()
        self.moved_in = moved_in or {}
        self.timeline, self.paths = layout.timeline, plans.paths

    def program(self) -> tuple[Step, ...]:
        """The steps of one run.

        Raises:
            MappingError: an operator whose tiles do not fit beside what stays.
        """
        return tuple(self._steps(self.timeline.levels[0]))

    def setup(self) -> tuple[Assignment, ...]:
        """What runs once before the first of many runs: moves of what stays for ever."""
        level = self.timeline.levels[0]
        found = self._moved_in(-1)
        for memory in (*self.paths.buffers, *self.paths.stages):
            ever = [h for h in self.layout.holds if h.is_for_ever and h.memory == memory]
            found += self._preload(f"setup.{memory}", level, self._fetched(ever), ever)
        return tuple(found)

    def body(self, hold: Hold) -> tuple[Step, ...]:
        """One step of the region that a hold begins with.

        Raises:
            MappingError: an operator whose tiles do not fit beside what stays.
        """
        return tuple(self._steps(self.timeline.bodies[hold.level, hold.start]))

    def operators(self, level: Level, leaf: int) -> list[Assignment]:
        """An operator, in parts if part of an operand stays on chip or several engines run it.

        Raises:
            MappingError: its tiles do not fit beside what stays.
        """
        op = self.timeline.ops[leaf]
        way = self.ways[leaf] if self.ways else ()
        holds = [self.layout.hold(access.tensor.name, leaf) for access in op.operands]
        kept = {n: hold.part for n, hold in enumerate(holds) if hold and not hold.is_whole}
        if not kept:
            parts = run_by(op, way)
            found = [self._operator(level, leaf, one, holds, engine=name) for one, name in parts]
            if len(found) == 1:
                return found
            return [replace(one, piece=(n, len(found))) for n, one in enumerate(found)]
        part = next(part for part in kept.values() if part is not None)
        columns = {n: p.columns for n, p in kept.items() if p}
        return [  # all parts cut the operator alike
            self._operator(level, leaf, one, holds, here, way[0].engine if way else "")
            for one, here in cut(part.grain, columns)
        ]

    def _operator(
        self,
        level: Level,
        leaf: int,
        op: Op,
        holds: Sequence[Hold | None],
        here: frozenset[int] = frozenset(),
        engine: str = "",
    ) -> Assignment:
        homes = tuple(
            hold.memory if hold and number in here else self.layout.where(access.tensor.name, leaf)
            for number, (access, hold) in enumerate(zip(op.operands, holds, strict=True))
        )
        buffer, engine = self.meant.of(leaf, homes, engine)
        choice = self.plans.choose(op, self.layout.taken(level), homes, buffer, engine)
        written = [hold for hold in holds[len(op.inputs) :] if hold and not hold.loads]
        reuses = self._reuses(written)
        name = choice.engine.name
        return Assignment(op, name, choice.plan, homes, choice.budget_bytes, reuses)

    def _reuses(self, holds: Iterable[Hold]) -> tuple[str, ...]:
        names = (name for hold in holds for name in self.layout.neighbours(hold))
        return tuple(dict.fromkeys(names))

    def _steps(self, level: Level) -> Iterator[Step]:
        for place, span in enumerate(level.spans):
            starting = [h for h in self.layout.starting(level, place) if not h.is_for_ever]
            stopping = [h for h in self.layout.stopping(level, place) if not h.is_for_ever]
            if level.parent < 0:
                yield from self._moved_in(place)
            if isinstance(span.item, Region):
                yield from self._region(level, place, starting, stopping)
                continue
            found = self.operators(level, span.first)
            name, engine = span.item.name, self.paths.hardware.engine(found[0].engine)
            moves = self._fetched(starting)
            yield from self._preload(f"{name}.preload", level, moves, starting, engine)
            yield from found
            yield from self._write_back(f"{name}.writeback", level, stopping, engine)

    def _region(
        self, level: Level, place: int, starting: Sequence[Hold], stopping: Sequence[Hold]
    ) -> Iterator[Step]:
        body = self.timeline.bodies[level.number, place]
        region = body.regions[-1]
        moves = self._fetched(starting) + self._begun(level, place, starting)
        preloads = self._preload(f"{region.name}.preload", body, moves, starting)
        write_backs = self._write_back(f"{region.name}.writeback", body, stopping)
        stays = tuple(
            Residence(tensor, hold.memory, region.name)
            for hold in self.layout.own(level, place)
            for tensor in hold.tensors
        )
        steps = tuple(self._steps(body))
        yield from preloads[:-1]
        first = preloads[-1] if preloads else None
        last = write_backs[0] if write_backs else None
        yield Block(region, steps, first, last, stays)
        yield from write_backs[1:]

    def _fetched(self, holds: Iterable[Hold]) -> list[Move]:
        """What holds fetch before they begin."""
        found = []
        for hold in holds:
            for view in hold.loads:
                name = view.tensor.name
                home = self.layout.homes.get(name, self.layout.home)
                source = home if name in hold.names else self.layout.where(name, hold.first)
                found.append(Move(view, source, hold.memory))
        return found

    def _begun(self, level: Level, place: int, starting: Sequence[Hold]) -> list[Move]:
        """First values of what a region carries in another memory than they are in."""
        leaf = level.spans[place].first
        fetched = {(h.names, view.tensor.name) for h in starting for view in h.loads}
        found = []
        for carry in self.timeline.bodies[level.number, place].regions[-1].carries:
            state, first = carry.state, carry.initial
            if first is None or any(n == first.name and state.name in h for h, n in fetched):
                continue
            source = self.layout.where(first.name, leaf)
            if ((first.name,), first.name) in fetched:  # it is on its way there itself
                source = self.layout.homes.get(first.name, self.layout.home)
            target = self.layout.where(state.name, leaf)
            if source != target:
                found.append(Move(first.access(), source, target, state.access()))
        return found

    def _moved_in(self, place: int) -> list[Assignment]:
        level = self.timeline.levels[0]
        found = []
        for tensor in self.moved_in.get(place, ()):
            move = Move(tensor.access(), self.layout.home, self.layout.homes[tensor.name])
            found += self._preload(f"{tensor.name}.preload", level, [move], ())
        return found

    def _preload(
        self,
        name: str,
        level: Level,
        moves: Sequence[Move],
        holds: Sequence[Hold],
        engine: Engine | None = None,
    ) -> list[Assignment]:
        """The moves before an item: one operator for each buffer, the last one for the rest."""
        found: list[Assignment] = []
        near = (*self.paths.buffers, *self.paths.stages)
        rest = [move for move in moves if move.target not in near]
        if rest and len(self.paths.buffers) == 1:  # they flow through the buffer, with what stays
            rest = [move for move in moves if move.target not in self.paths.stages]
        for buffer in self.paths.buffers:
            here = self.paths.staged_with(buffer)
            mine = [move for move in moves if move.target in here and move not in rest]
            worker = self._worker(buffer, engine, {move.target for move in mine})
            reuses = self._reuses(hold for hold in holds if hold.memory in here and hold.loads)
            if mine:
                granted = self._granted(level, worker)
                found.append(fetch(name, mine, worker, granted, reuses))
        if rest:
            worker = engine or self.paths.hardware.engines[0]
            homes = [move.source for move in rest] + [move.target for move in rest]
            budget = self.paths.budget(worker, self.layout.taken(level), homes, len(rest))
            found.append(copy(name, rest, worker, budget, self._reuses(holds)))
        return found

    def _write_back(
        self, name: str, level: Level, holds: Sequence[Hold], engine: Engine | None = None
    ) -> list[Assignment]:
        """The moves after an item: one operator for each buffer."""
        found = []
        for buffer in self.paths.buffers:
            moves = [
                Move(view, buffer, self.layout.homes.get(view.tensor.name, self.layout.home))
                for hold in holds
                for view in hold.stores
                if hold.memory == buffer
            ]
            worker = self._worker(buffer, engine)
            if moves:
                found.append(write_back(name, moves, worker, self._granted(level, worker)))
        return found

    def _worker(self, buffer: str, engine: Engine | None, targets: Collection[str] = ()) -> Engine:
        """The engine that moves things into a buffer: this one, or the first that works in it.

        One that stages operands in all of the targets is preferred.
        """
        if engine is not None and engine.buffer == buffer:
            return engine
        here = [one for one in self.paths.hardware.engines if one.buffer == buffer]
        able = (one for one in here if {buffer, *one.stages}.issuperset(targets))
        return next(able, here[0])

    def _granted(self, level: Level, engine: Engine) -> int:
        """Bytes that a move may take: its residents' own inside a fence, else those of a tile."""
        taken = self.layout.taken(level)
        if self.layout.is_fenced(level):
            return taken.get(engine.buffer, 0)
        return self.paths.budget(engine, taken).buffer_bytes
