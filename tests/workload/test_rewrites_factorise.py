"""``factorise``: the trace of a model that was built with two thin matrices."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rewrite_models import contents, linear, of, ops, stack
from torch import nn

from codesign.errors import TraceError
from codesign.testing.operators import convolution, matmul
from codesign.workload.check import check_trace
from codesign.workload.record import Op, Trace
from codesign.workload.retensor import with_tensors
from codesign.workload.rewrites import factorise
from codesign.workload.sparsity import Sparsity


def alone(op: Op) -> Trace:
    """A trace of one operator."""
    return Trace("alone", (op,), tuple(access.tensor for access in op.operands))


def test_a_linear_layer_becomes_the_two_that_torch_would_run() -> None:
    x = torch.zeros(7, 24)
    made = factorise(of(linear(24, 40), x), "*", rank=6)
    assert contents(made) == contents(of(linear(24, 6, 40), x))
    assert made.parameters == 6 * (24 + 40) + 40


def test_a_convolution_becomes_one_with_r_filters_and_a_pointwise_one() -> None:
    x = torch.zeros(1, 8, 9, 9)
    made = factorise(of(nn.Conv2d(8, 12, 3, 2, 1), x), "*", rank=5)
    pair = nn.Sequential(nn.Conv2d(8, 5, 3, 2, 1, bias=False), nn.Conv2d(5, 12, 1))
    assert [op.macs for op in ops(made)] == [op.macs for op in ops(of(pair, x))]
    assert made.parameters == 5 * (8 * 9 + 12) + 12
    first, last = ops(made)
    assert first.outputs[0].shape == (1, 5, 5, 5)
    assert last.inputs[0].tensor is first.outputs[0].tensor
    assert (first.functions, last.functions) == ((), ("add",))


@given(
    outputs=st.integers(2, 60),
    inputs=st.integers(2, 60),
    rows=st.integers(1, 9),
    data=st.data(),
)
def test_parameters_and_macs_are_those_of_the_closed_form(
    outputs: int, inputs: int, rows: int, data: st.DataObject
) -> None:
    rank = data.draw(st.integers(1, min(outputs, inputs) - 1))
    made = factorise(alone(matmul(rows, inputs, outputs)), "*", rank=rank)
    check_trace(made)
    assert made.parameters == rank * (outputs + inputs)
    assert made.macs == rows * rank * (outputs + inputs)
    (output,) = [tensor for tensor in made.tensors if tensor.role == "output"]
    assert output.elements == rows * outputs


@given(filters=st.integers(2, 20), channels=st.integers(1, 20), kernel=st.sampled_from([1, 3, 5]))
def test_the_taps_of_a_convolution_count_as_inputs(
    filters: int, channels: int, kernel: int
) -> None:
    op = convolution(channels, filters, 8, kernel, 2, kernel // 2)
    inner = channels * kernel**2
    if min(filters, inner) < 2:
        return
    made = factorise(alone(op), "*", rank=1)
    assert made.parameters == filters + inner
    pixels = op.outputs[0].elements // filters
    assert made.macs == pixels * (filters + inner)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_share_of_the_parameters_gives_the_rank_by_rounding_down(share: float) -> None:
    whole = stack([64, 32])
    made = factorise(whole, "blocks.*", share=share)
    matrices = {tensor.name: tensor.shape for tensor in made.tensors}
    layers = [op for op in ops(whole) if op.kind == "contraction" and op.name[:5] == "block"]
    assert len(layers) == 6
    for op in layers:
        weight = op.inputs[1].tensor
        outputs, inputs = weight.shape
        rank = int(Fraction(share) * outputs * inputs / (outputs + inputs))
        assert matrices[f"{weight.name}.inner"] == (rank, inputs)
        assert matrices[f"{weight.name}.outer"] == (outputs, rank)
    told = f"6 matrices matching blocks.* factorised at {share:g} of the parameters: "
    assert made.notes[-1].startswith(told)


def test_residuals_and_activations_follow_the_second_factor() -> None:
    whole = stack([64])
    made = factorise(whole, "blocks.0.down.*", rank=3)
    (old,) = [op for op in ops(whole) if op.name.startswith("blocks.0.down")]
    first, last = [op for op in ops(made) if op.name.startswith("blocks.0.down")]
    assert old.functions == last.functions == ("add", "add")
    assert [a.tensor for a in last.inputs[2:]] == [a.tensor for a in old.inputs[2:]]
    assert last.outputs == old.outputs
    assert first.module == last.module == old.module
    assert {t.name for t in made.tensors} - {t.name for t in whole.tensors} == {
        "blocks.0.down.weight.inner",
        "blocks.0.down.weight.outer",
        f"{old.name}.hidden",
    }


def test_the_note_tells_both_savings() -> None:
    made = factorise(of(linear(20, 30), torch.zeros(1, 20)), "*", rank=6)
    assert made.notes[-1] == (
        "1 matrix matching * factorised at rank 6: parameters 630 -> 330 (-47.62 %), "
        "FLOPs of matrix work 1,200 -> 600 (-50.00 %)"
    )


@pytest.mark.parametrize(
    ("pattern", "asked", "message"),
    [
        (
            "blcks.0.up.*",
            {"rank": 2},
            "matches no .* did you mean 'blocks.0.up.linear'",
        ),
        ("*norm*", {"rank": 2}, "matches no linear layer or convolution of model"),
        ("*", {}, "give rank or share, got rank=None and share=None"),
        ("*", {"rank": 2, "share": 0.5}, "give rank or share, got rank=2 and share=0.5"),
        ("head*", {"rank": 8}, "rank 8 does not suit head.linear .* from 1 to 7"),
        ("head*", {"rank": 2.5}, "rank must be a whole number of at least 1, got 2.5; write for"),
        ("head*", {"rank": 4.0}, "rank must be a whole number of at least 1, got 4.0"),
        ("head*", {"rank": True}, "rank must be a whole number of at least 1, got True"),
        ("head*", {"rank": "4"}, "rank must be a whole number of at least 1, got '4'"),
        ("head*", {"share": "0.5"}, "share must be a number between 0 and 1, got '0.5'"),
        ("head*", {"share": 1.5}, "share must be a number between 0 and 1, got 1.5"),
        ("head*", {"share": 1}, "share must be a number between 0 and 1, got 1"),
        ("head*", {"share": 0.0}, "share must be a number between 0 and 1, got 0.0"),
        ("head*", {"share": True}, "share must be a number between 0 and 1, got True"),
        (["0.*", 3], {"rank": 2}, "patterns must be a text or a list of texts, got .'0"),
        (3, {"rank": 2}, "patterns must be a text or a list of texts, got 3"),
        ([], {"rank": 2}, "no pattern is given"),
        (["head*", "hed*"], {"rank": 2}, "'hed.' matches no linear layer"),
        ("head*", {"rank": 2, "without": "*.linear"}, "without takes all away that 'head"),
        ("head*", {"rank": 2, "without": "none"}, "'none' matches no linear layer"),
        ("head*", {"rank": 0}, "rank must be a whole number of at least 1, got 0"),
        ("head*", {"share": 0.05}, "share 0.05, rank 0, does not suit"),
        ("head*", {"share": float("nan")}, "share must be a number between 0 and 1, got nan"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    pattern: Any, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(TraceError, match=message) as raised:
        factorise(stack([16]), pattern, **asked)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("factorise: ")


def test_several_patterns_may_be_given_and_some_layers_left_as_they_are() -> None:
    whole = stack([16, 16])
    several = factorise(whole, ["blocks.0.*", "head.*"], rank=2, without=["*.up.*", "*.gate.*"])
    changed = {op.name for op in ops(several) if op.name.endswith(".inner")}
    assert changed == {"blocks.0.down.linear.inner", "head.linear.inner"}
    assert "2 matrices matching blocks.0.*, head.* factorised" in several.notes[-1]
    every = factorise(whole, "*", rank=2, without="head.*")
    assert contents(every) == contents(factorise(whole, "blocks.*", rank=2))


def test_a_matrix_is_factorised_once() -> None:
    once = factorise(of(linear(24, 40), torch.zeros(7, 24)), "*", rank=6)
    with pytest.raises(TraceError, match=r"layer0.linear is the second of two factors already"):
        factorise(once, "layer0.linear", rank=2)


def test_a_matrix_with_one_row_has_no_lower_rank() -> None:
    with pytest.raises(TraceError, match="it has no lower rank, or name it in without"):
        factorise(alone(matmul(4, 1, 8)), "*", rank=1)


def test_the_rank_of_a_share_is_exact() -> None:
    for percent in (7, 29, 57, 58):
        share = percent / 100
        for outputs, inputs in ((32, 200), (100, 100), (40, 60), (200, 50)):
            exact = math.floor(Fraction(share) * outputs * inputs / (outputs + inputs))
            made = factorise(alone(matmul(1, inputs, outputs)), "*", share=share)
            assert made.parameters == exact * (outputs + inputs)


def test_groups_of_channels_have_no_single_matrix() -> None:
    with pytest.raises(TraceError, match="has no single matrix of weights"):
        factorise(alone(convolution(8, 8, 6, 3, groups=8)), "*", rank=1)


def test_a_shared_matrix_is_left_alone() -> None:
    layer = nn.Linear(8, 8)
    with pytest.raises(TraceError, match=r"'0.weight' is shared by 0.linear and "):
        factorise(of(nn.Sequential(layer, layer), torch.zeros(2, 8)), "*", rank=2)


def test_a_matrix_with_declared_zeros_is_left_alone() -> None:
    whole = alone(matmul(4, 8, 8))
    sparse = Sparsity.parse("0.5")
    weight = next(tensor for tensor in whole.tensors if tensor.role == "weight")
    changed = with_tensors(whole, {weight.name: replace(weight, sparsity=sparse)})
    with pytest.raises(TraceError, match="declared sparse or compressed"):
        factorise(changed, "*", rank=2)
