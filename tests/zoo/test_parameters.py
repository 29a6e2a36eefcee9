"""Every model of the zoo has exactly the published number of parameters and of MACs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from codesign.zoo import codesign_models
from codesign.zoo.llama import LlamaConfig, decode, prefill

MODELS = codesign_models()
PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "mobilenet_v2": 3_504_872,
    "efficientnet_b0": 5_288_548,
    "vit_b_16": 86_567_656,
    "bert_base": 109_482_240,
    "gpt2": 124_439_808,
    "llama_3_1_8b": 8_030_261_248,
    "llama_3_1_8b_decode": 8_030_261_248,
    "hybrid_cnn_vit": 3_230_336,
    "dlrm": 166_768_449,
    "nasrec_criteo_small": 541_944_904,
    "nasrec_criteo_full": 540_951_380,
    "nasrec_avazu_small": 154_091_649,
    "nasrec_avazu_full": 152_828_753,
    "nasrec_kdd_small": 813_267_903,
    "nasrec_kdd_full": 811_072_541,
    "lstm_lm": 880_672,
    "cell_lstm": 3_284_480,
    "cell_lstm_projected": 11_804_672,
    "cell_cifg": 2_463_360,
    "cell_gru": 2_459_520,
    "cell_ligru": 1_639_680,
    "cell_sru": 1_231_360,
    "cell_qrnn": 2_457_600,
    "cell_mingru": 820_480,
    "rnnt_8x640_encoder": 28_119_040,
    "rnnt_8x640_prediction": 1_310_976,
    "rnnt_8x640_joiner": 1_944_553,
}
MACS = {
    "resnet18": 1_814_073_344,
    "resnet50": 4_089_184_256,
    "mobilenet_v2": 300_774_272,
    "efficientnet_b0": 385_814_752,
    "vit_b_16": 17_563_828_224,
    "lstm_lm": 43_827_200,
    "rnnt_8x640_prediction": 1_048_576,
    "rnnt_8x640_joiner": 1_942_528,
}


def example(name: str, **given: int) -> tuple[Any, tuple[Any, ...]]:
    module, args, kwargs = MODELS[name].example(name, given)
    assert not kwargs
    return module, args


def counted_macs(module: Any, args: tuple[Any, ...]) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*args)
    flops = int(counter.get_total_flops())
    assert flops % 2 == 0
    return flops // 2


def parameters(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_every_model_of_the_zoo_has_an_expected_parameter_count() -> None:
    assert sorted(PARAMETERS) == sorted(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_exactly_the_published_ones(name: str) -> None:
    assert parameters(example(name)[0]) == PARAMETERS[name]


@pytest.mark.parametrize("name", MODELS)
def test_no_weight_takes_memory_and_no_module_is_in_training_mode(name: str) -> None:
    module, args = example(name)
    stored = [*module.parameters(), *module.buffers(), *torch.utils._pytree.tree_leaves(args)]
    assert {tensor.device.type for tensor in stored} == {"meta"}
    assert not any(part.training for part in module.modules())


@pytest.mark.parametrize("name", MACS)
def test_macs_at_batch_one_are_those_of_the_torch_counter(name: str) -> None:
    assert counted_macs(*example(name)) == MACS[name]


@pytest.mark.parametrize("name", ["resnet50", "dlrm", "lstm_lm", "rnnt_8x640_joiner"])
def test_macs_are_proportional_to_the_batch(name: str) -> None:
    assert counted_macs(*example(name, batch=3)) == 3 * counted_macs(*example(name))


def test_gpt2_stores_its_tied_embedding_once() -> None:
    module, _ = example("gpt2")
    assert sum(p.numel() * p.element_size() for p in module.parameters()) == 497_759_232
    assert module.head.weight is module.tokens.weight


def test_dlrm_at_batch_32_counts_the_flops_of_the_reference_run() -> None:
    assert 2 * counted_macs(*example("dlrm", batch=32)) == 26_480_640


def test_the_three_parts_of_the_transducer_have_31_374_569_parameters_together() -> None:
    parts = [name for name in MODELS if name.startswith("rnnt_8x640")]
    assert sum(parameters(example(name)[0]) for name in parts) == 31_374_569


def llama_linear_macs(layers: int) -> int:
    attention = 4096 * (4096 + 1024 + 1024 + 4096)
    return layers * (attention + 3 * 4096 * 14336) + 4096 * 128256


@pytest.mark.parametrize("layers", [1, 2])
def test_llama_prefill_counts_its_matrices_per_token_and_its_attention_squared(layers: int) -> None:
    with torch.device("meta"):
        module, args = prefill(1, 128, LlamaConfig(layers=layers))
    attention = layers * 32 * 128 * 128 * (128 + 128)
    assert counted_macs(module, args) == 128 * llama_linear_macs(layers) + attention


@pytest.mark.parametrize("layers", [1, 2])
def test_llama_decode_counts_its_matrices_once_and_its_whole_cache(layers: int) -> None:
    with torch.device("meta"):
        module, args = decode(1, 2048, LlamaConfig(layers=layers))
    attention = layers * 32 * 2048 * (128 + 128)
    assert counted_macs(module, args) == llama_linear_macs(layers) + attention


def test_llama_of_32_layers_reads_7_504_658_432_matrix_elements_per_token() -> None:
    assert llama_linear_macs(32) == 7_504_658_432
