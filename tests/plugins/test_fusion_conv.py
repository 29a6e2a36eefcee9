from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from codesign.plugins import registry
from codesign.testing.passes import Sketch, check_pass
from codesign.workload import view
from codesign.workload.capture import trace
from codesign.workload.record import Op, Trace

FOLD = registry().get("codesign_fusion_passes")["40-conv-batch-norm"]


def captured(model: Callable[[], nn.Module], *shape: int, fuse: bool = False) -> Trace:
    with torch.device("meta"):
        return trace(model(), (torch.zeros(shape),), fuse=fuse)


def ops(made: Trace) -> list[Op]:
    return [op for op, _ in made.ops()]


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (lambda: nn.Sequential(nn.Conv1d(3, 8, 3, bias=False), nn.BatchNorm1d(8)), (2, 3, 9)),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)), (2, 3, 9, 9)),
        (lambda: nn.Sequential(nn.Conv3d(3, 8, 3, bias=False), nn.BatchNorm3d(8)), (2, 3, 5, 5, 5)),
        (lambda: nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.BatchNorm2d(8)), (2, 8, 9, 9)),
        (lambda: nn.Sequential(nn.Conv2d(8, 8, 3, groups=4), nn.BatchNorm2d(8)), (2, 8, 9, 9)),
        (lambda: nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6)), (4, 8)),
    ],
)
def test_a_norm_behind_any_contraction_disappears(
    model: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    raw = captured(model, *shape)
    (fused,) = ops(check_pass(FOLD, raw))
    assert fused.functions == ("add",)
    assert len(fused.inputs) == 3
    assert fused.macs == raw.macs


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_norm_behind_a_transposed_convolution_joins_the_sum_of_its_columns(
    bias: bool, groups: int
) -> None:
    def model() -> nn.Module:
        spread = nn.ConvTranspose2d(4, 8, 3, groups=groups, bias=bias)
        return nn.Sequential(spread, nn.BatchNorm2d(8))

    raw = captured(model, 2, 4, 9, 9)
    product, sums = ops(check_pass(FOLD, raw))
    assert (product.kind, product.functions) == ("contraction", ())
    assert (sums.kind, sums.functions) == ("reduce", ("sum",))
    assert sums.inputs[0].tensor == product.outputs[0].tensor
    assert sums.inputs[1].tensor.name == ("0.bias" if bias else "1.bias")
    assert sums.inputs[1].shape == (8,)
    assert sums.outputs[0].tensor.role == "output"
    assert product.macs == raw.macs


def test_the_bias_of_the_norm_becomes_that_of_the_contraction() -> None:
    made = captured(
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)), 2, 3, 9, 9
    )
    (fused,) = ops(FOLD(made))
    assert fused.inputs[2].tensor.name == "1.bias"
    assert fused.inputs[2].shape == (8,)
    channel = fused.loops.operands[2]
    assert channel == fused.loops.operands[-1][1:2]


def test_a_contraction_keeps_its_own_bias() -> None:
    made = captured(lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)), 2, 3, 9, 9)
    (fused,) = ops(FOLD(made))
    assert [a.tensor.name for a in fused.inputs] == ["input", "0.weight", "0.bias"]


def test_a_norm_without_parameters_gives_its_mean_as_the_bias() -> None:
    made = captured(
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8, affine=False)),
        *(2, 3, 9, 9),
    )
    (fused,) = ops(check_pass(FOLD, made))
    assert fused.inputs[2].tensor.name == "1.running_mean"


def test_folded_parameters_are_still_stored() -> None:
    def model() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8))

    folded = FOLD(captured(model, 2, 3, 9, 9))
    assert folded.parameters == 3 * 8 * 9 + 2 * 8
    assert {"1.weight", "1.running_mean", "1.running_var"} <= {t.name for t in folded.tensors}


def test_folding_is_noted_once() -> None:
    def model() -> nn.Module:
        block = [nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)]
        return nn.Sequential(*block, *(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)))

    folded = FOLD(captured(model, 2, 3, 9, 9))
    assert sum("batch norms" in note for note in folded.notes) == 1


@pytest.mark.parametrize(
    "model",
    [
        lambda: nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 8, 3)),
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)),
    ],
)
def test_a_norm_that_does_not_follow_directly_stays(model: Callable[[], nn.Module]) -> None:
    made = captured(model, 2, 3, 9, 9)
    assert FOLD(made) is made


def test_a_result_that_is_needed_before_the_norm_too_stays() -> None:
    class Two(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)

        def forward(self, x: torch.Tensor) -> Any:
            y = self.conv(x)
            return self.norm(y) + torch.exp(y)

    made = captured(Two, 2, 3, 9, 9)
    assert FOLD(made) is made


def test_a_product_of_activations_cannot_take_a_norm() -> None:
    s = Sketch()
    y = s.matmul(s.tensor("a", (4, 6), "input"), s.tensor("b", (6, 6), "input"))
    vectors = [view.expand(s.tensor(n, (6,), "weight"), (4, 6)) for n in ("g", "beta", "m", "v")]
    s.op("elementwise", ["batch_norm"], [y, *vectors], (4, 6))
    made = s.trace()
    assert FOLD(made) is made


def test_a_residual_block_is_two_operators() -> None:
    class Residual(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Conv2d(8, 8, 3, padding=1, bias=False)
            self.two = nn.Conv2d(8, 8, 3, padding=1, bias=False)
            self.norms = nn.ModuleList([nn.BatchNorm2d(8), nn.BatchNorm2d(8)])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.relu(self.norms[0](self.one(x)))
            return torch.relu(self.norms[1](self.two(y)) + x)

    first, second = ops(captured(Residual, 2, 8, 5, 5, fuse=True))
    assert first.functions == ("add", "relu")
    assert second.functions == ("add", "add", "relu")
    assert second.inputs[-1].tensor.role == "input"


@pytest.mark.parametrize("is_transposed", [False, True])
@pytest.mark.parametrize("norms", [1, 2])
def test_a_bias_of_its_own_hides_the_norms_so_they_are_named(
    is_transposed: bool, norms: int
) -> None:
    kind = nn.ConvTranspose2d if is_transposed else nn.Conv2d

    def model(bias: bool) -> nn.Module:
        return nn.Sequential(
            kind(3, 8, 3, bias=bias), *(nn.BatchNorm2d(8) for _ in range(norms)), nn.ReLU()
        )

    def told(bias: bool) -> list[object]:
        made = ops(captured(lambda: model(bias), 2, 3, 9, 9, fuse=True))
        assert not any("batch_norm" in op.functions for op in made)
        return [found for op in made if (found := op.attribute("folded")) is not None]

    def vectors(number: int) -> tuple[str, ...]:
        return tuple(f"{number}.{n}" for n in ("weight", "bias", "running_mean", "running_var"))

    assert told(True) == [vectors(1) if norms == 1 else vectors(1) + vectors(2)]
    assert told(False) == ([] if norms == 1 else [vectors(2)])
