"""Networks of NASRec's space: what of them reaches the score, what they cost and compute."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import sqrt
from typing import Any, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from zoo_case import randomise

from codesign.zoo import nasrec_networks
from codesign.zoo.nasrec import NASRec, SearchedBlock
from codesign.zoo.nasrec_choice import (
    Block,
    Dataset,
    Dense,
    DenseOperator,
    Network,
    Sparse,
    SparseOperator,
    live,
)

SCORES = {
    "criteo_small": (-35.42616935, -30.24805816, -29.11248009),
    "criteo_full": (15.34658262, 15.32812587, 15.13039749),
    "avazu_small": (291.6993056, 290.4658357, 289.136848),
    "avazu_full": (12.32262165, 12.3010641, 12.28187715),
    "kdd_small": (25.93164725, 26.5584604, 27.93439408),
    "kdd_full": (24.34761333, 24.17245033, 24.41191522),
}
"""Of three samples, by the authors' code without its optional layer norms (own run, float64).

Tables have 50 rows; every parameter is 0.2 sin(1), 0.2 sin(2), ... in its own order, features are
cos(0), cos(1), ..., and row numbers 0, 7, 14, ... modulo 50.
"""


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def network(name: str) -> Network:
    found = getattr(nasrec_networks, name.upper())
    assert isinstance(found, Network)
    return found


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Networks of the search space, of small sizes."""
    blocks = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        earlier = st.integers(0, number - 1)
        some = st.sets(earlier, min_size=1).map(lambda found: tuple(sorted(found)))
        operator = draw(st.sampled_from(get_args(DenseOperator)))
        paired = operator in ("sum", "sigmoid-gating")
        sources = draw(st.tuples(earlier, earlier) if paired else some)
        dense = Dense(operator, draw(st.sampled_from([2, 16, 128])), sources)
        kind = draw(st.sampled_from(get_args(SparseOperator)))
        sparse = Sparse(kind, draw(st.sampled_from([3, 16])))
        blocks.append(Block(dense, sparse, draw(some), draw(st.booleans()), draw(st.booleans())))
    features = draw(st.sampled_from([1, 5, 16]))
    rows = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)))
    return Network(Dataset(features, rows), tuple(blocks))


def example(found: Network, batch: int) -> tuple[Any, Any, Any]:
    rows = [torch.randint(0, count, (batch,)) for count in found.dataset.rows]
    module = randomise(NASRec(found))
    return module, torch.randn(batch, found.dataset.features), torch.stack(rows)


# -- what reaches the score ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SCORES)
def test_the_published_networks_have_seven_blocks_of_the_space(name: str) -> None:
    blocks = network(name).blocks
    assert len(blocks) == 7
    for number, block in enumerate(blocks, start=1):
        assert block.dense
        assert block.sparse
        assert block.dense.width in (16, 32, 64, 128, 256, 512, 768, 1024)
        assert block.sparse.count in (16, 32, 48, 64)
        assert all(source < number for source in chain(block.sources, block.dense.sources))


@pytest.mark.parametrize("name", [name for name in SCORES if name.endswith("small")])
def test_a_small_network_knows_three_operators(name: str) -> None:
    blocks = network(name).blocks
    assert {block.dense.operator for block in blocks if block.dense} == {"linear", "dot-product"}
    assert {block.sparse.operator for block in blocks if block.sparse} == {"linear"}


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("criteo_small", "ds ds d ds ds - ds"),
        ("avazu_small", "ds ds ds ds ds ds ds"),
        ("kdd_small", "ds ds ds ds ds d ds"),
        ("criteo_full", "ds ds ds - - - ds"),
        ("avazu_full", "ds ds ds - - - ds"),
        ("kdd_full", "ds ds s ds ds - ds"),
    ],
)
def test_what_of_a_published_network_reaches_its_score(name: str, made: str) -> None:
    found = ["d" * bool(b.dense) + "s" * bool(b.sparse) or "-" for b in live(network(name).blocks)]
    assert " ".join(found) == made


def test_a_result_that_only_feeds_a_merge_is_computed() -> None:
    first = Block(Dense("linear", 8, (0,)), Sparse("linear", 4), (0,), True, True)
    last = Block(Dense("linear", 8, (0,)), Sparse("linear", 4), (1,))
    assert live((first, last)) == (replace(first, to_dense=False), last)


def test_a_dot_product_alone_keeps_the_vectors_that_it_reads() -> None:
    first = Block(Dense("linear", 8, (0,)), Sparse("linear", 4), (0,))
    dots = Block(Dense("dot-product", 8, (0,)), Sparse("linear", 4), (0, 1))
    last = Block(Dense("linear", 8, (2,)), Sparse("linear", 4), (0,))
    assert live((first, dots, last)) == (
        replace(first, dense=None),
        replace(dots, sparse=None),
        last,
    )


