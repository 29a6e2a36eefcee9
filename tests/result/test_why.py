"""Why a run took as long as it did: parts that sum to the makespan, segments without a gap."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from paths import check_path
from strategies import Sketch, machine, machines, traces

import codesign
from codesign import simulate
from codesign.errors import CodesignError
from codesign.hardware.spec import Hardware
from codesign.result.result import Result
from codesign.result.why import COLUMNS, Segment, find_why
from codesign.workload.record import Trace


@settings(max_examples=30)
@given(traces(), machines())
def test_random_runs_are_explained_to_the_tick(trace: Trace, hardware: Hardware) -> None:
    result = simulate(trace, hardware)
    why = result.why()
    check_path(why, result)
    assert find_why(result.placement, result.machine, exact_events=True).parts == why.parts


@pytest.mark.parametrize("steps", [3, 16, 40])
@pytest.mark.parametrize("repeats", [2, 3, 30])
def test_loops_in_loops_are_explained_as_every_event_is(steps: int, repeats: int) -> None:
    sketch = Sketch("loops")
    sketch.recurrent("rnn", sketch.input("x", steps, 8), 8, repeats=repeats)
    for hardware in (machine(), machine(size=300), machine(rows=2, clock=1e7)):
        result = simulate(sketch.trace(), hardware)
        why = result.why()
        check_path(why, result)
        assert find_why(result.placement, result.machine, exact_events=True).parts == why.parts


@settings(max_examples=15)
@given(traces(), machines())
def test_segments_hold_what_the_parts_hold(trace: Trace, hardware: Hardware) -> None:
    why = simulate(trace, hardware).why()
    spent: dict[tuple[str, ...], int] = {}
    for one in why.segments:
        label = (one.cause, one.component, one.op, one.role)
        spent[label] = spent.get(label, 0) + one.end - one.start
    for part in why.parts:
        found = spent.get((part.cause, part.component, part.op, part.role), 0)
        # what is rounded is rounded once for all parts, and for each stretch of the segments
        assert abs(found - part.ticks) <= len(why.segments)


def small() -> Result:
    sketch = Sketch("small")
    x = sketch.recurrent("rnn", sketch.input("x", 6, 32), 32)
    sketch.softmax("soft", sketch.matmul("head", x, 24))
    return simulate(sketch.trace(), machine(bandwidth=1e9))


def test_the_document_has_the_promised_shape() -> None:
    why = small().why()
    found = json.loads(json.dumps(why.as_json()))
    assert set(found) == {"makespan_ps", "parts", "segments"}
    assert found["makespan_ps"] == sum(row["ps"] for row in found["parts"])
    for row in found["parts"]:
        assert set(row) == {"cause", "component", "op", "role", "ps"}
    names = {"start_ps", "end_ps", "cause", "component", "op", "role"}
    for row in found["segments"]:
        assert names <= set(row) <= names | {"times", "stretch"}
        assert row.get("times", 2) > 1
        assert "times" in row or "stretch" not in row


def test_segments_of_one_folded_stretch_say_so() -> None:
    sketch = Sketch("steps")
    sketch.recurrent("rnn", sketch.input("x", 1_000, 32), 32)
    result = simulate(sketch.trace(), machine(bandwidth=1e9))
    why = result.why()
    folded: dict[int, list[Segment]] = {}
    for one in why.segments:
        if one.stretch is not None:
            folded.setdefault(one.stretch, []).append(one)
    assert folded, "a thousand steps are a loop that is folded"
    for parts in folded.values():
        assert len(parts) > 1
        assert len({one.times for one in parts}) == 1
        assert all(a.end == b.start for a, b in itertools.pairwise(parts)), "nothing in between"


def test_groups_come_longest_first() -> None:
    why = small().why()
    for column in COLUMNS:
        ticks = list(why.by(column).values())
        assert ticks == sorted(ticks, reverse=True)


def test_another_column_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(KeyError, match="group by cause, component, op, role, got 'kind'"):
        small().why().by("kind")  # type: ignore[arg-type]  # that is the point


def test_asking_why_changes_no_result() -> None:
    result = small()
    before = result.digest
    result.why()
    assert simulate(result.placement.trace, result.machine).replay == result.replay
    assert Result.digest.func(result) == before  # type: ignore[attr-defined]  # computed anew


def test_a_path_that_is_not_that_of_the_result_is_refused(tmp_path: Path) -> None:
    """A plugin that answers differently when asked again would be explained with another run."""
    result = small()
    other = replace(result, replay=replace(result.replay, makespan=result.replay.makespan + 1))
    for asked in (other.why, lambda: other.save(tmp_path)):
        with pytest.raises(CodesignError, match="report it") as caught:
            asked()
        assert "\n" not in str(caught.value)
        assert str(result.replay.makespan) in str(caught.value)


def test_progress_is_told() -> None:
    result, heard = small(), list[tuple[int, int]]()
    result.why(lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == heard[-1][1] > 0


def test_the_number_of_segments_is_bounded() -> None:
    def widths() -> Iterator[int]:
        for number in range(400):
            yield 8 + number % 61

    sketch = Sketch("long")
    x = sketch.input("x", 4, 8)
    for number, width in enumerate(widths()):
        x = sketch.matmul(f"op{number}", x, width)
    result = simulate(sketch.trace(), machine(bandwidth=1e9))
    why = result.why()
    check_path(why, result)
    assert len(why.by("op")) == 400
    assert len(why.segments) < 5_000


def test_a_region_of_a_million_steps_costs_the_events_of_a_few_dozen() -> None:
    found = {}
    for steps in (1_000, 1_000_000):
        sketch = Sketch("steps")
        sketch.recurrent("rnn", sketch.input("x", steps, 32), 32)
        result = simulate(sketch.trace(), machine(bandwidth=1e9))
        found[steps] = result.why()
        check_path(found[steps], result)
    assert found[1_000_000].events < found[1_000].events + 200
    assert len(found[1_000_000].segments) < 2_000
    assert codesign.Result is Result
