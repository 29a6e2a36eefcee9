"""From a trace and hardware to a placement: each operator goes where it finishes soonest alone."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from codesign.errors import MappingError, TraceError
from codesign.hardware.spec import Hardware
from codesign.mapping.capacity import check_capacity
from codesign.mapping.choice import refusals
from codesign.mapping.decide import Decision
from codesign.mapping.paths import Paths
from codesign.mapping.pins import Pinned, find_pinned
from codesign.mapping.placement import Placement
from codesign.mapping.plans import Plans
from codesign.mapping.prices import check_prices
from codesign.mapping.residency import Residency, as_residency
from codesign.mapping.search import find_best
from codesign.mapping.timeline import Timeline, make_timeline
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op, Trace

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
        found = find_best(decision, limits)
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
