"""The families ``dram-kernel`` and ``dram-window``: typed runs, broken files, and no compiler."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from codesign_plugins import validate_dram as family

from codesign.errors import CodesignError
from codesign.memory.compiled import has_compiler
from codesign.memory.reference import reference_cases, reference_devices
from codesign.validation import Case, NotRun, find_validations, validate

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_runs = pytest.mark.skipif(
    not (DATA / family.FILES[0]).exists(), reason="the recorded runs are not here"
)
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="50,000 requests need numba")
HEAD = "config,stream,requests,tx_bytes,load,clocks,tck_ns,read_latency_ns,activates"
RUN = "d,seq_rd,10,64,0,100,0.5,20,7"


def outcomes(name: str) -> list[Case | NotRun]:
    """What the typed runs give in a family."""
    validation = find_validations()[name].value
    return [one for run in validation.rows(None) for one in validation.compare(run)]


@needs_compiler
def test_typed_runs_end_at_the_same_clock_with_the_same_energy() -> None:
    cases = [one for one in outcomes("dram-kernel") if isinstance(one, Case)]
    assert len(cases) == 4 * len(family.TYPED)
    for case in cases:
        # the recorded latency is rounded to 10 ps
        assert abs(case.error) < (2e-4 if case.quantity == "read latency" else 1e-12), case
    assert {(case.quantity, case.unit) for case in cases} == {
        ("bandwidth", "B/s"),
        ("read latency", "s"),
        ("activates", ""),
        ("energy", "J"),
    }


@needs_compiler
def test_a_window_is_compared_where_the_memory_always_has_work() -> None:
    found = outcomes("dram-window")
    cases = [one for one in found if isinstance(one, Case)]
    left = [one for one in found if isinstance(one, NotRun)]
    assert {case.quantity for case in cases} == {"bandwidth", "activates"}
    assert all("saturating" in case.name and abs(case.error) < 0.01 for case in cases)
    assert [one.name for one in left] == [
        f"dramsim3 ddr4_1rank {stream} 15000 load 0.5"
        for stream in ("seq_rd", "two_1k", "random_rd")
    ]


def test_without_a_compiler_long_runs_are_listed_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(family, "has_compiler", lambda: False)
    runs = [run for run in family.rows(None) if run.recorded.requests > 20_000]
    assert len(runs) == 2
    for run in runs:
        (found,) = family.compare(run, lambda recorded, device: {"bandwidth": 1.0})
        reason = "too long for plain Python; pip install 'codesign[kernel]'"
        assert found == NotRun(name=run.name, reason=reason)
    short = next(run for run in family.rows(None) if run.recorded.requests <= 20_000)
    assert list(family.compare(short, lambda recorded, device: {"bandwidth": 1.0}))


@needs_runs
def test_the_typed_runs_and_their_device_are_recorded_ones() -> None:
    folder = DATA / "dram"
    theirs = reference_devices(folder)["dramsim3", "ddr4_1rank"]
    ((name, rail),) = theirs.rails
    assert replace(theirs, rails=family.DDR4.rails) == family.DDR4
    # milliamperes of the file become amperes with a rounding
    assert asdict(dict(family.DDR4.rails)[name]) == pytest.approx(asdict(rail), rel=1e-12)
    recorded = {run.name: run.recorded for run in family.rows(DATA)}
    for run in family.rows(None):
        values = dict(recorded[run.name].values)
        assert dict(run.recorded.values) == pytest.approx(values, rel=1e-12)


@needs_runs
def test_every_recorded_run_is_a_row_with_a_name_of_its_own() -> None:
    rows = family.rows(DATA)
    assert len({run.name for run in rows}) == len(list(reference_cases(DATA / "dram"))) == 189


def written(folder: Path, devices: Any = None, run: str = RUN) -> Path:
    """A data folder with one device of each tool and one run on each."""
    (folder / "dram").mkdir()
    tables = {"dramsim3": {}, "ramulator2.1": {}} if devices is None else devices
    (folder / "dram" / "device_params.json").write_text(
        tables if isinstance(tables, str) else json.dumps(tables)
    )
    for name in ("dramsim3.csv", "ramulator21.csv"):
        (folder / "dram" / name).write_text(f"{HEAD}\n{run}\n" if run else "")
    return folder


DEVICES = "device_params.json does not describe the devices of dramsim3 and ramulator2.1: "
BROKEN: dict[str, tuple[Any, str, str]] = {
    "no JSON": ("{", RUN, f"{DEVICES}JSONDecodeError: Expecting property name"),
    "a list": ([], RUN, f"{DEVICES}TypeError: list indices must be integers"),
    "a tool is missing": ({"dramsim3": {}}, RUN, f"{DEVICES}KeyError: 'ramulator2.1'"),
    "a device without values": (
        {"dramsim3": {"d": {}}, "ramulator2.1": {}},
        RUN,
        f"{DEVICES}KeyError: 'dram_structure'",
    ),
    "a run on another device": (None, RUN, "dramsim3.csv: no device 'd' in device_params.json;"),
    "a word for a number": (
        None,
        RUN.replace("100", "many"),
        "dramsim3.csv:2 is no recorded run: ValueError: could not convert string to float: 'many'",
    ),
    "a short row": (None, "d,seq_rd", "dramsim3.csv:2 is no recorded run: TypeError: "),
    "no time": (None, RUN.replace(",100,", ",0,"), "dramsim3.csv:2 is no recorded run: ZeroDivis"),
    "no run": (None, "", "dramsim3.csv has no recorded run; replace it"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_one_line(fault: str, tmp_path: Path) -> None:
    devices, run, message = BROKEN[fault]
    data = written(tmp_path, devices, run)
    with pytest.raises(CodesignError) as caught:
        validate(data, ("dram-kernel",))
    assert message in str(caught.value)
    assert "plugin" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", family.FILES)
def test_a_file_that_is_no_text_is_one_line(file: str, tmp_path: Path) -> None:
    data = written(tmp_path)
    (data / file).write_bytes(b"config,\xff\xfe\n")
    if not file.endswith(".json"):
        (data / "dram" / "dramsim3.csv").write_bytes(b"config,\xff\xfe\n")
    with pytest.raises(CodesignError) as caught:
        validate(data, ("dram-window",))
    assert "is no text in UTF-8; replace it" in str(caught.value)


def test_a_cell_that_is_too_long_is_one_line(tmp_path: Path) -> None:
    data = written(tmp_path, run=RUN.replace("seq_rd", "s" * 200_000))
    with pytest.raises(
        CodesignError, match=r"dramsim3.csv:\d is no recorded run: Error: field lar"
    ):
        validate(data, ("dram-window",))


@pytest.mark.parametrize("missing", family.FILES)
def test_a_file_that_is_missing_is_listed_and_typed_runs_take_its_place(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family, "has_compiler", lambda: False)
    monkeypatch.setattr(family, "LONGEST_INTERPRETED", 0)
    data = written(tmp_path)
    (data / missing).unlink()
    (found,) = validate(data, ("dram-kernel",))
    assert found.not_run[0] == NotRun(name=missing, reason="not in the data folder")
    assert len(found.not_run) == 1 + len(family.TYPED)
