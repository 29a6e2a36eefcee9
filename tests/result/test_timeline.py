"""Timelines: slices, arrows, residents, counters and starts say what the replay did."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
from strategies import Sketch, assignment, machine, output, uniform

from codesign import simulate
from codesign.errors import CodesignError
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Placement
from codesign.replay.run import Session, replay
from codesign.result.ledger import build_ledger
from codesign.result.result import Result
from codesign.result.timeline import LIMIT, Part, chrome_trace
from codesign.testing import check_timeline
from codesign.workload.record import Trace

Event = dict[str, Any]


ONE = assignment("one", uniform(1, 160, 100, 320))


TWO = assignment("two", uniform(1, 160, 50, 0), reads=output(ONE))


def placed(*steps: Assignment) -> Placement:
    tensors = {a.tensor.name: a.tensor for step in steps for a in step.op.operands}
    trace = Trace("planned", tuple(step.op for step in steps), tuple(tensors.values()))
    return Placement(trace, steps, "dram")


def drawn(hardware: Hardware, *steps: Assignment) -> list[Event]:
    placement = placed(*steps)
    document = chrome_trace([Part("", placement, replay(placement, hardware))], hardware)
    check_timeline(document)
    events: list[Event] = document["traceEvents"]
    return events


def recurrent(steps: int, repeats: int = 0) -> Result:
    sketch = Sketch("loop")
    out = sketch.recurrent("rnn", sketch.input("x", steps, 16), 16, repeats)
    sketch.softmax("soft", sketch.matmul("head", out, 8))
    return simulate(sketch.trace(), machine())


def events_of(document: dict[str, Any], phase: str) -> list[Event]:
    return [event for event in document["traceEvents"] if event["ph"] == phase]


def points(events: Sequence[Event], name: str) -> list[tuple[int, float]]:
    """Ticks and values of a counter."""
    found = [event for event in events if event["ph"] == "C" and event["name"] == name]
    assert found, name
    return [(ps(event["ts"]), *event["args"].values()) for event in found]


def ps(microseconds: float) -> int:
    return round(microseconds * 1_000_000)


def integral(samples: Sequence[tuple[int, float]]) -> float:
    """Of a counter over seconds; it must end with nothing flowing."""
    assert samples[-1][1] == 0
    pieces = itertools.pairwise(samples)
    return math.fsum(value * (end - start) * 1e-12 for (start, value), (end, _) in pieces)


# -- two operators by hand -----------------------------------------------------------------------

# 16 B/ns: "one" loads 160 B in 10 ns, computes 100 ns and stores 320 B in 20 ns; meanwhile, from
# 10 ns on, the weights of "two" are loaded, which computes for 50 ns once "one" has ended


@pytest.fixture(scope="module")
def by_hand() -> list[Event]:
    return drawn(machine(), ONE, TWO)


def test_slices_by_hand(by_hand: list[Event]) -> None:
    one, two = (event for event in by_hand if event["ph"] == "X")
    assert (one["name"], one["ts"], one["dur"]) == ("one", 0.0, 0.13)
    assert (two["name"], two["ts"], two["dur"]) == ("two", 0.13, 0.05)
    assert (two["args"]["start_ps"], two["args"]["dur_ps"]) == (130_000, 50_000)
    assert two["args"]["first_transfer_ps"] == 10_000
    assert one["args"]["bytes"] == {"weight": 160, "activation": 320}
    assert (one["args"]["engine"], one["args"]["tiles"], one["args"]["run"]) == ("npu0", 1, 0)


def test_the_arrow_by_hand(by_hand: list[Event]) -> None:
    begin, end = (event for event in by_hand if event["ph"] in "sf")
    assert (begin["ph"], begin["name"], ps(begin["ts"])) == ("s", "one.out", 129_000)
    assert (end["ph"], end["bp"], ps(end["ts"])) == ("f", "e", 130_000)
    assert begin["id"] == end["id"]


def test_bandwidth_by_hand(by_hand: list[Event]) -> None:
    one, two = 480 / 130e-9, 160 / 170e-9
    expected = [(0, one), (10_000, one + two), (130_000, two), (180_000, 0.0)]
    for name in ("dram", "sram0", "bus0"):
        found = points(by_hand, f"{name} bandwidth")
        assert [tick for tick, _ in found] == [tick for tick, _ in expected]
        assert [rate for _, rate in found] == pytest.approx([rate for _, rate in expected])


def test_power_by_hand(by_hand: list[Event]) -> None:
    spent = {e["name"]: e["args"]["energy_j"] for e in by_hand if e["ph"] == "X"}
    placement = placed(ONE, TWO)
    ledger = build_ledger(placement, machine(), replay(placement, machine()))
    assert spent == pytest.approx(ledger.energy_by("op"))
    both = spent["one"] / 130e-9 + spent["two"] / 170e-9
    assert dict(points(by_hand, "dynamic power"))[10_000] == pytest.approx(both)
    assert integral(points(by_hand, "dynamic power")) == pytest.approx(sum(spent.values()))


def test_the_start_by_hand(by_hand: list[Event]) -> None:
    (start,) = (event for event in by_hand if event["ph"] == "i")
    assert (start["name"], start["ts"]) == ("run 0", 0.0)
    assert start["args"] == {"asked_ps": 0, "start_ps": 0, "end_ps": 180_000}


def test_groups_and_tracks_have_names(by_hand: list[Event]) -> None:
    groups = {e["pid"]: e["args"]["name"] for e in by_hand if e["name"] == "process_name"}
    assert list(groups.values()) == ["machine", "memories", "links", "residency", "power", "runs"]
    tracks = [e["args"]["name"] for e in by_hand if e["name"] == "thread_name"]
    assert tracks == ["npu0", "vector", "sram0", "planned"]


def test_operators_that_share_nothing_have_no_arrow() -> None:
    events = drawn(machine(), ONE, assignment("apart", uniform(1, 160, 50, 0)))
    assert not [event for event in events if event["ph"] in "sf"]


def test_two_runs_have_two_starts_and_keep_their_arrows_apart() -> None:
    placement, hardware = placed(ONE, TWO), machine()
    session = Session(hardware, {"twice": placement})
    for _ in range(2):
        session.invoke("twice")
    part = Part("twice", placement, session.run()["twice"])
    document = chrome_trace([part], hardware)
    check_timeline(document)
    assert [event["name"] for event in events_of(document, "i")] == ["run 0", "run 1"]
    slices = events_of(document, "X")
    assert [event["args"]["run"] for event in slices] == [0, 0, 1, 1]
    assert {event["args"]["stream"] for event in slices} == {"twice"}
    assert len(events_of(document, "s")) == 2


# -- a loop --------------------------------------------------------------------------------------


def test_a_state_comes_from_the_step_before() -> None:
    document = recurrent(4).timeline()
    cells = [e for e in events_of(document, "X") if e["name"] == "rnn.cell"]
    arrows = [e for e in document["traceEvents"] if e["ph"] in "sf" and e["name"] == "rnn.h"]
    leaves = [e["ts"] for e in arrows if e["ph"] == "s"]
    arrives = [e["ts"] for e in arrows if e["ph"] == "f"]
    assert len(leaves) == len(arrives) == 3  # the first step reads what was there before
    for cell, following, out, into in zip(cells, cells[1:], leaves, arrives, strict=False):
        assert cell["ts"] <= out <= cell["ts"] + cell["dur"]
        assert into == following["ts"]


def test_a_loop_in_a_loop_starts_anew() -> None:
    document = recurrent(3, repeats=2).timeline()
    arrows = [e for e in events_of(document, "s") if e["name"] == "rnn.h"]
    assert len(arrows) == 2 * 2
    check_timeline(document)


def test_what_stays_over_a_region_is_one_slice_over_all_steps() -> None:
    result = recurrent(5)
    document = result.timeline()
    stays = events_of(document, "b")
    assert {e["name"].removeprefix("sram0: ") for e in stays} == {
        stay.tensor.name for stay in result.placement.stays
    }
    assert len(stays) == len(result.placement.stays)
    runs = [e for e in events_of(document, "X") if e["name"].startswith("rnn.")]
    last = max(e["args"]["start_ps"] + e["args"]["dur_ps"] for e in runs)
    assert {e["args"]["end_ps"] for e in stays} == {last}
    held = sum(stay.bytes for stay in result.placement.stays)
    assert max(points(document["traceEvents"], "sram0 residents"))[1] == 0
    assert {value for _, value in points(document["traceEvents"], "sram0 residents")} == {held, 0}


def test_what_stays_from_one_operator_to_another_comes_and_goes_with_them() -> None:
    sketch = Sketch("chain")
    x = sketch.matmul("first", sketch.input("x", 4, 32), 32)
    sketch.softmax("soft", sketch.matmul("last", sketch.matmul("middle", x, 32), 8))
    result = simulate(sketch.trace(), machine(), residency="greedy")
    document = result.timeline()
    at = {event["name"]: event["args"] for event in events_of(document, "X")}
    found = {e["name"]: e["args"] for e in events_of(document, "b")}
    assert result.placement.stays
    for stay in result.placement.stays:
        args, last = found[f"{stay.memory}: {stay.tensor.name}"], at[stay.last]
        assert args["bytes"] == stay.bytes
        assert args["start_ps"] == at[stay.first]["first_transfer_ps"]
        assert args["end_ps"] == last["start_ps"] + last["dur_ps"]


def test_every_on_chip_memory_has_a_counter_of_residents() -> None:
    hardware = machine(buffers=2)
    events = drawn(hardware, ONE)
    for name in ("sram0", "sram1"):
        assert points(events, f"{name} residents") == [(0, 0)]
    assert not [e for e in events if e["name"] == "dram residents"]


# -- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 40])
def test_what_is_over_the_limit_is_counted_and_its_energy_stays(limit: int) -> None:
    result = recurrent(30)
    document = result.timeline(limit)
    check_timeline(document)
    told = document["otherData"]
    runs = len(result.replay.spans)
    assert len(events_of(document, "X")) == told["runs_drawn"] == limit
    assert (told["runs"], told["runs_folded"], told["limit"]) == (runs, runs - limit, limit)
    ends = [span.end for span in sorted(result.replay.spans, key=lambda span: span.end)]
    assert told["drawn_until_ps"] == ends[limit - 1]
    assert events_of(document, "i")[-1]["name"].startswith(f"from here on {runs - limit} more")
    power = points(document["traceEvents"], "dynamic power")
    assert power[-1][0] == result.replay.makespan
    assert integral(power) == pytest.approx(result.energy_split.dynamic_j, rel=1e-9)


def test_a_long_loop_is_not_unrolled_beyond_the_limit() -> None:
    result = recurrent(100_000)
    document = result.timeline(1_000)
    check_timeline(document)
    assert document["otherData"]["runs"] > 300_000
    assert len(events_of(document, "X")) == 1_000
    assert "spans" not in vars(result.replay)


def test_the_default_limit_is_as_documented() -> None:
    assert LIMIT == recurrent(2).timeline()["otherData"]["limit"] == 100_000


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(CodesignError, match=f"at least 1 slice, got {limit}; give for example"):
        recurrent(2).timeline(limit)
