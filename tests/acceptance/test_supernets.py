"""Supernets: sub-networks joined from blocks cost what the whole models captured at once cost."""

from __future__ import annotations

import importlib
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from supernet_models import at_once

import codesign
from codesign.models import resolve_model
from codesign.workload.record import Trace
from codesign.zoo import nasrec_networks

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

hat: Any = importlib.import_module("hat_supernet")
nasrec: Any = importlib.import_module("nasrec_supernet")


def check_alike(one: Trace, other: Trace) -> None:
    """Checks facts, operators and what a replay gives, but no name."""
    assert [op.content for op, _ in one.ops()] == [op.content for op, _ in other.ops()]
    assert one.coverage == other.coverage
    for fact in ("macs", "parameters", "parameter_bytes"):
        assert getattr(one, fact) == getattr(other, fact) > 0
    hardware = codesign.load_hardware("edge-npu")
    left, right = (codesign.simulate(trace, hardware, dtype="int8") for trace in (one, other))
    assert left.latency_s == right.latency_s > 0
    assert left.energy_j == right.energy_j > 0
    assert dict(left.offchip_bytes) == dict(right.offchip_bytes)


def test_a_joined_transformer_is_the_whole_one() -> None:
    encoder = tuple(hat.Layer(hidden, heads) for hidden in hat.HIDDEN for heads in hat.HEADS)
    network = hat.SubNetwork(640, encoder, 512, (hat.Layer(1024, 4, 8, 3),))
    blocks, inputs, roles = hat.blocks(network), hat.inputs(), {"table": "weight"}
    joined = hat.SUPERNET.trace(blocks, inputs, roles=roles, name="model")
    whole = at_once(blocks, inputs, roles=roles)
    assert joined.digest == whole.digest
    check_alike(joined, whole)


def test_a_joined_recommender_is_the_one_of_the_zoo() -> None:
    """The zoo has other names for the same, so that only costs are alike."""
    blocks = nasrec.blocks(nasrec_networks.CRITEO_FULL)
    joined = nasrec.SUPERNET.trace(blocks, nasrec.inputs())
    check_alike(joined, resolve_model("nasrec_criteo_full", batch=nasrec.BATCH))


@pytest.mark.parametrize(
    ("example", "model"),
    [(hat, hat.translator), (nasrec, nasrec.recommender)],
    ids=["hat", "nasrec"],
)
def test_a_sub_network_that_was_there_before_is_not_captured_again(
    example: Any, model: Any
) -> None:
    first, before = model(0), example.SUPERNET.captures
    assert model(0) == first
    assert example.SUPERNET.captures == before


def test_few_blocks_make_all_transformers() -> None:
    """2 embeddings, 4 attentions of each coder, 6 feed-forwards, 24 crossings, 2 scores."""
    networks = [hat.drawn(seed) for seed in range(200)]
    blocks = [block for network in networks for block in hat.blocks(network)]
    known = {(b.build, *sorted(b.options.items()), _count(b.reads)) for b in blocks}
    known -= {kind for kind in known if kind[0] is hat.Score}  # one for each width
    assert len(known) == 2 + 2 * 4 + 6 + 24
    assert len(blocks) > 100 * len(known)


def _count(reads: Any) -> int:
    """How many tensors a block reads."""
    return len(reads) if isinstance(reads, tuple) else 1


def test_a_recommender_of_the_space_reads_what_is_there() -> None:
    for seed in range(60):
        blocks = nasrec.found_by(seed).blocks
        assert len(blocks) == len(nasrec.CRITEO_SMALL.blocks)
        for number, block in enumerate(blocks, start=1):
            assert {*block.sources, *block.dense.sources} <= set(range(number))
            assert len(block.sources) <= nasrec.MOST_SOURCES
            assert block.dense.width in nasrec.WIDTHS
            assert block.sparse.count in nasrec.COUNTS


def test_another_seed_is_another_recommender() -> None:
    """Of a network and the one that it comes from, what reaches the score differs."""
    found = [nasrec.choice.live(nasrec.found_by(seed).blocks) for seed in range(60)]
    assert found[1] != found[0]
    assert len(set(found)) > 40


@pytest.mark.parametrize("example", [hat, nasrec], ids=["hat", "nasrec"])
def test_the_study_prints_a_front(example: Any, capsys: pytest.CaptureFixture[str]) -> None:
    example.main(3)
    first, _, *table = capsys.readouterr().out.splitlines()
    count, blocks, captured = (int(word) for word in first.split() if word.isdigit())
    assert count == 3
    assert 0 < captured < 60
    assert blocks >= 9 * count
    rows = [line.split() for line in table]
    assert {int(row[0]) for row in rows} <= {0, 1, 2}
    # latency, energy, and what more of is better; the published recommender comes first
    front = [(float(r[1]), float(r[3]), -float(r[5])) for r in rows[int(example is nasrec) :]]
    assert front == sorted(front)
    for one, other in permutations(front, 2):
        assert not all(left < right for left, right in zip(one, other, strict=True))
