"""The parts of an attention: same MACs as the whole, shared heads read once."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload import view
from codesign.workload.attention import attention_parts
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Op, Tensor

BF16 = DType("bf", 16)
sizes = st.integers(1, 5)


def stored(name: str, *shape: int) -> Access:
    return Tensor(name, shape, BF16, "activation").access()


def attention(
    batch: int, heads: int, groups: int, m: int, n: int, k: int = 4, v: int = 4, mask: bool = False
) -> Op:
    """Query heads in ``groups`` key heads, stored position by position, as projections do."""
    query = view.transpose(stored("q", batch, m, heads, k), 1, 2)
    key = view.transpose(stored("k", batch, n, groups, k), 1, 2)
    value = view.transpose(stored("v", batch, n, groups, v), 1, 2)
    inputs = [query, key, value]
    if mask:
        inputs.append(view.expand(stored("mask", m, n), (batch, heads, m, n)))
    output = view.transpose(stored("out", batch, m, heads, v), 1, 2)
    return Op("a.sdpa", "attention", tuple(inputs), (output,), module="a", source="aten.sdpa")


@given(sizes, sizes, sizes, sizes, sizes, sizes, sizes, st.booleans())
def test_the_parts_do_the_work_of_the_whole(
    batch: int, groups: int, share: int, m: int, n: int, k: int, v: int, mask: bool
) -> None:
    op = attention(batch, groups * share, groups, m, n, k, v, mask)
    parts = attention_parts(op)
    assert sum(part.macs for part in parts) == op.macs
    assert [part.kind for part in parts] == ["contraction", "softmax", "contraction"]


@given(sizes, sizes, sizes, sizes, sizes)
def test_the_parts_read_and_write_what_the_whole_does(
    batch: int, groups: int, share: int, m: int, n: int
) -> None:
    op = attention(batch, groups * share, groups, m, n, mask=True)
    parts = attention_parts(op)
    within = {f"{op.name}.scores", f"{op.name}.probabilities"}
    read = {a.tensor.name: a.bytes for p in parts for a in p.inputs if a.tensor.name not in within}
    assert read == {a.tensor.name: a.bytes for a in op.inputs}
    written = [a for p in parts for a in p.outputs if a.tensor.name not in within]
    assert [(a.tensor.name, a.bytes) for a in written] == [("out", op.outputs[0].bytes)]


def test_intermediates_are_activations_named_after_the_operator() -> None:
    scores, softmax, product = attention_parts(attention(2, 4, 2, 8, 6))
    assert scores.outputs[0].tensor == Tensor("a.sdpa.scores", (2, 4, 8, 6), BF16, "activation")
    assert softmax.inputs[0].tensor == scores.outputs[0].tensor
    assert softmax.outputs[0].tensor.name == "a.sdpa.probabilities"
    assert product.inputs[0].tensor == softmax.outputs[0].tensor
    assert {part.module for part in (scores, softmax, product)} == {"a"}


def test_grouped_heads_are_rows_so_that_shared_keys_are_read_once() -> None:
    scores, _, product = attention_parts(attention(2, 8, 2, 16, 6))
    for part in (scores, product):
        assert part.nest is not None
        groups, rows, _, _ = part.nest.classes(2)
        assert math.prod(part.nest.extents[d] for d in groups) == 2 * 2
        assert math.prod(part.nest.extents[d] for d in rows) == 4 * 16


def test_a_mask_is_added_inside_the_softmax() -> None:
    _, softmax, _ = attention_parts(attention(1, 2, 2, 4, 4, mask=True))
    assert [a.tensor.name for a in softmax.inputs] == ["a.sdpa.scores", "mask"]
    assert softmax.functions == ("mul", "add", "softmax")
    assert softmax.attribute("width") == 4


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(TraceError, match=r"a\.sdpa: 3 query heads .* multiple of 2"):
        attention_parts(attention(1, 3, 2, 4, 4))


def test_only_an_attention_has_parts() -> None:
    with pytest.raises(TraceError, match="move"):
        attention_parts(Op("m", "move", (), ()))
