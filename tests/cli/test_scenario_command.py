"""``codesign scenario``: a report for people, or one JSON document."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from conftest import Codesign
from strategies import Sketch

from codesign import save_trace
from codesign.cli.app import app
from codesign.scenario.simulate import simulate_scenario

HARDWARE = ("--hardware", "edge-npu")
CASE = """\
name: doorbell
duration: 100 ms
silence: 300 ms
utterances: 2
outputs: [words]
streams:
  listen: {model: small.json, arrival: {kind: periodic, period: 10 ms}}
  words: {model: small.json, arrival: {kind: after, streams: [listen]}, beam: 2}
  camera: {model: small.json, arrival: {kind: rate, rate: 30 /s, seed: 1}, background: true}
"""


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario file beside the trace that it names; both are in the current folder."""
    monkeypatch.chdir(tmp_path)
    sketch = Sketch("small")
    sketch.softmax("soft", sketch.matmul("head", sketch.input("x", 64, 256), 256))
    save_trace(sketch.trace(), tmp_path / "small.json")
    (tmp_path / "doorbell.yaml").write_text(CASE)
    return tmp_path / "doorbell.yaml"


def test_json_is_the_summary_of_the_result_and_nothing_else(codesign: Codesign, case: Path) -> None:
    ran = codesign("scenario", case, *HARDWARE, "--json")
    assert (ran.code, ran.err) == (0, "")
    expected = simulate_scenario(case, "edge-npu").summary()
    assert json.loads(ran.out) == json.loads(json.dumps(expected))
    assert {s["runs"] for s in expected["streams"].values()} >= {20, 40}


def test_the_report_names_what_a_reader_looks_for(codesign: Codesign, case: Path) -> None:
    ran = codesign("scenario", case, *HARDWARE)
    assert (ran.code, ran.err) == (0, "")
    for words in (
        "doorbell on edge-npu",
        "real-time factor",
        "perceived latency",
        "average power",
        "25.0 % of them with input",
        "No overload: no component is offered 1 s of work per second of input",
        "from the release of the source to the end of all runs",
        "after listen, beam 2",
        "30 /s, Poisson, seed 1",
        "waiting",
        "response",
        "utilisation",
    ):
        assert words in ran.out
    for stream in ("listen", "words", "camera"):
        assert f"\n{stream} " in ran.out
    for line in simulate_scenario(case, "edge-npu").assumptions:
        assert line[:60] in ran.out


def test_runs_that_start_nothing_are_in_the_report(codesign: Codesign, case: Path) -> None:
    pair = "{kind: after, streams: [listen, camera]}"
    text = CASE.replace("{kind: after, streams: [listen]}", pair)
    case.write_text(text.replace(", seed: 1}, background: true", "}"))
    words = " ".join(codesign("scenario", case, *HARDWARE).out.split())
    assert "Note: 14 of 20 runs of listen start no words: it pairs the k-th runs of listen" in words
    assert "run k after several streams waits for run k of each" in words


def test_an_overload_is_in_the_report(codesign: Codesign, case: Path) -> None:
    case.write_text(CASE.replace("10 ms", "10 us").replace("100 ms", "1 ms"))
    out = codesign("scenario", case, *HARDWARE).out
    assert "OVERLOAD: listen is overloaded: a run is asked for every 1e-05 s and ends" in out
    assert "No overload" not in out


def test_utterances_without_an_output_are_counted(codesign: Codesign, case: Path) -> None:
    text = CASE.replace("utterances: 2", "utterances: 9").replace("100 ms", "10 ms")
    text = text.replace("{kind: after, streams: [listen]}", "{kind: rate, rate: 60 /s, seed: 1}")
    case.write_text(text.replace("period: 10 ms", "period: 5 ms"))
    out = codesign("scenario", case, *HARDWARE).out
    summary = json.loads(codesign("scenario", case, *HARDWARE, "--json").out)
    missing = summary["utterances_without_output"]
    assert 0 < missing < 9
    assert f"in {9 - missing} utterances: p50" in out
    assert f"; no output in {missing} of 9" in " ".join(out.split())


def test_exact_events_give_the_same_figures_with_more_effort(
    codesign: Codesign, case: Path
) -> None:
    words = ("scenario", case, *HARDWARE, "--json")
    fast, slow = (json.loads(codesign(*words, *more).out) for more in ((), ("--exact-events",)))
    assert slow["fabric_events"] > fast["fabric_events"]
    assert {**slow, "fabric_events": 0} == {**fast, "fabric_events": 0}


def test_commands_that_share_an_option_declare_it_alike() -> None:
    both = [
        {option.name: option for option in typer.main.get_command(app).commands[name].params}  # type: ignore[attr-defined]
        for name in ("simulate", "scenario")
    ]
    shared = both[0].keys() & both[1].keys()
    assert {"hardware", "settings", "plugins", "exact_events", "json"} <= shared
    for name in shared - {"out"}:
        first, second = (options[name] for options in both)
        assert (first.opts, first.help, first.metavar) == (second.opts, second.help, second.metavar)


