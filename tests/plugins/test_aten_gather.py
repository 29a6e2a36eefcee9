"""Lookups read rows, never the table; updates by index write rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from aten_case import each, ids, lowered, meta, only
from torch import nn

from codesign.workload.record import Op


def facts(op: Op) -> tuple[object, object]:
    return op.attribute("rows"), op.attribute("row_bytes")


def test_an_embedding_reads_the_rows_it_looks_up() -> None:
    with torch.device("meta"):
        op = only(nn.Embedding(50_000, 16), ids(2, 5))
    assert (op.kind, facts(op)) == ("gather", (10, 64))
    assert op.inputs[0].tensor.shape == (50_000, 16)
    assert op.inputs[0].bytes == 10 * 64
    assert op.inputs[1].tensor.dtype.bits == 64


def test_a_table_is_never_read_more_than_whole() -> None:
    with torch.device("meta"):
        op = only(nn.Embedding(2, 16), ids(8, 128))
    assert facts(op) == (1024, 64)
    assert op.inputs[0].bytes == op.inputs[0].tensor.bytes


def test_a_bag_looks_up_every_index_and_writes_one_row_per_bag() -> None:
    with torch.device("meta"):
        bag = nn.EmbeddingBag(1000, 8, mode="mean")
    op = only(bag, ids(20), ids(4))
    assert (facts(op), op.functions) == ((20, 32), ("mean",))
    assert op.outputs[0].shape == (4, 8)
    assert len(op.outputs) == 1, "the bookkeeping results are not read"


LOOKUPS: list[tuple[Callable[[Any, Any], Any], tuple[int, int]]] = [
    (lambda x, i: x[i], (3, 4 * 5 * 4)),
    (lambda x, i: x[:, i], (6 * 3, 5 * 4)),
    (lambda x, i: x[:, :, i], (6 * 4 * 3, 4)),
    (lambda x, i: x[i, i], (3, 5 * 4)),
    (lambda x, i: x.index_select(1, i), (6 * 3, 5 * 4)),
    (lambda x, i: torch.gather(x, 0, i[:, None, None]), (3, 4)),
]


def test_an_index_fetches_the_run_behind_it() -> None:
    found = each([call for call, _ in LOOKUPS], meta(6, 4, 5), ids(3))
    assert {op.kind for op in found} == {"gather"}
    assert [facts(op) for op in found] == [expected for _, expected in LOOKUPS]
    for op, (_, (rows, row_bytes)) in zip(found, LOOKUPS, strict=True):
        assert op.inputs[0].bytes <= rows * row_bytes


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda y, i, v: y.index_put((i,), v), (3, 20)),
        (lambda y, i, v: y.index_copy(0, i, v), (3, 20)),
        (lambda y, i, v: y.scatter(0, i[:, None], v[:, :1]), (3, 4)),
    ],
)
def test_an_update_by_index_writes_rows(call: Any, expected: tuple[int, int]) -> None:
    found = lowered(lambda x, i, v: call(x.relu(), i, v), meta(6, 5), ids(3), meta(3, 5))
    op = found[-1]
    assert (op.kind, facts(op)) == ("scatter", expected)
    assert op.outputs[0].bytes == expected[0] * expected[1]
    assert len(found) == 2, "nobody needs the old content, so nothing is copied"


@pytest.mark.parametrize(
    "call",
    [
        lambda y, i, v: y.index_add(0, i, v),
        lambda y, i, v: y.index_put((i,), v, accumulate=True),
        lambda y, i, v: y.scatter_add(0, i[:, None].expand(-1, 5), v),
    ],
)
def test_accumulating_reads_what_it_adds_to(call: Any) -> None:
    op = lowered(lambda x, i, v: call(x.relu(), i, v), meta(6, 5), ids(3), meta(3, 5))[-1]
    assert op.functions == ("add",)
    assert op.outputs[0] in op.inputs
