"""From a trace and hardware to a placement: each operator on an engine, and what stays on chip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from codesign.errors import MappingError, TraceError
from codesign.hardware.objective import Objective, as_objective
from codesign.hardware.price_tables import check_tables
from codesign.hardware.spec import Hardware
from codesign.mapping.answers import refusals
from codesign.mapping.assign.ask import Engines, as_engines, find_ruled
from codesign.mapping.assign.assign import Assigned, assign
from codesign.mapping.capacity import Need, find_need
from codesign.mapping.codec import check_codecs
from codesign.mapping.decide import Decision
from codesign.mapping.fixed import Fixed, find_fixed, with_rules
from codesign.mapping.fixed_file import Entry
from codesign.mapping.fixed_notes import fixed_notes
from codesign.mapping.hold import Hold
from codesign.mapping.kept import Mark
from codesign.mapping.outline import Outline, outline_of
from codesign.mapping.paths import Paths
from codesign.mapping.pins import Pinned, find_pinned
from codesign.mapping.placement import Placement
from codesign.mapping.plans import Plans
from codesign.mapping.prices import check_prices
from codesign.mapping.residency import Residency, as_residency
from codesign.mapping.search import find_best
from codesign.mapping.timeline import Timeline
from codesign.workload.check import check_sizes
from codesign.workload.record import Trace
from codesign.workload.rewrite import every_op

_STORED = ("weight", "constant")
"""Roles of what is stored at home even if it is moved elsewhere before it is used."""


def place(
    trace: Trace,
    hardware: Hardware,
    residency: Residency | str = "region",
    engines: Engines | str = "earliest",
    mappings: Sequence[Entry] = (),
    objective: Objective | str | None = None,
) -> Placement:
    """Places a trace.

    Args:
        trace: operators in order.
        hardware: engines, memories and links.
        residency: which tensors may stay on chip, or the name of a policy.
        engines: which engine runs which operator, or the name of a policy.
        mappings: what is decided of the mapping of operators; it goes before rules on engines.
        objective: what plans and the choice of engines are to make small; by default latency, and
            what the hardware file says of engines that have an objective of their own.

    Raises:
        TraceError: the trace holds no operator.
        MappingError: an operator that no engine takes (each engine's reason is given), a tile that
            fits no buffer, tensors that fit no memory, a pin, rule or fixed mapping that names or
            fits nothing, an objective that means nothing.
        PluginError: a component fails to say what its actions cost, or an engine how it works.
    """
    return place_planned(trace, hardware, residency, engines, mappings, objective)[0]


def place_planned(
    trace: Trace,
    hardware: Hardware,
    residency: Residency | str = "region",
    engines: Engines | str = "earliest",
    mappings: Sequence[Entry] = (),
    objective: Objective | str | None = None,
) -> tuple[Placement, Plans]:
    """As ``place``, with the plans to ask what else there was to choose."""
    check_tables(hardware.components.values())
    paths = Paths(hardware, as_objective(objective))
    placing = _Placing(trace, paths, as_residency(residency), as_engines(engines), mappings)
    return placing.placement()


class _Placing:
    """One placement."""

    def __init__(
        self,
        trace: Trace,
        paths: Paths,
        asked: Residency,
        engines: Engines,
        mappings: Sequence[Entry],
    ) -> None:
        self.trace, self.paths, self.asked, self.engines = trace, paths, asked, engines
        self.mappings, self.hardware = mappings, paths.hardware
        self._plans: dict[frozenset[str], Plans] = {}

    def placement(self) -> tuple[Placement, Plans]:
        """Checks everything, then plans; with the plans that were asked."""
        if next(self.trace.ops(), None) is None:
            raise TraceError(
                f"trace {self.trace.name!r} must hold at least one operator, got none; "
                "its model computes nothing from its inputs, so give one that does"
            )
        check_sizes(self.trace)
        limits = self.limits()
        self.check_engines()
        places = {**self.pinned.homes, **self.pinned.buffers}
        assigned = self.assigned(places)
        plans = self.plans(_running(assigned) or self.users)
        decision = self.decision(limits, assigned, plans)
        stays = self.staying(decision.holds(limits)) if assigned.has_choice else {}
        if stays:  # engines were chosen as if all were fetched
            assigned = self.assigned({**stays, **places})
            plans = self.plans(_running(assigned))
            decision = self.decision(limits, assigned, plans)
        found = find_best(decision, limits)
        if self.outline.is_packed:
            check_codecs(found, self.hardware)
        check_prices(found, self.hardware)
        notes = (*_objective_notes(self.paths.objective), *found.notes)
        notes += (assigned.note,) * bool(assigned.note)
        return replace(found, notes=(*notes, *fixed_notes(found, plans))), plans

    def assigned(self, places: Mapping[str, str]) -> Assigned:
        """Engines for tensors that lie in these places, by name, and else at home."""
        plans = self.plans(self.users)
        asked = with_rules(self.engines, plans.fixed)
        whole = self.pinned.buffers if self.asked.partial else ()
        return assign(
            self.timeline, lambda name: places.get(name, self.paths.home), plans, asked, whole
        )

    def decision(self, limits: Mapping[str, int], assigned: Assigned, plans: Plans) -> Decision:
        """Ready to decide what stays on chip.

        Args:
            limits: by memory, bytes that residents may take.
            assigned: which engine runs what.
            plans: of the engines that share the buffers.
        """
        pinned, ways = self.pinned, assigned.ways
        return Decision(self.trace, self.timeline, self.asked, pinned, plans, limits, ways)

    def staying(self, holds: Sequence[Hold]) -> dict[str, str]:
        """What is computed and stays in a buffer from its first use to its last one.

        Where weights stay depends on the engine that uses them.
        """
        used: dict[str, list[int]] = {}
        for leaf, op in enumerate(self.timeline.ops):
            for access in op.operands:
                used.setdefault(access.tensor.name, []).append(leaf)
        return {
            tensor.name: hold.memory
            for hold in holds
            for tensor in hold.tensors
            if tensor.role not in _STORED and tensor.name in used
            if hold.memory in self.paths.buffers and hold.is_whole
            if hold.first <= used[tensor.name][0] and used[tensor.name][-1] <= hold.last
        }

    def plans(self, users: frozenset[str]) -> Plans:
        """Plans for buffers that these engines share; the same again for the same engines."""
        if users not in self._plans:
            paths = Paths(self.hardware, self.paths.objective, users)
            self._plans[users] = Plans(paths, self.fixed)
        return self._plans[users]

    @cached_property
    def fixed(self) -> Fixed:
        """Mappings that are decided."""
        return find_fixed(self.mappings, self.timeline.ops, self.hardware.engines)

    @cached_property
    def users(self) -> frozenset[str]:
        """Engines that may run some operator, by what they take and what rules say."""
        engines = self.hardware.engines
        rules = with_rules(self.engines, self.fixed).rules
        ruled = find_ruled(rules, self.timeline.ops, [engine.name for engine in engines])
        able = {
            content: {e.name for e in engines}.difference(refusals(op, engines))
            for content, op in self.outline.alike.items()
        }
        pairs = zip(self.outline.contents, ruled, strict=True)
        found = [{engine} if engine else able[content] for content, engine in pairs]
        return frozenset().union(*found)

    @cached_property
    def outline(self) -> Outline:
        """The trace, with attentions that no engine takes whole in parts."""
        engines = self.hardware.engines
        attentions = (op for op in every_op(self.trace.items) if op.kind == "attention")
        refused = (op.name for op in attentions if len(refusals(op, engines)) == len(engines))
        return outline_of(self.trace, frozenset(refused))

    @property
    def timeline(self) -> Timeline:
        return self.outline.timeline

    @cached_property
    def pinned(self) -> Pinned:
        return find_pinned(self.asked, self.timeline, self.paths)

    def limits(self) -> dict[str, int]:
        """Bytes that residents may take by memory, once what lives there is known to fit."""
        homes = self.pinned.homes

        def is_at_home(name: str) -> bool:
            tensor = self.timeline.tensors.get(name)
            return name not in homes or (tensor is not None and tensor.role in _STORED)

        need = self.outline.need if not homes else self.need(is_at_home)
        need.check(self.paths.home_memory)
        found = {}
        for memory in (*self.paths.buffers, *self.paths.stages, *self.paths.beside):
            if memory != self.paths.home:
                part = self.paths.memory(memory)
                least = int(memory in self.paths.buffers)  # some byte is left to tiles
                most = min(part.size, self.asked.limits.get(memory, part.size - least))
                lives = frozenset(name for name, home in homes.items() if home == memory)
                found[memory] = most
                if lives:
                    found[memory] -= self.need(lives.__contains__).check(part, most)
        return found

    def need(self, lives: Callable[[str], bool]) -> Need:
        """Room of the tensors whose name says that they live in one memory."""
        return find_need(self.trace, self.outline.parts, lives)

    def check_engines(self) -> None:
        """Every operator has an engine."""
        engines = self.hardware.engines
        reasons: dict[Mark, str] = {}
        for content, op in self.outline.alike.items():
            told = refusals(op, engines)
            if len(told) == len(engines):
                reasons[content] = "; ".join(f"{name}: {why}" for name, why in told.items())
        refused: Counter[str] = Counter()
        first: dict[str, str] = {}
        for content, op in zip(self.outline.contents, self.timeline.ops, strict=True):
            if content in reasons:
                refused[reasons[content]] += 1
                first.setdefault(reasons[content], op.name)
        if refused:
            lines = [f"{count} x e.g. {first[why]!r} ({why})" for why, count in refused.items()]
            raise MappingError(
                f"no engine of {self.hardware.name} takes: {' | '.join(lines)}; "
                "add an engine that does, or change the precision with --dtype"
            )


def _running(assigned: Assigned) -> frozenset[str]:
    """Engines that run something; none where there was nothing to decide."""
    return frozenset(site.engine for way in assigned.ways for site in way)


def _objective_notes(objective: Objective | None) -> tuple[str, ...]:
    if objective is None or not objective.weighs_energy:
        return ()
    return (f"objective {objective}: plans are searched for the least {objective}",)
