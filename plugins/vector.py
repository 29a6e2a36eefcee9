"""A vector unit: everything that is not matrix work, with a table of operations per element."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from annotated_types import Ge

from codesign import Budget, Component, Engine, Least, Op, TilePlan, fields_only, hookimpl
from codesign.errors import MappingError
from codesign.mapping.streaming import Stream, Streamed, stream
from codesign.units import Count, Hertz, Joules, Natural, Unit
from codesign.workload.work import cuts, elements, width

Operations = Annotated[float, Ge(0), Unit("1")]

# arithmetic, comparisons, logic, one step of a running or whole reduction, and plain movement
_ONE = (
    "add sub mul neg abs sign copysign relu hardtanh clamp minimum maximum fmax fmin where "
    "eq ne lt le gt ge and or xor not isnan isinf isfinite isneginf isposinf "
    "bitwise_left_shift bitwise_right_shift floor ceil round trunc cast batch_norm "
    "sum mean max min prod any all argmax argmin cumsum cumprod cummax cummin "
    "move gather scatter nearest elementwise reduce"
)
# two of them: a product and a sum, a comparison and a choice, or two neighbours
_TWO = (
    "frac nan_to_num prelu leaky_relu hardswish hardsigmoid hardshrink softshrink var norm linear"
)
# a function of one element is read from a table; selection of a median takes linear time
_FOUR = (
    "div reciprocal sqrt rsqrt pow exp expm1 exp2 log log2 log10 log1p sin cos tan asin acos atan "
    "sinh cosh tanh sigmoid logit log_sigmoid erf erfc erfinv special_erf lgamma digamma angle "
    "gelu silu mish elu celu selu softplus softsign bernoulli histogram median mode bilinear"
)
# statistics are passes over the row; a resize multiplies and adds once for each neighbour
_MORE = {
    "rope": 3,
    "softmax": 6,
    "log_softmax": 6,
    "logsumexp": 6,
    "logcumsumexp": 6,
    "rms_norm": 6,
    "weight_norm": 6,
    "atan2": 8,
    "hypot": 8,
    "layer_norm": 8,
    "group_norm": 8,
    "normalize": 8,
    "trilinear": 8,
    "bicubic": 16,
}
# a compare and an exchange, log2 of the row's length times for each element
_SORTS = {"sort": 2, "topk": 2}
OPERATIONS: dict[str, float] = {
    **dict.fromkeys(_ONE.split(), 1),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_FOUR.split(), 4),
    **_MORE,
    **_SORTS,
}
"""Lane operations per element (assumed) of every function that a shipped lowering, fusion pass or
placement makes, and of the kinds that may carry no function: simple arithmetic 1, look-ups 4."""


@fields_only
@dataclass(frozen=True, kw_only=True)
class Vector(Engine):
    """Lanes that work on one element each per cycle.

    A piece of n elements takes ``start + ceil(n / lanes) * operations`` cycles. Statistics of
    softmax and normalisation need passes over a row; a row that does not fit is read twice, with
    half of the operations in each pass.

    Attributes:
        lanes: elements per cycle.
        clock: clock of the lanes.
        start: cycles to start a piece.
        operations: lane operations per element, by function.
        operation_energy: energy of one lane operation; assumed.
    """

    kind: ClassVar[str] = "vector"
    takes_mappings: ClassVar[bool] = True

    lanes: Count = 64
    clock: Hertz = 1e9
    start: Natural = 8
    operations: Mapping[str, Operations] = field(default_factory=lambda: dict(OPERATIONS))
    operation_energy: Joules = 0.1e-12

    def supports(self, op: Op) -> str | None:
        """Takes every kind but contractions and whole attentions, if it knows the functions."""
        if op.kind in ("contraction", "attention"):
            return f"takes no {op.kind}"
        unknown = [name for name in _functions(op) if name not in self.operations]
        if unknown:
            return f"no entry in operations for {', '.join(unknown)}"
        return None

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """Pieces that flow through the buffer."""
        operations = self._per_element(op)
        flow, parts = self._stream(op, budget, operations)
        read = flow.sweeps * sum(access.bytes for access in op.inputs)
        write = sum(access.bytes for access in op.outputs)
        actions = (
            ("", "operation", math.ceil(elements(op) * operations)),
            ("buffer", "read", read),
            ("buffer", "write", write),
        )
        plan = TilePlan(
            parts.loop,
            self.clock,
            held_bytes=parts.held_bytes,
            slot_in_bytes=parts.slot_in_bytes,
            slot_out_bytes=parts.slot_out_bytes,
            actions=tuple(action for action in actions if action[2]),
        )
        return replace(plan, start_cycles=self.start * plan.tiles)

    def least(self, op: Op) -> Least:
        """All lanes busy with every element, and all operands once at the port of the buffer."""
        operations = elements(op) * self._per_element(op)
        actions = (
            ("", "operation", operations),
            ("buffer", "read", sum(access.bytes for access in op.inputs)),
            ("buffer", "write", sum(access.bytes for access in op.outputs)),
        )
        return Least(operations / self.lanes / self.clock, actions)

    def _stream(self, op: Op, budget: Budget, operations: float) -> tuple[Stream, Streamed]:
        """The first way of cutting the operator whose pieces fit."""
        *first, last = [
            Stream(units, self._work(op, budget, units, per_unit, operations / sweeps), sweeps)
            for units, per_unit, sweeps in cuts(op)
        ]
        for flow in first:
            try:
                return flow, stream(op, budget, flow)
            except MappingError:
                continue
        return last, stream(op, budget, last)

    def _work(
        self, op: Op, budget: Budget, units: int, per_unit: int, operations: float
    ) -> Callable[[int], int]:
        """Cycles of a piece: of its lane operations, or of its bytes at the buffer port."""
        touched = sum(access.bytes for access in op.operands)

        def cycles(piece: int) -> int:
            lanes = math.ceil(-(-piece * per_unit // self.lanes) * operations)
            port = budget.port_cycles(-(-touched * piece // units), self.clock)
            return self.start + max(lanes, port)

        return cycles

    def energies_j(self) -> Mapping[str, float]:
        """Lane operations."""
        return {"operation": self.operation_energy}

    def _per_element(self, op: Op) -> float:
        """Lane operations for each element; a sort compares along the row, log2 of it times."""
        turns = math.log2(max(2, width(op))) if op.kind == "sort" else 1
        return turns * sum(self.operations[name] for name in _functions(op))


def _functions(op: Op) -> tuple[str, ...]:
    """Functions of an operator; kinds that carry none are their own function."""
    return op.functions or (op.kind,)


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``vector``."""
    return [Vector]
