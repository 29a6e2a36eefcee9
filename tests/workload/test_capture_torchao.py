"""Models that torchao has quantised: true widths, one operator for each layer, the same MACs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchao.quantization as ao
from quantised_case import checked, contractions, formats, tensor, with_torchao
from torch import nn
from torchao.quantization import granularity

import codesign
from codesign.workload.record import Trace


def linear(config: Any, *, bias: bool = True, dtype: Any = torch.float32) -> Trace:
    model = nn.Sequential(nn.Linear(256, 128, bias=bias, dtype=dtype))
    return checked(with_torchao(model, config), torch.zeros(2, 256, dtype=dtype))


def weight_only(bits: int, spread: Any) -> Any:
    dtype = getattr(torch, f"int{bits}")
    return ao.IntxWeightOnlyConfig(weight_dtype=dtype, granularity=spread)


def test_a_linear_layer_of_4_bits_counts_its_true_bytes() -> None:
    found = linear(weight_only(4, granularity.PerAxis(0)))
    values, scales, zero_points, bias = 256 * 128 // 2, 128 * 4, 128, 128 * 4
    assert values + scales + zero_points + bias == 17_536
    assert found.parameter_bytes == 17_536
    assert found.parameters == 256 * 128 + 128
    assert found.macs == 2 * 256 * 128


def test_the_weight_is_one_tensor_under_its_own_name() -> None:
    found = linear(weight_only(4, granularity.PerAxis(0)))
    assert {t.name: (str(t.dtype), t.role) for t in found.tensors} == {
        "0.weight": ("int4[256x40]", "weight"),
        "0.bias": ("fp32", "weight"),
        "input": ("fp32", "input"),
        "0.linear": ("fp32", "output"),
    }
    (op,) = [op for op, _ in found.ops()]
    assert formats(op) == (["fp32", "int4[256x40]", "fp32"], ["fp32"])


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("group", [32, 64, 256])
def test_every_width_and_group_size_is_read(bits: int, group: int) -> None:
    found = linear(weight_only(bits, granularity.PerGroup(group)), bias=False)
    assert str(tensor(found, "0.weight").dtype) == f"int{bits}[{group}x40]"
    assert found.parameter_bytes == (256 * 128 * bits + 256 * 128 // group * 40) // 8


def test_scales_of_half_precision_take_half_the_bits() -> None:
    found = linear(weight_only(4, granularity.PerGroup(64)), bias=False, dtype=torch.bfloat16)
    assert str(tensor(found, "0.weight").dtype) == "int4[64x24]"


def test_without_fusion_the_width_is_the_same() -> None:
    model = with_torchao(nn.Sequential(nn.Linear(64, 64)), weight_only(4, granularity.PerGroup(32)))
    args = (torch.zeros(1, 64),)
    fused, plain = (codesign.trace(model, args, fuse=fuse) for fuse in (True, False))
    assert fused.tensors == plain.tensors


def test_an_embedding_of_4_bits_is_gathered_by_rows_of_4_bits() -> None:
    model = nn.Sequential(nn.Embedding(100, 64), nn.Linear(64, 10))
    config = weight_only(4, granularity.PerGroup(32))
    quantised = with_torchao(model, config, filter_fn=lambda m, _: hasattr(m, "weight"))
    found = checked(quantised, torch.zeros(2, 5, dtype=torch.long))
    gather = next(op for op, _ in found.ops() if op.kind == "gather")
    assert formats(gather)[0] == ["int4[32x40]", "int64"]
    assert tensor(found, "0.weight").bytes == 100 * 64 // 2 + 200 * 5


def test_a_bare_8_bit_weight_is_read_as_it_is_with_its_scales_behind_the_product() -> None:
    found = linear(ao.Int8WeightOnlyConfig())
    (op,) = [op for op, _ in found.ops()]
    assert op.kind == "contraction"
    assert op.functions == ("mul", "add")
    assert formats(op)[0] == ["fp32", "int8", "fp32", "fp32"]
    assert found.parameter_bytes == 256 * 128 + 128 * 4 + 128 * 4


def test_8_bit_floats_are_scaled_by_the_row() -> None:
    found = linear(ao.Float8WeightOnlyConfig())
    (op,) = [op for op, _ in found.ops()]
    assert formats(op)[0] == ["fp32", "fp8[256x32]", "fp32"]
    assert found.parameter_bytes == 256 * 128 + 128 * 4 + 128 * 4


def test_activations_quantised_as_the_model_runs_make_an_integer_product() -> None:
    found = linear(ao.Int8DynamicActivationInt8WeightConfig())
    (op,) = contractions(found)
    assert formats(op)[0][:2] == ["int8", "int8"]
    # the sum is turned into a number, scaled by row and by column, and has its bias added
    assert op.functions == ("cast", "mul", "mul", "add")
    others = [(op.kind, op.functions) for op, _ in found.ops() if op.kind != "contraction"]
    assert others == [
        ("reduce", ("max", "min")),
        ("elementwise", ("sub", "div")),
        ("elementwise", ("cast",)),
    ]


@pytest.mark.parametrize("has_vnni", [True, False])
def test_the_processor_that_captures_changes_nothing(
    has_vnni: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torchao.kernel.intmm._cpu_is_vnni_supported", lambda: has_vnni)
    monkeypatch.setattr("torchao.kernel.intmm._cpu_is_amx_tile_supported", lambda: False)
    found = linear(ao.Int8DynamicActivationInt8WeightConfig())
    assert "uint8" not in {str(each.dtype) for each in found.tensors}


def test_8_bit_activations_meet_4_bit_weights() -> None:
    config = ao.Int8DynamicActivationIntxWeightConfig(
        weight_dtype=torch.int4, weight_granularity=granularity.PerGroup(32)
    )
    (op,) = contractions(linear(config))
    assert formats(op)[0] == ["int8", "int4[32x40]", "fp32", "int8", "fp32"]
    assert op.functions == ("mul", "sub", "add")
    # one scale and one zero point for each of the two rows
    assert [access.shape for access in op.inputs[2:4]] == [(2,), (2,)]
    assert op.loops.operands[2] == op.loops.operands[-1][:1]


CONFIGS: dict[str, Callable[[], Any]] = {
    "int4": lambda: weight_only(4, granularity.PerGroup(32)),
    "int8": ao.Int8WeightOnlyConfig,
    "int8 twice": ao.Int8DynamicActivationInt8WeightConfig,
    "float8": ao.Float8WeightOnlyConfig,
}


@pytest.mark.parametrize("name", CONFIGS)
def test_quantising_keeps_the_macs(name: str) -> None:
    def build() -> Any:
        return nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 32, bias=False))

    x = torch.zeros(3, 4, 64)
    found = checked(with_torchao(build(), CONFIGS[name]()), x)
    assert found.macs == codesign.trace(build(), (x,)).macs > 0
    assert found.parameter_bytes < codesign.trace(build(), (x,)).parameter_bytes


def test_an_engine_without_the_format_says_which_one_it_lacks() -> None:
    found = linear(weight_only(4, granularity.PerAxis(0)))
    with pytest.raises(codesign.CodesignError, match=r"no MAC rate or energy for int8\*int4"):
        codesign.simulate(found, "edge-npu")


def test_a_quantised_trace_is_no_float_model() -> None:
    assert linear(weight_only(4, granularity.PerAxis(0))).notes == ()
