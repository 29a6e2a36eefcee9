"""Low rank: a matrix of weights as the product of two thin ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from codesign.errors import TraceError, nearest
from codesign.workload.affine import covers
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Op, Tensor, Trace
from codesign.workload.rewrite import every_op
from codesign.workload.rewrites.edit import dense, finished, known, listed, patterns_in, replaced
from codesign.workload.rewrites.scales import rescaled


def factorise(
    trace: Trace,
    pattern: str | Sequence[str],
    *,
    rank: int | None = None,
    share: float | None = None,
    without: str | Sequence[str] = (),
) -> Trace:
    """Replaces weights W [o, i] by [o, r] times [r, i]: r (o + i) parameters in the place of o i.

    A convolution becomes one with r filters and a 1x1 convolution behind it (Jaderberg et al.,
    "Speeding up Convolutional Neural Networks with Low Rank Expansions", BMVC 2014, scheme 1 over
    channels; i counts the taps too). Bias, shortcut and activation follow the second factor.

    Args:
        trace: of the model.
        pattern: one or several, of names of linear layers and convolutions, such as
            ``*.query.linear``.
        rank: r of every one of them, at least 1 and below what the matrix has.
        share: instead, share of the parameters that is left, between 0 and 1: r is
            floor(share o i / (o + i)).
        without: patterns of those that stay as they are.

    Raises:
        TraceError: no or both of rank and share, nothing matches, or a matrix that cannot be
            factorised: several operators share it, or it acts on each group or channel apart.
    """
    known(trace, "factorise")
    _check(rank, share)
    by: dict[str, tuple[Op, ...]] = {}
    new: dict[str, tuple[Tensor, ...]] = {}
    hidden: list[Tensor] = []
    for op in _products(trace, pattern, without):
        matrix = _Matrix.of(trace, op)
        pair = matrix.split(matrix.rank(rank, share))
        by[op.name], new[op.inputs[1].tensor.name] = (
            pair,
            tuple(one.inputs[1].tensor for one in pair),
        )
        hidden.append(pair[0].outputs[0].tensor)
    tensors = [one for tensor in trace.tensors for one in new.get(tensor.name, (tensor,))]
    told = f"rank {rank}" if rank is not None else f"{share:g} of the parameters"
    matrices = "1 matrix" if len(by) == 1 else f"{len(by)} matrices"
    matching = listed(patterns_in(pattern, "factorise"))
    note = f"{matrices} matching {matching} factorised at {told}"
    return finished(trace, replaced(trace.items, by), (*tensors, *hidden), note)


def _check(rank: Any, share: Any) -> None:
    """Refuses what is neither one rank nor one share."""
    if (rank is None) == (share is None):
        raise TraceError(f"factorise: give rank or share, got rank={rank!r} and share={share!r}")
    if rank is not None and (type(rank) is not int or rank < 1):
        raise TraceError(
            f"factorise: rank must be a whole number of at least 1, got {repr(rank)[:60]}; write "
            "for example rank=16"
        )
    is_number = isinstance(share, (int, float)) and not isinstance(share, bool)
    if share is not None and not (is_number and 0 < share < 1):
        raise TraceError(
            f"factorise: share must be a number between 0 and 1, got {repr(share)[:60]}; write for "
            "example share=0.5"
        )


def _products(
    trace: Trace, pattern: str | Sequence[str], without: str | Sequence[str]
) -> Sequence[Op]:
    every = [op for op in every_op(trace.items) if op.kind == "contraction"]
    ops = [op for op in every if op.inputs[1].tensor.role == "weight"]
    kept = _matching(trace, ops, without) if without not in ("", (), []) else []
    meant = [op for op in _matching(trace, ops, pattern) if op not in kept]
    if not meant:
        raise TraceError(
            f"factorise: without takes all away that {pattern!r} matches; name fewer there"
        )
    return meant


def _matching(trace: Trace, ops: list[Op], given: str | Sequence[str]) -> list[Op]:
    """Operators that one of the patterns matches, each of which must match some."""
    found: dict[str, Op] = {}
    for pattern in patterns_in(given, "factorise"):
        meant = {op.name: op for op in ops if fnmatchcase(op.name, pattern)}
        if not meant:
            hint = nearest(pattern.replace("*", ""), [op.name for op in ops])
            raise TraceError(
                f"factorise: {pattern!r} matches no linear layer or convolution of {trace.name}"
                f"{hint}"
            )
        found |= meant
    return [op for op in ops if op.name in found]


@dataclass(frozen=True)
class _Matrix:
    """A product with weights, and the one loop over its output channels."""

    op: Op
    column: int
    inner: int

    @classmethod
    def of(cls, trace: Trace, op: Op) -> _Matrix:
        nest, weight = op.loops, op.inputs[1]
        groups, _, inner, columns = nest.classes(len(op.inputs))
        wide = [dim for dim in columns if nest.extents[dim] > 1]
        if len(wide) != 1 or any(nest.extents[dim] > 1 for dim in groups):
            raise TraceError(
                f"factorise: {op.name} has no single matrix of weights (groups of channels, or one "
                "output channel); name it in without"
            )
        if not covers(weight) or weight.advance or not covers(op.outputs[0]):
            raise TraceError(
                f"factorise: {op.name} reads or writes only a part of a tensor; name it in without"
            )
        users = [one for one in every_op(trace.items) if weight.tensor in _tensors(one)]
        if len(users) > 1:
            raise TraceError(
                f"factorise: {weight.tensor.name!r} is shared by {users[0].name} and "
                f"{users[1].name}; name them in without"
            )
        if any(tensor.name == f"{op.name}.hidden" for tensor in trace.tensors):
            raise TraceError(
                f"factorise: {op.name} is the second of two factors already; name it in without"
            )
        dense(weight.tensor, "factorise")
        return cls(op, wide[0], math.prod(nest.extents[dim] for dim in inner))

    @property
    def outputs(self) -> int:
        """Output channels."""
        return self.op.loops.extents[self.column]

    def rank(self, rank: int | None, share: float | None) -> int:
        """The rank asked for, checked."""
        most = min(self.outputs, self.inner)
        if share is not None:
            product, total = self.outputs * self.inner, self.outputs + self.inner
            rank = math.floor(Fraction(share) * product / total)
        if rank is None or not 1 <= rank < most:
            asked = f"rank {rank}" if share is None else f"share {share:g}, rank {rank},"
            ranks = f"a rank is from 1 to {most - 1}" if most > 1 else "it has no lower rank"
            raise TraceError(
                f"factorise: {asked} does not suit {self.op.name} with {self.outputs} outputs and "
                f"{self.inner} inputs; {ranks}, or name it in without"
            )
        return rank

    def split(self, rank: int) -> tuple[Op, Op]:
        """The two operators."""
        op, nest = self.op, self.op.loops
        position = _axis_of(nest.operands[1], self.column)
        at = _axis_of(nest.operands[-1], self.column)
        output = op.outputs[0]
        thin = _with(op.inputs[1].shape, position, rank)
        first_weight = self._factor("inner", op.inputs[1].shape, thin)
        last_weight = self._factor("outer", (self.outputs, self.inner), (self.outputs, rank))
        shape = _with(output.shape, at, rank)
        hidden = Tensor(f"{op.name}.hidden", shape, output.tensor.dtype, "activation").access()
        first = replace(
            op,
            name=f"{op.name}.inner",
            inputs=(op.inputs[0], first_weight.access()),
            outputs=(hidden,),
            nest=replace(
                nest,
                extents=_with(nest.extents, self.column, rank),
                operands=(*nest.operands[:2], nest.operands[-1]),
            ),
            functions=(),
            attributes=tuple(fact for fact in op.attributes if fact[0] != "folded"),
        )
        factors = hidden, last_weight.access()
        last = replace(op, inputs=(*factors, *op.inputs[2:]), nest=self._outer(rank, at))
        return first, last

    def _factor(self, what: str, old: tuple[int, ...], new: tuple[int, ...]) -> Tensor:
        """Part of the weight, with a scale for as many elements as if it had been quantised."""
        weight = self.op.inputs[1].tensor
        name = f"{weight.name}.{what}"
        return replace(
            weight, name=name, shape=new, dtype=rescaled(weight.dtype, old, new, name, "factorise")
        )

    def _outer(self, rank: int, at: int) -> LoopNest:
        """Each output channel sums over the hidden ones: the loops of the output, and ``k``."""
        nest = self.op.loops
        used = sorted(nest.uses(len(nest.operands) - 1))
        renumbered = {dim: number for number, dim in enumerate(used)}
        summed = Axis(((len(used), 1),))
        written = _renumbered(nest.operands[-1], renumbered)
        read = tuple(summed if axis == at else one for axis, one in enumerate(written))
        others = tuple(_renumbered(axes, renumbered) for axes in nest.operands[2:-1])
        dims = (*(nest.dims[dim] for dim in used), "k")
        extents = (*(nest.extents[dim] for dim in used), rank)
        column = Axis(((renumbered[self.column], 1),))
        return LoopNest(dims, extents, (read, (column, summed), *others, written))


def _axis_of(axes: Sequence[Axis], dim: int) -> int:
    return next(number for number, axis in enumerate(axes) if (dim, 1) in axis.terms)


def _with(values: Sequence[int], at: int, value: int) -> tuple[int, ...]:
    return (*values[:at], value, *values[at + 1 :])


def _renumbered(axes: Sequence[Axis], numbers: dict[int, int]) -> tuple[Axis, ...]:
    return tuple(
        replace(axis, terms=tuple((numbers[dim], step) for dim, step in axis.terms))
        for axis in axes
    )


def _tensors(op: Op) -> list[Tensor]:
    return [access.tensor for access in op.operands]
