"""The models compute what their papers say, on small real inputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from codesign.zoo import codesign_models
from codesign.zoo.llama import Llama, LlamaConfig, rotary_table, rotate
from codesign.zoo.rnnt import Cell, Encoder, Layer

SHAPES: dict[str, tuple[int, ...]] = {
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


def randomise(module: Any) -> Any:
    """Gives every parameter a small random value: some are made empty."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    return module.eval()


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


@pytest.mark.parametrize(("gates", "blocks"), [(4, 1), (4, 2), (3, 1), (3, 4)])
def test_the_cell_follows_its_equations_gate_by_gate(gates: int, blocks: int) -> None:
    hidden, inputs = 8, 5
    cell = randomise(Cell(inputs, hidden, 2, gates, blocks))
    x, h, c = torch.randn(2, inputs), torch.randn(2, hidden), torch.randn(2, hidden)
    z = []
    for gate in range(gates):
        rows = slice(gate * hidden, (gate + 1) * hidden)
        recurrent = torch.block_diag(*cell.weight_hidden[gate])
        total = x @ cell.weight_input[rows].T + h @ recurrent.T + cell.bias[rows]
        z.append(cell.norms[gate](total))
    if gates == 4:
        taken, kept, candidate, output = z[0].sigmoid(), z[1].sigmoid(), z[2], z[3]
    else:
        kept, candidate, output = z[0].sigmoid(), z[1], z[2]
        taken = 1 - kept
    memory = kept * c + taken * candidate.tanh()
    got_h, got_c = cell.step(x, h, c)
    torch.testing.assert_close(got_c, memory)
    torch.testing.assert_close(got_h, output.sigmoid() * memory.tanh())


@pytest.mark.parametrize(
    ("inputs", "hidden", "gates", "blocks", "stored"),
    [
        (80, 640, 4, 1, 1_850_880),
        (1280, 640, 4, 1, 4_922_880),
        (640, 640, 4, 1, 3_284_480),
        (80, 640, 3, 4, 466_560),
        (1280, 640, 3, 4, 2_770_560),
        (256, 256, 3, 1, 395_520),
    ],
)
def test_a_cell_stores_its_matrices_and_three_vectors_per_gate(
    inputs: int, hidden: int, gates: int, blocks: int, stored: int
) -> None:
    with torch.device("meta"):
        cell = Cell(inputs, hidden, 1, gates, blocks)
    assert sum(parameter.numel() for parameter in cell.parameters()) == stored
    assert stored == gates * hidden * (inputs + hidden // blocks + 3)


def test_the_encoder_keeps_its_state_from_one_chunk_to_the_next() -> None:
    whole = randomise(Encoder(batch=1, hidden=6, layers=3))
    halves = Encoder(batch=1, hidden=6, layers=3).eval()
    halves.load_state_dict(whole.state_dict())
    frames = torch.randn(8, 1, 80)
    with torch.no_grad():
        expected = whole(frames)
        got = torch.cat([halves(frames[:4]), halves(frames[4:])])
    torch.testing.assert_close(got, expected)
    assert not torch.equal(expected[0], expected[1])


def test_a_layer_over_a_sequence_is_its_cell_step_by_step() -> None:
    layer = randomise(Layer(5, 6, batch=2))
    cell = Cell(5, 6, batch=2)
    cell.load_state_dict(layer.state_dict())
    sequence = torch.randn(3, 2, 5)
    with torch.no_grad():
        expected = torch.stack([cell(x) for x in sequence])
        torch.testing.assert_close(layer(sequence), expected)
    torch.testing.assert_close(layer.h, cell.h)
    torch.testing.assert_close(layer.c, cell.c)


def test_time_reduction_puts_a_pair_of_steps_side_by_side() -> None:
    model = randomise(Encoder(batch=2, hidden=6, layers=2))
    frames = torch.randn(4, 2, 80)
    first, second = model.layers
    with torch.no_grad():
        got = model(frames)
        for layer in model.layers:
            layer.h.zero_()
            layer.c.zero_()
        steps = first(frames)
        pairs = torch.stack(
            [torch.cat([steps[0], steps[1]], -1), torch.cat([steps[2], steps[3]], -1)]
        )
        halved = second(pairs)
    torch.testing.assert_close(got, torch.cat([halved[0], halved[1]], -1)[None])
