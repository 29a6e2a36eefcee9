"""A sub-network of joined blocks is the model captured at once, to the digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torchao.quantization as ao
from quantised_case import with_torchao
from supernet_models import (
    Activation,
    Append,
    Choice,
    Count,
    Flat,
    Halves,
    Linear,
    Patch,
    Recurrent,
    Scores,
    Start,
    Sum,
    Swap,
    Words,
    Zeros,
    at_once,
    layer,
    linear,
    stitched,
    x,
)
from torch import nn
from torch.nn.utils import prune
from torchao.quantization import granularity

from codesign.workload.supernet import Block


@dataclass(frozen=True)
class Case:
    """A sub-network in blocks."""

    blocks: Sequence[Block]
    inputs: Mapping[str, Any] = field(default_factory=x)
    options: Mapping[str, Any] = field(default_factory=dict)


def table() -> dict[str, Any]:
    """Tokens and a table."""
    tokens = torch.zeros(1, 6, dtype=torch.int64, device="meta")
    return {"tokens": tokens, "table": torch.empty(50, 8, device="meta")}


def cache() -> dict[str, Any]:
    """A row and the rows so far."""
    meta = torch.device("meta")
    return {"row": torch.empty(1, 1, 8, device=meta), "cache": torch.empty(1, 6, 8, device=meta)}


def half() -> nn.Module:
    """A linear layer in bfloat16, by a function that makes it."""
    return Linear(8, 8).to(torch.bfloat16)


def quantised(inputs: int, outputs: int) -> nn.Module:
    """A linear layer of weights of 4 bits."""
    config = ao.IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=granularity.PerAxis(0))
    return with_torchao(Linear(inputs, outputs), config)


def pruned() -> nn.Module:
    """A linear layer with a mask."""
    made = Linear(8, 8)
    prune.identity(made.linear, "weight")
    return made


CASES = {
    "a chain of equal layers": Case([layer("layer.0"), layer("layer.1"), layer("layer.2")]),
    "layers that differ": Case([layer("a"), linear("b", 8, 16), layer("c", 16, 4)]),
    "shortcuts and joins": Case(
        [
            linear("a", 8, 8),
            linear("b", 8, 8, reads="x"),
            Block("c", Sum, reads=(("a", "b", "x"),)),
            Block("d", Sum, reads=(("c", "a"),)),
        ]
    ),
    "several results": Case(
        [
            Block("cut", Halves),
            linear("left", 4, 8, reads="cut.0"),
            linear("right", 4, 8, reads="cut.1"),
            Block("sum", Sum, reads=(("left", "right"),)),
        ]
    ),
    "a block that reads nothing": Case(
        [
            Block("start", Start, reads=()),
            linear("a", 8, 8, reads="x"),
            Block("b", Sum, reads=(("a", "start"),)),
        ]
    ),
    "several outputs": Case([layer("a"), layer("b")], options={"outputs": ("b", "a")}),
    "an output that is an input": Case([Block("same", nn.Identity), linear("a", 8, 8)]),
    "a result that nobody reads": Case(
        [linear("a", 8, 8), linear("b", 8, 99), layer("c", reads="a")]
    ),
    "a view from one block to another": Case(
        [linear("a", 8, 4), Block("swap", Swap), Block("flat", Flat), linear("b", 24, 3)]
    ),
    "elementwise work behind a view": Case(
        [
            linear("a", 8, 4),
            Block("swap", Swap),
            Block("relu", Activation, {"name": "relu"}),
            Block("flat", Flat),
        ]
    ),
    "a fusion across a border": Case([linear("a", 8, 4), Block("b", Activation, {"name": "relu"})]),
    "a recurrent state that nobody reads": Case(
        [Block("a", Recurrent, {"width": 8}), linear("b", 8, 2, reads="a.0")]
    ),
    "a recurrent state that is returned": Case([Block("a", Recurrent, {"width": 8})]),
    "a constant that another block reads": Case(
        [Block("zeros", Zeros), Block("sum", Sum, reads=(("zeros", "x"),))]
    ),
    "a row written where it is": Case(
        [
            linear("a", 8, 8, reads="x"),
            linear("row", 8, 8, reads="y"),
            Block("p", Patch, reads=("a", "row")),
        ],
        x() | {"y": torch.empty(1, 1, 8, device="meta")},
    ),
    "a row written while the old one is needed": Case(
        [
            linear("a", 8, 8, reads="x"),
            Block("p", Patch, reads=("a", "y")),
            Block("sum", Sum, reads=(("a", "p"),)),
        ],
        x() | {"y": torch.empty(1, 1, 8, device="meta")},
    ),
    "a cache of the caller": Case([Block("a", Append, {"place": 2})], cache()),
    "a cache that two blocks write": Case(
        [
            Block("a", Append, {"place": 2}),
            Block("b", Append, {"place": 3}, reads=("a", "cache")),
            Block("c", Sum, reads=(("b", "cache"),)),
        ],
        cache(),
    ),
    "a buffer that is written": Case(
        [Block("a", Count, {"width": 8}), Block("b", Count, {"width": 8})]
    ),
    "a table that two blocks share": Case(
        [
            Block("words", Words),
            layer("layer"),
            Block("scores", Scores, reads=("layer", "table")),
        ],
        table(),
        {"roles": {"table": "weight"}},
    ),
    "a branch": Case(
        [layer("a"), Block("b", Choice, {"width": 8})], options={"branch_probability": 0.25}
    ),
    "quantised weights": Case(
        [
            Block("a.b", quantised, {"inputs": 8, "outputs": 16}),
            Block("c", quantised, {"inputs": 16, "outputs": 8}),
            layer("d"),
        ]
    ),
    "masked weights": Case([Block("a", pruned), Block("b", pruned)]),
    "weights of half precision": Case(
        [Block("a", half), Block("b", half)],
        {"x": torch.empty(1, 6, 8, dtype=torch.bfloat16, device="meta")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_joined_blocks_are_the_model_captured_at_once(name: str) -> None:
    case = CASES[name]
    joined, whole = (make(case.blocks, case.inputs, **case.options) for make in (stitched, at_once))
    assert joined == whole
    assert joined.digest == whole.digest
