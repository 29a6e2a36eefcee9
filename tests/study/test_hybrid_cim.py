"""The hybrid study: who runs what, what macros compute, and what more of them bring."""

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

cases: Any = importlib.import_module("hybrid_study.cases")
measuring: Any = importlib.import_module("hybrid_study.measure")
figure: Any = importlib.import_module("hybrid_study.figure")

SORTS = dict(zip(cases.SORTS, (1, 12, 14, 13, 24, 12), strict=True))
"""Contractions of each sort: MobileNetV2 up to 14x14, and six layers of 4 + 2 products."""


@pytest.fixture(scope="module")
def study() -> Any:
    return SHELF.get("hybrid study", measuring.measure_all)


def on_macros(one: Any, sort: str) -> int:
    return int(one.ran_on(sort)["cim"])


@pytest.mark.parametrize("sort", SORTS)
def test_every_contraction_runs_once_in_every_placement(study: Any, sort: str) -> None:
    macs = {
        sum(product.macs for product in one.products if product.sort == sort)
        for one in (*study.found.values(), study.resident)
    }
    assert len(macs) == 1
    for one in (*study.found.values(), study.resident):
        assert sum(one.ran_on(sort).values()) == SORTS[sort]


def test_rules_are_kept(study: Any) -> None:
    for sort in SORTS:
        assert on_macros(study.found[cases.NPU_ONLY], sort) == 0
        for case in cases.CIM_ONLY:
            assert on_macros(study.found[case], sort) == SORTS[sort]
    apart = study.found[cases.PRODUCTS_APART]
    assert on_macros(apart, cases.ATTENTION) == 0
    assert sum(on_macros(apart, sort) for sort in SORTS) == 64


# --- the best of the placements simulated ---


@pytest.mark.parametrize("count", cases.COUNTS)
def test_macros_never_make_the_best_placement_slower(study: Any, count: int) -> None:
    best = study.best(count)[1].latency_s
    assert best <= study.found[cases.NPU_ONLY].latency_s
    fewer = [study.best(other)[1].latency_s for other in cases.COUNTS if other < count]
    assert all(best <= latency for latency in fewer)


def test_the_gains_saturate(study: Any) -> None:
    latency = {count: study.best(count)[1].latency_s for count in cases.COUNTS}
    energy = {count: study.best(count)[1].total_j for count in cases.COUNTS}
    assert 1 - latency[16] / latency[8] > 0.1
    assert 0 <= 1 - latency[32] / latency[16] < 0.05
    assert 1 - energy[32] / energy[16] < 0.001
    assert 1 - energy[2] / energy[1] > 0.25


def test_one_macro_is_slower_than_the_array_and_nobody_takes_it(study: Any) -> None:
    assert study.best(1)[0] == cases.NPU_ONLY
    base, one = study.found[cases.NPU_ONLY], study.found[cases.CIM_ONLY[0]]
    for sort in SORTS:
        assert one.busy_s(sort) > base.busy_s(sort)


# --- which sort runs where ---


def test_projections_and_late_1x1_go_to_eight_macros_and_early_ones_do_not(study: Any) -> None:
    best = study.best(8)[1]
    assert on_macros(best, cases.PROJECTION) == SORTS[cases.PROJECTION]
    assert on_macros(best, cases.LATE) >= SORTS[cases.LATE] - 1
    assert on_macros(best, cases.EARLY) == on_macros(best, cases.STEM) == 0


@pytest.mark.parametrize("count", cases.COUNTS)
def test_attention_products_stay_on_the_npu_in_the_best_placement(study: Any, count: int) -> None:
    assert on_macros(study.best(count)[1], cases.ATTENTION) == 0


def test_attention_products_that_may_choose_go_to_macros_and_lose_time(study: Any) -> None:
    free = study.found[cases.FREE]
    assert on_macros(free, cases.ATTENTION) == SORTS[cases.ATTENTION]
    assert free.latency_s > study.best(8)[1].latency_s
    only, apart = study.found[cases.CIM_ONLY[1]], study.found[cases.PRODUCTS_APART]
    assert only.latency_s > apart.latency_s


