"""The operators of NASRec compute what they say, checked against other ways to compute it."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from torch import nn
from zoo_case import randomise

from codesign.zoo.nasrec_operators import (
    Cut,
    DotProduct,
    FactorisationMachine,
    Linear,
    LinearOverVectors,
    SigmoidGating,
    Sum,
    Transformer,
    fit,
    padded,
)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 4), (4, 3), (4, 4)])
def test_a_width_is_fitted_by_a_layer_only_where_it_differs(inputs: int, outputs: int) -> None:
    module = fit(inputs, outputs)
    assert isinstance(module, nn.Identity) == (inputs == outputs)
    assert module(torch.randn(2, inputs)).shape == (2, outputs)


@pytest.mark.parametrize(("left", "right"), [(3, 7), (7, 3), (5, 5)])
def test_padding_keeps_the_values_and_puts_zeros_behind(left: int, right: int) -> None:
    given = (torch.randn(2, left), torch.randn(2, right))
    for before, after in zip(given, padded(*given), strict=True):
        assert after.shape == (2, max(left, right))
        torch.testing.assert_close(after[:, : before.shape[1]], before)
        assert not after[:, before.shape[1] :].any()


def test_a_linear_layer_is_cut_off_at_zero() -> None:
    module, dense = randomise(Linear(5, 40)), torch.randn(2, 5)
    with torch.no_grad():
        expected = dense @ module.linear.weight.T + module.linear.bias
        torch.testing.assert_close(module(dense), expected.clamp(min=0))
    assert (expected < 0).any()


@pytest.mark.parametrize(("width", "vectors", "inputs"), [(32, 5, 7), (3, 2, 16), (1, 1, 4)])
def test_a_dot_product_projects_the_products_of_all_pairs(
    width: int, vectors: int, inputs: int
) -> None:
    dots = randomise(DotProduct(inputs, vectors, width))
    dense, sparse = torch.randn(2, inputs), torch.randn(2, vectors, 16)
    with torch.no_grad():
        mixed = dots.mix(sparse.transpose(1, 2)).transpose(1, 2)
        joined = [dots.embed(dense), *mixed.unbind(1)]
        pairs = [
            (joined[row] * joined[column]).sum(1)
            for row in range(len(joined))
            for column in range(row)
        ]
        torch.testing.assert_close(dots(dense, sparse), dots.project(torch.stack(pairs, 1)))
    assert len(joined) == round(sqrt(2 * width)) + 1


@pytest.mark.parametrize(("left", "right"), [(3, 7), (7, 3), (5, 5)])
@pytest.mark.parametrize("outputs", [4, 7])
def test_the_narrower_side_of_a_sum_is_padded(left: int, right: int, outputs: int) -> None:
    module = randomise(Sum(left, right, outputs))
    x, y = torch.randn(2, left), torch.randn(2, right)
    both = torch.zeros(2, max(left, right))
    both[:, :left] += x
    both[:, :right] += y
    with torch.no_grad():
        torch.testing.assert_close(module(x, y), module.project(both))
    assert isinstance(module.project, nn.Identity) == (outputs == max(left, right))


@pytest.mark.parametrize(("left", "right"), [(3, 7), (7, 3)])
def test_a_gate_is_made_of_the_left_and_opens_the_right(left: int, right: int) -> None:
    module = randomise(SigmoidGating(left, right, 7))
    x, y = torch.randn(2, left), torch.randn(2, right)
    with torch.no_grad():
        module.gate.weight.zero_()
        module.gate.bias.fill_(-100.0)
        assert module(x, y).abs().max() < 1e-6
        module.gate.bias.fill_(100.0)
        torch.testing.assert_close(module(x, y)[:, :right], y)
        assert not module(x, y)[:, right:].any()


def test_a_gate_weighs_each_value_by_a_sigmoid_of_a_layer_of_the_left() -> None:
    module = randomise(SigmoidGating(5, 5, 5))
    x, y = torch.randn(2, 5), torch.randn(2, 5)
    with torch.no_grad():
        torch.testing.assert_close(module(x, y), y / (1 + torch.exp(-module.gate(x))))


def test_a_sparse_linear_layer_mixes_vectors_and_keeps_their_places() -> None:
    module, sparse = randomise(LinearOverVectors(5, 3)), torch.randn(2, 5, 16)
    with torch.no_grad():
        weight, bias = module.linear.weight, module.linear.bias
        expected = torch.einsum("mn,bnw->bmw", weight, sparse) + bias[:, None]
        torch.testing.assert_close(module(sparse), expected.relu())


def test_the_transformer_is_that_of_torch_behind_a_linear_layer() -> None:
    module = randomise(Transformer(5, 6))
    theirs = nn.TransformerEncoderLayer(16, 8, 16, batch_first=True).eval()
    parts = {
        "self_attn.in_proj_": module.attention.project_in,
        "self_attn.out_proj.": module.attention.project_out,
        "linear1.": module.feed_forward.up,
        "linear2.": module.feed_forward.down,
        "norm1.": module.attention_norm,
        "norm2.": module.feed_forward_norm,
    }
    theirs.load_state_dict(
        {
            prefix + kind: getattr(part, kind)
            for prefix, part in parts.items()
            for kind in ("weight", "bias")
        }
    )
    sparse = torch.randn(2, 5, 16)
    with torch.no_grad():
        mixed = module.mix(sparse.transpose(1, 2)).transpose(1, 2)
        torch.testing.assert_close(module(sparse), theirs(mixed))


@pytest.mark.parametrize("vectors", [1, 4])
def test_a_factorisation_machine_sums_the_products_of_all_pairs_twice(vectors: int) -> None:
    sparse = torch.randn(2, vectors, 16)
    expected = torch.zeros(2, 16)
    for row in range(vectors):
        for column in range(row):
            expected += 2 * sparse[:, row] * sparse[:, column]
    torch.testing.assert_close(FactorisationMachine(16)(sparse), expected, rtol=1e-4, atol=1e-4)


def test_a_factorisation_machine_is_projected_to_the_width_it_is_added_to() -> None:
    module, sparse = randomise(FactorisationMachine(5)), torch.randn(2, 4, 16)
    with torch.no_grad():
        expected = module.project(FactorisationMachine(16)(sparse))
        torch.testing.assert_close(module(sparse), expected)
    assert expected.shape == (2, 5)


@pytest.mark.parametrize("width", [20, 128])
def test_a_dense_vector_is_cut_into_eight(width: int) -> None:
    module, dense = randomise(Cut(width)), torch.randn(2, width)
    with torch.no_grad():
        torch.testing.assert_close(module(dense).flatten(1), module.project(dense))
    assert module(dense).shape == (2, 8, 16)
    assert isinstance(module.project, nn.Identity) == (width == 128)
