"""Models from transformers configuration classes, when transformers is installed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from codesign.errors import ModelError
from codesign.workload.capture import export
from codesign.zoo.huggingface import entry, entry_of

transformers = pytest.importorskip("transformers")

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
CONFIGS: list[tuple[str, dict[str, Any], dict[str, tuple[int, ...]]]] = [
    ("BertConfig", SMALL, {"input_ids": (3, 128)}),
    ("LlamaConfig", SMALL, {"input_ids": (3, 128)}),
    ("ViTConfig", SMALL, {"pixel_values": (3, 3, 224, 224)}),
    (
        "WhisperConfig",
        {"d_model": 48, "encoder_layers": 1, "decoder_layers": 1},
        {"input_features": (3, 80, 3000), "decoder_input_ids": (3, 128)},
    ),
    ("Wav2Vec2Config", SMALL, {"input_values": (3, 16_000)}),
    (
        "T5Config",
        {"d_model": 32, "num_layers": 1},
        {"input_ids": (3, 128), "decoder_input_ids": (3, 128)},
    ),
]


@pytest.mark.parametrize(("name", "sizes", "shapes"), CONFIGS)
def test_the_example_input_fits_the_modality_and_can_be_captured(
    name: str, sizes: dict[str, Any], shapes: dict[str, tuple[int, ...]]
) -> None:
    model = entry_of(getattr(transformers, name)(**sizes))
    module, args, inputs = model.example(name, {"batch": 3})
    assert args == ()
    assert {key: tuple(value.shape) for key, value in inputs.items()} == shapes
    export(module, args, inputs)


@pytest.mark.parametrize(("name", "sizes", "shapes"), CONFIGS)
def test_only_models_that_read_tokens_take_a_sequence_length(
    name: str, sizes: dict[str, Any], shapes: dict[str, tuple[int, ...]]
) -> None:
    model = entry_of(getattr(transformers, name)(**sizes))
    reads_tokens = any(key.endswith("input_ids") for key in shapes)
    assert ("seq_len" in model.options) == reads_tokens


def test_a_configuration_class_gives_its_default_model() -> None:
    module, _, _ = entry("GPT2Config").example("hf:GPT2Config", {})
    assert sum(parameter.numel() for parameter in module.parameters()) == 124_439_808


def test_a_misspelt_class_gets_a_suggestion() -> None:
    with pytest.raises(ModelError, match="did you mean 'LlamaConfig'") as caught:
        entry("LlamaConfg")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("meta-llama/Llama-3.1-8B", "LlamaConfig"),
        ("bert-base-uncased", "BertConfig"),
        ("gpt2", "GPT2Config"),
    ],
)
def test_a_name_of_the_hub_is_told_the_class_that_it_means(name: str, meant: str) -> None:
    with pytest.raises(ModelError) as caught:
        entry(name)
    assert f"did you mean {meant!r}? nothing is downloaded, so hf: takes a" in str(caught.value)


def test_a_class_that_is_no_configuration_is_refused() -> None:
    with pytest.raises(ModelError, match="no configuration class 'AutoModel'"):
        entry("AutoModel")


def test_an_input_without_an_example_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model_class = SimpleNamespace(main_input_name="pixel_values_videos")
    modeling = "transformers.models.auto.modeling_auto"
    monkeypatch.setattr(f"{modeling}.MODEL_MAPPING", {SimpleNamespace: model_class})
    with pytest.raises(ModelError, match="reads pixel_values_videos; only models of input_ids"):
        entry_of(SimpleNamespace(is_encoder_decoder=False))


def test_a_configuration_without_a_base_model_is_refused() -> None:
    with pytest.raises(ModelError, match="no base model for SimpleNamespace"):
        entry_of(SimpleNamespace())


def test_without_transformers_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=r"pip install 'codesign\[transformers\]'"):
        entry("LlamaConfig")
