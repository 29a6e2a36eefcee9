"""The models compute what their papers say, on small real inputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from zoo_case import randomise

from codesign.zoo import codesign_models
from codesign.zoo.llama import Llama, LlamaConfig, rotary_table, rotate

SHAPES: dict[str, tuple[int, ...]] = {
    "resnet18": (2, 1000),
    "resnet50": (2, 1000),
    "mobilenet_v2": (2, 1000),
    "efficientnet_b0": (2, 1000),
    "vit_b_16": (2, 1000),
    "gpt2": (2, 128, 50257),
    "dlrm": (2, 1),
    "lstm_lm": (50, 2, 32),
    "rnnt_8x640_prediction": (2, 256),
    "rnnt_8x640_joiner": (2, 1001),
}
TINY = LlamaConfig(layers=2, width=32, hidden=48, heads=4, cache_heads=2, vocabulary=50)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", SHAPES)
def test_the_output_has_the_documented_shape(name: str) -> None:
    module, args, _ = codesign_models()[name].example(name, {"batch": 2})
    with torch.no_grad():
        assert tuple(module(*args).shape) == SHAPES[name]


def test_bert_returns_all_states_and_the_pooled_first_one() -> None:
    module, args, _ = codesign_models()["bert_base"].example("bert_base", {"batch": 2})
    states, pooled = module(*args)
    assert tuple(states.shape) == (2, 128, 768)
    assert tuple(pooled.shape) == (2, 768)


def test_llama_generating_token_by_token_gives_the_scores_of_its_prefill() -> None:
    length = 6
    whole = randomise(Llama(TINY, 0, length))
    tokens = torch.randint(0, TINY.vocabulary, (2, length))
    with torch.no_grad():
        expected = whole(tokens)
        caches: list[tuple[Any, Any]] = [(torch.empty(2, 2, 0, 8),) * 2 for _ in range(TINY.layers)]
        for position in range(length):
            one = Llama(TINY, position, 1).eval()
            one.load_state_dict(whole.state_dict())
            caches = [(with_free_row(k), with_free_row(v)) for k, v in caches]
            scores = one(tokens[:, position : position + 1], caches)
            torch.testing.assert_close(scores[:, 0], expected[:, position])


def with_free_row(cache: Any) -> Any:
    """The cache with a last row of garbage, which the model has to overwrite."""
    garbage = torch.full((*cache.shape[:2], 1, cache.shape[3]), float("nan"))
    return torch.cat([cache, garbage], dim=2)


def test_a_later_token_does_not_change_an_earlier_score_of_llama() -> None:
    model = randomise(Llama(TINY, 0, 4))
    first, second = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[1, 2, 9, 9]])
    with torch.no_grad():
        torch.testing.assert_close(model(first)[:, :2], model(second)[:, :2])


@pytest.mark.parametrize("shift", [1, 7, 500])
def test_rotary_scores_depend_only_on_the_distance(shift: int) -> None:
    query, key = torch.randn(1, 1, 3, 16), torch.randn(1, 1, 3, 16)

    def scores(first: int) -> Any:
        table = rotary_table(16, first, 3)
        return rotate(query, *table) @ rotate(key, *table).transpose(-1, -2)

    torch.testing.assert_close(scores(0), scores(shift), rtol=1e-3, atol=1e-3)
