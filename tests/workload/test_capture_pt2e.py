"""Models of quantised export: operators of 8 bits from end to end."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from quantised_case import Residual, checked, contractions, formats, tensor, with_pt2e
from torch import nn

import codesign
from codesign.errors import TraceError
from codesign.workload.record import Trace
from codesign.zoo.mobilenet import InvertedResidual

IMAGE = torch.linspace(-1, 1, 2 * 3 * 16 * 16).reshape(2, 3, 16, 16)


@pytest.fixture(scope="module")
def static() -> Trace:
    return checked(with_pt2e(Residual(), IMAGE), IMAGE)


def test_macs_are_those_of_the_float_model(static: Trace) -> None:
    plain = codesign.trace(Residual().eval(), (IMAGE,))
    assert static.macs == plain.macs == 184_480
    assert static.parameters == plain.parameters


def test_every_layer_multiplies_integers_and_rounds_its_result(static: Trace) -> None:
    assert [(op.name, formats(op), op.functions) for op in contractions(static)] == [
        (
            "first.conv2d",
            (["int8", "int8[27x96]", "fp32"], ["int8"]),
            ("add", "relu", "cast"),
        ),
        ("second.conv2d", (["int8", "int8[72x96]", "fp32"], ["int8"]), ("add", "cast")),
        ("head.linear", (["int8", "int8[8x96]", "fp32"], ["int8"]), ("add", "cast")),
    ]


def test_only_the_ends_of_the_model_are_floats(static: Trace) -> None:
    floats = {t.name for t in static.tensors if t.dtype.is_float and t.role != "weight"}
    assert floats == {"image", "dequantize_per_tensor_5"}
    assert tensor(static, "dequantize_per_tensor_5").role == "output"


def test_pools_work_on_the_integers_themselves(static: Trace) -> None:
    pools = [op for op, _ in static.ops() if op.kind == "reduce"]
    assert [(op.functions, formats(op)) for op in pools] == [
        (("max",), (["int8"], ["int8"])),
        (("mean",), (["int8"], ["int8"])),
    ]


def test_a_sum_of_two_scales_converts_both_terms_and_the_result(static: Trace) -> None:
    (op,) = [op for op, _ in static.ops() if "add" in op.functions and op.kind == "elementwise"]
    assert op.functions == ("cast", "cast", "add", "relu", "cast")
    assert formats(op) == (["int8", "int8"], ["int8"])


def test_numbered_weights_get_the_names_of_their_modules(static: Trace) -> None:
    weights = {t.name: t.role for t in static.tensors if t.role == "weight"}
    assert set(weights) == {
        f"{m}.{p}" for m in ("first", "second", "head") for p in ("weight", "bias")
    }


def test_a_row_of_a_weight_shares_a_scale_and_a_zero_point(static: Trace) -> None:
    # 27 bytes of 8 filters, and for each filter a scale of 4 bytes and a zero point of 8
    assert tensor(static, "first.weight").bytes == 8 * (27 + 4 + 8)


def test_a_scale_that_is_a_number_of_the_graph_takes_no_bytes() -> None:
    found = checked(with_pt2e(Residual(), IMAGE, is_per_channel=False), IMAGE)
    assert str(tensor(found, "first.weight").dtype) == "int8"
    assert found.macs == 184_480


def test_scales_chosen_as_the_model_runs_stay_operands_of_the_product() -> None:
    found = checked(with_pt2e(Residual(), IMAGE, is_dynamic=True), IMAGE)
    head = contractions(found)[-1]
    assert formats(head)[0] == ["int8", "int8[8x96]", "fp64", "int64", "fp32"]
    assert head.functions == ("mul", "sub", "add")
    assert [op.kind for op, _ in found.ops()].count("reduce") == 3


def test_without_fusion_the_conversions_are_operators() -> None:
    found = checked(with_pt2e(Residual(), IMAGE), IMAGE, fuse=False)
    assert [op.functions for op, _ in found.ops()].count(("cast",)) == 11
    assert all(formats(op)[0][0] == "fp32" for op in contractions(found))
    assert formats(contractions(found)[0])[0][1] == "int8[27x96]"


def test_two_layers_that_share_an_input_both_read_its_integers() -> None:
    class Pair(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Any) -> Any:
            return self.query(x) + self.key(x)

    x = torch.linspace(-1, 1, 32).reshape(4, 8)
    found = checked(with_pt2e(Pair(), x), x)
    assert [formats(op)[0][0] for op in contractions(found)] == ["int8", "int8"]


def test_an_8_bit_engine_takes_the_model_in_its_own_format(static: Trace) -> None:
    assert codesign.simulate(static, "edge-npu", dtype="native").latency_s > 0


def quantised_block(outputs: int) -> Trace:
    """An inverted residual on 8 channels, behind and before a convolution, quantised."""
    model = nn.Sequential(nn.Conv2d(8, 8, 1), InvertedResidual(8, outputs, 6, 1))
    x = torch.linspace(-1, 1, 8 * 8 * 8).reshape(1, 8, 8, 8)
    return checked(with_pt2e(model, x), x)


def test_a_quantised_block_with_a_shortcut_is_refused_in_one_line_that_says_why() -> None:
    with pytest.raises(TraceError, match="adds its shortcut in another scale") as raised:
        codesign.merge_block(quantised_block(8), "1")
    assert "\n" not in str(raised.value)
    assert "merge the float model" in str(raised.value)


def test_a_quantised_block_without_a_shortcut_becomes_one_convolution_of_integers() -> None:
    made = codesign.merge_block(quantised_block(16), "1")
    merged = contractions(made)[-1]
    assert merged.inputs[1].tensor.elements == 8 * 16 * 9
    assert formats(merged) == (["int8", "int8[72x96]", "fp32"], ["int8"])
    assert merged.functions == ("add", "cast")
