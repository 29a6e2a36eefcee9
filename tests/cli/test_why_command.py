"""``codesign why`` and ``codesign compare``: tables for people, or one JSON document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import Codesign

import codesign as library

HARDWARE = ("--hardware", "edge-npu")


def test_json_is_the_critical_path_of_the_result(codesign: Codesign, sample: Path) -> None:
    ran = codesign("why", sample, *HARDWARE, "--no-what-if", "--json")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    result = library.simulate(str(sample), "edge-npu")
    path = json.loads(json.dumps(result.why().as_json()))
    assert found == path | {
        "model": result.model, "hardware": result.hardware, "digest": result.digest
    }  # fmt: skip


def test_the_report_names_causes_components_operands_and_operators(
    codesign: Codesign, sample: Path
) -> None:
    ran = codesign("why", sample, *HARDWARE, "--no-what-if")
    assert (ran.code, ran.err) == (0, "")
    for word in ("v1-sample on edge-npu", "set-up", "bus", "weight", "cell", "of run"):
        assert word in ran.out
    assert "What if" not in ran.out


def test_changes_are_ranked_by_what_the_replay_gains(codesign: Codesign, sample: Path) -> None:
    ran = codesign("why", sample, *HARDWARE)
    gains = [float(gain) for gain in re.findall(r": +([\d.]+)x ", ran.out)]
    assert gains == sorted(gains, reverse=True)
    assert re.search(r"dram\.bandwidth x2: +1\.\d\dx +\(predicted 1\.\d\dx\)", ran.out)
    assert re.search(r"sram\.size x2: +1\.00x +estimate", ran.out)


def test_changes_are_in_the_document(codesign: Codesign, sample: Path) -> None:
    rows = json.loads(codesign("why", sample, *HARDWARE, "--json").out)["what_if"]
    assert {row["kind"] for row in rows} >= {"bandwidth", "clock", "size", "launch", "set-up"}
    for row in rows:
        assert row["replayed_speedup"] > 0
        assert (row["predicted_speedup"] is None) <= row["estimate"]


def test_options_are_those_of_simulate(codesign: Codesign, sample: Path) -> None:
    def options(command: str) -> set[str]:
        return set(re.findall(r"--[a-z-]+", codesign(command, "--help").out))

    assert options("simulate") - options("why") == {"--out", "--export"}


def test_the_bound_on_events_is_that_of_changes_too(
    codesign: Codesign, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []

    def ask(*_: object, most_events: int, **__: object) -> tuple[()]:
        heard.append(most_events)
        return ()

    monkeypatch.setattr("codesign.explore.what_if.what_if", ask)
    assert codesign("why", sample, *HARDWARE, "--most-events", "12345").code == 0
    assert heard == [12345]


def test_settings_and_exact_events_count(codesign: Codesign, sample: Path) -> None:
    words = ("why", sample, *HARDWARE, "--no-what-if", "--json")
    plain, exact = (json.loads(codesign(*words, *more).out) for more in ((), ("--exact-events",)))
    assert plain["parts"] == exact["parts"]
    faster = json.loads(codesign(*words, "--set", "dram.bandwidth=100 GB/s").out)
    assert faster["makespan_ps"] < plain["makespan_ps"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("why", "nothing", *HARDWARE), "nothing"),
        (("why", "lstm_lm", "--hardware", "nowhere"), "nowhere"),
        (("why", "lstm_lm", *HARDWARE, "--set", "dram=1"), "COMPONENT.FIELD=VALUE"),
        (("compare", "nowhere", "neither"), "no folder 'nowhere'"),
    ],
)
def test_mistakes_are_one_line(codesign: Codesign, words: tuple[str, ...], told: str) -> None:
    ran = codesign(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert told in ran.err


@pytest.fixture
def saved(codesign: Codesign, sample: Path, tmp_path: Path) -> tuple[Path, Path]:
    for preset in ("edge-npu", "server-npu"):
        codesign("simulate", sample, "--hardware", preset, "--out", tmp_path / preset)
    return tmp_path / "edge-npu", tmp_path / "server-npu"


def test_compare_tells_latency_energy_and_bytes(
    codesign: Codesign, saved: tuple[Path, Path]
) -> None:
    ran = codesign("compare", *saved)
    assert ran.code == 0
    assert ran.err.startswith("note: these are results of the same model in another form")
    for title in (
        "Latency by cause",
        "Latency by op",
        "Energy by component",
        "Energy by action",
        "Off-chip bytes by role",
        "B - A",
    ):
        assert title in ran.out


def test_compare_as_a_document_sums_up(codesign: Codesign, saved: tuple[Path, Path]) -> None:
    found = json.loads(codesign("compare", *saved, "--json").out)
    for rows in found["path_ps"].values():
        assert sum(row["change"] for row in rows) == found["latency_ps"]["change"]


def test_compare_refuses_another_folder(
    codesign: Codesign, saved: tuple[Path, Path], tmp_path: Path
) -> None:
    ran = codesign("compare", saved[0], tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "is not the folder of a result" in ran.err