def test_a_block_that_nobody_reads_joins_nothing() -> None:
    block = Block(Dense("linear", 8, (0,)), Sparse("linear", 4), (0,), True, True)
    assert live((block, block))[0] == Block(None, None, ())


@given(networks())
def test_what_is_left_reads_only_what_is_left(found: Network) -> None:
    kept = live(found.blocks)
    for block in kept:
        for source in block.dense.sources if block.dense else ():
            assert source == 0 or kept[source - 1].dense
        for source in block.sources:
            assert source == 0 or kept[source - 1].sparse
        assert not block.to_sparse or block.dense
        assert not block.to_dense or block.sparse
    assert kept[-1] == found.blocks[-1]
    assert live(kept) == kept


@given(networks())
def test_every_parameter_of_a_network_is_used_by_its_score(found: Network) -> None:
    module, features, rows = example(found, 2)
    module(features, rows).sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


# -- cost ----------------------------------------------------------------------------------------


@given(networks())
def test_macs_are_those_of_the_closed_form(found: Network) -> None:
    with torch.device("meta"):
        module, features = NASRec(found), torch.empty(2, found.dataset.features)
        rows = torch.zeros(len(found.dataset.rows), 2, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(features, rows)
    assert counter.get_total_flops() == 2 * 2 * closed_form(found)


def closed_form(found: Network) -> int:
    """Multiply-accumulates of one sample."""
    widths, counts = [found.dataset.features], [len(found.dataset.rows)]
    total = 0
    for block in live(found.blocks):
        joined = sum(counts[source] for source in block.sources)
        width = block.dense.width if block.dense else 0
        count = block.sparse.count if block.sparse else 0
        if block.dense:
            read = [widths[source] for source in block.dense.sources]
            total += dense_macs(block.dense, read, joined)
        if block.sparse:
            total += 16 * joined * count
            if block.sparse.operator == "transformer":
                total += count * 6 * 16 * 16 + 2 * count * count * 16
        total += layer(width, 128) if block.to_sparse else 0
        total += layer(16, width) if block.to_dense else 0
        widths.append(width)
        counts.append(count + 8 * block.to_sparse)
    return total + widths[-1] + 16 * counts[-1]


def layer(inputs: int, outputs: int) -> int:
    return inputs * outputs if inputs != outputs else 0


def dense_macs(dense: Dense, read: list[int], vectors: int) -> int:
    if dense.operator == "linear":
        return sum(read) * dense.width
    if dense.operator == "dot-product":
        mixtures = round(sqrt(2 * dense.width))
        products = (mixtures + 1) ** 2 * 16
        pairs = mixtures * (mixtures + 1) // 2
        embed_and_mix = layer(sum(read), 16) + 16 * layer(vectors, mixtures)
        return embed_and_mix + products + layer(pairs, dense.width)
    gate = max(read) ** 2 if dense.operator == "sigmoid-gating" else 0
    return gate + layer(max(read), dense.width)


# -- what they compute ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCORES)
def test_a_published_network_scores_samples_as_the_code_of_its_authors(name: str) -> None:
    found = network(name)
    tables = len(found.dataset.rows)
    small = replace(found, dataset=replace(found.dataset, rows=(50,) * tables))
    module = NASRec(small).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            waves = torch.sin(torch.arange(1, parameter.numel() + 1, dtype=torch.float64))
            parameter.copy_(0.2 * waves.reshape(parameter.shape))
        features = torch.arange(3 * found.dataset.features, dtype=torch.float64).cos()
        rows = (7 * torch.arange(3 * tables) % 50).reshape(tables, 3)
        scores = module(features.reshape(3, -1), rows)
    assert scores.flatten().tolist() == pytest.approx(SCORES[name], rel=1e-8)


@given(networks())
def test_a_network_scores_samples_one_by_one_as_in_a_batch(found: Network) -> None:
    module, features, rows = example(found, 3)
    with torch.no_grad():
        together = module(features, rows)
        alone = [module(features[i : i + 1], rows[:, i : i + 1]) for i in range(3)]
    assert together.shape == (3, 1)
    torch.testing.assert_close(torch.cat(alone), together, rtol=1e-3, atol=1e-3)


def test_both_merges_take_the_results_from_before_them() -> None:
    choice = Block(Dense("linear", 20, (0,)), Sparse("linear", 4), (0,), True, True)
    block = randomise(SearchedBlock(choice, [5], [3]))
    features, embedded = torch.randn(2, 5), torch.randn(2, 3, 16)
    with torch.no_grad():
        vector, vectors = block.dense(features), block.sparse(embedded)
        dense, sparse = block([features], [embedded])
        torch.testing.assert_close(dense, vector + block.machine(vectors))
        torch.testing.assert_close(sparse, torch.cat([vectors, block.cut(vector)], dim=1))
    assert sparse.shape == (2, block.count, 16) == (2, 4 + 8, 16)
