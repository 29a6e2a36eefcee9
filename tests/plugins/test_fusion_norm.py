from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from codesign.plugins import registry
from codesign.testing.passes import check_pass
from codesign.workload.capture import trace
from codesign.workload.record import Op, Trace

PASSES = registry().get("codesign_fusion_passes")
RMS, SOFTMAX = PASSES["20-rms-norm"], PASSES["30-softmax"]


class Norm(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A normalisation over 16 features, spelled by a function of input and weight."""

    def __init__(self, function: Callable[..., torch.Tensor], dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(16, dtype=dtype))
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, self.weight)


def captured(function: Callable[..., torch.Tensor], dtype: torch.dtype = torch.float32) -> Trace:
    with torch.device("meta"):
        return trace(Norm(function, dtype), (torch.zeros(2, 5, 16, dtype=dtype),), fuse=False)


def only_op(made: Trace) -> Op:
    (op,) = [op for op, _ in made.ops()]
    return op


def mean_square(x: torch.Tensor) -> torch.Tensor:
    return x.pow(2).mean(-1, keepdim=True) + 1e-6


SPELLINGS = {
    "rsqrt": lambda x, w: w * (x * torch.rsqrt(mean_square(x))),
    "weight last": lambda x, w: x * torch.rsqrt(mean_square(x)) * w,
    "square root": lambda x, w: x / torch.sqrt(mean_square(x)) * w,
    "reciprocal": lambda x, w: x * torch.reciprocal(torch.sqrt(mean_square(x))) * w,
    "product": lambda x, w: w * (x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6)),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_rms_norm_is_one_operator(name: str) -> None:
    op = only_op(check_pass(RMS, captured(SPELLINGS[name])))
    assert (op.kind, op.functions) == ("normalize", ("rms_norm",))
    assert op.attribute("width") == 16
    assert [a.tensor.role for a in op.inputs] == ["input", "weight"]
    assert op.inputs[1].shape == (16,)


def test_casts_to_full_precision_and_back_are_taken_along() -> None:
    def llama(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        wide = x.to(torch.float32)
        wide = wide * torch.rsqrt(mean_square(wide))
        return weight * wide.to(x.dtype)

    made = captured(llama, torch.bfloat16)
    assert len(list(made.ops())) > 5
    op = only_op(check_pass(RMS, made))
    assert {str(a.tensor.dtype) for a in op.operands} == {"bf16"}


def test_a_norm_without_weight_reads_its_input_alone() -> None:
    op = only_op(check_pass(RMS, captured(lambda x, w: x * torch.rsqrt(mean_square(x)))))
    assert len(op.inputs) == 1


def test_a_mean_over_another_axis_is_no_rms_norm() -> None:
    made = captured(lambda x, w: x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6) * w)
    assert RMS(made) is made


def test_a_norm_by_the_statistics_of_something_else_is_no_rms_norm() -> None:
    made = captured(lambda x, w: x * torch.rsqrt(mean_square(x + 1)) * w)
    assert RMS(made) is made


def test_statistics_that_are_needed_elsewhere_stay() -> None:
    def both(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        scale = torch.rsqrt(mean_square(x))
        return x * scale * weight + scale

    made = captured(both)
    assert RMS(made) is made


def test_softmax_with_the_maximum_subtracted_is_one_operator() -> None:
    def spelled(x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        shifted = torch.exp(x - x.amax(-1, keepdim=True))
        return shifted / shifted.sum(-1, keepdim=True)

    op = only_op(check_pass(SOFTMAX, captured(spelled)))
    assert (op.kind, op.functions, op.attribute("width")) == ("softmax", ("softmax",), 16)


def test_softmax_of_bare_exponentials_is_one_operator() -> None:
    def spelled(x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)

    op = only_op(check_pass(SOFTMAX, captured(spelled)))
    assert op.kind == "softmax"


def test_an_exponential_over_the_sum_of_another_is_no_softmax() -> None:
    def spelled(x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return torch.exp(x) / torch.exp(x + 1).sum(-1, keepdim=True)

    made = captured(spelled)
    assert SOFTMAX(made) is made
