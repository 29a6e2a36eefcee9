"""The recommender study: what is read is counted exactly, and units win for few samples only."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from shelf import SHELF

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

pytestmark = pytest.mark.nightly  # placing and replaying all of it takes minutes

cases: Any = importlib.import_module("recommender_study.cases")
counting: Any = importlib.import_module("recommender_study.traffic")
measuring: Any = importlib.import_module("recommender_study.measure")
figure: Any = importlib.import_module("recommender_study.figure")

UNCAPPED = {
    "dlrm": 56,
    "nasrec_criteo_small": 4_191,
    "nasrec_criteo_full": 1_803,
    "nasrec_avazu_small": 7_447,
    "nasrec_avazu_full": 4_015,
    "nasrec_kdd_small": 16_240,
    "nasrec_kdd_full": 2_519,
}
TABLES = {"dlrm": 26, "criteo": 26, "avazu": 23, "kdd": 10}
_MEASURE_ALL = measuring.measure_all


@pytest.fixture(scope="module")
def study() -> Any:
    """What the study shows, measured once a session."""
    return SHELF.get("recommender study", _MEASURE_ALL)


@pytest.mark.parametrize("model", UNCAPPED)
def test_the_batch_that_outweighs_the_weights_is_weights_over_numbers_of_a_sample(
    study: Any, model: str
) -> None:
    traffic = study.traffic[model]
    assert len(traffic.tables) == TABLES[model.removeprefix("nasrec_").split("_")[0]]
    assert traffic.uncapped() == UNCAPPED[model]
    assert traffic.crossover("fp32") >= traffic.uncapped()


@pytest.mark.parametrize("model", UNCAPPED)
@pytest.mark.parametrize("burst", [1, counting.BURST])
def test_a_crossover_is_the_least_batch_with_as_many_bytes(
    study: Any, model: str, burst: int
) -> None:
    traffic = study.traffic[model]
    batch, dense = traffic.crossover("int8", burst), traffic.dense_bytes("int8")
    assert traffic.embedding_bytes(batch - 1, "int8", burst) < dense
    assert traffic.embedding_bytes(batch, "int8", burst) >= dense


def test_traffic_of_embeddings_is_linear_until_tables_run_out_of_rows() -> None:
    endless = counting.Traffic((counting.Table(1000, 16, 1),), 100)
    sizes = [endless.embedding_bytes(batch, "fp32") for batch in (1, 10, 1000, 1001)]
    assert sizes == [64, 640, 64_000, 64_000]
    assert counting.Traffic((counting.Table(3, 16, 1),), 100_000).crossover("fp32") is None


@pytest.mark.parametrize(("form", "bytes_"), [("fp32", 64), ("fp16", 32), ("int8", 16)])
def test_a_row_of_16_takes_a_whole_burst_in_every_format(form: str, bytes_: int) -> None:
    table = counting.Traffic((counting.Table(1000, 16, 1),), 100)
    assert table.embedding_bytes(1, form) == bytes_
    assert table.embedding_bytes(1, form, counting.BURST) == counting.BURST


def test_a_sample_of_criteo_reads_1664_useful_bytes(study: Any) -> None:
    assert study.traffic["nasrec_criteo_small"].embedding_bytes(1, "fp32") == 26 * 64


def test_energy_by_component_sums(study: Any) -> None:
    for one in study.runs.values():
        assert one.total_j == math.fsum(one.energy_j.values())
        assert one.total_j > 0


@pytest.mark.parametrize("model", cases.IN_FULL)
def test_what_is_kept_on_chip_leaves_no_more_than_embeddings_in_the_dram(
    study: Any, model: str
) -> None:
    """In bursts of 32 B, which a row of 16 in fp16 fills. Greedy residency keeps rows, too."""
    rows = study.traffic[model].embedding_bytes(1, "fp16", 32)
    kept, streamed = (study.runs[model, 1, c.name] for c in (cases.KEPT, cases.HOST))
    assert 0 < kept.weight_bytes <= rows
    assert streamed.weight_bytes >= study.traffic[model].dense_bytes("fp16")


@pytest.mark.parametrize("model", cases.REPLAYED)
def test_units_take_time_in_proportion_but_for_entering_their_mode(study: Any, model: str) -> None:
    one, many = (study.runs[model, batch, cases.PIM.name] for batch in cases.LINE)
    assert one.away == many.away > 0
    assert 0.75 * cases.LINE[1] < many.away_s / one.away_s <= cases.LINE[1]


@pytest.mark.parametrize("model", cases.REPLAYED)
def test_the_host_wins_again_between_both_batches(study: Any, model: str) -> None:
    energy = measuring.crossover(study.runs, model, energy=True)
    assert cases.LINE[0] < energy < cases.LINE[1]
    host, pim = (study.runs[model, cases.LINE[1], c.name] for c in (cases.HOST, cases.PIM))
    assert host.latency_s < pim.latency_s
    assert host.total_j < pim.total_j


def test_units_pay_for_one_sample_of_nasrec_against_streamed_weights_only(study: Any) -> None:
    model = "nasrec_criteo_small"
    host, kept, placed = (
        study.runs[model, 1, c.name] for c in (cases.HOST, cases.KEPT, cases.PLACED)
    )
    assert kept.latency_s < placed.latency_s < host.latency_s
    assert kept.total_j < placed.total_j < host.total_j


def test_rows_apart_open_more_bursts_than_rows_in_one_piece() -> None:
    trace = cases.capture("nasrec_criteo_small", 4)
    first = next(cases.lookups(trace)).inputs[0]
    assert first.shape == (4, 16)
    assert first.strides == (1461 // 4 * 16, 1)


def test_the_figure_is_drawn(study: Any, tmp_path: Path) -> None:
    path = figure.draw(study, tmp_path / "study.png")
    assert path.read_bytes()[:4] == b"\x89PNG"