def test_depthwise_stays_on_the_npu_unless_macros_pack_groups(study: Any) -> None:
    assert on_macros(study.found[cases.UNPACKED], cases.DEPTHWISE) == 0
    assert on_macros(study.best(8)[1], cases.DEPTHWISE) == SORTS[cases.DEPTHWISE] - 1
    base = study.found[cases.NPU_ONLY].busy_s(cases.DEPTHWISE)
    assert study.unpacked_s[cases.DEPTHWISE] > 5 * base
    assert study.found[cases.CIM_ONLY[1]].busy_s(cases.DEPTHWISE) < base


# --- what macros compute, by hand ---


def products(study: Any, case: Any) -> dict[str, Any]:
    return {product.name: product for product in study.found[case].products}


@pytest.mark.parametrize(
    ("name", "tiles", "pixels"),
    [
        ("stem.conv.conv2d", 1, 112 * 112),
        ("convolutions.1.residual.expand.conv.conv2d", 1, 112 * 112),
        ("convolutions.7.residual.expand.conv.conv2d", 3, 196),
        ("convolutions.7.residual.convolve.conv.conv2d", math.ceil(384 / 14), 196),
        ("transformer.0.self_attn.linear", 2 * 5, 196),
        ("transformer.5.linear2.linear", 6 * 2, 196),
    ],
)
def test_macros_compute_for_rounds_of_tiles_times_pixels_times_passes(
    study: Any, name: str, tiles: int, pixels: int
) -> None:
    """Four passes of two bits; so an operator of one tile gains nothing from a second macro."""
    clock = cases.CIM_ONLY[0].machine.components["cim"].clock_hz
    for case in cases.CIM_ONLY:
        cycles = 4 * pixels * math.ceil(tiles / case.macros)
        assert products(study, case)[name].busy_s == pytest.approx(cycles / clock, rel=0.02)


def test_a_macro_for_each_channel_of_a_depthwise_layer_is_the_oracle_of_not_packing(
    study: Any,
) -> None:
    clock = cases.UNPACKED.machine.components["cim"].clock_hz
    layers = [(32, 112), (96, 56), (144, 56), (144, 28), *2 * [(192, 28)], (192, 14)]
    layers += [*4 * [(384, 14)], *2 * [(576, 14)]]
    cycles = sum(4 * math.ceil(channels / 8) * side**2 for channels, side in layers)
    assert study.unpacked_s[cases.DEPTHWISE] == pytest.approx(cycles / clock, rel=1e-9)


# --- weights ---


def test_what_macros_run_is_loaded_once_per_inference_or_stays(study: Any) -> None:
    base = study.found[cases.NPU_ONLY]
    assert base.cell_bytes == 0
    assert study.found[cases.LARGE].weight_bytes == base.weight_bytes
    for case, one in study.found.items():
        assert one.weight_bytes == base.weight_bytes, case
        assert 0 <= one.cell_bytes <= base.weight_bytes
    assert study.resident.cell_bytes < 0.01 * base.weight_bytes
    assert study.resident.energy_j["DRAM"] < 0.1 * base.energy_j["DRAM"]


def test_weights_that_stay_save_energy_and_hardly_time(study: Any) -> None:
    """While macros compute the next weights come, so it is not reload that they wait for."""
    reloading = study.found[cases.LARGE]
    assert study.resident.total_j < 0.75 * reloading.total_j
    assert 0.95 * reloading.latency_s < study.resident.latency_s <= reloading.latency_s


def test_cuts_are_against_the_npu_only(study: Any) -> None:
    assert study.cuts(study.found[cases.NPU_ONLY]) == (0, 0)
    latency, energy = study.cuts(study.best(8)[1])
    assert 0.2 < latency < 0.5608
    assert 0.3 < energy < 0.4172


def test_the_figure_is_drawn_from_every_case(study: Any, tmp_path: Path) -> None:
    path = figure.draw(study, tmp_path / "hybrid.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    less = {case: one for case, one in study.found.items() if case != cases.UNPACKED}
    with pytest.raises(KeyError):
        figure.draw(measuring.Study(less, study.resident, study.unpacked_s), tmp_path / "less.png")
