"""The trace: what a model does, independent of any hardware. Immutable, and hashed by content."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from codesign.errors import TraceError
from codesign.workload.nest import LoopNest
from codesign.workload.tensor import ROLES, Access, Role, Tensor, contiguous_strides

__all__ = [
    "KINDS",
    "ROLES",
    "Access",
    "Attribute",
    "Branch",
    "Carry",
    "Coverage",
    "Item",
    "Op",
    "Region",
    "Role",
    "Tensor",
    "Trace",
    "all_carries",
    "contiguous_strides",
    "iterate",
]

KINDS = (
    "contraction",
    "attention",
    "elementwise",
    "reduce",
    "normalize",
    "softmax",
    "gather",
    "scatter",
    "sort",
    "move",
)
"""Operator kinds. ``attention`` is kept whole; an engine that cannot take it gets its parts."""

Attribute: TypeAlias = bool | int | float | str | tuple[int, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Op:
    """One operator.

    Attributes:
        name: unique in the trace, readable: module path and what it does.
        kind: one of ``KINDS``.
        inputs: accesses read. A contraction's first two are its factors, activation then weight
            or second activation; any others (bias, residual) feed the fused functions. An
            attention reads query, key, value and optionally a mask, each
            ``[batch, heads, length, width]``.
        outputs: accesses written.
        nest: the loop nest; required for a contraction, optional for a windowed reduce.
        functions: per-element functions in order: of an elementwise chain, of a reduction, or
            fused behind a contraction ("add", "relu", "gelu", ...).
        attributes: further facts, sorted by name.
        module: path of the PyTorch module it came from.
        source: the graph target it was lowered from.
    """

    name: str
    kind: str
    inputs: tuple[Access, ...]
    outputs: tuple[Access, ...]
    nest: LoopNest | None = None
    functions: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Attribute], ...] = ()
    module: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise TraceError(f"{self.name}: unknown kind {self.kind!r}; known: {', '.join(KINDS)}")
        if self.kind == "contraction" and self.nest is None:
            raise TraceError(f"{self.name}: a contraction needs a loop nest")
        if self.nest and len(self.nest.operands) != len(self.operands):
            raise TraceError(
                f"{self.name}: its nest describes {len(self.nest.operands)} operands, "
                f"the operator has {len(self.operands)}"
            )
        if self.kind == "contraction" and self.nest:
            self._check_outputs(self.nest)

    def _check_outputs(self, nest: LoopNest) -> None:
        """An output element is finished by one point of the loops that it runs over."""
        for number in range(len(self.inputs), len(self.operands)):
            for axis, access in enumerate(nest.operands[number]):
                if not access.is_injective(nest.extents):
                    raise TraceError(
                        f"{self.name}: axis {axis} of operand {number}, an output, must name one "
                        f"element for each point of its loops, got {access}; write the products "
                        "to a tensor without overlap and sum it with a reduce"
                    )

    @property
    def operands(self) -> tuple[Access, ...]:
        """Inputs, then outputs: the order in which a nest and a tile number them."""
        return self.inputs + self.outputs

    @property
    def distinct_inputs(self) -> tuple[int, ...]:
        """Indices of the inputs but for those that read what an earlier one reads (``x * x``)."""
        seen: dict[object, int] = {}
        for number, access in enumerate(self.inputs):
            axes = self.nest.operands[number] if self.nest else None
            seen.setdefault((access, axes), number)
        return tuple(seen.values())

    @property
    def loops(self) -> LoopNest:
        """The loop nest.

        Raises:
            TraceError: the operator has none.
        """
        if self.nest is None:
            raise TraceError(f"{self.name}: a {self.kind} has no loop nest")
        return self.nest

    @property
    def gemm(self) -> tuple[int, int, int, int]:
        """Sizes (groups, rows M, reduction K, columns N) of a contraction as a matrix product."""
        nest = self.loops
        g, m, k, n = (
            math.prod(nest.extents[dim] for dim in dims) for dims in nest.classes(len(self.inputs))
        )
        return g, m, k, n

    def attribute(self, name: str, default: Attribute | None = None) -> Attribute | None:
        """The attribute of that name, or ``default``."""
        return dict(self.attributes).get(name, default)

    @property
    def macs(self) -> int:
        """Multiply-accumulates: of matrix work only; softmax and elementwise work count none."""
        if self.kind == "contraction" and self.nest:
            return self.nest.points
        if self.kind == "attention":
            batch, heads, queries, width = self.inputs[0].shape
            keys, value_width = self.inputs[1].shape[2], self.inputs[2].shape[3]
            return batch * heads * queries * keys * (width + value_width)
        return 0

    @property
    def content(self) -> tuple[object, ...]:
        """What the cost depends on: everything but names and places. Equal content, equal plan."""
        shapes = tuple(
            (a.shape, a.strides, a.tensor.content, bool(a.advance)) for a in self.operands
        )
        inputs = len(self.inputs), self.distinct_inputs
        return self.kind, inputs, shapes, self.nest, self.functions, self.attributes


@dataclass(frozen=True, slots=True)
class Carry:
    """State of a region: ``state`` is read in a step, ``update`` becomes it for the next step.

    Attributes:
        state: tensor that the body reads.
        update: tensor that the body writes; the same as ``state`` for an update in place.
        initial: tensor holding the value before the first step, or None for zeros.
    """

    state: Tensor
    update: Tensor
    initial: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A body repeated over time, listed once however many steps there are.

    Attributes:
        name: unique in the trace.
        steps: trip count, at least 1.
        body: what one step does, in order.
        carries: state handed from step to step.
        module: path of the PyTorch module it came from.
    """

    name: str
    steps: int
    body: tuple[Item, ...]
    carries: tuple[Carry, ...] = ()
    module: str = ""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise TraceError(f"{self.name}: a region must have at least 1 step, got {self.steps}")

    @property
    def invariants(self) -> tuple[Tensor, ...]:
        """Tensors that every step reads and none writes, in order of first use."""
        ops = [op for op, _ in iterate(self.body)]
        written = {a.tensor.name for op in ops for a in op.outputs}
        written |= {carry.state.name for carry in all_carries((self,))}
        reads = {a.tensor.name: a.tensor for op in ops for a in op.inputs if not a.advance}
        return tuple(tensor for name, tensor in reads.items() if name not in written)


