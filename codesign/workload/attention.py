"""Attention as one operator, and its parts for an engine that cannot take it whole."""

from __future__ import annotations

from codesign.errors import TraceError
from codesign.workload import view
from codesign.workload.contraction import labelled_nest
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Op, Tensor

_LOOPS = ("b", "h", "r", "m", "n", "k")


def attention_parts(op: Op) -> tuple[Op, ...]:
    """Splits an attention into score product, softmax and value product.

    Scores and probabilities become activations ``<name>.scores`` and ``<name>.probabilities`` of
    ``[batch, heads, queries, keys]`` in the number format of the query. Heads that share keys
    (grouped-query attention) read them once per group: the group is a row loop of the nests. A mask
    is added inside the softmax. Scores of masked pairs are computed all the same, so the MACs of
    the parts add up to those of the whole.

    Args:
        op: an operator of kind ``attention``.

    Raises:
        TraceError: another kind, or query heads that are no multiple of the key heads.
    """
    if op.kind != "attention":
        raise TraceError(f"{op.name}: only an attention has parts, this is a {op.kind}")
    query, key, value = op.inputs[:3]
    batch, heads, rows, width = query.shape
    if heads % key.shape[1]:
        raise TraceError(
            f"{op.name}: {heads} query heads must be a multiple of {key.shape[1]} key heads"
        )
    shape = (batch, heads, rows, key.shape[2])
    dtype = query.tensor.dtype
    scores = _temporary(op, "scores", shape, dtype)
    probabilities = _temporary(op, "probabilities", shape, dtype)
    return (
        _product(op, "qk", query, view.transpose(key, 2, 3), scores, width),
        _softmax(op, scores, probabilities),
        _product(op, "pv", probabilities, value, op.outputs[0], key.shape[2]),
    )


def _temporary(op: Op, what: str, shape: tuple[int, ...], dtype: DType) -> Access:
    return Tensor(f"{op.name}.{what}", shape, dtype, "activation").access()


def _product(op: Op, what: str, first: Access, second: Access, out: Access, inner: int) -> Op:
    """``[b, h, r, m, k] x [b, h, k, n]``: r query heads share the key head h."""
    batch, heads, rows, columns = out.shape
    groups = second.shape[1]
    extents = (batch, groups, heads // groups, rows, columns, inner)
    accesses, nest = labelled_nest(
        [
            (view.split_axis(first, 1, groups), ["b", "h", "r", "m", "k"]),
            (second, ["b", "h", "k", "n"]),
            (view.split_axis(out, 1, groups), ["b", "h", "r", "m", "n"]),
        ],
        dict(zip(_LOOPS, extents, strict=True)),
    )
    return Op(
        f"{op.name}.{what}",
        "contraction",
        accesses[:2],
        accesses[2:],
        nest=nest,
        module=op.module,
        source=op.source,
    )


def _softmax(op: Op, scores: Access, probabilities: Access) -> Op:
    mask = op.inputs[3:]
    return Op(
        f"{op.name}.softmax",
        "softmax",
        (scores, *mask),
        (probabilities,),
        functions=("mul", "add", "softmax") if mask else ("mul", "softmax"),
        attributes=(("width", scores.shape[-1]),),
        module=op.module,
        source=op.source,
    )
