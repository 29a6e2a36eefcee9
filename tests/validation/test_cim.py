"""The family ``cim``: every macro and layer of the tool, and every row is read or told."""

from __future__ import annotations

from pathlib import Path

import pytest
from codesign_plugins.cim import validation, validation_peer
from codesign_plugins.cim.validation_peer import FILES, LAYERS, PEAKS, Layer, Point, operator

from codesign.errors import ValidationError
from codesign.testing import check_validation
from codesign.validation import Case, summaries, validate
from codesign.validation.summary import is_exact

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
FAMILY = validation.codesign_validations()["cim"]
needs_runs = pytest.mark.skipif(
    not (DATA / FILES[0]).exists(), reason="the recorded runs are not here"
)
QUANTITIES = ["clock", "energy per MAC", "area without cells", "cycles", "macro energy"]


def cases(data: Path | None) -> list[Case]:
    found = check_validation(FAMILY, data)
    assert all(isinstance(one, Case) for one in found)
    return [one for one in found if isinstance(one, Case)]


def written(folder: Path, points: str = PEAKS, layers: str = LAYERS) -> Path:
    """A data folder with these two files."""
    for file, text in zip(FILES, (points, layers), strict=True):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text)
    return folder


def test_every_typed_figure_is_there_and_nothing_is_called_fitted() -> None:
    found = cases(None)
    assert len(found) == 3 * 5 + 2 * 5
    assert list(dict.fromkeys(case.quantity for case in found)) == QUANTITIES
    assert not any(case.calibrated for case in found)
    assert "fitted" in FAMILY.note


def test_typed_figures_are_equal_to_the_digits_that_the_tool_printed() -> None:
    for case in cases(None):
        if case.quantity in ("clock", "cycles", "macro energy"):
            assert is_exact(case), case.name
        else:
            assert abs(case.error) < 1e-4, case.name


def test_typed_layers_are_those_that_the_design_names() -> None:
    cycles = {c.name.split(" on ")[0]: c.theirs for c in cases(None) if c.quantity == "cycles"}
    assert cycles["dw3x3_g384_14"] == 128 * cycles["pw_1x1_64_384_14"] == 602_112
    assert {"DIMC", "AIMC"} == {line.split(",")[1] for line in PEAKS.splitlines()[1:]}


@needs_runs
def test_every_recorded_macro_is_within_a_thousandth() -> None:
    clock, energy, area, cycles, _ = summaries(cases(DATA))
    assert (clock.cases, clock.exact) == (529, 529)
    assert energy.cases == area.cases == 529
    assert abs(energy.worst.error) < 3e-5
    assert abs(area.worst.error) < 3e-4
    assert (cycles.cases, cycles.exact) == (27, 27)


@needs_runs
def test_energy_of_a_recorded_layer_is_exact_where_its_pieces_are_whole() -> None:
    found = [case for case in cases(DATA) if case.quantity == "macro energy"]
    wrong = [case for case in found if not is_exact(case)]
    assert len(found) == 27
    assert len(wrong) == 4
    for case in wrong:
        if case.name.startswith("vit"):
            assert "cycles of 10 tiles but energy of 6.75 full ones" in case.note
        else:
            assert case.name.startswith("fc_512_1000")
            assert 0 < case.error < 0.002
    assert [case.name for case in found if case.note] == [
        case.name for case in wrong if case.name.startswith("vit")
    ]


@needs_runs
def test_typed_rows_are_recorded_ones() -> None:
    recorded = {row.name: row for row in validation_peer.rows(DATA)}
    for row in validation_peer.rows(None):
        assert recorded[row.name] == row


def test_another_macro_is_not_exact(tmp_path: Path) -> None:
    """The comparison can fail."""
    wrong = PEAKS.replace("peak728,DIMC,8,8,1,0,128,128,", "peak728,DIMC,8,8,1,0,128,512,")
    assert wrong != PEAKS
    found = [case for case in cases(written(tmp_path, points=wrong)) if case.name == "peak728"]
    assert [case.quantity for case in found] == QUANTITIES[:3]
    assert all(abs(case.error) > 0.01 for case in found)


def test_another_layer_is_not_exact(tmp_path: Path) -> None:
    wrong = LAYERS.replace(",1,0,128,128,4704.0,", ",1,0,64,128,4704.0,")
    assert wrong != LAYERS
    names = [case.name for case in cases(written(tmp_path, layers=wrong)) if not is_exact(case)]
    assert "pw_1x1_64_384_14 on dimc 64 x 128, 1 b" in names


def test_banks_multiply_the_area_alone(tmp_path: Path) -> None:
    two = PEAKS.replace(",128,128,1,3.75708,", ",128,128,2,3.75708,")
    assert two != PEAKS
    clock, energy, area = (
        case for case in cases(written(tmp_path, points=two)) if case.name == "peak728"
    )
    assert is_exact(clock)
    assert abs(energy.error) < 1e-4
    assert abs(area.error - 1) < 1e-4


def test_names_say_layer_macro_and_size() -> None:
    assert [row.name for row in validation_peer.rows(None)][-1] == (
        "conv3x3_64_64_56 on aimc 128 x 128, 2 b, ADC 8 b"
    )


@pytest.mark.parametrize(
    ("layer", "macs"),
    [("stem7x7_3_64_112", 118_013_952), ("vit_qkv_192_576_t197", 21_786_624)],
)
def test_shapes_of_the_layers_have_the_macs_of_the_tool(layer: str, macs: int) -> None:
    assert operator(layer).macs == macs


def test_rows_are_points_then_layers() -> None:
    kinds = [type(row) for row in validation_peer.rows(None)]
    assert kinds == [Point] * 5 + [Layer] * 5


BROKEN = {
    "peak728,DIMC": (0, "peak728,RIMC", "kind must be AIMC or DIMC, got 'RIMC'"),
    "3.75708": (0, "soon", "tclk_ns must be a finite number, got 'soon'"),
    "DIMC,8,8,1,0,128,128,1,": (
        0,
        "DIMC,8,8,1,0,128,12.5,1,",
        "inputs must be a whole number of at least 0, got '12.5'",
    ),
    "pw_1x1_64_384_14": (1, "pw_1x1_64_384_15", "case must be one of conv3x3_64_64_56, conv3x3"),
    "4704.0": (1, "4704.5", "compute_cycles must be a whole number of at least 0, got '4704.5'"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_row_that_is_no_macro_is_one_line_with_its_place(part: str, tmp_path: Path) -> None:
    file, new, message = BROKEN[part]
    texts = [PEAKS, LAYERS]
    assert part in texts[file]
    line = texts[file][: texts[file].index(part)].count("\n") + 1
    texts[file] = texts[file].replace(part, new, 1)
    with pytest.raises(ValidationError) as caught:
        validate(written(tmp_path, *texts), ("cim",))
    assert str(caught.value).startswith(f"{tmp_path / FILES[file]}:{line}: {message}")
    assert "\n" not in str(caught.value)
