"""Every registered pass keeps the ledger, on random traces and on real modules."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codesign.plugins import registry
from codesign.testing.passes import Sketch, check_pass
from codesign.workload import view
from codesign.workload.capture import trace
from codesign.workload.record import Access, Trace

PASSES = registry().get("codesign_fusion_passes")
UNARY = ("relu", "gelu", "silu", "sigmoid", "tanh", "exp", "mul", "add", "pow", "cast", "neg")
ROWS, WIDTH = 4, 6


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """A few dozen operators over a pool of values of one shape, with shared weights."""
    s = Sketch()
    pool = [s.tensor(f"x{i}", (ROWS, WIDTH), "input") for i in range(2)]
    weights = [s.tensor(f"w{i}", (WIDTH, WIDTH), "weight") for i in range(2)]
    biases = [s.tensor(f"b{i}", (WIDTH,), "weight") for i in range(2)]
    means = [s.tensor(f"m{i}", (WIDTH,), "constant") for i in range(2)]
    steps = draw(st.integers(2, 25))
    for _ in range(steps):
        kind = draw(st.sampled_from(("unary", "binary", "matmul", "bias", "norm", "rms", "soft")))
        value = draw(st.sampled_from(pool[-4:]))
        pool.append(_step(draw, s, kind, value, pool, weights, biases, means))
    return s.trace()


def _step(
    draw: st.DrawFn,
    s: Sketch,
    kind: str,
    value: Access,
    pool: list[Access],
    weights: list[Access],
    biases: list[Access],
    means: list[Access],
) -> Access:
    if kind == "unary":
        return s.map(draw(st.sampled_from(UNARY)), value)
    if kind == "binary":
        other = draw(st.sampled_from(pool[-4:]))
        return s.map(draw(st.sampled_from(("add", "mul"))), value, other)
    if kind == "matmul":
        return s.matmul(value, draw(st.sampled_from(weights)))
    if kind == "bias":
        return s.map("add", value, draw(st.sampled_from(biases)))
    if kind == "norm":
        vectors = [view.expand(v, value.shape) for v in (*biases, *means)]
        return s.op("elementwise", ["batch_norm"], [value, *vectors], value.shape)
    if kind == "rms":
        mean = s.op("reduce", ["mean"], [s.map("pow", value)], (ROWS, 1))
        scale = s.map("rsqrt", s.map("add", mean))
        return s.map("mul", value, view.expand(scale, value.shape))
    return s.op("softmax", ["softmax"], [value], value.shape, width=WIDTH)


@pytest.mark.parametrize("name", sorted(PASSES))
@given(case=traces())
@settings(max_examples=40, deadline=None)
def test_a_pass_keeps_the_ledger(name: str, case: Trace) -> None:
    check_pass(PASSES[name], case)


@given(case=traces())
@settings(max_examples=40, deadline=None)
def test_all_passes_together_keep_the_ledger(case: Trace) -> None:
    changed = case
    for name in sorted(PASSES):
        changed = check_pass(PASSES[name], changed)
    assert len(list(changed.ops())) <= len(list(case.ops()))


def test_passes_run_in_an_order_that_their_names_give() -> None:
    assert [name.partition("-")[2] for name in sorted(PASSES)] == [
        "reroll",
        "read-quantised",
        "rms-norm",
        "rope",
        "softmax",
        "attention",
        "grouped-query",
        "attention-layout",
        "conv-batch-norm",
        "rescale",
        "activation",
        "gate",
        "contraction-epilogue",
        "requantise",
        "elementwise-chain",
    ]


class Block(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A bit of everything, inside and outside a loop."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.cell = nn.GRUCell(8, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm(self.conv(x))) + 1
        hidden = torch.zeros(x.shape[0], 8)
        for step in range(4):
            hidden = self.cell(y[:, :, step, 0], hidden)
        return torch.tanh(self.head(hidden) * torch.sigmoid(self.head(hidden)))


def test_every_pass_keeps_the_ledger_of_a_real_module() -> None:
    with torch.device("meta"):
        changed = trace(Block(), (torch.zeros(2, 3, 4, 4),), fuse=False)
    macs = changed.macs
    for name in sorted(PASSES):
        changed = check_pass(PASSES[name], changed)
    assert changed.macs == macs
    assert [region.steps for region in changed.regions] == [4]
