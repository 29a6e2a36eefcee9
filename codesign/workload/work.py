"""What work an operator is: words for it, how much of it there is, and how it may be cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from codesign.workload.dtype import DType
from codesign.workload.record import Op

Product: TypeAlias = Literal["linear", "convolution", "depthwise", "temporal_filter", "attention"]
Movement: TypeAlias = Literal["move", "state_shift", "ring_buffer"]
PRODUCTS: tuple[Product, ...] = get_args(Product)
"""Sorts of contraction that processors have kernels of their own for, see ``product``."""
MOVEMENTS: tuple[Movement, ...] = get_args(Movement)
"""Sorts of move, see ``movement``."""

_STORED = ("weight", "constant")
_FAMILY = {
    "softmax": {"softmax", "log_softmax", "logsumexp"},
    "normalize": {"layer_norm", "rms_norm", "group_norm", "batch_norm", "weight_norm", "normalize"},
}
"""Functions that are the statistics of a kind; others of such an operator were fused with it."""


def product(op: Op) -> Product:
    """The sort of a contraction.

    ``attention``: both factors are computed. With stored weights, ``depthwise``: every group has
    one input channel, with taps that slide over it; ``temporal_filter``: every channel has one dot
    product with taps of its own, and nothing is used twice (a layer of rank-1 SVDF, Nakkiran et
    al., Interspeech 2015); ``convolution``: any other window that slides; ``linear``: the rest.
    """
    if not any(access.tensor.role in _STORED for access in op.inputs[:2]):
        return "attention"
    groups, rows, inner, columns = op.loops.classes(len(op.inputs))
    extents = op.loops.extents

    def long(dims: tuple[int, ...]) -> set[int]:
        return {dim for dim in dims if extents[dim] > 1}

    sliding: set[int] = set()
    for axis in op.loops.operands[0]:
        dims = {dim for dim, _ in axis.terms}
        if dims & long(rows):
            sliding |= dims & long(inner)
    if long(groups) and long(inner) <= sliding:
        return "depthwise"
    if long(groups) and not long(columns) and not sliding:
        return "temporal_filter"
    return "convolution" if sliding else "linear"


def movement(op: Op) -> Movement:
    """The sort of a move.

    ``state_shift``: it reads a state, so what is kept moves too; ``ring_buffer``: it writes only
    what is new into a state; ``move``: no state takes part.
    """
    if any(access.tensor.role == "state" for access in op.inputs):
        return "state_shift"
    if any(access.tensor.role == "state" for access in op.outputs):
        return "ring_buffer"
    return "move"


def functions(op: Op) -> tuple[tuple[str, str], ...]:
    """Functions of an operator, each with the kind whose price it has if it has none of its own.

    What is fused with a contraction, a softmax or a normalisation is elementwise. A kind that
    carries no function is its own; a contraction then has none, and a move never has any.
    """
    if op.kind == "move":
        return ()
    if op.kind == "contraction":
        return tuple((name, "elementwise") for name in op.functions)
    family = _FAMILY.get(op.kind)
    return tuple(
        (name, op.kind if family is None or name in family else "elementwise")
        for name in op.functions or (op.kind,)
    )


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is to do.

    Attributes:
        macs: multiply-accumulates of a contraction.
        elements: that each function works on: of a contraction its results; of a sort log2 of the
            row's length times over, and so perhaps no whole number.
        moved: bytes that a move writes.
    """

    macs: int = 0
    elements: float = 0
    moved: int = 0


def amount(op: Op) -> Amount:
    """The work of an operator."""
    if op.kind == "contraction":
        return Amount(macs=op.macs, elements=op.outputs[0].elements)
    if op.kind == "move":
        return Amount(moved=sum(access.bytes for access in op.outputs))
    turns = math.log2(max(2, width(op))) if op.kind == "sort" else 1
    return Amount(elements=elements(op) * turns)


def elements(op: Op) -> int:
    """Elements that are worked on: those of every window, or of the largest operand."""
    if op.nest is not None:
        return op.nest.points
    return max(1, *(access.elements for access in op.operands))


def width(op: Op) -> int:
    """Elements of a row that an operator normalises over or sorts, at least 1."""
    shape = op.inputs[0].shape
    found = op.attribute("width", shape[-1] if shape else 1)
    return found if isinstance(found, int) and found > 0 else 1


def number_format(op: Op) -> DType:
    """The format of the largest operand in bytes: of the data, not of flags or positions."""
    return max(op.operands, key=lambda access: access.bytes).tensor.dtype


def format_pair(op: Op) -> str:
    """Formats of the two factors of a contraction, as ``int8*int8``.

    The scale of a block is no part of it: it multiplies sums, not factors.
    """
    formats = (access.tensor.dtype for access in op.inputs[:2])
    return "*".join(str(DType(dtype.kind, dtype.bits)) for dtype in formats)


def cuts(op: Op) -> list[tuple[int, int, int]]:
    """Ways to cut an operator that streams, best first.

    Softmax and normalisation keep a row on chip; where it does not fit they are cut anywhere and
    read memory twice (the online form of softmax, Welford's form of the statistics).

    Returns:
        Triples of units, elements of work in each, and passes over memory.
    """
    work = elements(op)
    if op.kind in ("softmax", "normalize"):
        row = min(work, width(op))
        return [(-(-work // row), row, 1), (work, 1, 2)]
    if op.nest is not None:
        outputs = max(1, op.outputs[0].elements)
        return [(outputs, max(1, work // outputs), 1)]
    return [(work, 1, 1)]
