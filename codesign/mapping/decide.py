"""What stays on chip under each policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from codesign.errors import MappingError, PluginError
from codesign.hardware.component import Engine
from codesign.mapping.assign.ways import Way, run_by
from codesign.mapping.candidates import Candidates, Spot
from codesign.mapping.fill import choose_parts, cut_cost
from codesign.mapping.greedy import choose_greedily, may_stay, turns
from codesign.mapping.hold import Hold, peak
from codesign.mapping.layout import Layout
from codesign.mapping.optimal import choose_optimally
from codesign.mapping.paths import Paths
from codesign.mapping.pin_holds import check_pinned, hold_pinned
from codesign.mapping.pins import Pinned
from codesign.mapping.placer import Meant, Placer
from codesign.mapping.plans import Plans
from codesign.mapping.regions import RegionKeeper
from codesign.mapping.residency import Residency
from codesign.mapping.timeline import Timeline
from codesign.mapping.uses import Uses
from codesign.workload.record import Op, Region, Tensor, Trace

Limits = Mapping[str, int]
_CHOOSERS: dict[str, Callable[..., tuple[Hold, ...]]] = {
    "greedy": choose_greedily,
    "optimal": choose_optimally,
}


class Decision:
    """Chooses holds for one trace on one piece of hardware, and lays them out.

    Attributes:
        trace: the trace.
        timeline: its operators and levels.
        asked: what the user wants.
        pinned: what is pinned where.
        plans: plans of operators.
        pins: holds of what is pinned in a buffer.
    """

    def __init__(
        self,
        trace: Trace,
        timeline: Timeline,
        asked: Residency,
        pinned: Pinned,
        plans: Plans,
        limits: Limits,
        ways: Sequence[Way] = (),
    ) -> None:
        """Checks what is pinned.

        Args:
            trace: the trace.
            timeline: its operators and levels.
            asked: what the user wants.
            pinned: what is pinned where.
            plans: plans of operators.
            limits: by memory that residents may lie in, the most bytes that they may take.
            ways: for each operator where it runs; empty if each may run anywhere.

        Raises:
            MappingError: a pin that does not fit.
        """
        self.trace, self.timeline, self.asked = trace, timeline, asked
        self.pinned, self.plans, self.paths = pinned, plans, plans.paths
        self.ways = ways
        self.pins = hold_pinned(pinned, timeline, across_runs=asked.across_runs)
        if not asked.partial:
            sizes = {memory: self.paths.memory(memory).size for memory in self.paths.buffers}
            check_pinned(self.pins, pinned, self._buffers(limits), sizes)

    @property
    def is_search(self) -> bool:
        """Whether how much room residents get is left to a search."""
        return self.asked.partial or self.chooses

    @property
    def chooses(self) -> bool:
        """Whether the policy chooses freely among all that may stay."""
        return self.asked.policy in _CHOOSERS

    def holds(self, limits: Limits) -> tuple[Hold, ...]:
        """What stays if residents get so many bytes.

        Raises:
            MappingError: an operator that fits no buffer, or too many candidates.
        """
        length = len(self.timeline.ops)
        found = list(self.pins) if self.pins_fit(limits) else []
        if self.asked.policy == "region":
            found += self._staged(found, limits)
            found += self._regions(found, limits)
        if not self.pins_fit(limits):
            found += choose_parts(self.pins, limits, length, found, self._again)
        starts = [found]
        chooser = _CHOOSERS.get(self.asked.policy)
        if chooser:
            chosen = found + list(chooser(self._candidates, limits, length, found))
            # whole tensors that go first may leave a worse rest to parts than parts from the start
            starts = [chosen, found]
        if not self.asked.partial:
            return tuple(starts[0])
        # what stays for ever takes room from all that comes and goes
        for_a_while = [hold for hold in self._candidates if not hold.is_for_ever]
        pools = [self._candidates, for_a_while] if self.asked.across_runs else [for_a_while]
        filled = [self._filled(start, pool, limits) for start in starts for pool in pools]
        best = max(filled, key=self._saved)
        return tuple(best)

    def _filled(self, holds: list[Hold], pool: Sequence[Hold], limits: Limits) -> list[Hold]:
        """Holds with as much of other candidates as fits beside them."""
        rest = [h for h in pool if not any(h.clashes(other) for other in holds)]
        length = len(self.timeline.ops)
        return holds + list(choose_parts(rest, limits, length, holds, self._again))

    def _saved(self, holds: Sequence[Hold]) -> int:
        """Bytes that holds save, less what the cuts in operators cost."""
        return sum(hold.saved for hold in holds) - cut_cost(holds, self._again)

    def pins_fit(self, limits: Limits) -> bool:
        """Whether all that is pinned stays whole; where part may stay, that depends on the room."""
        buffers = self._buffers(limits).items()
        return not self.asked.partial or all(peak(self.pins, m) <= most for m, most in buffers)

    def missed(self, holds: Sequence[Hold]) -> list[Hold]:
        """The best candidate of every tensor that does not stay at all, the best first."""
        chosen = {name for hold in holds for name in hold.names}
        found: dict[str, Hold] = {}
        for hold in self._candidates if self.asked.policy in _CHOOSERS else ():
            known = found.get(hold.names[0])
            if chosen.isdisjoint(hold.names) and (known is None or known.saved < hold.saved):
                found[hold.names[0]] = hold
        return sorted(found.values(), key=lambda hold: (-hold.saved, hold.names))

    def without_turns(self, limits: Limits) -> int:
        """Number of candidates, if they are too many for greedy to give any a turn; else 0."""
        if self.asked.policy != "greedy" or turns(len(self._candidates)):
            return 0
        fixed = self.pins if self.pins_fit(limits) else ()
        count = len(may_stay(self._candidates, limits, len(self.timeline.ops), fixed))
        return 0 if turns(count) else count

    def placer(self, holds: Sequence[Hold]) -> Placer:
        """A placer of the program with these holds."""
        fences = len(self.paths.buffers) == 1
        homes = self.pinned.homes
        layout = Layout(self.timeline, holds, homes, self.paths.home, fences=fences)
        fixed = not fences and self.is_search
        meant = self._base[2] if fixed or self.paths.stages else ()
        return Placer(layout, self.plans, self.ways, Meant(meant, fixed), self._moved_in)

    def _buffers(self, limits: Limits) -> dict[str, int]:
        return {memory: most for memory, most in limits.items() if memory in self.paths.buffers}

    @cached_property
    def _settled(self) -> frozenset[str]:
        return frozenset({*self.pinned.homes, *self.pinned.buffers})

    def _staged(self, others: Sequence[Hold], limits: Limits) -> list[Hold]:
        """What a region reads at every step and stages beside the buffers, such as in cells."""
        if not self.paths.stages or len(self.paths.buffers) != 1:
            return []
        found: list[Hold] = []
        able = [hold for hold in self._candidates if hold.memory in self.paths.stages]
        for hold in sorted(able, key=lambda hold: (-hold.saved, hold.first, hold.names)):
            beside = [*others, *found]
            if not any(hold.clashes(one) for one in beside) and self._fits(hold, beside, limits):
                found.append(hold)
        return found

    def _fits(self, hold: Hold, others: Sequence[Hold], limits: Limits) -> bool:
        """Whether the region that a hold lasts for can be placed with it."""
        if hold.bytes > limits[hold.memory] - peak(others, hold.memory):
            return False
        try:
            self.placer([*others, hold]).body(hold)
        except MappingError:
            return False
        return True

    def _regions(self, others: Sequence[Hold], limits: Limits) -> list[Hold]:
        """Regions that keep everything else; none where engines share no buffer."""
        if len(self.paths.buffers) != 1 or not self._buffers(limits):
            return []
        staged = (hold.names for hold in others if hold.memory in self.paths.stages)
        settled = self._settled.union(*staged, self._far)
        keeper = RegionKeeper(
            self.trace,
            self.timeline,
            self.paths.buffers[0],
            settled,
            lambda hold: self._fits(hold, others, limits),
        )
        return [self._counted(hold) if self.is_search else hold for hold in keeper.holds()]

    @cached_property
    def _far(self) -> frozenset[str]:
        """Tensors that their engine stages at home, or where the buffer reaches only through it."""
        if not any(engine.stages or engine.occupies for engine in self.paths.hardware.engines):
            return frozenset()
        return frozenset(
            access.tensor.name
            for op, engine in zip(self.timeline.ops, self._base[2], strict=True)
            for operand, access in enumerate(op.operands)
            if engine is not None and self._is_far(engine.stage(op, operand))
        )

    def _is_far(self, stage: str) -> bool:
        """Whether what stays in the buffer would leave the chip on its way to a stage."""
        buffer = self.paths.buffers[0]
        return stage == self.paths.home or not self.paths.is_on_chip(buffer, stage)

    def _counted(self, hold: Hold) -> Hold:
        """A hold with what it saves."""
        moved = sum(
            self._base[0][leaf][operand] * self.timeline.times[leaf]
            for leaf in range(hold.first, hold.last + 1)
            for operand, access in enumerate(self.timeline.ops[leaf].operands)
            if access.tensor.name in hold.names
        )
        once = sum(view.home_bytes for view in (*hold.loads, *hold.stores))
        return replace(hold, saved=moved - self.timeline.levels[hold.level].runs * once)

    @cached_property
    def _base(self) -> tuple[list[list[int]], list[list[tuple[Spot, ...]]], list[Engine | None]]:
        """For each operator what it moves of each operand to or from home, where that may stay.

        Last its engine; None if several run it. That is with nothing but the pins on chip, and all
        of the buffers left to tiles.
        """
        found, spots, engines = [], [], list[Engine | None]()
        for leaf, op in enumerate(self.timeline.ops):
            where = [self._where(access.tensor.name) for access in op.operands]
            total = dict.fromkeys(range(len(where)), 0)
            staged: list[list[tuple[Spot, ...]]] = []
            running: list[Engine] = []
            for part, engine in run_by(op, self.ways[leaf] if self.ways else ()):
                choice = self.plans.choose(part, {}, where, engine=engine)
                moved = {n: access.bytes for n, access in enumerate(part.operands)}
                if choice.plan is not None:
                    moved = choice.plan.loaded | choice.plan.stored
                staged.append(_spots(choice.engine, part, self.paths))
                running.append(choice.engine)
                if choice.engine.buffer != self.paths.home:
                    for n, size in moved.items():
                        sent = part.operands[n].tensor.home_bytes(size)
                        total[n] += sent * (where[n] == self.paths.home)
            spots.append([_common(alike) for alike in zip(*staged, strict=True)])
            found.append([*total.values()])
            engines.append(running[0] if len(running) == 1 else None)
        return found, spots, engines

    def _where(self, name: str) -> str:
        return {**self.pinned.homes, **self.pinned.buffers}.get(name, self.paths.home)

    @cached_property
    def _candidates(self) -> list[Hold]:
        """What may stay beside the pins, under this policy."""
        if self.asked.policy not in ("region", *_CHOOSERS):
            return []
        moved, spots, _ = self._base
        uses = Uses(self.timeline, moved)
        split = {leaf for leaf, way in enumerate(self.ways) if len(way) > 1}
        found = Candidates(uses, spots, self.paths.beside, self._settled, split)
        holds = list(found.within_a_run())
        if self.asked.policy == "region":
            return [hold for hold in holds if self._fills_region(hold)]
        return holds + (list(found.across_runs()) if self.asked.across_runs else [])

    def _fills_region(self, hold: Hold) -> bool:
        item = self.timeline.levels[hold.level].spans[hold.start].item
        fills = hold.start == hold.stop and isinstance(item, Region)
        return fills and hold.memory in (*self.paths.buffers, *self.paths.stages)

    @cached_property
    def _again(self) -> dict[str, int]:
        """Bytes that each further part of an operator moves once more, by name of the operator."""
        found = {}
        leaves = {op.name: leaf for leaf, op in enumerate(self.timeline.ops)}
        for hold in [*self.pins, *self._candidates]:
            if hold.part is not None:
                grain = hold.part.grain
                leaf = leaves[grain.op.name]
                whole = [n for n, axis in enumerate(grain.axes) if axis is None]
                extra = sum(self._base[0][leaf][n] for n in whole)
                found[grain.op.name] = extra * self.timeline.times[leaf]
        return found

    @cached_property
    def _moved_in(self) -> dict[int, list[Tensor]]:
        """Weights and constants that live beside the buffers, by the item before which they go."""
        found: dict[int, list[Tensor]] = {}
        if not self.pinned.homes:
            return found
        uses = Uses(self.timeline, [[0] * len(op.operands) for op in self.timeline.ops])
        first = uses.at(self.timeline.levels[0])
        for name in self.pinned.homes:
            tensor = self.timeline.tensors[name]
            if tensor.role in ("weight", "constant") and name in first:
                place = -1 if self.asked.across_runs else first[name][0].place
                found.setdefault(place, []).append(tensor)
        return found


def _spots(engine: Engine, op: Op, paths: Paths) -> list[tuple[Spot, ...]]:
    """Where the operands of an operator may stay for an engine: staged, or in its buffer."""
    found = []
    for operand, access in enumerate(op.operands):
        own, stage = access.tensor.plain_bytes, engine.stage(op, operand)
        size, spots = engine.stage_bytes(op, operand), []
        if size is not None:
            if not isinstance(size, int) or size < access.bytes:
                raise PluginError(
                    f"{engine.name} ({engine.kind}): stage_bytes of operand {operand} of "
                    f"{op.name!r} must be at least its {access.bytes:,} B, or None, got {size!r}; "
                    "mend the plugin"
                )
            spots.append(Spot(stage, size))
        if stage == engine.buffer or stage == paths.home:
            spots = spots or [Spot(engine.buffer, own)]
        elif paths.is_on_chip(engine.buffer, stage):
            spots.append(Spot(engine.buffer, own))
        found.append(tuple(spots))
    return found


def _common(several: Sequence[tuple[Spot, ...]]) -> tuple[Spot, ...]:
    """Where an operand may stay for all of several engines."""
    first, *others = several
    found = []
    for spot in first:
        same = [one for spots in others for one in spots if one.memory == spot.memory]
        if len(same) == len(others):
            found.append(Spot(spot.memory, max(one.bytes for one in (spot, *same))))
    return tuple(found)
