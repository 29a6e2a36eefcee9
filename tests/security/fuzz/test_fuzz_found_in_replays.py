"""What hostile inputs have broken behind the readers: replays without end, and their results."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import fuzz_seeds as seeds
import pytest
from fuzz_campaign import campaign
from fuzz_doors import DOORS, run_command
from hostile_tree import written
from strategies import Sketch, machine

from codesign import CodesignError, load_trace, simulate, simulate_scenario
from codesign.errors import ScenarioError, TraceError
from codesign.workload import file as trace_file
from codesign.workload.dtype import DType


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a trace and a machine in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.json").write_text(json.dumps(seeds.trace_documents(tmp_path)[0]))
    (tmp_path / "m.yaml").write_text(written(seeds.MACHINE, is_yaml=True))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("scenario, simulated", (278, 330)), ("limits, simulated", (0, 4, 72))],
)
def test_inputs_that_failed_once_are_read_or_refused(name: str, numbers: tuple[int, ...]) -> None:
    door = next(door for door in DOORS if door.name == name)
    assert not campaign(door, numbers).failures


def crowd(**changes: object) -> Path:
    path = Path("crowd.yaml")
    stream = {"model": "t.json", "arrival": {"kind": "periodic", "period": "100 us"}}
    path.write_text(
        written({"name": "s", "duration": "2 ms", "streams": {"a": stream | changes}}, is_yaml=True)
    )
    return path


def test_a_scenario_that_asks_for_a_million_runs_is_refused_before_it_is_replayed() -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(ScenarioError, match=r"crowd.yaml:1: a: s asks for 200,000 runs, at least"):
        simulate_scenario(
            crowd(beam=10_000),
            "m.yaml",
            most_events=100_000,
            watch=lambda *both: told.append(both),
        )
    assert not told
    assert simulate_scenario(crowd(beam=2), "m.yaml", most_events=100_000).span_s > 0


@pytest.mark.parametrize("command", [["simulate", "t.json"], ["scenario", "crowd.yaml"]])
def test_the_command_line_sets_how_many_events_a_replay_may_handle(command: list[str]) -> None:
    crowd()
    words = [*command, "--hardware", "m.yaml", "--json"]
    with pytest.raises(CodesignError, match=r"raise most_events \(--most-events\)"):
        run_command([*words, "--most-events", "20"])
    assert run_command([*words, "--most-events", "100000"]) == run_command(words)


def test_the_command_why_has_the_same_bound() -> None:
    words = ["why", "t.json", "--hardware", "m.yaml", "--json"]
    with pytest.raises(CodesignError, match="given up after 20 events"):
        run_command([*words, "--most-events", "20"])
    assert run_command([*words, "--most-events", "100000"]) == run_command(words)


def test_a_small_trace_takes_no_room_for_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import resource, codesign.workload.file\n"
        "from pathlib import Path\n"
        "import codesign; codesign.load_trace('t.json')\n"
        "pages = int(Path('/proc/self/statm').read_text().split()[0])\n"
        "most = pages * resource.getpagesize() + 2**25\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "print(len(codesign.load_trace('t.json').digest))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("64\n", "")
    monkeypatch.setattr(trace_file, "MAX_BYTES", len(Path("t.json").read_bytes()))
    assert load_trace("t.json").macs
    monkeypatch.setattr(trace_file, "MAX_BYTES", len(Path("t.json").read_bytes()) - 1)
    with pytest.raises(TraceError, match="must be at most"):
        load_trace("t.json")


def test_a_run_of_a_century_is_simulated_and_not_saved() -> None:
    sketch = Sketch("t", DType.parse("int8"))
    sketch.recurrent("r", sketch.input("x", 10**9, 8), 8)
    slow = machine().with_("dram.size", 10**12).with_("npu0.clock", "1 Hz")
    found = simulate(sketch.trace(), slow)
    assert found.latency_s > 2**63 / 10**12
    with pytest.raises(CodesignError, match=r"a run of .* s cannot be saved: columns of picosec"):
        found.save("out")
    assert not Path("out").exists()
