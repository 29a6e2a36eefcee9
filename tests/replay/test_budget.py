"""The budget of a replay: it ends what nobody waits for, and changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from strategies import Sketch, machine

from codesign import Periodic, Scenario, Stream, simulate, simulate_scenario
from codesign.errors import CodesignError, ScenarioError
from codesign.mapping.place import place
from codesign.replay import memo, recurrence
from codesign.replay.run import record, replay
from codesign.workload.record import Trace


def layers(number: int) -> Trace:
    sketch = Sketch("t")
    x = sketch.input("x", 4, 8)
    for layer in range(number):
        x = sketch.matmul(f"mm{layer}", x, 8)
    return sketch.trace()


def scenario(streams: int = 1, beam: int = 1) -> Scenario:
    made = tuple(Stream(f"s{n}", layers(2), Periodic(1e-4), beam=beam) for n in range(streams))
    return Scenario("many", made, 1e-3)


def test_a_replay_of_more_events_than_it_may_handle_says_how_far_it_got() -> None:
    with pytest.raises(CodesignError, match=r"given up after 25 events at .* with 1 of 9 runs of"):
        simulate(layers(9), machine(), most_events=25)


def test_the_way_out_of_the_budget_is_to_raise_it() -> None:
    with pytest.raises(CodesignError, match=r"or raise most_events \(--most-events\)$"):
        simulate(layers(9), machine(), most_events=25)
    told = simulate(layers(9), machine(), most_events=1_000)
    assert told.digest == simulate(layers(9), machine()).digest


def test_operators_that_are_repeated_from_memory_count_too() -> None:
    placed = place(layers(200), machine())
    events = replay(placed, machine()).events
    assert events < 200
    with pytest.raises(CodesignError, match="given up"):
        replay(placed, machine(), most_events=1_999)
    assert replay(placed, machine(), most_events=2_000 + events).events == events


def test_a_budget_that_suffices_for_what_recurs_does_not_for_every_event() -> None:
    sketch = Sketch("t")
    sketch.recurrent("r", sketch.input("x", 100_000, 8), 8)
    trace = sketch.trace()
    short = simulate(trace, machine(), most_events=20_000)
    with pytest.raises(CodesignError, match="given up after 20,000 events"):
        simulate(trace, machine(), most_events=20_000, exact_events=True)
    assert short.latency_s > 0


def test_the_recording_of_a_replay_has_the_same_budget() -> None:
    placed = place(layers(9), machine())
    with pytest.raises(CodesignError, match="given up after 25 events"):
        record(placed, machine(), most_events=25)


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "many", None, "x" * 500])
def test_a_budget_is_a_whole_number(most: object) -> None:
    with pytest.raises(CodesignError, match="most_events must be a whole number >= 1, got") as told:
        simulate(layers(1), machine(), most_events=most)  # type: ignore[arg-type]
    assert len(str(told.value)) < 200
    with pytest.raises(CodesignError, match="most_events must be"):
        simulate_scenario(scenario(), machine(), most_events=most)  # type: ignore[arg-type]


def test_a_scenario_of_more_runs_than_its_budget_is_refused_before_it_is_replayed() -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(
        ScenarioError, match="s0: many asks for 10 runs, at least 200 events, and its replay may"
    ):
        simulate_scenario(
            scenario(), machine(), most_events=199, watch=lambda *both: told.append(both)
        )
    assert not told


@pytest.mark.parametrize(("streams", "beam"), [(2, 1), (1, 2)])
def test_streams_and_beams_count_towards_the_budget(streams: int, beam: int) -> None:
    with pytest.raises(ScenarioError, match="asks for 20 runs, at least 400 events"):
        simulate_scenario(scenario(streams, beam), machine(), most_events=399)


def test_a_scenario_that_may_fit_is_replayed_and_given_up_on_its_way() -> None:
    with pytest.raises(CodesignError, match=r"given up after 201 events at .* of 20 runs of"):
        simulate_scenario(scenario(), machine(), most_events=201)
    enough = simulate_scenario(scenario(), machine(), most_events=1_000)
    assert enough.digest == simulate_scenario(scenario(), machine()).digest


def test_forgetting_the_oldest_states_and_edges_changes_no_figure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sketch = Sketch("t")
    x = sketch.recurrent("r", sketch.input("x", 500, 8), 24, 3)
    sketch.matmul("mm", x, 8)
    placed = place(sketch.trace(), machine())
    want = replay(placed, machine())
    monkeypatch.setattr(recurrence, "MOST_STATES", 1)
    monkeypatch.setattr(memo, "MOST_EDGES", 1)
    found = replay(placed, machine())
    assert (found.makespan, found.busy, found.moved) == (want.makespan, want.busy, want.moved)
    assert found.log.totals() == want.log.totals()
    assert found.events > want.events


def test_no_more_states_are_kept_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrence, "MOST_STATES", 3)
    seen = recurrence.Recurrence(1_000)
    moments = [recurrence.Moment(now, ((90 - now,),), (), (), {}) for now in range(9)]
    for state in range(4):
        assert seen.leap(state, moments[state], None) is None
    assert seen.leap(0, moments[4], None) is None  # the oldest is forgotten
    leap = seen.leap(3, moments[5], None)
    assert leap is not None
    assert leap.before is moments[3]
