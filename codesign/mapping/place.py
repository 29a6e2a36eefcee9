"""From a trace and hardware to a placement: each operator goes where it finishes soonest alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from codesign.errors import MappingError, TraceError
from codesign.hardware.spec import Hardware
from codesign.mapping.capacity import check_capacity
from codesign.mapping.choice import refusals
from codesign.mapping.decide import Decision
from codesign.mapping.hold import Hold, peak
from codesign.mapping.notes import Kept, write_notes
from codesign.mapping.paths import Paths
from codesign.mapping.pins import Pinned, find_pinned
from codesign.mapping.placement import Placement, Stay
from codesign.mapping.plans import Plans
from codesign.mapping.prices import check_prices
from codesign.mapping.residency import Residency, as_residency
from codesign.mapping.timeline import Timeline, make_timeline
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op, Trace

_SHARES = (1, 15 / 16, 7 / 8, 3 / 4, 1 / 2, 1 / 4)
"""Shares of a buffer that a search offers to residents; the one with the least traffic wins."""
_STORED = ("weight", "constant")
"""Roles of what is stored at home even if it is moved elsewhere before it is used."""


def place(trace: Trace, hardware: Hardware, residency: Residency | str = "region") -> Placement:
    """Places a trace.

    Args:
        trace: operators in order.
        hardware: engines, memories and links.
        residency: which tensors may stay on chip, or the name of a policy.

    Raises:
        TraceError: the trace holds no operator.
        MappingError: an operator that no engine takes (each engine's reason is given), a tile that
            fits no buffer, tensors that fit no memory, or a pin that names or fits nothing.
    """
    return _Placing(trace, hardware, as_residency(residency)).placement()


class _Placing:
    """One placement."""

    def __init__(self, trace: Trace, hardware: Hardware, asked: Residency) -> None:
        self.trace, self.hardware, self.asked = trace, hardware, asked
        self.paths = Paths(hardware)
        self._parts: dict[str, tuple[Op, ...]] = {}

    def placement(self) -> Placement:
        """Checks everything, then plans."""
        if next(self.trace.ops(), None) is None:
            raise TraceError(
                f"trace {self.trace.name!r} must hold at least one operator, got none; "
                "capture a model with codesign.trace or add an operator"
            )
        limits = self.limits()
        self.check_engines()
        plans = Plans(self.paths)
        decision = Decision(self.trace, self.timeline, self.asked, self.pinned, plans, limits)
        found = self.best(decision, limits)
        check_prices(found, self.hardware)
        return found

    @cached_property
    def timeline(self) -> Timeline:
        return make_timeline(self.trace.items, self.parts)

    @cached_property
    def pinned(self) -> Pinned:
        return find_pinned(self.asked, self.timeline, self.paths)

    def limits(self) -> dict[str, int]:
        """Bytes that residents may take by memory, once what lives there is known to fit."""
        homes = self.pinned.homes

        def is_at_home(name: str) -> bool:
            tensor = self.timeline.tensors.get(name)
            return name not in homes or (tensor is not None and tensor.role in _STORED)

        check_capacity(self.trace, self.paths.home_memory, self.parts, is_at_home)
        found = {}
        for memory in (*self.paths.buffers, *self.paths.beside):
            if memory != self.paths.home:
                part = self.paths.memory(memory)
                least = int(memory in self.paths.buffers)  # some byte is left to tiles
                most = min(part.size, self.asked.limits.get(memory, part.size - least))
                lives = frozenset(name for name, home in homes.items() if home == memory)
                found[memory] = most
                if lives:
                    there = lives.__contains__
                    found[memory] -= check_capacity(self.trace, part, self.parts, there, most)
        return found

    def best(self, decision: Decision, limits: Mapping[str, int]) -> Placement:
        """The placement that moves least to and from home.

        Raises:
            MappingError: an operator whose tiles do not fit beside the pins.
        """
        found: Placement | None = None
        trouble: MappingError | None = None
        with_pins: int | None = None
        for holds in self.offers(decision, limits):
            try:
                placement = self.assembled(decision, holds)
            except MappingError as error:
                trouble = trouble or error
                continue
            if found is None or placement.home_bytes < found.home_bytes:
                found = placement
            if holds == tuple(decision.pins):
                with_pins = placement.home_bytes
            elif with_pins is not None:
                saved = sum(hold.saved for hold in holds if hold not in decision.pins)
                if placement.home_bytes <= with_pins - saved:
                    break  # less room would save no more, and the tiles have lost nothing
        if found is None:
            raise self.unplaceable(decision, trouble)
        return found

    def offers(self, decision: Decision, limits: Mapping[str, int]) -> Iterator[tuple[Hold, ...]]:
        """What may stay: of a search the pins alone, then more with less and less room."""
        if not decision.is_search:
            yield decision.holds(limits)
            return
        if decision.pins_fit(limits):
            yield tuple(decision.pins)
        seen: set[object] = set()
        for share in _SHARES:
            holds = decision.holds(self.shared(limits, share))
            key = frozenset((h.names, h.memory, h.first, h.last, h.bytes) for h in holds)
            if key not in seen:
                yield holds
            seen.add(key)

    def shared(self, limits: Mapping[str, int], share: float) -> dict[str, int]:
        """The limits with only a share of each buffer."""
        buffers = self.paths.buffers
        return {m: int(most * share) if m in buffers else most for m, most in limits.items()}

    def assembled(self, decision: Decision, holds: Sequence[Hold]) -> Placement:
        """The placement of some holds.

        Raises:
            MappingError: an operator whose tiles do not fit beside them.
        """
        placer = decision.placer(holds)
        program, ops = placer.program(), self.timeline.ops
        stays = tuple(
            Stay(tensor, h.memory, size, ops[h.first].name, ops[h.last].name, h.is_for_ever)
            for h in sorted(holds, key=lambda h: (h.first, h.last, h.names))
            for tensor, size in h.sizes
        )
        kept = Kept(self.asked, self.pinned, holds, decision.missed(holds))
        notes = write_notes(program, self.paths, kept)
        return Placement(self.trace, program, self.paths.home, notes, placer.setup(), stays)

    def unplaceable(self, decision: Decision, trouble: MappingError | None) -> MappingError:
        """Why nothing was found, with the pins if there are some."""
        taken = {m: peak(decision.pins, m) for m in self.paths.buffers}
        pins = ", ".join(f"{size:,} B of {memory}" for memory, size in taken.items() if size)
        return MappingError(f"{trouble}; pins take {pins}" if pins else str(trouble))

    def check_engines(self) -> None:
        """Every operator has an engine."""
        refused: Counter[str] = Counter()
        first: dict[str, str] = {}
        for op in self.timeline.ops:
            reasons = refusals(op, self.hardware.engines)
            if len(reasons) == len(self.hardware.engines):
                why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
                refused[why] += 1
                first.setdefault(why, op.name)
        if refused:
            lines = [f"{count} x e.g. {first[why]!r} ({why})" for why, count in refused.items()]
            raise MappingError(
                f"no engine of {self.hardware.name} takes: {' | '.join(lines)}; "
                "add an engine that does, or change the precision with --dtype"
            )

    def parts(self, op: Op) -> tuple[Op, ...]:
        """The operator, or the parts of an attention that no engine takes whole."""
        if op.kind != "attention":
            return (op,)
        if op.name not in self._parts:
            refused = len(refusals(op, self.hardware.engines)) == len(self.hardware.engines)
            self._parts[op.name] = attention_parts(op) if refused else (op,)
        return self._parts[op.name]
