"""The family ``vela``: every operator and network of an Ethos-U55 or U65 beside Arm's estimates."""

from __future__ import annotations

import statistics
from functools import cache
from pathlib import Path

import pytest
from codesign_plugins import validate_vela as family
from codesign_plugins.ethos_u import planner
from codesign_plugins.validate_vela.networks import NETWORKS, RECORD, trace_of
from codesign_plugins.validate_vela.runs import FILES, Run
from codesign_plugins.validate_vela.typed import OPERATORS, SUMMARY

from codesign.errors import ValidationError
from codesign.mapping.kept import forget_all
from codesign.testing.validations import check_validation
from codesign.validation import Case, NotRun
from codesign.workload.check import check_trace

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_runs = pytest.mark.skipif(
    not all((DATA / file).exists() for file in FILES), reason="the recorded runs are not here"
)


@cache
def outcomes(data: Path | None) -> tuple[tuple[Run, Case | NotRun], ...]:
    return tuple((run, one) for run in family.rows(data) for one in family.compare(run))


def cases(data: Path | None, quantity: str, accelerator: str = "") -> list[Case]:
    return [
        one
        for run, one in outcomes(data)
        if isinstance(one, Case)
        and one.quantity == quantity
        and run.accelerator.startswith(accelerator)
    ]


def median_error(found: list[Case]) -> float:
    return statistics.median(abs(case.error) for case in found)


def written(folder: Path, operators: str = OPERATORS, summary: str = SUMMARY) -> Path:
    """A data folder with these two tables."""
    for file, text in zip(FILES, (operators, summary), strict=True):
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


# -- the networks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NETWORKS)
def test_every_network_is_a_valid_trace(model: str) -> None:
    check_trace(trace_of(model, ("input", "output")))


@pytest.mark.parametrize(
    ("model", "macs"),
    [
        ("mobilenet_v1_1.0_224_body", 567716352),
        ("ds_cnn_like_49x10x1", 2408000),
        ("conv7x7s2_224x224x3_64", 118013952),
        ("conv3x3_56x56x64_64", 115605504),
        ("conv1x1_56x56x64_256", 51380224),
        ("dw3x3_56x56x128", 3612672),
        ("fc_64x512_512", 16777216),
        ("fc_1x1024_1024", 1048576),
        ("add_56x56x64", 0),
    ],
)
def test_networks_have_the_multiply_accumulates_that_the_tool_counts(model: str, macs: int) -> None:
    assert trace_of(model, ("input", "output")).macs == macs


def test_images_between_operators_are_activations_and_the_outside_is_what_is_asked_for() -> None:
    trace = trace_of("ds_cnn_like_49x10x1", ("state", "output"))
    roles = [tensor.role for tensor in trace.tensors if tensor.role not in ("weight",)]
    assert roles == ["state", *["activation"] * 8, "output"]


def test_a_channel_has_a_record_of_ten_bytes() -> None:
    assert RECORD.storage_bytes(64) == 640


# -- the typed runs -------------------------------------------------------------------------------


def test_the_typed_runs_keep_the_promises_of_a_family() -> None:
    validation = family.codesign_validations()["vela"]
    assert "no silicon" in validation.source
    check_validation(validation)


def test_typed_runs_are_within_a_quarter() -> None:
    found = [one for _, one in outcomes(None) if isinstance(one, Case)]
    close = [case for case in found if abs(case.error) < 0.25]
    assert len(found) == 18
    assert len(close) >= 16


def test_figures_of_the_network_that_a_constant_was_chosen_with_count_as_calibrated() -> None:
    found = [(run.model, one) for run, one in outcomes(None) if isinstance(one, Case)]
    chosen = [one for _, one in found if one.calibrated]
    assert {one.quantity for one in chosen} == {"cycles", "network cycles"}
    assert chosen == [one for model, one in found if model == "ds_cnn_like_49x10x1"]
    assert len(chosen) < len(found)
    assert "ds_cnn_like" in family.codesign_validations()["vela"].note


