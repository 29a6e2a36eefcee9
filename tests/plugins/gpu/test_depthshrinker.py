"""The family ``depthshrinker``: counts of merged networks, and what makes them fast."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from codesign_plugins.gpu import depthshrinker as family
from codesign_plugins.gpu.depthshrinker_networks import (
    KEPT,
    Layer,
    mobilenet,
    rounded,
    sums,
)
from codesign_plugins.gpu.least import least
from codesign_plugins.gpu.times import Constants
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codesign.errors import ValidationError
from codesign.testing import check_validation
from codesign.validation import Case, NotRun

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "references"
needs_table = pytest.mark.skipif(
    not (DATA / family.FILES[0]).exists(), reason="the published table is not here"
)
HALF = Constants(t0=0.0, compute=0.5, memory=0.5)


@pytest.fixture(scope="module")
def typed() -> list[Case | NotRun]:
    return [one for point in family.rows(None) for one in point.outcomes()]


@pytest.fixture(scope="module")
def table() -> list[Case | NotRun]:
    return [one for point in family.rows(DATA) for one in point.outcomes()]


def by_quantity(found: list[Case | NotRun], quantity: str) -> dict[str, Case]:
    return {o.name: o for o in found if isinstance(o, Case) and o.quantity == quantity}


def test_the_family_keeps_the_promises_of_all_families() -> None:
    check_validation(family.codesign_validations()["depthshrinker"])


def test_width_one_is_mobilenet_v2() -> None:
    assert sums(mobilenet(1.0))["macs"] == 300_774_272
    assert sums(mobilenet(1.0))["weights"] == 3_504_872 - 2 * 17_056 - 1000


def test_width_one_and_four_tenths_is_the_network_of_the_table() -> None:
    assert sums(mobilenet(1.4)) == {
        "macs": 582_195_824,
        "activation elements": 9_574_424,
        "weights": 6_059_840,
        "layers": 53,
    }


@pytest.mark.parametrize("name", KEPT)
def test_layers_follow_each_other(name: str) -> None:
    layers = mobilenet(1.4, KEPT[name])
    for before, after in pairwise(layers[:-1]):
        assert before.outputs == after.inputs
        assert before.size == after.size * after.stride
    assert layers[-1] == Layer(1792, 1000, normalised=False)


@given(st.text("01", min_size=17, max_size=17))
def test_a_merge_removes_two_layers_and_all_but_one_of_their_activations(kept: str) -> None:
    whole, made = mobilenet(1.4), mobilenet(1.4, kept)
    merged = kept[1:].count("0")
    assert len(made) == len(whole) - 2 * merged
    assert sums(made)["activation elements"] <= sums(whole)["activation elements"]
    assert sum(layer.groups > 1 for layer in made) == 17 - merged


@given(st.floats(1, 5000))
def test_channels_come_in_eights_and_never_lose_a_tenth(channels: float) -> None:
    found = rounded(channels)
    assert found % 8 == 0
    assert found >= 8
    assert 0.9 * channels <= found <= channels + 12


@pytest.mark.parametrize("share", [0.2, 0.4, 1.0])
def test_a_network_of_bytes_alone_is_as_fast_as_the_bandwidth(share: float) -> None:
    depthwise = Layer(64, 64, 3, groups=64, size=56, normalised=False)
    rate = family.Work.of([depthwise]).images_per_s(Constants(0.0, 1.0, share))
    moved = 2 * 64 * 56**2 * family.ELEMENT_BYTES
    assert rate == pytest.approx(share * family.V100.bandwidth / moved)


def test_a_network_of_products_alone_is_as_fast_as_the_peak() -> None:
    dense = Layer(4096, 4096, size=64, normalised=False)
    rate = family.Work.of([dense]).images_per_s(Constants(0.0, 0.5, 1.0))
    device = family.V100
    peak = device.units * device.clock_hz * device.macs
    assert 0.85 < rate * dense.macs / (0.5 * peak) <= 1.0


def test_every_pass_over_an_output_costs() -> None:
    rates = [
        family.Work.of([layer]).images_per_s(HALF)
        for layer in (
            Layer(64, 64, size=56, normalised=False),
            Layer(64, 64, size=56),
            Layer(64, 64, size=56, activation=True),
            Layer(64, 64, size=56, activation=True, shortcut=True),
        )
    ]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 4


def test_the_two_fitted_networks_are_met_and_marked(typed: list[Case | NotRun]) -> None:
    rates = by_quantity(typed, "throughput")
    assert {name for name, case in rates.items() if case.calibrated} == set(family.FITTED)
    for name in family.FITTED:
        assert abs(rates[name].error) < 0.005
    speed = by_quantity(typed, "speed-up")
    assert {name for name, case in speed.items() if case.calibrated} == {
        f"{family.FASTEST} over {family.BASE}"
    }


CHOSEN = "speed-up over a network of our choice"


def test_more_work_is_faster_than_a_pruned_network_of_any_likely_width(
    typed: list[Case | NotRun],
) -> None:
    """The sign is a prediction. The figure is not: its width is chosen, and it says so."""
    (case,) = by_quantity(typed, CHOSEN).values()
    assert case.ours > 1
    assert abs(case.error) < 0.2
    assert case.calibrated
    others = [float(word) for word in case.note.split("it is ")[1].split(" and ")]
    assert len(others) == len(family.OTHERS)
    assert 1 < others[0] < case.ours < others[1]
    built = family.networks()
    assert sums(built[family.FASTEST])["macs"] > 7 * sums(built[family.PRUNED])["macs"]


def test_a_network_of_our_choice_is_in_no_summary_with_the_others(
    typed: list[Case | NotRun],
) -> None:
    pruned = [one for one in typed if isinstance(one, Case) and family.PRUNED in one.name]
    assert [one.quantity for one in pruned] == [CHOSEN]


@needs_table
def test_every_speed_up_is_within_15_percent(table: list[Case | NotRun]) -> None:
    speed = by_quantity(table, "speed-up")
    assert len(speed) == 8
    assert max(abs(case.error) for case in speed.values()) < 0.15
    assert sum(case.calibrated for case in speed.values()) == 1


@needs_table
def test_counts_are_those_of_the_table_to_its_digits(table: list[Case | NotRun]) -> None:
    for quantity, (_, unit) in family.COUNTS.items():
        cases = by_quantity(table, quantity)
        assert set(cases) == set(KEPT)
        digits = {"macs": 1, "activation elements": 2, "weights": 3, "layers": 0}[quantity]
        for case in cases.values():
            assert abs(case.ours - case.theirs) / unit <= 0.51 * 10**-digits


@needs_table
def test_networks_that_cannot_be_built_are_listed(table: list[Case | NotRun]) -> None:
    left = [one for one in table if isinstance(one, NotRun)]
    assert [one.name for one in left] == ["MetaPruning-1.0x", "MetaPruning-0.65x"]
    assert all("channels are not published" in one.reason for one in left)


def test_a_table_without_a_fitted_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / family.FILES[0]
    path.parent.mkdir()
    path.write_text(family.TYPED.replace("MBV2-1.4-DS-F", "MBV2-1.4-DSF"))
    with pytest.raises(ValidationError, match=r"no row 'MBV2-1.4-DS-F'; did you mean"):
        family.rows(tmp_path)


@given(st.tuples(*[st.floats(0.1, 0.9)] * 2))
def test_the_least_of_a_sum_of_magnitudes_is_found_at_its_edge(wanted: tuple[float, float]) -> None:
    def residuals(place: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = (place - np.array(wanted)).tolist()
        return np.array([x + y, 0.1 * (x - y)])

    assert least(residuals, 2) == pytest.approx(wanted, abs=2e-3)


@given(st.floats(-2, 2))
def test_the_least_is_looked_for_in_the_unit_cube_only(wanted: float) -> None:
    found = least(lambda place: place - wanted, 1)
    assert found == pytest.approx([min(1.0, max(0.0, wanted))], abs=1e-6)
