"""The family ``scalesim``: exact on every dense run, and every row is read or told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from codesign_plugins import validate_scalesim as family

from codesign.errors import ValidationError
from codesign.validation import Case, NotRun, summaries, validate
from codesign.validation.summary import is_exact

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_runs = pytest.mark.skipif(
    not (DATA / family.FILE).exists(), reason="the recorded runs are not here"
)
HEAD, FIRST, *_ = family.TYPED.splitlines()
QUANTITIES = ("cycles", "operand reads", "output writes")


def written(folder: Path, *rows: str) -> Path:
    """A data folder with these rows."""
    path = folder / family.FILE
    path.parent.mkdir()
    path.write_text("\n".join([HEAD, *rows, ""]))
    return folder


def outcomes(data: Path | None) -> list[Case | NotRun]:
    return [one for run in family.rows(data) for one in family.compare(run)]


def test_every_typed_run_is_exact_in_every_quantity() -> None:
    found = [one for one in outcomes(None) if isinstance(one, Case)]
    assert len(found) == 3 * len(family.TYPED.splitlines()[1:])
    assert [case for case in found if not is_exact(case)] == []
    assert {case.quantity for case in found} == set(QUANTITIES)
    assert not any(case.calibrated for case in found)


def test_typed_runs_cover_every_dataflow_and_kind() -> None:
    runs = family.rows(None)
    assert {run.fields["dataflow"] for run in runs} == {"os", "ws", "is"}
    assert {run.op.name.split()[0] for run in runs} == {"matmul", "conv"}


@needs_runs
def test_the_typed_runs_are_recorded_ones() -> None:
    recorded = {run.name: run for run in family.rows(DATA)}
    for run in family.rows(None):
        assert recorded[run.name] == run


def test_another_array_is_not_exact(tmp_path: Path) -> None:
    """The comparison can fail: the same figures on an array of twice the rows are far off."""
    wrong = FIRST.replace(",8,8,os", ",16,8,os")
    assert wrong != FIRST
    (cycles, *_) = summaries(
        one for one in outcomes(written(tmp_path, wrong)) if isinstance(one, Case)
    )
    assert (cycles.quantity, cycles.exact) == ("cycles", 0)
    assert cycles.bias < -0.3


def test_what_the_tool_counts_too_much_is_said_beside_the_figure() -> None:
    notes = {(one.name, one.quantity): one.note for one in outcomes(None) if isinstance(one, Case)}
    assert notes["0 gemm 64x64x64 on 8x8 os", "output writes"] == (
        "the tool says 5,120: rows + columns too many in each fold"
    )
    assert notes["194 gemm 128x128x128 on 16x16 ws 1:8", "operand reads"] == (
        "the tool reads 131,072 inputs, also those without a weight"
    )
    assert notes["10 gemm 64x64x64 on 8x8 ws", "output writes"] == ""


def test_stalls_are_not_compute_cycles(tmp_path: Path) -> None:
    stalled = FIRST.replace(",4991,0,", ",5991,1000,")
    assert stalled != FIRST
    (run,) = family.rows(written(tmp_path, stalled))
    assert run.cycles == 4992


BROKEN = {
    ",os,": (",ows,", "dataflow must be os, ws or is, got 'ows'"),
    "gemm,64x64x64": ("gemm,64x64", "layer must be MxNxK of a gemm, or image"),
    "gemm,": ("pool,", "layer must be MxNxK of a gemm, or image"),
    "64x64x64": ("64x64xa", "layer must be MxNxK of a gemm"),
    "64x64x64,": ("0x64x64,", "layer must be MxNxK of a gemm"),
    ",os,,": (",os,3:2,", "sparsity must be empty or N:M, got '3:2'"),
    ",4991,": (",many,", "total_cycles must be a finite number, got 'many'"),
    "8,8,os": ("0,8,os", "array_rows must be at least 1, got '0'"),
    ",8,8,": (",8.5,8,", "array_rows must be a whole number of at least 0, got '8.5'"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_row_that_is_no_run_is_one_line_with_its_place(part: str, tmp_path: Path) -> None:
    new, message = BROKEN[part]
    assert part in FIRST
    data = written(tmp_path, FIRST, FIRST.replace(part, new, 1))
    with pytest.raises(ValidationError) as caught:
        validate(data, ("scalesim",))
    assert str(caught.value).startswith(f"{data / family.FILE}:3: {message}")
    assert "\n" not in str(caught.value)


def test_a_convolution_that_is_not_square_is_one_line(tmp_path: Path) -> None:
    row = FIRST.replace("gemm,64x64x64", "conv,61x60x7x7x3x32x2")
    with pytest.raises(ValidationError, match="stride of a square conv, got '61x60x7x7x3x32x2'"):
        family.rows(written(tmp_path, row))