@needs_runs
def test_the_constant_moves_no_network_but_the_calibrated_one_by_2_percent(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    now = {case.name: case.ours for case in cases(DATA, "network cycles")}
    monkeypatch.setattr(planner, "_AHEAD", 4)
    forget_all()  # plans are kept by what they read of their inputs, and this is none
    request.addfinalizer(forget_all)
    runs = [run for run in family.rows(DATA) if len(run.cycles) > 1 and not run.reason]
    found = [one for run in runs for one in family.compare(run) if isinstance(one, Case)]
    networks = [one for one in found if one.quantity == "network cycles"]
    free, moved = (
        [abs(one.ours / now[one.name] - 1) for one in networks if one.calibrated is chosen]
        for chosen in (False, True)
    )
    assert len(free) == len(moved) == 5
    assert 0 < max(free) < 0.02
    assert max(moved) > 0.1


def test_typed_runs_cover_both_families_and_every_memory_mode() -> None:
    runs = family.rows(None)
    assert {run.accelerator[:3] for run in runs} == {"u55", "u65"}
    assert {run.mode for run in runs} == {"Shared_Sram", "Sram_Only", "Dedicated_Sram"}


@needs_runs
def test_the_typed_runs_are_recorded_ones() -> None:
    recorded = {run.name: run for run in family.rows(DATA)}
    for run in family.rows(None):
        other = recorded[run.name]
        assert (run.cycles, run.off_chip, run.total) == (other.cycles, other.off_chip, other.total)
        assert (run.padding, run.reason) == (other.padding, other.reason)


def test_another_clock_of_the_flash_is_not_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: with weights twice as fast, a bound layer takes half the time."""
    (run,) = [one for one in family.rows(None) if one.model == "fc_1x1024_1024"]
    machine = family.machine
    monkeypatch.setattr(
        family, "machine", lambda one: machine(one).with_("flash.bandwidth", "1 GB/s")
    )
    cycles, *_ = family.compare(run)
    assert isinstance(cycles, Case)
    assert -0.51 < cycles.error < -0.49


# -- all of them ----------------------------------------------------------------------------------


@needs_runs
def test_the_median_operator_is_within_3_percent_on_every_accelerator() -> None:
    for accelerator in ("u55-32", "u55-128", "u55-256", "u65-256"):
        found = cases(DATA, "cycles", accelerator)
        assert len(found) >= 43
        assert median_error(found) < 0.03, accelerator
    assert median_error(cases(DATA, "cycles")) < 0.02


@needs_runs
def test_every_network_is_within_9_percent() -> None:
    found = cases(DATA, "network cycles")
    assert len(found) == 10
    assert [case.name for case in found if abs(case.error) > 0.09] == []


@needs_runs
def test_linear_layers_from_flash_are_exactly_at_the_roofline() -> None:
    found = cases(DATA, "off-chip cycles")
    assert len(found) == 8
    exact = [case.name for case in found if case.error == 0]
    assert [name for name in exact if name.startswith("fc_1x1024")] == [
        f"fc_1x1024_1024 on {where} t3"
        for where in (
            "u55-32 Shared_Sram",
            "u55-128 Shared_Sram",
            "u55-256 Shared_Sram",
            "u65-256 Dedicated_Sram",
        )
    ]
    assert len(exact) == 6
    # where the image is cut the tool reads again what the plan here holds: it never moves more
    assert all(case.error < 0 for case in found if case.name not in exact)


@needs_runs
def test_a_linear_layer_from_flash_takes_a_cycle_for_every_byte_and_its_last_results() -> None:
    found = [c for c in cases(DATA, "cycles", "u55") if c.name.startswith("fc_1x1024")]
    shared = [case for case in found if "Shared_Sram" in case.name]
    assert len(shared) == 3
    for case in shared:
        assert 1024 * 1024 + 10 * 1024 <= case.ours <= 1.002 * (1024 * 1024 + 10 * 1024)


@needs_runs
def test_what_is_not_compared_says_why() -> None:
    left = [(run, one) for run, one in outcomes(DATA) if isinstance(one, NotRun)]
    u85 = [one for run, one in left if run.accelerator.startswith("u85")]
    assert len(u85) == 18
    assert all("U85 has other cells" in one.reason for one in u85)
    fused = [(run, one) for run, one in left if not run.accelerator.startswith("u85")]
    assert fused
    assert all(one.reason.startswith(f"{run.fused} operators") for run, one in fused)


@needs_runs
def test_every_operator_of_the_file_is_compared_or_left_out_with_a_reason() -> None:
    runs = family.rows(DATA)
    assert sum(len(run.cycles) + run.fused for run in runs) == 582
    assert len(runs) == 63


# -- bad tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("add_56x56x64,Ethos", "add_7x7,Ethos", "model must be one of"),
        ("Ethos_U55_256,Sram_Only", "Ethos_U55_256,Flash_Only", "memory_mode must be one of"),
        ("Shared_Sram,150528,0", "Shared_Sram,often,0", "cycles_total must be a finite number"),
        ("Ethos_U55_32", "Ethos_U55_64", "whose operator 't3' has a row of its own"),
    ],
)
def test_a_wrong_network_row_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in SUMMARY
    folder = written(tmp_path, summary=SUMMARY.replace(old, new))
    with pytest.raises(ValidationError, match=message) as caught:
        family.rows(folder)
    assert "vela_summary.csv:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_operator_row_is_named_with_its_place(tmp_path: Path) -> None:
    assert "Add,150528" in OPERATORS
    folder = written(tmp_path, operators=OPERATORS.replace("Add,150528", "Add,-1"))
    with pytest.raises(ValidationError, match=r"vela_per_operator\.csv:2: op_cycles must be"):
        family.rows(folder)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path, operators=OPERATORS.replace("op_cycles", "cycles"))
    with pytest.raises(ValidationError, match="no column 'op_cycles'"):
        family.rows(folder)


def test_an_operator_without_cycles_counts_as_fused(tmp_path: Path) -> None:
    extra = "add_56x56x64,ethos-u55-256,Shared_Sram,t1,Relu,0,0,0\n"
    (run, *_) = family.rows(written(tmp_path, operators=OPERATORS + extra))
    assert run.fused == 1
    assert run.cycles == {"t1": 150528}
