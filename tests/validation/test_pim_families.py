"""The families of processing in memory: programs, the stream beside them, AiM, energy by place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from codesign_plugins.pim import validation_aim as aim
from codesign_plugins.pim import validation_hbm as hbm
from codesign_plugins.pim import validation_places as places
from codesign_plugins.pim.validation import codesign_validations

from codesign.errors import ValidationError
from codesign.validation import Case, NotRun

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_runs = pytest.mark.skipif(
    not (DATA / hbm.FILE).exists(), reason="the recorded runs are not here"
)
HBM_HEAD, HBM_FIRST, *_ = hbm.TYPED.splitlines()
AIM_HEAD, AIM_FIRST, *_ = aim.TYPED.splitlines()
PLACES_HEAD, PLACES_FIRST, *_ = places.TYPED.splitlines()


def cases(outcomes: Iterable[Case | NotRun]) -> list[Case]:
    return [one for one in outcomes if isinstance(one, Case)]


def programs(data: Path | None, quantity: str) -> dict[str, Case]:
    found = cases(one for run in hbm.rows(data) for one in hbm.compare_programs(run))
    return {case.name: case for case in found if case.quantity == quantity}


def streams(data: Path | None, quantity: str) -> dict[str, Case]:
    found = cases(one for run in hbm.rows(data) for one in hbm.compare_streams(run))
    return {case.name: case for case in found if case.quantity.startswith(quantity)}


def runs_of_aim(quantity: str) -> list[Case]:
    found = cases(one for run in aim.rows(None) for one in aim.compare(run))
    return [case for case in found if case.quantity == quantity]


def written(folder: Path, file: str, *rows: str) -> Path:
    """A data folder with these rows."""
    path = folder / file
    path.parent.mkdir()
    path.write_text("\n".join([*rows, ""]))
    return folder


# -- programs of HBM-PIM ---------------------------------------------------------------------------


def test_typed_programs_take_the_cycles_of_the_tool() -> None:
    found = programs(None, "cycles")
    assert len(found) == len(hbm.TYPED.splitlines()) - 1
    assert max(abs(case.error) for case in found.values()) < 0.01


@needs_runs
def test_products_are_within_half_a_per_cent_and_sums_within_five() -> None:
    found = programs(DATA, "cycles")
    assert len(found) == 9
    for name, case in found.items():
        assert abs(case.error) < (0.005 if name.startswith("GEMV") else 0.05), name


@needs_runs
def test_with_refreshes_in_the_mean_products_stay_within_one_per_cent() -> None:
    found = programs(DATA, "cycles, refreshes in the mean")
    products = [case for name, case in found.items() if name.startswith("GEMV")]
    assert len(products) == 6
    assert max(abs(case.error) for case in products) < 0.01
    # half an interval of work meets no refresh in the tool, and a share of one in the mean
    assert found["ADD 262144"].error == pytest.approx(0.087, abs=0.005)


@needs_runs
def test_the_typed_programs_are_recorded_ones() -> None:
    recorded = {row.name: row for row in hbm.rows(DATA)}
    assert all(recorded[row.name] == row for row in hbm.rows(None))


def test_nothing_is_fitted() -> None:
    found = [*programs(None, "cycles").values(), *streams(None, "cycles").values()]
    assert not any(case.calibrated for case in found)


# -- the host --------------------------------------------------------------------------------------


@needs_runs
def test_the_stream_of_the_host_is_within_three_per_cent_and_four_for_the_longest_sum() -> None:
    found = streams(DATA, "cycles")
    assert len(found) == 9
    for name, case in found.items():
        assert abs(case.error) < (0.03 if name.startswith("GEMV") else 0.04), name


@needs_runs
def test_the_banks_lose_where_outputs_are_few_and_win_where_they_are_many() -> None:
    found = {name: case.ours for name, case in streams(DATA, "speed-up").items()}
    assert found["GEMV 1024x1024 batch 1"] == pytest.approx(0.68, abs=0.02)
    assert found["GEMV 1024x4096 batch 1"] == pytest.approx(0.69, abs=0.02)
    assert found["GEMV 4096x4096 batch 1"] == pytest.approx(2.74, abs=0.03)
    assert found["GEMV 4096x4096 batch 2"] == pytest.approx(1.37, abs=0.02)
    assert found["GEMV 4096x1024 batch 1"] > 2.4


def test_a_batch_costs_the_banks_what_it_costs_and_the_host_nothing_more() -> None:
    one, two = (run for run in hbm.rows(None) if run.outputs == 4096)
    assert hbm.program_cycles(two) > 1.9 * hbm.program_cycles(one)
    assert hbm.stream_cycles(two) < 1.01 * hbm.stream_cycles(one)


def test_without_a_compiler_long_streams_are_listed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hbm, "has_compiler", lambda: False)
    monkeypatch.setattr(hbm, "LONGEST_INTERPRETED", 2000)
    found = [one for run in hbm.rows(None) for one in hbm.compare_streams(run)]
    left = [one for one in found if isinstance(one, NotRun)]
    assert {one.reason for one in left} == {
        "too long for plain Python; pip install 'codesign[kernel]'"
    }
    assert len(left) == 3


def test_another_kernel_is_one_line_with_its_place(tmp_path: Path) -> None:
    data = written(tmp_path, hbm.FILE, HBM_HEAD, HBM_FIRST.replace("GEMV", "GEMM"))
    with pytest.raises(ValidationError, match=":2: kernel must be one of GEMV, ADD, MUL, got 'GE"):
        hbm.rows(data)


# -- AiM -------------------------------------------------------------------------------------------


def test_the_serial_form_is_the_tool_s_to_a_tenth_of_a_per_mille() -> None:
    found = runs_of_aim("kernel, serial form")
    assert [case.name.split()[-1] for case in found] == ["1024x1024", "4096x1024", "4096x4096"]
    assert max(abs(case.error) for case in found) < 2e-4
    assert found[-1].ours == pytest.approx(38.8e-6, rel=0.05)


def test_overlapped_columns_are_told_to_be_another_machine() -> None:
    found = runs_of_aim("kernel, columns overlapped")
    assert all("another machine" in case.note for case in found)
    assert all(0.25 < case.ours / case.theirs < 0.55 for case in found)


def test_a_copy_takes_the_time_of_the_tool() -> None:
    found = runs_of_aim("copy")
    assert max(abs(case.error) for case in found) < 1e-4
    assert found[-1].ours == pytest.approx(27.4e-6, rel=1e-3)


def test_a_copy_costs_1_9_mj_and_not_the_background_only_figure_of_the_tool() -> None:
    last = runs_of_aim("energy of the copy")[-1]
    assert last.ours == pytest.approx(1.93e-3, rel=0.01)
    assert last.ours > 60 * 0.028955e-3
    assert abs(last.error) < 0.2


@needs_runs
def test_the_typed_products_are_those_of_the_aim_target() -> None:
    assert aim.rows(DATA) == aim.rows(None)


def test_a_size_that_is_none_is_one_line_with_its_place(tmp_path: Path) -> None:
    data = written(tmp_path, aim.FILE, AIM_HEAD, AIM_FIRST.replace("1024x1024", "1048576"))
    with pytest.raises(ValidationError, match=":2: size must be rows x columns, as 4096x1024, got"):
        aim.rows(data)


# -- places ----------------------------------------------------------------------------------------


def test_energies_by_place_are_those_that_are_published() -> None:
    found = [one for row in places.rows(None) for one in places.compare(row)]
    assert [case.name for case in found] == ["bank", "bank group", "buffer die", "host"]
    assert max(abs(case.error) for case in found) < 1e-3


@needs_runs
def test_the_typed_energies_are_those_of_the_file() -> None:
    assert places.rows(DATA) == places.rows(None)


@pytest.mark.parametrize(("old", "new"), [("28.72", "28.7x"), (" / 28.72", ""), ("pJ/B", "pJ")])
def test_a_cell_of_other_places_is_one_line(tmp_path: Path, old: str, new: str) -> None:
    data = written(tmp_path, places.FILE, PLACES_HEAD, PLACES_FIRST.replace(old, new))
    with pytest.raises(ValidationError, match=r":2: value must be pJ/B at bank, bank_group, "):
        places.rows(data)


def test_there_are_four_families() -> None:
    assert set(codesign_validations()) == {"pim-hbm", "pim-host", "pim-aim", "pim-energy"}
