"""What the mapping asks of a trace whatever the hardware: the points of a sweep share it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from codesign.mapping.answers import content_of
from codesign.mapping.capacity import Need, find_need
from codesign.mapping.kept import Kept, Mark
from codesign.mapping.timeline import Timeline, make_timeline
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op, Trace

_OPS = 1 << 15
"""Operators of all traces that are kept (assumed): those of many models, or of one large one."""

_known = Kept["Outline"](_OPS)


@dataclass(frozen=True, eq=False)
class Outline:
    """A trace whose attentions are whole or in parts.

    Attributes:
        trace: the trace.
        split: names of the attentions that run in parts.
    """

    trace: Trace
    split: frozenset[str] = frozenset()

    def parts(self, op: Op) -> tuple[Op, ...]:
        """What runs in the place of an operator."""
        if op.name not in self.split:
            return (op,)
        if op.name not in self._parts:
            self._parts[op.name] = attention_parts(op)
        return self._parts[op.name]

    @cached_property
    def _parts(self) -> dict[str, tuple[Op, ...]]:
        return {}

    @cached_property
    def timeline(self) -> Timeline:
        """The operators as they are placed, and the levels that they stand in."""
        return make_timeline(self.trace.items, self.parts)

    @cached_property
    def need(self) -> Need:
        """Room of all tensors in one memory."""
        return find_need(self.trace, self.parts)

    @cached_property
    def contents(self) -> tuple[Mark, ...]:
        """Content of each operator of the timeline."""
        return tuple([content_of(op) for op in self.timeline.ops])

    @cached_property
    def alike(self) -> dict[Mark, Op]:
        """The first operator of each content."""
        found: dict[Mark, Op] = {}
        for content, op in zip(self.contents, self.timeline.ops, strict=True):
            found.setdefault(content, op)
        return found

    @cached_property
    def is_packed(self) -> bool:
        """Whether some tensor is stored in a codec."""
        return any(a.tensor.stored for op in self.timeline.ops for a in op.operands)


def outline_of(trace: Trace, split: frozenset[str]) -> Outline:
    """The outline of a trace.

    Args:
        trace: the trace.
        split: names of the attentions that run in parts.
    """
    key = id(trace), split  # the outline holds the trace, so that no other is made at its address
    found = _known.find(key)
    if found is None:
        made = Outline(trace, split)
        found = _known.keep(key, made, len(made.timeline.ops))
    return found
