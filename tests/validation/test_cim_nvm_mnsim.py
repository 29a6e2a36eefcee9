"""The family ``cim-nvm-mnsim``: an AlexNet on an RRAM chip, predicted, and counted as printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from codesign_plugins.cim import nvm_mnsim as family
from codesign_plugins.cim.nvm_alexnet import LAYERS

from codesign.errors import ValidationError
from codesign.validation import Case, NotRun

RECORDED = Path(__file__).resolve().parents[1] / "references" / "mnsim_alexnet.json"
THEIRS = family.AS_THEY


def written(folder: Path, text: str) -> Path:
    """A data folder with such a file."""
    path = folder / family.FILE
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return folder


def changed(folder: Path, **changes: Any) -> Path:
    """A data folder with the recorded file, some keys of which are others."""
    return written(folder, json.dumps(json.loads(RECORDED.read_text()) | changes))


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A data folder with the recorded file."""
    return written(tmp_path, RECORDED.read_text(encoding="utf-8"))


def cases(data: Path | None) -> dict[tuple[str, str], Case]:
    found = [one for row in family.rows(data) for one in family.compare(row)]
    return {(one.name, one.quantity): one for one in found if isinstance(one, Case)}


def quantity(data: Path | None, name: str) -> list[Case]:
    return [case for (_, of), case in cases(data).items() if of == name]


def test_the_network_is_predicted_within_a_tenth(recorded: Path) -> None:
    case = cases(recorded)["network", "energy"]
    assert case.theirs == pytest.approx(365.333e-6, rel=1e-5)
    assert abs(case.error) < 0.1
    assert case.error == pytest.approx(-0.088, abs=0.001)


@pytest.mark.parametrize(("part", "theirs"), [("ADC share", 0.789), ("buffer share", 0.204)])
def test_shares_of_the_energy_are_predicted_within_five_points(
    part: str, theirs: float, recorded: Path
) -> None:
    case = cases(recorded)["network", part]
    assert case.theirs == pytest.approx(theirs, abs=0.001)
    assert abs(case.ours - case.theirs) < 0.05


def test_counted_as_the_tool_does_every_energy_is_equal(recorded: Path) -> None:
    found = quantity(recorded, f"energy{THEIRS}")
    assert len(found) == 1 + len(family.PARTS) + len(LAYERS)
    assert max(abs(case.error) for case in found) < 4e-4
    whole = cases(recorded)["network", f"energy{THEIRS}"]
    assert abs(whole.error) < 1e-5


def test_counted_as_the_tool_does_every_area_is_equal(recorded: Path) -> None:
    found = quantity(recorded, f"area{THEIRS}")
    assert len(found) == 3
    assert max(abs(case.error) for case in found) < 1e-9


def test_the_steps_of_every_layer_take_as_long(recorded: Path) -> None:
    found = quantity(recorded, "time of steps")
    assert len(found) == 7 * 3
    assert max(abs(case.error) for case in found) < 1e-5


def test_by_our_layout_half_empty_tiles_cost_less_and_halved_conversions_more(
    recorded: Path,
) -> None:
    found = {case.name: case.error for case in quantity(recorded, "energy of a layer")}
    assert len(found) == 7
    # 384 columns fill one tile and half of another
    assert found["layer 4"] == pytest.approx(-0.223, abs=0.001)
    # 64 columns, the tool charges 32 conversions
    assert found["layer 0"] == pytest.approx(0.508, abs=0.001)
    assert abs(found["layer 8"]) < 0.01


def test_nothing_is_calibrated(recorded: Path) -> None:
    assert not [case for case in cases(recorded).values() if case.calibrated]


def test_a_prediction_says_how_it_counts(recorded: Path) -> None:
    for (_, name), case in cases(recorded).items():
        is_ours = name in ("energy", "ADC share", "buffer share", "energy of a layer")
        assert case.note.startswith("our layout: a prediction") == is_ours


def test_windows_are_listed_as_not_run_on_cells(recorded: Path) -> None:
    found = [one for row in family.rows(recorded) for one in family.compare(row)]
    left = [one.name for one in found if isinstance(one, NotRun)]
    assert left == ["layer 1, our layout", "layer 3, our layout", "layer 7, our layout"]


def test_the_typed_figures_are_the_recorded_ones(recorded: Path) -> None:
    typed, whole = cases(None), cases(recorded)
    assert len(typed) == len(whole) - 21
    for key, case in typed.items():
        assert case.theirs == pytest.approx(whole[key].theirs, rel=1e-6)
        assert case.ours == whole[key].ours


def test_the_parts_that_are_compared_are_nearly_all_that_is_printed(recorded: Path) -> None:
    whole = family.rows(recorded)[0].joules
    parts = sum(whole[part] for part in family.PARTS)
    assert parts == pytest.approx(whole["Hardware"], rel=1e-5)


def test_layers_sum_to_the_network(recorded: Path) -> None:
    # the tool adds one access of a buffer that no layer has
    whole, *each = family.rows(recorded)
    total = sum(layer.joules["Hardware"] for layer in each)
    assert total == pytest.approx(whole.joules["Hardware"], rel=1e-5)


@pytest.mark.parametrize("place", [1, 3, 7])
def test_a_layer_of_windows_spends_nothing_in_cells(place: int) -> None:
    assert family.spent(family.mnsim_rram(), place) == {}


def test_a_file_that_is_no_json_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        family.rows(written(tmp_path, "{"))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / family.FILE} does not hold the printed figures of MN")
    assert message.endswith("; replace it")
    assert "\n" not in message


@pytest.mark.parametrize(
    "changes",
    [
        {"energy_nj": None},
        {"energy_nj": {"Hardware": 365333.1}},
        {"energy_nj": dict.fromkeys((*family.PARTS, "Hardware", "Buffer"), "much")},
        {"layer_energy_nj": 7},
        {"layers_latency_ns": []},
        {"area_um2": [1]},
    ],
)
def test_figures_of_another_form_are_one_line(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="does not hold the printed figures of MNSIM"):
        family.rows(changed(tmp_path, **changes))


def test_another_number_of_layers_is_one_line(tmp_path: Path) -> None:
    data = changed(tmp_path, layer_energy_nj=[1.0], layers_latency_ns=[{}])
    with pytest.raises(ValidationError, match="layer_energy_nj must have 10 layers, got 1; replac"):
        family.rows(data)


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    data = written(tmp_path, " " * (family.MAX_BYTES + 1))
    with pytest.raises(ValidationError, match="longer than 1 MiB"):
        family.rows(data)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="does not hold the printed figures of MNSIM"):
        family.rows(tmp_path)
