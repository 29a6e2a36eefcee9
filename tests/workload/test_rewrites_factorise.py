"""``factorise``: the trace of a model that was built with two thin matrices."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

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
        ("head*", {"rank": 0}, "rank 0 does not suit head.linear with 20 outputs and 8 inputs"),
        ("head*", {"share": 0.05}, "share 0.05, rank 0, does not suit"),
        ("head*", {"share": float("nan")}, "share nan, rank 0, does not suit"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    pattern: str, asked: dict[str, float], message: str
) -> None:
    with pytest.raises(TraceError, match=message) as raised:
        factorise(stack([16]), pattern, **asked)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


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