def test_a_scenario_without_outputs_says_what_is_missing(codesign: Codesign, case: Path) -> None:
    case.write_text(CASE.replace("outputs: [words]\n", "").replace("utterances: 2\n", ""))
    out = codesign("scenario", case, *HARDWARE).out
    (line,) = [line for line in out.splitlines() if line.startswith("perceived latency")]
    words = "of the streams that the scenario names as outputs; it names none"
    assert re.split(r"\s{2,}", line) == ["perceived latency", "-", words]
    summary = json.loads(codesign("scenario", case, *HARDWARE, "--json").out)
    assert summary["perceived_latency"] is None


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_no_line_of_the_report_is_wider_than_the_terminal(
    codesign: Codesign, case: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    for name, value in (("COLUMNS", str(columns)), ("FORCE_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)  # what makes a terminal of that width
    lines = codesign("scenario", case, *HARDWARE).out.splitlines()
    assert max(map(len, lines)) <= columns


def test_set_changes_the_hardware(codesign: Codesign, case: Path) -> None:
    words = ("scenario", case, *HARDWARE, "--json")
    slow = json.loads(codesign(*words, "--set", "dram.bandwidth=1 GB/s").out)
    fast = json.loads(codesign(*words).out)
    assert slow["real_time_factor"] > fast["real_time_factor"]


def test_out_leaves_the_files_of_a_result(codesign: Codesign, case: Path) -> None:
    ran = codesign("scenario", case, *HARDWARE, "--json", "--out", "run")
    names = sorted(path.name for path in Path("run").iterdir())
    assert names == [
        "hardware.json",
        "ledger.parquet",
        "runs.parquet",
        "summary.json",
        "timeline.json",
    ]
    assert json.loads(Path("run/summary.json").read_text()) == json.loads(ran.out)


MISTAKES = {
    "no file": ("", "", "doorbell.yam: no such file"),
    "pin": (
        "words: {model: small.json",
        "words: {residency: {policy: pinned, pins: [hed.*]}, model: small.json",
        "doorbell.yaml:8: words: ",
    ),
    "unknown key": ("silence", "silense", ":3: unknown key 'silense' of a scenario; did you mean"),
    "negative period": ("period: 10 ms", "period: -10 ms", ":7: period must be > 0, got -0.01 s"),
    "zero rate": ("rate: 30 /s", "rate: 0 /s", ":9: rate must be > 0, got 0 /s"),
    "no producers": ("streams: [listen]", "streams: [lisen]", "did you mean 'listen'?"),
    "endless": ("duration: 100 ms", "duration: 1e300", ":2: duration must be at most 1,000,000 s"),
    "endless schedule": (
        "listen: {model: small.json",
        f"listen: {{schedule: 'layer-major:{'9' * 5000}', model: small.json",
        ":7: schedule of listen: schedule must be time-major or layer-major:STEPS",
    ),
    "never": ("period: 10 ms", "period: 10 s", "listen (every 10 s) is never run in 0.1 s"),
    "unknown model": (
        "listen: {model: small.json",
        "listen: {model: smal",
        "listen: unknown model",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(
    codesign: Codesign, case: Path, mistake: str
) -> None:
    old, new, hint = MISTAKES[mistake]
    case.write_text(CASE.replace(old, new, 1) if old else CASE)
    ran = codesign("scenario", case if old else "doorbell.yam", *HARDWARE)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert hint in ran.err


def test_a_folder_is_told_to_be_one(codesign: Codesign, tmp_path: Path) -> None:
    ran = codesign("scenario", tmp_path, *HARDWARE)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: {tmp_path}: is a folder; give the path of a scenario file\n"


def test_trace_files_need_no_torch(case: Path) -> None:
    code = (
        "import sys\n"
        "from codesign.scenario.simulate import simulate_scenario\n"
        "simulate_scenario(sys.argv[1], 'edge-npu')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(case)]).returncode == 0


def test_a_result_that_cannot_be_written_is_told_before_any_work(
    codesign: Codesign, case: Path
) -> None:
    Path("file").write_text("")
    ran = codesign("scenario", case, *HARDWARE, "--out", "file")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot write a result to" in ran.err


def test_streams_are_annotated_each_on_its_own(codesign: Codesign, case: Path) -> None:
    decoder = {"bus.decode_rate": {"bitmap": 1e9}, "bus.decode_energy": {"bitmap": 1e-13}}
    said = 'period: 10 ms}, annotations: {"*": {sparsity: "0.5", codec: bitmap}}}'
    case.write_text(CASE.replace("period: 10 ms}}", said))
    found = simulate_scenario(case, "edge-npu", settings=decoder)
    stored = {
        name: [t.stored is not None for t in part.placement.trace.tensors if t.role == "weight"]
        for name, part in found.parts.items()
    }
    assert stored == {"listen": [True], "words": [False], "camera": [False]}
    part = found.parts["listen"]
    busy = found.utilization["bus.decoder"] * found.span_s
    assert busy == pytest.approx(part.offchip_bytes["weight"] / (1e9 * 5 / 8))
    values = [word for key, value in decoder.items() for word in ("--set", f"{key}={value}")]
    ran = codesign("scenario", case, *HARDWARE, *values)
    assert (ran.code, ran.err) == (0, "")
    assert "bus.decoder" in ran.out


def test_an_annotation_that_matches_nothing_names_the_stream(
    codesign: Codesign, case: Path
) -> None:
    case.write_text(CASE.replace("beam: 2}", "beam: 2, annotations: {tail: {weight_bits: 4}}}"))
    ran = codesign("scenario", case, *HARDWARE)
    assert ran.code == 2
    assert "words" in ran.err
    assert "'tail' matches no operator" in ran.err