@dataclass(frozen=True, slots=True)
class Branch:
    """A choice on data. Only the likelier side is counted and replayed, as if it always ran.

    Attributes:
        name: unique in the trace.
        probability: chance of ``taken``, 0 to 1; from 0.5 on that side counts. It weights nothing.
        taken: items of the true branch.
        otherwise: items of the false branch.
    """

    name: str
    probability: float
    taken: tuple[Item, ...]
    otherwise: tuple[Item, ...]

    @property
    def likelier(self) -> tuple[Item, ...]:
        """The side that is counted and replayed."""
        return self.taken if self.probability >= 0.5 else self.otherwise


Item: TypeAlias = Op | Region | Branch


def iterate(items: tuple[Item, ...], times: int = 1) -> Iterator[tuple[Op, int]]:
    """Every operator below ``items`` with the number of times it runs; a branch's likelier side."""
    for item in items:
        if isinstance(item, Op):
            yield item, times
        elif isinstance(item, Region):
            yield from iterate(item.body, times * item.steps)
        else:
            yield from iterate(item.likelier, times)


def all_carries(items: Iterable[Item], but: Region | None = None) -> Iterator[Carry]:
    """Carries of all regions at any depth, but not of one region and what is inside it."""
    for item in items:
        if isinstance(item, Branch):
            yield from all_carries(item.taken + item.otherwise, but)
        elif isinstance(item, Region) and item is not but:
            yield from item.carries
            yield from all_carries(item.body, but)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the captured graph the trace models.

    Attributes:
        modelled: graph nodes with a cost that became operators (or were fused or folded).
        views: nodes that are free: views, shape arithmetic, folded constants, no-ops.
        unsupported: (target, count) of nodes that no lowering took.
    """

    modelled: int = 0
    views: int = 0
    unsupported: tuple[tuple[str, int], ...] = ()

    @property
    def share(self) -> float:
        """Modelled share of the nodes that have a cost, 0 to 1."""
        missing = sum(count for _, count in self.unsupported)
        return self.modelled / (self.modelled + missing) if self.modelled + missing else 1.0


@dataclass(frozen=True)
class Trace:
    """A model as operators over named tensors.

    Attributes:
        name: what the user called the model.
        items: operators and regions in an order in which every read follows its write.
        tensors: every tensor, also parameters that a fusion folded away.
        coverage: what part of the graph it stands for.
        notes: assumptions made on the way, printed with every result.
    """

    name: str
    items: tuple[Item, ...]
    tensors: tuple[Tensor, ...]
    coverage: Coverage = field(default=Coverage())
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Trace {self.name}: {sum(1 for _ in self.ops())} operators, {self.macs} MACs>"

    def ops(self) -> Iterator[tuple[Op, int]]:
        """Every operator with the number of times it runs."""
        return iterate(self.items)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one run; 1 MAC is 2 FLOP."""
        return sum(op.macs * times for op, times in self.ops())

    @property
    def parameters(self) -> int:
        """Elements of all weights, tied ones once."""
        return sum(t.elements for t in self.tensors if t.role == "weight")

    @property
    def parameter_bytes(self) -> int:
        """Stored bytes of all weights, tied ones once."""
        return sum(t.bytes for t in self.tensors if t.role == "weight")

    @property
    def regions(self) -> tuple[Region, ...]:
        """The outermost regions."""
        return tuple(item for item in self.items if isinstance(item, Region))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, equal on every machine."""
        from codesign.workload.file import content_digest

        return content_digest(self)

    def replace(self, **changes: object) -> Trace:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
