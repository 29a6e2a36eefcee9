"""Mistakes that show only when a stream is looked at name its file and line too."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_case import stream
from strategies import Sketch

from codesign import save_trace
from codesign.errors import ScenarioError
from codesign.scenario.arrival import Periodic
from codesign.scenario.file import load_scenario
from codesign.scenario.simulate import simulate_scenario
from codesign.scenario.spec import Scenario, Stream

CASE = """\
name: places
duration: 1 ms
streams:
  first: {model: small.json, arrival: {kind: periodic, period: 100 us}}
  second:
    model: small.json
    arrival: {kind: rate, rate: 10000, within: first}
"""


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario file beside the trace that it names; both are in the current folder."""
    monkeypatch.chdir(tmp_path)
    sketch = Sketch("small")
    sketch.recurrent("cell", sketch.input("x", 8, 16), 16)
    save_trace(sketch.trace(), tmp_path / "small.json")
    Path("case.yaml").write_text(CASE)
    return Path("case.yaml")


def trace() -> Stream:
    sketch = Sketch("small")
    sketch.recurrent("cell", sketch.input("x", 8, 16), 16)
    return Stream("a", sketch.trace(), Periodic(1e-4), options={"steps": 8})


MODEL = "    model: small.json\n"
CHANGES = {
    "pin": (MODEL, f"{MODEL}    residency: {{policy: pinned, pins: [nothing.*]}}\n", "nothing.*"),
    "chunk": (MODEL, f"{MODEL}    schedule: layer-major:99\n", "99"),
    "limit": (
        MODEL,
        f"{MODEL}    residency: {{policy: greedy, limits: {{sram: 5 TiB}}}}\n",
        "limits['sram'] must be at most the 1,048,576 B of sram, got 5,497,558,138,880 B",
    ),
    "model": (MODEL, "    model: smal.json\n", "smal.json"),
    "never": ("rate: 10000", "rate: 10", "second (10 /s, evenly, within first) is never run in"),
    "apart": ("100 us}", "300 us}", "is within no run of 'first'"),
    "many": ("rate: 10000", "rate: 5e9", "would be released 5,000,000 times, more than 1,000,000"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_mistake_of_a_stream_names_its_line(case: Path, change: str) -> None:
    old, new, words = CHANGES[change]
    assert CASE.count(old) == 1
    case.write_text(CASE.replace(old, new))
    with pytest.raises(ScenarioError) as told:
        simulate_scenario(case, "edge-npu")
    assert str(told.value).startswith("case.yaml:5: second")
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_too_many_runs_of_an_arrival_name_its_stream(case: Path) -> None:
    case.write_text(CASE.replace("100 us}", "1 ns, first: 0 s}"))
    with pytest.raises(ScenarioError, match=r"^case.yaml:4: first: .* 1,000,001 times"):
        simulate_scenario(case, "edge-npu")


def test_too_many_runs_in_all_name_the_line_of_the_last_stream(case: Path) -> None:
    case.write_text(CASE.replace("100 us}", "1 ns}"))
    with pytest.raises(ScenarioError, match=r"^case.yaml:5: second: with .* more than 1,000,000"):
        simulate_scenario(case, "edge-npu")


def test_a_stream_of_a_script_has_its_name_alone() -> None:
    with pytest.raises(ScenarioError, match=r"^a: steps can be set for a model given by name only"):
        simulate_scenario(Scenario("s", (trace(),), 1e-3), "edge-npu")


def test_where_a_stream_was_read_is_no_part_of_what_it_is(case: Path) -> None:
    first = load_scenario(case).streams[0]
    same = Stream("first", "small.json", first.arrival)
    assert (first.origin, same.origin) == ("case.yaml:4", "")
    assert (first.label, same.label) == ("case.yaml:4: first", "first")
    assert first == same
    assert hash(first) == hash(same)
    assert repr(first) == repr(same)
    assert stream("a", Periodic(1e-4)) != same
