"""Every model of the zoo becomes a trace that counts what torch counts, with nothing left out."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from codesign.models import resolve_model
from codesign.workload.capture import trace
from codesign.workload.file import load_trace, save_trace
from codesign.workload.precision import with_precision
from codesign.workload.record import Region, Trace, iterate
from codesign.zoo import Example, codesign_models
from codesign.zoo.llama import LlamaConfig, decode, prefill
from codesign.zoo.transducer import PRESETS

LLAMA = {"llama_3_1_8b": (prefill, 128), "llama_3_1_8b_decode": (decode, 2048)}
"""Captured with two of their 32 layers, all of which are equal."""
LOOPS = {name for name in codesign_models() if name.startswith("cell_")} | {"rnnt_8x640_encoder"}
"""The counter of torch does not look into ``scan``; these are checked against closed forms."""


def example(name: str) -> Example:
    if name not in LLAMA:
        return codesign_models()[name].example(name, {})
    build, length = LLAMA[name]
    with torch.device("meta"):
        module, args = build(1, length, LlamaConfig(layers=2))
    return module.eval(), args, {}


MACS = {
    "resnet18": 1_814_073_344,
    "resnet50": 4_089_184_256,
    "mobilenet_v2": 300_774_272,
    "efficientnet_b0": 385_814_752,
    "vit_b_16": 17_563_828_224,
}
"""Matrix work only: 1 MAC is 2 of the FLOPs that torch counts."""


@cache
def captured(name: str) -> Trace:
    if name not in LLAMA:
        return resolve_model(name)
    module, args, kwargs = example(name)
    return trace(module, args, kwargs, name=name)


def weight_bytes(region: Region) -> int:
    return sum(tensor.bytes for tensor in region.invariants if tensor.role == "weight")


@pytest.mark.parametrize("name", codesign_models())
def test_nothing_is_left_out(name: str) -> None:
    assert captured(name).coverage.share == 1.0
    assert captured(name).coverage.unsupported == ()


@pytest.mark.parametrize("name", [name for name in codesign_models() if name not in LOOPS])
def test_macs_equal_those_of_the_torch_counter_on_the_meta_device(name: str) -> None:
    module, args, kwargs = example(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*args, **kwargs)
    assert 2 * captured(name).macs == counter.get_total_flops()


@pytest.mark.parametrize("name", MACS)
def test_the_vision_models_have_the_published_macs(name: str) -> None:
    assert captured(name).macs == MACS[name]


def test_the_batch_multiplies_macs_but_not_weights() -> None:
    four = resolve_model("mobilenet_v2", batch=4)
    assert four.macs == 4 * captured("mobilenet_v2").macs
    assert four.parameter_bytes == captured("mobilenet_v2").parameter_bytes


@pytest.mark.parametrize("name", codesign_models())
def test_parameters_equal_those_of_the_module(name: str) -> None:
    module, _, _ = example(name)
    assert captured(name).parameters == sum(weight.numel() for weight in module.parameters())


@pytest.mark.parametrize("name", codesign_models())
def test_a_trace_file_gives_back_the_trace(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json.gz"
    save_trace(captured(name), path)
    assert load_trace(path) == captured(name)


@pytest.mark.parametrize("name", codesign_models())
def test_int8_stores_one_byte_per_parameter_and_keeps_the_macs(name: str) -> None:
    quantised = with_precision(captured(name), "int8")
    assert quantised.parameter_bytes == quantised.parameters == captured(name).parameters
    assert quantised.macs == captured(name).macs


def test_tied_weights_of_gpt2_are_stored_once() -> None:
    assert captured("gpt2").parameter_bytes == 497_759_232


def test_the_lstm_is_one_region_per_layer() -> None:
    assert [region.steps for region in captured("lstm_lm").regions] == [50, 50]
    assert captured("lstm_lm").macs == 43_827_200


def test_a_longer_sequence_is_the_same_file_with_more_steps() -> None:
    longer = resolve_model("lstm_lm", steps=200)
    assert [region.steps for region in longer.regions] == [200, 200]
    assert len(longer.items) == len(captured("lstm_lm").items)


def test_a_step_of_the_lstm_keeps_its_matrix_and_moves_through_the_sequence() -> None:
    region, _ = captured("lstm_lm").regions
    assert "lstm.weight_hh_l0" in {tensor.name for tensor in region.invariants}
    assert {carry.state.role for carry in region.carries} == {"state"}
    moving = {a.tensor.name for op, _ in iterate(region.body) for a in op.operands if a.advance}
    assert moving == {"lstm.layer0.input.out", "lstm.layer0.out"}


def test_the_transducer_encoder_is_one_region_per_layer_at_its_rate() -> None:
    assert [region.steps for region in captured("rnnt_8x640_encoder").regions] == [8, 4] + [2] * 6


def test_the_transducer_encoder_counts_its_cells_step_by_step() -> None:
    steps = [8, 4, 2, 2, 2, 2, 2, 2]
    inputs = [80, 1280, 1280, 640, 640, 640, 640, 640]
    expected = sum(n * 4 * 640 * (width + 640) for n, width in zip(steps, inputs, strict=True))
    assert captured("rnnt_8x640_encoder").macs == expected == 77_004_800


def test_each_region_of_the_encoder_reads_the_weights_of_its_layer() -> None:
    regions = with_precision(captured("rnnt_8x640_encoder"), "int8").regions
    assert [weight_bytes(region) for region in regions] == (
        [1_850_880, 4_922_880, 4_922_880] + [3_284_480] * 5
    )


def test_the_baseline_written_without_a_capture_has_the_same_loops() -> None:
    theirs = captured("rnnt_8x640_encoder")
    ours = PRESETS["rnnt_8x640"].encoder(8)
    assert [region.steps for region in ours.regions] == [region.steps for region in theirs.regions]
    assert list(map(weight_bytes, ours.regions)) == list(map(weight_bytes, theirs.regions))
    assert (ours.macs, ours.parameter_bytes) == (theirs.macs, theirs.parameter_bytes)


@pytest.mark.parametrize(("name", "layers"), [("encoder", 8), ("prediction", 2)])
def test_hidden_and_cell_state_of_the_transducer_are_kept(name: str, layers: int) -> None:
    model = captured(f"rnnt_8x640_{name}")
    kept = {
        t.name
        for t in model.tensors
        if t.role == "state" and t.name.endswith((".state0", ".state1"))
    }
    assert len(kept) == 2 * layers


def test_the_caches_of_llama_are_state_and_nothing_else_is() -> None:
    state = [t for t in captured("llama_3_1_8b_decode").tensors if t.role == "state"]
    assert [t.shape for t in state] == [(1, 8, 2048, 128)] * 4
    assert not [t for t in captured("llama_3_1_8b").tensors if t.role == "state"]


def test_a_token_of_llama_writes_one_row_of_each_cache_and_reads_all_of_it() -> None:
    written: dict[str, int] = {}
    read: dict[str, int] = {}
    for op, _ in captured("llama_3_1_8b_decode").ops():
        for side, accesses in ((written, op.outputs), (read, op.inputs)):
            for access in accesses:
                if access.tensor.role == "state":
                    total = side.get(access.tensor.name, 0) + access.elements
                    side[access.tensor.name] = total
    assert set(written.values()) == {8 * 128}
    assert set(read.values()) == {8 * 128 * 2048}
    assert len(written) == len(read) == 4


def test_a_layer_more_adds_the_macs_of_a_layer() -> None:
    def macs(layers: int) -> int:
        with torch.device("meta"):
            module, args = prefill(1, 16, LlamaConfig(layers=layers))
        return trace(module, args).macs

    one, two = macs(1), macs(2)
    linear = 4096 * (4096 + 2 * 1024 + 4096) + 3 * 4096 * 14336
    assert two - one == 16 * linear + 32 * 16 * 16 * 2 * 128


def test_equal_builds_give_equal_digests() -> None:
    module, args, kwargs = example("lstm_lm")
    again: Any = trace(module, args, kwargs, name="lstm_lm")
    assert again.digest == captured("lstm_lm").digest
