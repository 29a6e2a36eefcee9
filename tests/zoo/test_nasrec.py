"""The cost of the six NASRec networks against what was published and what a counter says.

Published figures: README of facebookresearch/NasRec. Counter figures: fvcore run on the authors'
configurations with their layer norms, of which it counts 5 per value, and not the products of the
attention.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt

import pytest

import codesign
from codesign.models import resolve_model
from codesign.workload.precision import with_precision
from codesign.workload.record import Op, Trace
from codesign.zoo import nasrec_networks
from codesign.zoo.nasrec_choice import Network, live


@dataclass(frozen=True)
class Figures:
    published_mmacs: float
    counter_mmacs: float
    macs: int
    embedding_rows: int


FIGURES = {
    "criteo_small": Figures(2.20, 2.251, 2_207_808, 33_762_601),
    "avazu_small": Figures(3.08, 3.141, 3_085_600, 9_459_467),
    "kdd_small": Figures(3.48, 3.545, 3_482_848, 50_666_853),
    "criteo_full": Figures(1.45, 1.292, 1_448_297, 33_762_601),
    "avazu_full": Figures(1.87, 1.826, 1_866_816, 9_459_467),
    "kdd_full": Figures(1.09, 0.919, 1_079_753, 50_666_853),
}
SMALL = [name for name in FIGURES if name.endswith("small")]


def network(name: str) -> Network:
    found = getattr(nasrec_networks, name.upper())
    assert isinstance(found, Network)
    return found


@cache
def captured(name: str, batch: int = 1) -> Trace:
    return resolve_model(f"nasrec_{name}", batch=batch)


def ops(trace: Trace, kind: str) -> list[Op]:
    return [op for op, _ in trace.ops() if op.kind == kind]


@pytest.mark.parametrize("name", FIGURES)
def test_macs_are_those_of_the_configuration(name: str) -> None:
    assert captured(name).macs == FIGURES[name].macs


@pytest.mark.parametrize("name", FIGURES)
def test_macs_are_within_one_percent_of_the_published_ones(name: str) -> None:
    assert captured(name).macs / 1e6 == pytest.approx(FIGURES[name].published_mmacs, rel=0.01)


@pytest.mark.parametrize("name", SMALL)
def test_macs_of_a_small_network_are_within_half_a_percent_of_the_published_ones(name: str) -> None:
    assert captured(name).macs / 1e6 == pytest.approx(FIGURES[name].published_mmacs, rel=0.005)


@pytest.mark.parametrize("name", FIGURES)
def test_layer_norms_and_attention_explain_what_the_counter_counts_to_the_last_digit(
    name: str,
) -> None:
    attention = sum(op.macs for op in ops(captured(name), "attention"))
    counted = captured(name).macs - attention + 5 * normalised_values(network(name))
    assert counted / 1e6 == pytest.approx(FIGURES[name].counter_mmacs, abs=0.0005)


def normalised_values(found: Network) -> int:
    """Values that the layer norms of the configurations take, per sample."""
    widths, counts = [found.dataset.features], [len(found.dataset.rows)]
    total = 0
    for block in live(found.blocks):
        width = block.dense.width if block.dense else 0
        count = block.sparse.count if block.sparse else 0
        joined = sum(counts[source] for source in block.sources)
        total += width + 16 * count
        if block.dense and block.dense.operator == "dot-product":
            mixtures = round(sqrt(2 * width))
            embedded = sum(widths[source] for source in block.dense.sources)
            total += 16 * (embedded != 16) + 16 * mixtures * (joined != mixtures)
        if block.sparse and block.sparse.operator == "transformer":
            total += 2 * 16 * count
        total += 128 * (block.to_sparse and width != 128)
        total += width * (block.to_dense and width != 16)
        widths.append(width)
        counts.append(count + 8 * block.to_sparse)
    return total


@pytest.mark.parametrize("name", FIGURES)
def test_the_tables_have_the_published_rows_of_16(name: str) -> None:
    tables = [
        t for t in captured(name).tensors if t.name.startswith("tables.") and t.role == "weight"
    ]
    assert {tensor.shape[1] for tensor in tables} == {16}
    assert sum(tensor.shape[0] for tensor in tables) == FIGURES[name].embedding_rows


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("dtype", "row_bytes"), [("fp32", 64), ("int8", 16)])
def test_a_sample_gathers_one_row_of_each_table(name: str, dtype: str, row_bytes: int) -> None:
    tables = len(network(name).dataset.rows)
    expected = {f"tables.{index}.weight": row_bytes for index in range(tables)}
    assert gathered_bytes(with_precision(captured(name), dtype)) == expected


def test_a_batch_gathers_a_row_of_each_table_per_sample() -> None:
    found = gathered_bytes(captured("kdd_full", batch=3))
    assert found == {f"tables.{index}.weight": 3 * 64 for index in range(10)}


def gathered_bytes(trace: Trace) -> dict[str, int]:
    return {
        access.tensor.name: access.tensor.dtype.storage_bytes(access.elements)
        for op in ops(trace, "gather")
        for access in op.inputs
        if access.tensor.name.startswith("tables.")
    }


def test_the_attention_is_counted_per_pair_of_vectors() -> None:
    (first, last) = ops(captured("criteo_full"), "attention")
    assert (first.macs, last.macs) == (2 * 64 * 64 * 16, 2 * 48 * 48 * 16)


@pytest.mark.parametrize("name", FIGURES)
def test_a_network_runs_on_hardware_in_int8(name: str) -> None:
    result = codesign.simulate(captured(name), codesign.load_hardware("tpu-like"), dtype="int8")
    assert result.latency_s > 0
    assert result.energy_j > 0


@pytest.mark.parametrize("name", SMALL)
def test_a_small_network_has_no_attention(name: str) -> None:
    assert not ops(captured(name), "attention")


@pytest.mark.parametrize(("name", "samples"), [("criteo_full", 1_802), ("criteo_small", 4_190)])
def test_gathered_rows_outweigh_the_other_weights_in_a_batch_of_thousands(
    name: str, samples: int
) -> None:
    rows = network(name).dataset.rows
    others = captured(name).parameters - 16 * sum(rows)
    assert 16 * len(rows) * samples < others < 16 * len(rows) * (samples + 1)
