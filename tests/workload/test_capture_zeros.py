"""Zeros of real weights: scanned when asked, and patterns that must hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torchao.quantization as ao
from quantised_case import checked, tensor, with_torchao
from sparse_case import X, blocks, linear, random, two_of_four, zeros
from torch import nn
from torch_case import meta, on_meta
from torchao.quantization import granularity

import codesign
from codesign.errors import CaptureError, TraceError
from codesign.workload.capture import trace
from codesign.workload.capture_zeros import LEAST_ZEROS, Values
from codesign.workload.quantised import Zeros


def test_nothing_is_scanned_unless_it_is_asked_for() -> None:
    found = checked(linear(random(0.3)), X)
    assert tensor(found, "0.weight").sparsity is None
    assert found.digest == checked(linear(), X).digest


def test_a_scan_finds_the_share_of_zeros() -> None:
    keep = random(0.3)
    found = zeros(checked(linear(keep), X, scan_zeros=True))
    assert found.granularity == "element"
    assert found.share == float(keep.mean())


def test_a_scan_of_dense_weights_changes_nothing() -> None:
    assert checked(linear(), X, scan_zeros=True) == checked(linear(), X)


@pytest.mark.parametrize(("zero_rows", "is_said"), [(1, False), (2, True), (3, True)])
def test_few_zeros_are_not_worth_saying(zero_rows: int, is_said: bool) -> None:
    keep = torch.ones(32, 64)
    keep[:zero_rows] = 0
    found = checked(linear(keep), X, scan_zeros=True)
    assert (tensor(found, "0.weight").sparsity is not None) == is_said
    assert is_said == (zero_rows / 32 >= LEAST_ZEROS)


def _rows() -> Any:
    return torch.ones(32, 64) * (torch.arange(32) % 2)[:, None]


PATTERNS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "blocks": (blocks, {"granularity": "block", "block": (4, 4)}),
    "rows": (_rows, {"granularity": "channel", "axis": 0}),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_scan_finds_the_pattern(name: str) -> None:
    make, expected = PATTERNS[name]
    found = zeros(checked(linear(make()), X, scan_zeros=True))
    assert {key: getattr(found, key) for key in expected} == expected


def test_a_scan_finds_2_to_4_where_nothing_more_regular_holds() -> None:
    places = torch.rand(512, 4, generator=torch.Generator().manual_seed(3)).argsort(1)
    found = zeros(checked(linear((places < 2).float().reshape(32, 64)), X, scan_zeros=True))
    assert (found.granularity, found.n, found.m, found.share) == ("n:m", 2, 4, 0.5)


def test_vectors_are_not_scanned() -> None:
    model = nn.Sequential(nn.Linear(64, 32), nn.LayerNorm(32))
    found = checked(model, X, scan_zeros=True)
    assert not model[1].bias.any()
    assert not any(t.sparsity for t in found.tensors)


@pytest.mark.parametrize("options", [{"scan_zeros": True}, {"expect": {"0.*": "2:4"}}])
def test_a_model_without_values_cannot_be_scanned(options: dict[str, Any]) -> None:
    model = on_meta(lambda: nn.Sequential(nn.Linear(64, 32)))
    with pytest.raises(CaptureError, match=r"0.weight has no values .* codesign.annotate"):
        trace(model, (meta(2, 64),), **options)


def test_a_model_without_weights_has_nothing_to_scan() -> None:
    assert checked(nn.ReLU(), X, scan_zeros=True) == checked(nn.ReLU(), X)


def test_the_trace_says_where_the_zeros_come_from_and_is_written_with_them(tmp_path: Any) -> None:
    found = checked(linear(random(0.3)), X, scan_zeros=True)
    assert found.notes[-1] == "zeros of 1 weight read from the values"
    codesign.save_trace(found, tmp_path / "sparse.json")
    assert codesign.load_trace(tmp_path / "sparse.json") == found


# --- patterns that must hold ---


def test_random_half_dense_weights_are_refused_as_2_to_4_with_the_share_that_complies() -> None:
    keep = random(0.5, 256, 256)
    with pytest.raises(TraceError) as caught:
        checked(linear(keep, 256, 256), torch.zeros(2, 256), expect={"0.*": "2:4"})
    message = str(caught.value)
    assert "\n" not in message
    assert "'0.weight' must follow 2:4" in message
    share = float(re.findall(r"([\d.]+)% of the groups of 4 along axis 1", message)[0])
    # P(Binomial(4, 1/2) <= 2) is 68.75 %; three standard deviations of 16,384 groups are 1.1
    assert share == pytest.approx(68.75, abs=1.1)
    groups = keep.numpy().reshape(-1, 4).sum(1)
    assert share == pytest.approx(100 * np.mean(groups <= 2), abs=0.05)


def test_weights_that_follow_2_to_4_are_declared_so() -> None:
    found = zeros(checked(linear(two_of_four()), X, expect={"0.*": "2:4"}))
    assert (found.granularity, found.n, found.m, found.share) == ("n:m", 2, 4, 0.5)


def test_groups_may_lie_along_another_axis() -> None:
    keep = torch.tensor([1.0, 0.0, 1.0, 0.0]).repeat(64, 8).T
    found = zeros(checked(linear(keep), X, expect={"0.weight": "2:4 axis 0"}))
    assert (found.axis, str(found)) == (0, "2:4 axis 0")
    with pytest.raises(TraceError, match="along axis 1"):
        checked(linear(keep), X, expect={"0.weight": "2:4"})


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"1.*": "2:4"}, "no weight of two axes matches '1.*'"),
        ({"0.wieght": "2:4"}, "did you mean '0.weight'"),
        ({"0.*": "half"}, "must be given as n:m"),
        ({"0.*": "5:4"}, "must be given as n:m"),
        ({"0.*": "0:4"}, "must be given as n:m"),
        ({"0.*": "2:4 axis 7"}, "axis 7"),
    ],
)
def test_an_expectation_that_means_nothing_is_refused(expect: Any, message: str) -> None:
    with pytest.raises(codesign.CodesignError) as caught:
        checked(linear(), X, expect=expect)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# --- what stands for zero ---


def test_a_zero_point_stands_for_zero_block_by_block() -> None:
    data = torch.tensor([[1, 2, 3, 3], [5, 0, 7, 7]], dtype=torch.int8)
    points = torch.tensor([[1, 3], [0, 7]], dtype=torch.int8)
    values = Values({"w": data, "z": points}, {"w": Zeros("z", (1, 2))})
    kept = values.kept("w")
    assert kept is not None
    assert kept.tolist() == [[False, True, False, False], [True, False, False, False]]


@pytest.mark.parametrize(("point", "zeros"), [(None, 2), (0, 2), (3, 1)])
def test_a_zero_point_may_be_a_number(point: int | None, zeros: int) -> None:
    data = torch.tensor([[0, 1], [0, 3]], dtype=torch.int8)
    kept = Values({"w": data}, {"w": Zeros(point, (2, 2))}).kept("w")
    assert kept is not None
    assert (~kept).sum() == zeros


def test_8_bit_floats_are_compared_as_numbers() -> None:
    data = torch.tensor([[0.0, -0.0, 1.0]]).to(torch.float8_e4m3fn)
    kept = Values({"w": data}).kept("w")
    assert kept is not None
    assert kept.tolist() == [[False, False, True]]


def test_without_values_of_weight_mask_or_zero_points_nobody_knows() -> None:
    values = Values({"w": torch.ones(2, 2)}, masks={"w": "m"})
    assert values.kept("w") is None
    assert values.kept("other") is None
    assert Values({"w": torch.ones(2, 2)}, {"w": Zeros("z", (1, 2))}).kept("w") is None


def test_the_zeros_of_quantised_weights_are_those_of_the_integers() -> None:
    spread = granularity.PerGroup(32)
    keep = random(0.25)
    model = linear(keep)
    config = ao.IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=spread)
    found = checked(with_torchao(model, config), X, scan_zeros=True)
    integers = model[0].weight.qdata
    assert zeros(found).share == float((integers != 0).float().mean())
    # some of what was kept is rounded to zero, and nothing else comes to life
    assert 0 < zeros(found).share <= float(keep.mean())


@pytest.mark.parametrize("expect", [{"0.*": 0.5}, "2:4", ["0.*"], {5: "2:4"}])
def test_what_is_expected_is_a_pattern_by_names(expect: Any) -> None:
    with pytest.raises(CaptureError, match=r"expect must give a pattern of zeros by pattern of"):
        trace(linear(), (X,), expect=expect)


def test_scanning_is_asked_for_by_a_word() -> None:
    with pytest.raises(CaptureError, match="scan_zeros must be True or False, got 'yes'"):
        trace(linear(), (X,), scan_zeros="yes")  # type: ignore[arg-type]
