"""Pruned weights and sparse layouts say that they have zeros, so nobody has to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from quantised_case import checked, tensor
from sparse_case import X, blocks, linear, random, two_of_four, zeros
from torch import nn
from torch.nn.utils import parametrize, prune
from torch_case import meta, on_meta

from codesign.errors import CaptureError
from codesign.workload.capture import trace

# --- masks ---


def test_a_pruned_weight_is_one_tensor_with_the_zeros_of_its_mask() -> None:
    model = linear()
    prune.l1_unstructured(model[0], "weight", 0.75)
    found = checked(model, X)
    assert {t.name for t in found.tensors if t.role != "activation"} == {
        "0.weight",
        "0.bias",
        "input",
        "0.linear",
    }
    assert [op.kind for op, _ in found.ops()] == ["contraction"]
    assert zeros(found).share == 0.25
    assert found.macs == checked(linear(), X).macs


def test_a_pruned_row_is_a_channel() -> None:
    model = linear()
    prune.ln_structured(model[0], "weight", 0.5, n=2, dim=0)
    prune.random_unstructured(model[0], "bias", 0.5)
    found = checked(model, X)
    assert (zeros(found).granularity, zeros(found).axis, zeros(found).share) == ("channel", 0, 0.5)
    assert tensor(found, "0.bias").sparsity is None


def test_a_pruned_recurrent_weight_stays_in_its_region() -> None:
    model = nn.LSTM(16, 16)
    prune.l1_unstructured(model, "weight_hh_l0", 0.5)
    found = checked(model, torch.zeros(5, 1, 16))
    assert zeros(found, "weight_hh_l0").share == 0.5
    (region,) = found.regions
    assert region.invariants[0].sparsity == zeros(found, "weight_hh_l0")


def test_a_parametrised_mask_is_folded_too() -> None:
    class Masked(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mask", random(0.5))

        def forward(self, weight: Any) -> Any:
            return weight * self.mask

    model = linear()
    parametrize.register_parametrization(model[0], "weight", Masked())
    assert zeros(checked(model, X)).share == float(random(0.5).mean())


def test_a_mask_without_values_is_folded_and_says_nothing() -> None:
    def build() -> Any:
        model = nn.Sequential(nn.Linear(64, 32))
        prune.identity(model[0], "weight")
        return model

    found = checked(on_meta(build), meta(2, 64))
    assert [op.kind for op, _ in found.ops()] == ["contraction"]
    assert tensor(found, "0.weight").sparsity is None


def test_a_mask_of_ones_says_nothing() -> None:
    model = linear()
    prune.identity(model[0], "weight")
    assert tensor(checked(model, X), "0.weight").sparsity is None


def test_a_pruned_weight_is_checked_with_its_mask() -> None:
    model = linear()
    prune.custom_from_mask(model[0], "weight", two_of_four())
    assert str(zeros(checked(model, X, expect={"*": "2:4"}))) == "2:4"


# --- sparse layouts ---

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "csr": lambda w: w.to_sparse_csr(),
    "csc": lambda w: w.to_sparse_csc(),
    "coo": lambda w: w.to_sparse(),
    "bsr": lambda w: w.to_sparse_bsr((4, 4)),
}


def _sparse(layout: str, keep: Any) -> Any:
    model = linear(keep)
    model[0].weight = nn.Parameter(LAYOUTS[layout](model[0].weight.detach()))
    return model


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sparse_layout_is_captured_with_its_zeros(layout: str) -> None:
    keep = blocks()
    found = checked(_sparse(layout, keep), X)
    assert (zeros(found).granularity, zeros(found).block) == ("block", (4, 4))
    assert zeros(found).share == float(keep.mean())
    assert found.macs == checked(linear(), X).macs
    assert tensor(found, "0.weight").shape == (32, 64)


def test_capture_leaves_a_sparse_layout_as_it_is() -> None:
    model = _sparse("csr", random(0.3))
    before = model[0].weight
    checked(model, X)
    assert model[0].weight is before
    assert before.layout == torch.sparse_csr


def test_a_sparse_layout_is_put_back_if_the_export_fails() -> None:
    model = _sparse("csr", random(0.3))
    before = model[0].weight
    with pytest.raises(CaptureError):
        trace(model, (torch.zeros(2, 5),))
    assert model[0].weight is before


def test_tied_sparse_weights_stay_tied() -> None:
    model = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False))
    shared = nn.Parameter((torch.eye(8) + 1e-3 * random(0.2, 8, 8)).to_sparse_csr())
    model[0].weight = model[1].weight = shared
    assert checked(model, torch.zeros(2, 8)).parameters == 64


def test_a_program_with_a_sparse_layout_is_refused_with_the_way_out() -> None:
    exported = torch.export.export(_sparse("csr", random(0.3)), (X,), strict=False)
    with pytest.raises(CaptureError) as caught:
        trace(exported)
    assert "0.weight has the layout torch.sparse_csr" in str(caught.value)
    assert "capture the module itself" in str(caught.value)
    assert "\n" not in str(caught.value)
