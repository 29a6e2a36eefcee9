"""A matrix core that skips the zeros of weights of which few in each small group are left."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from codesign import Budget, Op
from codesign.errors import HardwareError
from codesign.units import Count, Joules, Seconds, Unit
from codesign.workload.record import contiguous_strides

from .engine import Gpu, Share
from .kernel import Kernel, contraction, product_of
from .times import Constants

_WEIGHT = 1
"""Number of the operand that may be sparse."""


@dataclass(frozen=True, kw_only=True)
class SparseTensorCore(Gpu):
    """Like ``gpu``, with units that take n of m weights (NVIDIA Ampere architecture, 2020).

    Weights keep at most ``kept`` of every ``group`` neighbours along the sum, with an index for
    each. The units then add up ``group / kept`` times as many products in a clock, but no more than
    ``speedup``. The other factor is not compressed: a step reads all of it from the shared cache
    and takes half as long, so it needs twice the bytes a second. Sparse kernels reach a share of
    the doubled peak of their own, which is fitted on its own: where none is, they reach no more
    than dense ones do. They take ``min_rows`` rows or more; fewer are filled up, which
    goes through copies and a dispatch of its own and costs ``sparse_overhead``.

    An operator runs dense where its weights are not such a pattern along the sum, or where the
    dense kernel is faster; the note of its plan says which.

    Attributes:
        kept: weights that a group may keep.
        group: neighbours in a group.
        speedup: products in a clock with sparse weights, in those with dense ones, at most.
        sparse_efficiency: share of the peak with sparse weights that sparse kernels reach.
        sparse_overhead: time that a sparse kernel takes beside its work where rows are filled up.
        min_rows: fewest rows of the dense factor; it is filled up to them.
        metadata_energy: energy of one bit of an index; assumed.
    """

    kind: ClassVar[str] = "sparse_tensor_core"
    further_constants: ClassVar[tuple[str, ...]] = ("sparse_efficiency", "sparse_overhead")

    kept: Count = 2
    group: Count = 4
    speedup: Annotated[float, Ge(1), Unit("1")] = 2.0
    sparse_efficiency: Share = 1.0
    sparse_overhead: Seconds = 0.0
    min_rows: Count = 32
    metadata_energy: Joules = 1e-14

    def decodes(self, op: Op, operand: int) -> tuple[str, ...]:
        """The codec of its own pattern for weights: the units take it as it is."""
        is_weight = op.kind == "contraction" and operand == _WEIGHT
        return (self._codec,) if is_weight else ()

    @property
    def _codec(self) -> str:
        return f"{self.kept}:{self.group}"

    def check(self) -> None:
        """A group keeps fewer than all of its weights."""
        super().check()
        if self.kept >= self.group:
            raise HardwareError(
                f"{self.name}.kept must be below {self.name}.group = {self.group}, got "
                f"{self.kept}; write for example 2 of 4"
            )

    @property
    def ratio(self) -> float:
        """Products in a clock with sparse weights, in those with dense ones."""
        return min(self.speedup, self.group / self.kept)

    @property
    def index_bits(self) -> int:
        """Bits of the place of a kept weight in its group."""
        return math.ceil(math.log2(self.group))

    def work(self, op: Op) -> str:
        """What an operator is in ``calibrated_work``: one that fits the units is a work of its own.

        Also where it runs dense after all: that it does so follows from the sparse constants.
        """
        work = super().work(op)
        return f"{self._codec} {work}" if self._fits(op) else work

    def _fits(self, op: Op) -> bool:
        """Whether the sparse kernel can run an operator."""
        is_sparse = op.kind == "contraction" and op.inputs[_WEIGHT].tensor.sparsity is not None
        return is_sparse and not self.mismatch(op)

    def kernel(self, op: Op, budget: Budget) -> Kernel:
        """The sparse kernel where it can run and is faster, else the dense one.

        A dense kernel reads dense weights: in its time they are not packed, whatever is stored.
        """
        if op.kind != "contraction" or op.inputs[_WEIGHT].tensor.sparsity is None:
            return super().kernel(op, budget)
        dense = super().kernel(self._unpacked(op), budget)
        reason = self.mismatch(op)
        if reason:
            return replace(dense, note=f"{dense.note}; runs dense: {reason}")
        sparse = self.sparse_kernel(op, budget)
        if sparse.work_s < dense.work_s:
            return sparse
        times = f"{sparse.work_s * 1e6:,.3g} us against {dense.work_s * 1e6:,.3g} us"
        return replace(dense, note=f"{dense.note}; runs dense: the sparse kernel takes {times}")

    def _unpacked(self, op: Op) -> Op:
        """The operator with dense weights where they are in the codec of the units."""
        first, weight, *others = op.inputs
        stored = weight.tensor.stored
        if stored is None or stored.codec != self._codec:
            return op
        plain = replace(weight, tensor=replace(weight.tensor, stored=None))
        return replace(op, inputs=(first, plain, *others))

    def mismatch(self, op: Op) -> str:
        """Why the weights of a contraction do not fit the units; "" if they do."""
        sparsity, pattern = op.inputs[_WEIGHT].tensor.sparsity, self._codec
        if sparsity is None or sparsity.granularity != "n:m":
            return f"the weights are not {pattern}"
        if sparsity.m != self.group or sparsity.n > self.kept:
            return f"the weights are {sparsity.n}:{sparsity.m}, the units take {pattern}"
        if not _is_along_sum(op, sparsity.axis):
            return f"the groups of the weights lie along axis {sparsity.axis}, not along the sum"
        return ""

    def sparse_kernel(self, op: Op, budget: Budget) -> Kernel:
        """The sparse kernel of a contraction whose weights fit the units, faster or not.

        Slots are those of the units: what is skipped is not issued.
        """
        device = self.device(op, budget)
        dense = product_of(op)
        share = self.kept / self.group
        index = share * self.index_bits / 8
        product = replace(
            dense,
            m=np.maximum(dense.m, self.min_rows),
            second_bytes=dense.second_bytes * share + index,
        )
        doubled = replace(device, macs=device.macs * self.ratio)
        reached, doubt = self.sparse_efficiency, ""
        if self.work(op) not in self.calibrated_work and reached > self.compute_efficiency:
            reached = self.compute_efficiency
            doubt = f"; not fitted: {reached:.3g} of the doubled peak, the share of dense kernels"
        constants = Constants(self.t0, reached, self.memory_efficiency)
        found = contraction(op, budget, doubled, constants, product)
        issued = math.ceil(op.macs / self.ratio)
        weight = op.inputs[_WEIGHT]
        is_packed = weight.tensor.stored is not None
        travel = "" if is_packed else "; the weights travel dense, a codec would store them packed"
        density = weight.tensor.sparsity.share if weight.tensor.sparsity else share
        return replace(
            found,
            extra_s=self.sparse_overhead if op.gemm[1] < self.min_rows else 0.0,
            macs=issued,
            zeros=max(0, issued - math.ceil(op.macs * density)),
            spent={cause: count / self.ratio for cause, count in found.spent.items()},
            actions={**found.actions, "metadata bit": round(weight.elements * index * 8)},
            note=f"{self._codec} sparse, {found.note}{travel}{doubt}",
        )

    def energies_j(self) -> Mapping[str, float]:
        """Those of the dense device, and bits of indices."""
        return {**super().energies_j(), "metadata bit": self.metadata_energy}


def _is_along_sum(op: Op, axis: int) -> bool:
    """Whether an axis of the weight tensor is one that the contraction adds up over."""
    access, axes = op.inputs[_WEIGHT], op.loops.operands[_WEIGHT]
    shape = access.tensor.shape
    stride = contiguous_strides(shape)[axis]
    inner = set(op.loops.classes(len(op.inputs))[2])
    return any(
        step == stride and bool(found.terms) and {dim for dim, _ in found.terms} <= inner
        for step, found in zip(access.strides, axes, strict=True)
    )
