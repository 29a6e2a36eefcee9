"""The family ``cim-nvm-neurram``: ten precisions of a chip, and what is fitted to them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from codesign_plugins.cim import nvm_neurram as family

from codesign.errors import ValidationError
from codesign.validation import Case

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_rows = pytest.mark.skipif(
    not (DATA / family.FILE).exists() or not (DATA / family.SPLITS).exists(),
    reason="the published figures are not here",
)
HEAD, *TYPED = family.TYPED.splitlines()
SPLITS = {f"{family.SPLIT_KEY}(out,in)": family.TYPED_SPLITS}
TOLERANCE = 0.1


def written(folder: Path, rows: list[str], splits: object = SPLITS) -> Path:
    """A data folder with these rows and splits."""
    table, curves = folder / family.FILE, folder / family.SPLITS
    table.parent.mkdir()
    table.write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    curves.write_text(splits if isinstance(splits, str) else json.dumps(splits), encoding="utf-8")
    return folder


def cases(data: Path | None, quantity: str = "") -> list[Case]:
    found = [one for row in family.rows(data) for one in family.compare(row)]
    return [one for one in found if quantity in ("", one.quantity)]


@needs_rows
def test_ten_throughputs_are_within_a_tenth() -> None:
    found = cases(DATA, "throughput")
    assert len(found) == 10
    assert max(abs(case.error) for case in found) < 0.06
    assert all(case.calibrated for case in found)


@needs_rows
def test_each_throughput_is_predicted_from_the_nine_others_within_a_tenth() -> None:
    found = cases(DATA, "throughput, predicted from the others")
    assert len(found) == 10
    errors = {case.name: case.error for case in found}
    worst = max(errors, key=lambda name: abs(errors[name]))
    # the shortest product says most about the constant part
    assert worst == "1b in 3b out one-phase"
    assert errors[worst] == pytest.approx(-0.091, abs=0.001)
    assert not any(case.calibrated for case in found)


@needs_rows
def test_ten_efficiencies_are_within_a_tenth_and_half_of_them_are_predictions() -> None:
    found = cases(DATA, "efficiency")
    assert len(found) == 10
    assert max(abs(case.error) for case in found) < TOLERANCE
    blind = [case for case in found if not case.calibrated]
    assert len(blind) == 5
    assert max(abs(case.error) for case in blind) == pytest.approx(0.075, abs=0.001)


@needs_rows
def test_each_part_of_the_five_splits_is_within_a_tenth() -> None:
    for part in family.PARTS:
        found = cases(DATA, f"energy of {part} per operation")
        assert len(found) == 5
        assert max(abs(case.error) for case in found) < TOLERANCE
        assert all(case.calibrated for case in found)


@needs_rows
def test_the_parts_of_a_split_make_up_the_published_efficiency() -> None:
    points = [point for point in family.rows(DATA) if point.split_j]
    assert len(points) == 5
    for point in points:
        assert sum(point.split_j) == pytest.approx(1 / point.ops_per_joule, rel=0.01)


@needs_rows
def test_the_constants_are_those_of_a_fit_to_all_points_to_two_digits() -> None:
    first, *_ = family.rows(DATA)
    everyone = (*first.others, first)
    for point in everyone:
        seconds = float(point.core.passes(point.bits) * point.core.clock_s)
        fitted = family.left_out_s(replace(point, others=everyone))
        assert seconds == pytest.approx(fitted, rel=0.021)


@needs_rows
def test_two_phases_of_the_chip_are_faster_and_take_more_energy() -> None:
    points = {(point.bits, point.phases): point for point in family.rows(DATA)}
    for bits in (5, 6):
        assert points[bits, 2].ops_per_s > points[bits, 1].ops_per_s
        assert points[bits, 2].ops_per_joule < points[bits, 1].ops_per_joule
        one, two = (points[bits, phases].core.passes(bits) for phases in (1, 2))
        assert two < one


@needs_rows
def test_the_typed_rows_are_published_ones() -> None:
    published = {point.name: point for point in family.rows(DATA)}
    for point in family.rows(None):
        assert point.ops_per_s == pytest.approx(published[point.name].ops_per_s, rel=1e-3)
        assert point.ops_per_joule == pytest.approx(published[point.name].ops_per_joule, rel=1e-3)
        assert point.split_j == published[point.name].split_j


def test_typed_points_are_within_a_tenth_and_none_is_predicted_from_so_few() -> None:
    found = cases(None)
    assert {case.name for case in found if case.quantity == "efficiency"} == {
        "1b in 3b out one-phase",
        "5b in 7b out two-phase",
        "8b in 10b out two-phase",
    }
    assert max(abs(case.error) for case in found) < TOLERANCE
    assert not [case for case in found if case.quantity.endswith("others")]


def test_a_typed_point_without_a_split_is_a_prediction() -> None:
    found = {case.name: case.calibrated for case in cases(None, "efficiency")}
    assert found == {
        "1b in 3b out one-phase": True,
        "5b in 7b out two-phase": False,
        "8b in 10b out two-phase": True,
    }


def test_every_figure_of_the_chip_says_what_it_counts() -> None:
    expected = (
        "word line + word line set-up + input pulse + neuron integration + conversion step; "
        "2 operations per MAC, of 128 x 256 weights in pairs of cells, 48 cores"
    )
    for quantity in ("throughput", "efficiency"):
        assert {case.note for case in cases(None, quantity)} == {expected}


def test_throughput_is_the_operations_of_48_cores_over_the_time_of_a_product() -> None:
    point = family.rows(None)[0]
    assert point.product_s == pytest.approx(48 * 2 * 128 * 256 / 2.122e12, rel=1e-12)
    assert point.product_s == pytest.approx(1.48e-6, rel=0.01)


def test_a_point_is_predicted_exactly_from_points_of_the_law(tmp_path: Path) -> None:
    lines = []
    for bits, phases in ((1, "one"), (3, "one"), (5, "one"), (5, "two"), (7, "two"), (8, "two")):
        core = family.neurram_core(1 if phases == "one" else 2)
        seconds = float(core.passes(bits) * core.clock_s)
        tops = 48 * 65_536 / seconds / 1e12
        name = f"{bits}b in {bits + 2}b out {phases}-phase"
        lines += [f"NeuRRAM,throughput,{name},{tops!r},TOPS"]
        lines += [f"NeuRRAM,efficiency,{name},10,TOPS/W"]
    found = cases(written(tmp_path, lines), "throughput, predicted from the others")
    assert len(found) == 6
    assert max(abs(case.error) for case in found) < 1e-9


def test_a_split_is_that_of_the_phases_whose_total_it_meets(tmp_path: Path) -> None:
    rows = [
        *(row.replace("8b in 10b out two", "8b in 10b out one") for row in TYPED),
        "NeuRRAM,throughput,8b in 10b out two-phase,0.264,TOPS",
        "NeuRRAM,efficiency,8b in 10b out two-phase,3,TOPS/W",
    ]
    points = {point.name: point for point in family.rows(written(tmp_path, rows))}
    assert points["8b in 10b out one-phase"].split_j
    assert not points["8b in 10b out two-phase"].split_j


def test_other_chips_and_areas_of_the_file_are_left_alone(tmp_path: Path) -> None:
    rows = [*TYPED, "Jia 2020,throughput,1b,2,TOPS", "NeuRRAM,area:Neurons,per core,325120,um2"]
    assert len(family.rows(written(tmp_path, rows))) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",TOPS/W", ",GOPS/W", ":3: unit must be TOPS/W, got 'GOPS/W'"),
        ("efficiency", "power", ":3: metric must be throughput or efficiency, got 'power'"),
        ("43.08", "much", ":3: published_value must be a finite number, got 'much'"),
        (
            "1b in 3b out one-phase",
            "1b in 3b out three-phase",
            "condition '1b in 3b out three-phase' must be like '1b in 3b out one-phase' and have",
        ),
        (
            "1b in 3b out one-phase",
            "1b in 4b out one-phase",
            "must have outputs of two bits more than inputs, got 4 for 1; take it out",
        ),
    ],
)
def test_rows_of_another_form_are_one_line(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    data = written(tmp_path, [row.replace(old, new) for row in TYPED])
    with pytest.raises(ValidationError) as caught:
        family.rows(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_point_without_an_efficiency_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="have a throughput and an efficiency; correct it"):
        family.rows(written(tmp_path, TYPED[:1]))


@pytest.mark.parametrize("splits", ["{", "[]", {}, {"neurram_fj_per_mac_x": 1}])
def test_splits_of_another_form_are_one_line(splits: object, tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        family.rows(written(tmp_path, TYPED, splits))
    message = str(caught.value)
    assert "does not hold the energy split of NeuRRAM" in message
    assert message.endswith("; replace it")
    assert "\n" not in message
