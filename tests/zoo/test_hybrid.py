"""The hybrid of convolutions and transformer layers: its parts, its cost and that it runs."""

from __future__ import annotations

from functools import cache

import pytest
import torch

import codesign
from codesign.models import resolve_model
from codesign.workload.precision import with_precision
from codesign.workload.record import Op, Trace
from codesign.zoo import codesign_models
from codesign.zoo.hybrid import HEADS, HIDDEN, LAYERS, WIDTH, Tokens, encoder_layer

TOKENS = 14 * 14


@cache
def captured(name: str = "hybrid_cnn_vit") -> Trace:
    return resolve_model(name)


def ops(kind: str, module: str = "") -> list[Op]:
    return [
        op for op, _ in captured().ops() if op.kind == kind and (op.module or "").startswith(module)
    ]


def test_the_convolutions_cost_what_those_of_mobilenet_cost() -> None:
    stages = ("stem", *(f"stage{number}" for number in range(1, 6)))
    theirs = [op.macs for op, _ in captured("mobilenet_v2").ops()
              if (op.module or "").split(".")[0] in stages]  # fmt: skip
    ours = [op.macs for op, _ in captured().ops()
            if (op.module or "").split(".")[0] in ("stem", "convolutions")]  # fmt: skip
    assert ours == theirs
    assert sum(ours) > 100e6


def test_there_is_one_depthwise_convolution_per_block() -> None:
    depthwise = [op for op in ops("contraction", "convolutions") if op.gemm[0] > 1]
    assert len(depthwise) == 1 + 2 + 3 + 4 + 3


def test_the_last_depthwise_convolution_is_over_576_channels_of_14x14() -> None:
    depthwise = [op for op in ops("contraction", "convolutions") if op.gemm[0] > 1]
    assert depthwise[-1].gemm == (576, TOKENS, 9, 1)


def test_a_transformer_layer_costs_its_matrices_per_token_and_its_attention_squared() -> None:
    for number in range(LAYERS):
        layer = f"transformer.{number}."
        linear = sum(op.macs for op in ops("contraction", layer))
        (attention,) = ops("attention", layer)
        assert linear == TOKENS * (4 * WIDTH * WIDTH + 2 * WIDTH * HIDDEN)
        assert attention.macs == 2 * TOKENS * TOKENS * WIDTH
        assert len(ops("normalize", layer)) == 2


def test_the_convolution_between_widens_96_channels() -> None:
    (widen,) = ops("contraction", "widen")
    assert widen.macs == TOKENS * 96 * WIDTH


def test_the_total_is_822_209_024_macs() -> None:
    assert captured().macs == 822_209_024


def test_each_head_takes_64_of_the_channels() -> None:
    assert {op.inputs[0].shape for op in ops("attention")} == {(1, HEADS, TOKENS, 64)}


def test_an_image_becomes_196_tokens() -> None:
    module, args, _ = codesign_models()["hybrid_cnn_vit"].example("hybrid_cnn_vit", {"batch": 2})
    assert tuple(module(*args).shape) == (2, TOKENS, WIDTH)


def test_a_token_holds_the_channels_of_one_position() -> None:
    image = torch.randn(2, 5, 3, 4)
    tokens = Tokens()(image)
    for row in range(3):
        for column in range(4):
            torch.testing.assert_close(tokens[:, 4 * row + column], image[:, :, row, column])


def test_a_transformer_layer_ignores_the_order_of_tokens() -> None:
    torch.manual_seed(0)
    layer, tokens = encoder_layer().eval(), torch.randn(1, 5, WIDTH)
    order = [3, 1, 4, 0, 2]
    with torch.no_grad():
        torch.testing.assert_close(layer(tokens)[:, order], layer(tokens[:, order]))


def test_weights_in_int8_take_one_byte_each() -> None:
    assert with_precision(captured(), "int8").parameter_bytes == captured().parameters == 3_230_336


@pytest.mark.parametrize("preset", ["edge-npu", "tpu-like"])
def test_it_runs_on_hardware_in_int8(preset: str) -> None:
    result = codesign.simulate(captured(), codesign.load_hardware(preset), dtype="int8")
    assert result.latency_s > 0
    assert result.energy_j > 0
