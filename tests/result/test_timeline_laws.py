"""Laws of any timeline: sound, complete, in the order of the replay."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Sketch, machines, traces
from test_timeline import events_of, integral, points, ps, recurrent

from codesign import load_hardware, simulate
from codesign.hardware.spec import Hardware
from codesign.replay.run import Session
from codesign.result.timeline import Part, chrome_trace
from codesign.result.timeline.events import length, microseconds
from codesign.result.timeline.runs import issued_runs
from codesign.testing import check_timeline
from codesign.workload.record import Trace


@settings(max_examples=40, deadline=None, derandomize=True)
@given(traces(), machines(), st.sampled_from(["region", "none", "greedy"]))
def test_any_timeline_is_sound(trace: Trace, hardware: Hardware, residency: Any) -> None:
    result = simulate(trace, hardware, residency=residency)
    document = json.loads(json.dumps(result.timeline(), allow_nan=False))
    check_timeline(document)
    slices, spans = events_of(document, "X"), result.replay.spans
    assert sorted((e["name"], e["args"]["first_transfer_ps"]) for e in slices) == sorted(
        (span.assignment.op.name, span.start) for span in spans
    )
    assert max(ps(e["ts"]) + ps(e["dur"]) for e in slices) == result.replay.makespan
    for event in slices:
        assert (ps(event["ts"]), ps(event["dur"])) == (
            event["args"]["start_ps"],
            event["args"]["dur_ps"],
        )
    power = integral(points(document["traceEvents"], "dynamic power"))
    assert power == pytest.approx(result.energy_split.dynamic_j, rel=1e-9)
    spent = math.fsum(event["args"]["energy_j"] for event in slices)
    assert spent == pytest.approx(result.energy_split.dynamic_j, rel=1e-9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces(), machines())
def test_counters_carry_what_the_ledger_charged(trace: Trace, hardware: Hardware) -> None:
    result = simulate(trace, hardware)
    events = result.timeline()["traceEvents"]
    ledger = result.ledger
    rows = list(
        zip(
            ledger.component.tolist(),
            ledger.action.tolist(),
            ledger.role.tolist(),
            ledger.count.tolist(),
            strict=True,
        )
    )
    for part in (*hardware.memories, *hardware.links):
        moved = sum(
            count
            for name, action, _, count in rows
            if name == part.name and action in ("read", "write", "move")
        )
        found = integral(points(events, f"{part.name} bandwidth"))
        assert found == pytest.approx(moved, rel=1e-9), part.name


@pytest.mark.parametrize("residency", ["region", "greedy"])
def test_residents_never_take_more_than_their_memory(residency: Any) -> None:
    hardware = load_hardware("edge-npu")
    sketch = Sketch("fits")
    x = sketch.recurrent("rnn", sketch.input("x", 20, 80), 128)
    for number in range(4):
        x = sketch.matmul(f"layer{number}", x, 128)
    result = simulate(sketch.trace(), hardware, residency=residency)
    events = result.timeline()["traceEvents"]
    sizes = {memory.name: memory.size for memory in hardware.memories if not memory.off_chip}
    seen = {name: max(v for _, v in points(events, f"{name} residents")) for name in sizes}
    assert all(0 <= seen[name] <= size for name, size in sizes.items())
    assert any(seen.values())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(traces(), machines(), st.integers(1, 3))
def test_a_program_is_walked_in_the_order_of_its_replay(
    trace: Trace, hardware: Hardware, times: int
) -> None:
    placement = simulate(trace, hardware, residency="greedy").placement
    session = Session(hardware, {"main": placement})
    for _ in range(times):
        session.invoke("main")
    played = session.run()["main"]
    issued = list(issued_runs(placement, len(played.spans)))
    assert [one.op for one in issued] == [span.assignment.op.name for span in played.spans]
    assert [one.number for one in issued] == list(range(len(issued)))
    assert all(source < one.number for one in issued for source, _ in one.sources)
    assert max(one.invocation for one in issued) == times - 1
    chrome = chrome_trace([Part("main", placement, played)], hardware)
    check_timeline(chrome)
    drawn = len(events_of(chrome, "s"))
    assert drawn + chrome["otherData"]["arrows_left_out"] == sum(len(one.sources) for one in issued)
    if all(event["args"]["dur_ps"] for event in events_of(chrome, "X")):
        assert chrome["otherData"]["arrows_left_out"] == 0  # only an empty slice has no room


# -- times ---------------------------------------------------------------------------------------


@given(st.integers(0, 2**51), st.integers(0, 10**9))
def test_a_slice_never_reaches_beyond_its_end(start: int, ticks: int) -> None:
    end = start + ticks
    assert microseconds(start) + length(start, end) <= microseconds(end)


@given(st.integers(0, 2**51), st.integers(0, 10**9))
def test_microseconds_give_the_picoseconds_back(start: int, ticks: int) -> None:
    assert ps(microseconds(start)) == start
    assert abs(length(start, start + ticks) * 1e6 - ticks) < 0.5


# -- files ---------------------------------------------------------------------------------------


def test_an_exported_timeline_is_the_document(tmp_path: Path) -> None:
    result = recurrent(3)
    result.export(tmp_path / "line.json", "perfetto")
    assert json.loads((tmp_path / "line.json").read_text()) == result.timeline()
    assert [path.name for path in tmp_path.iterdir()] == ["line.json"]
