"""The family ``onnxim``: a cycle simulator's runs within a few per cent, and why not exactly."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from codesign_plugins import validate_onnxim as family

from codesign import load_hardware, simulate
from codesign.errors import ValidationError
from codesign.testing import convolution, matmul
from codesign.validation import Case, NotRun
from codesign.workload.record import Op, Trace

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_runs = pytest.mark.skipif(
    not (DATA / family.FILE).exists(), reason="the recorded runs are not here"
)
HEAD, FIRST, *_ = family.TYPED.splitlines()
OWN = "cycles, tiles of our search"


def outcomes(data: Path | None) -> list[Case | NotRun]:
    return [one for run in family.rows(data) for one in family.compare(run)]


def errors(quantity: str) -> dict[str, float]:
    """Signed errors of the typed runs by short name."""
    found = [one for one in outcomes(None) if isinstance(one, Case)]
    return {one.name.split()[0]: one.error for one in found if one.quantity == quantity}


def written(folder: Path, *rows: str) -> Path:
    """A data folder with these rows."""
    path = folder / family.FILE
    path.parent.mkdir()
    path.write_text("\n".join([HEAD, *rows, ""]))
    return folder


@pytest.fixture(scope="module")
def cycles() -> dict[str, float]:
    return errors("cycles")


def test_a_large_product_is_within_two_per_cent(cycles: dict[str, float]) -> None:
    assert abs(cycles["g2048"]) < 0.001


def test_the_other_runs_are_within_ten_per_cent(cycles: dict[str, float]) -> None:
    assert set(cycles) == {"g128", "g512", "g2048", "c56", "mv512"}
    assert {name for name, error in cycles.items() if abs(error) > 0.02} == {"g128"}
    assert abs(cycles["g128"]) < 0.10


def test_the_tool_waits_longer_for_memory_in_every_run(cycles: dict[str, float]) -> None:
    """The one cause that is told for every difference has one sign."""
    assert all(error < 0 for error in cycles.values())


def test_tiles_that_the_search_finds_are_within_ten_per_cent_too() -> None:
    found = errors(OWN)
    assert set(found) == {"g128", "g512", "g2048", "c56", "mv512"}
    assert max(abs(error) for error in found.values()) < 0.10


def test_nothing_is_fitted_to_the_runs() -> None:
    found = [one for one in outcomes(None) if isinstance(one, Case)]
    assert not any(case.calibrated for case in found)
    assert all(case.note for case in found)
    assert "fitted" not in {row.status for row in load_hardware("onnxim-like").provenance}


def test_one_block_is_its_load_its_cycles_and_its_store_one_after_the_other() -> None:
    op = matmul(128, 128, 128, dtype="bf16")
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    block = 128 * 128 * 2
    array = (128 + 128 - 1) + 128 + 254
    moving = 2 * 35 + 3 * block / 512
    assert simulate(trace, "onnxim-like").latency_s * 1e9 == pytest.approx(array + moving, abs=1)


def test_the_tool_loads_blocks_of_a_product_and_whole_images() -> None:
    assert family.tool_tile(matmul(512, 256, 64)) == {"b": 1, "m": 128, "n": 64, "k": 256}
    image = family.tool_tile(convolution(64, 32, 56, 3, padding=1))
    assert (image["oy"], image["ox"], image["ci"], image["co"]) == (56, 56, 64, 32)


@needs_runs
def test_the_typed_runs_are_the_recorded_ones_that_ended() -> None:
    recorded = [run for run in family.rows(DATA) if run.op is not None]
    assert recorded == family.rows(None)


@needs_runs
def test_runs_that_say_nothing_are_listed_with_the_reason() -> None:
    left = {run.name.split()[0]: run.reason for run in family.rows(DATA) if run.op is None}
    assert left["dw"] == "the run of the tool failed"
    assert left["lstm"] == left["gru"] == "the tool does not know the operator and skips it"
    assert left["SparseGEMM"].startswith("of another tool")
    assert list(family.compare(family.Run(name="dw", reason="why"))) == [
        NotRun(name="dw", reason="why")
    ]


@pytest.mark.parametrize("text", ["GEMM 128x128", "GEMM 0x128x128", "conv3x3 N1 C0 8x8 M4 p1", ""])
def test_a_description_that_is_no_operator_is_one_line_with_its_place(
    text: str, tmp_path: Path
) -> None:
    bad = FIRST.replace("GEMM 128x128x128", text)
    assert bad != FIRST
    data = written(tmp_path, FIRST, bad)
    with pytest.raises(ValidationError, match="description must be 'GEMM MxKxN' or") as caught:
        family.rows(data)
    assert str(caught.value).startswith(f"{data / family.FILE}:3: ")
    assert "\n" not in str(caught.value)


def alone(op: Op, **changes: object) -> float:
    """Cycles of an operator on the preset with other values, mapped by our search."""
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    settings = {name.replace("__", "."): value for name, value in changes.items()}
    return simulate(trace, "onnxim-like", residency="none", settings=settings).latency_s * 1e9


def test_skewed_loads_are_what_small_runs_wait_for() -> None:
    """The tool loads an empty array in 255 cycles, which is 127 more than it has rows."""
    for op in (matmul(128, 128, 128, dtype="bf16"), matmul(1, 512, 512, dtype="bf16")):
        more = alone(op) - alone(op, npu__weight_preload="shadow")
        assert 90 < more < 128  # the search may take other tiles


def test_taps_with_folds_of_their_own_are_what_the_convolution_takes() -> None:
    op = convolution(64, 64, 56, 3, padding=1, dtype="bf16")
    merged = alone(op, npu__row_merge=True)
    assert 9 * 56 * 56 < alone(op) < 9 * 56 * 56 + 1000
    assert 5 * 56 * 56 < merged < 5 * 56 * 56 + 1500


def test_the_ports_of_the_network_set_the_pace_of_the_memory() -> None:
    parts = load_hardware("onnxim-like").components
    bus, dram = parts["bus"], parts["dram"]
    ports = 16 * 32 * 1e9
    assert getattr(bus, "bandwidth", 0) == ports
    assert getattr(dram, "bandwidth", 0) * getattr(dram, "efficiency", 0) > ports


def test_a_tile_of_the_tool_leaves_no_part_of_the_reduction() -> None:
    for run in family.rows(None):
        assert run.op is not None
        tile = family.tool_tile(run.op)
        _, _, reduction, _ = run.op.gemm
        inner = run.op.loops.classes(len(run.op.inputs))[2]
        assert math.prod(tile[run.op.loops.dims[dim]] for dim in inner) == reduction


def test_comparisons_have_a_name_and_two_quantities() -> None:
    found = [(one.name, one.quantity) for one in outcomes(None) if isinstance(one, Case)]
    assert len(set(found)) == len(found) == 2 * len(family.rows(None))
    assert {quantity for _, quantity in found} == {"cycles", OWN}
