"""The DRAM study: latency, idle share and energy per inference, on three memories."""

from __future__ import annotations

import importlib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from studies import all_of_dram
from studies import dram as measuring

from codesign import Hardware, ScenarioResult
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.replay.run import replay
from codesign.workload.as_run import as_run
from codesign.zoo.transducer import PRESETS

cases: Any = importlib.import_module("dram_study.cases")
figure: Any = importlib.import_module("dram_study.figure")

MEMORIES = [memory.name for memory in cases.MEMORIES]
POLICIES = [policy.name for policy in cases.POLICIES]
CASES = [(m, d, p) for m in cases.MODELS for d in MEMORIES for p in POLICIES]
REFRESHING_S = 280e-9  # tRFC of lpddr5-6400
CHIP_LEAKAGE_W = 8.6e-3 + 26e-6 + 147e-6
"""Array, vector unit and scratchpad of the preset."""


@pytest.fixture(scope="module")
def found() -> Any:
    """What the study shows, measured once."""
    return all_of_dram()


@cache
def token() -> Placement:
    """One token of a prediction network on LPDDR5: a run of some microseconds."""
    trace = as_run(PRESETS["rnnt_8x640"].token(), cases.PRECISION)
    return place(trace, machine("rests"))


@cache
def machine(policy: str) -> Hardware:
    """The preset with one of the policies."""
    (one,) = (one for one in cases.POLICIES if one.name == policy)
    made: Hardware = cases.LPDDR5.machine(one)
    return made


@cache
def every(period_s: float, policy: str) -> ScenarioResult:
    """Two tokens, the second a period after the first, and idle time for another period."""
    result: ScenarioResult = measuring.run_periodic(token(), machine(policy), period_s)
    return result


def ticks(result: ScenarioResult) -> dict[str, int]:
    return dict(result.parts["run"].replay.uses["dram"].ticks)


# --- what duty does ---


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_share_of_the_background_rises_as_the_duty_falls(found: Any, case: Any) -> None:
    points = found[case].points
    assert list(points) == [1.0, 0.1, 0.01]
    shares = [point.background_share for point in points.values()]
    assert all(more > less for less, more in pairwise(shares))
    assert shares[0] > 0.05
    assert shares[-1] < 0.97


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_work_of_an_inference_costs_the_same_at_every_duty(found: Any, case: Any) -> None:
    """But for the odd row: a memory that wakes up shifts transfers against each other."""
    for part, slack in ((measuring.CHIP, 0), (measuring.BYTES, 0), (measuring.ROWS, 1e-4)):
        spent = [point.energy_j[part] for point in found[case].points.values()]
        assert spent[0] > 0
        assert spent == pytest.approx([spent[0]] * 3, rel=max(slack, 1e-12))


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_period_is_the_latency_over_the_duty_and_all_of_it_is_in_a_state(
    found: Any, case: Any
) -> None:
    one = found[case]
    for duty, point in one.points.items():
        assert point.period_s == pytest.approx(one.latency_s / duty, rel=1e-9)
        assert sum(point.states_s.values()) == pytest.approx(point.period_s, rel=1e-9)


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("model", cases.MODELS)
def test_a_memory_that_may_rest_does_so_whenever_no_inference_runs(
    found: Any, model: str, memory: str
) -> None:
    rests, awake = (found[model, memory, policy].points for policy in POLICIES)
    for duty in (0.1, 0.01):
        inside = rests[1.0].resting_share * duty
        assert rests[duty].resting_share == pytest.approx(1 - duty + inside, abs=1e-4)
        assert awake[duty].resting_share == 0.0


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("model", cases.MODELS)
def test_resting_saves_energy_and_costs_less_than_two_microseconds(
    found: Any, model: str, memory: str
) -> None:
    rests, awake = (found[model, memory, policy] for policy in POLICIES)
    assert 0 <= rests.latency_s - awake.latency_s < 2e-6
    saved = [1 - rests.points[d].total_j / awake.points[d].total_j for d in cases.DUTIES]
    assert 0 <= saved[0] < 0.01
    assert saved[1] > 0.15
    assert saved[2] > 0.3


# --- what the memories do ---


@pytest.mark.parametrize("model", cases.MODELS)
def test_a_faster_memory_answers_sooner_and_none_beats_its_buses(found: Any, model: str) -> None:
    slow, fast, wide = (found[model, memory, "rests"] for memory in MEMORIES)
    assert slow.latency_s > fast.latency_s > wide.latency_s
    for one in (slow, fast, wide):
        assert one.moved_bytes >= one.asked_bytes
        assert one.bytes_per_s < one.peak_bytes_per_s
        assert one.asked_bytes / one.latency_s < 32e9  # the bus of the preset
        assert one.activates_per_kib > 1
    peaks = [one.peak_bytes_per_s for one in (slow, fast, wide)]
    assert peaks == pytest.approx([2 * 8.53e9, 2 * 12.8e9, 256e9], rel=2e-3)


def test_the_bus_and_not_the_stack_limits_the_recogniser_with_hbm2(found: Any) -> None:
    wide = found[cases.CHUNK, "HBM2", "rests"]
    assert 0.9 < wide.asked_bytes / wide.latency_s / 32e9 < 1
    assert wide.bytes_per_s / wide.peak_bytes_per_s < 0.3


def test_recurrent_matrices_come_in_runs_of_whole_bursts(found: Any) -> None:
    placement = place(cases.rnnt_chunk(), machine("rests"))
    (plan,) = (
        assignment.plan
        for assignment, _ in placement.assignments()
        if assignment.op.name == "encoder.0.recurrent"
    )
    assert plan is not None
    runs = {
        move.bytes // move.rows
        for tile, _ in plan.counts
        for move in tile.loads
        if move.operand == 1 and move.rows > 1
    }
    assert runs == {32}
    for memory in MEMORIES:
        one = found[cases.CHUNK, memory, "rests"]
        assert one.moved_bytes / one.asked_bytes == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("model", cases.MODELS)
def test_at_equal_duty_lpddr5_takes_least_energy(found: Any, model: str) -> None:
    for policy in POLICIES:
        for duty in cases.DUTIES:
            totals = {name: found[model, name, policy].points[duty].total_j for name in MEMORIES}
            assert min(totals, key=totals.__getitem__) == "LPDDR5"


# --- which memory to choose ---


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("model", cases.MODELS)
def test_lpddr4x_wins_at_long_periods_only_and_hbm2_at_none(
    found: Any, model: str, policy: str
) -> None:
    slow, fast, wide = (found[model, memory, policy] for memory in MEMORIES)
    period = measuring.break_even_s(fast, slow)
    assert period is not None
    assert period == measuring.break_even_s(slow, fast)
    assert fast.energy_at_j(period) == pytest.approx(slow.energy_at_j(period), rel=1e-9)
    assert fast.energy_at_j(0.8 * period) < slow.energy_at_j(0.8 * period)
    assert fast.energy_at_j(1.25 * period) > slow.energy_at_j(1.25 * period)
    assert measuring.break_even_s(fast, wide) is None


def test_the_idle_policy_moves_the_break_even_to_rarer_inferences(found: Any) -> None:
    for model in cases.MODELS:
        rests, awake = (
            measuring.break_even_s(*(found[model, memory, policy] for memory in MEMORIES[:2]))
            for policy in POLICIES
        )
        assert rests > 5 * awake


def test_replays_on_both_sides_of_the_break_even_have_another_winner(found: Any) -> None:
    """The line through two duties holds where no duty was simulated."""
    pair = [found[cases.CHUNK, memory, "rests"] for memory in MEMORIES[:2]]
    period = measuring.break_even_s(*pair)
    trace = cases.rnnt_chunk()
    spent: dict[float, list[float]] = {0.8: [], 1.25: []}
    for one in pair:
        hardware = one.memory.machine(one.policy)
        placement = place(trace, hardware)
        for scale, joules in spent.items():
            session = measuring.run_periodic(placement, hardware, scale * period)
            joules.append(session.energy_j / measuring.RUNS)
            assert joules[-1] == pytest.approx(one.energy_at_j(scale * period), rel=1e-6)
    (slow, fast) = spent[0.8]
    assert slow > fast
    (slow, fast) = spent[1.25]
    assert slow < fast


# --- power times time, by hand ---


def test_self_refresh_is_the_currents_of_the_device_file_times_time(found: Any) -> None:
    """IDD6 of the three rails of lpddr5-6400, on two channels."""
    watts = 2 * (1.8 * 0.8e-3 + 1.05 * 1.3e-3 + 0.5 * 0.1e-3)
    assert watts == pytest.approx(5.71e-3)
    for model in cases.MODELS:
        one = found[model, "LPDDR5", "rests"]
        often, seldom = one.points[0.1], one.points[0.01]
        longer = seldom.period_s - often.period_s
        gained = seldom.energy_j[measuring.BACKGROUND] - often.energy_j[measuring.BACKGROUND]
        assert gained == pytest.approx(watts * longer, rel=1e-9)
        assert one.idle_power_w == pytest.approx(watts + CHIP_LEAKAGE_W, rel=1e-9)


def test_standby_is_idd2n_and_a_refresh_in_every_interval(found: Any) -> None:
    """IDD2N of the rails, and 280 ns at IDD5 instead in every 3.905 us, on two channels."""
    standby = 1.8 * 1.5e-3 + 1.05 * 32.5e-3 + 0.5 * 0.6e-3
    refresh = 1.8 * 10e-3 + 1.05 * 205e-3 + 0.5 * 0.6e-3
    watts = 2 * (standby + (refresh - standby) * REFRESHING_S / 3.905e-6)
    for model in cases.MODELS:
        one = found[model, "LPDDR5", "awake"]
        assert one.idle_power_w == pytest.approx(watts + CHIP_LEAKAGE_W, rel=1e-4)


def test_the_background_of_a_session_is_the_sum_of_its_states_by_hand() -> None:
    """Two tokens a millisecond apart on two channels of lpddr5-6400, every current written out."""
    session = every(1e-3, "rests")
    time = ticks(session)
    first, second = session.played.of("run")
    assert sum(time.values()) == 2 * 10**9  # 2 ms, in ps
    assert time["self_refresh"] == (10**9 - first.end) + (2 * 10**9 - second.end) - 2 * 10**8
    refreshing_w = 1.8 * 10e-3 + 1.05 * 205e-3 + 0.5 * 0.6e-3
    state_w = {
        "active": 1.8 * 2.8e-3 + 1.05 * 40e-3 + 0.5 * 0.6e-3,
        "precharged": 1.8 * 1.5e-3 + 1.05 * 32.5e-3 + 0.5 * 0.6e-3,
        "power_down": 1.8 * 0.9e-3 + 1.05 * 3.9e-3 + 0.5 * 0.6e-3,
        "self_refresh": 1.8 * 0.8e-3 + 1.05 * 1.3e-3 + 0.5 * 0.1e-3,
    }
    expected = 0.0
    for state, watts in state_w.items():
        refreshed = 0.0 if state == "self_refresh" else 280 / 3905  # of the time, at IDD5
        mean_w = watts + (refreshing_w - watts) * refreshed
        expected += 2 * mean_w * time[state] * 1e-12
    assert session.static_energy_by_component_j["dram"] == pytest.approx(expected, rel=1e-9)
    assert 2e-12 * state_w["self_refresh"] * time["self_refresh"] > 0.2 * expected


# --- laws of sessions ---


def test_the_parts_of_a_point_are_the_energy_of_the_session() -> None:
    session = every(1e-3, "rests")
    point = measuring.read_point(0.1, session.parts["run"], session.span_s, measuring.RUNS)
    assert measuring.RUNS * point.total_j == pytest.approx(session.energy_j, rel=1e-12)
    assert list(point.energy_j) == list(measuring.PARTS)
    assert all(point.energy_j.values())


def test_back_to_back_runs_take_what_a_run_alone_takes() -> None:
    for policy in POLICIES:
        alone = replay(token(), machine(policy))
        session = every(alone.makespan / 1e12, policy)
        runs = session.played.of("run")
        assert [run.end - run.asked for run in runs] == 2 * [alone.makespan]
        for state, time in alone.uses["dram"].ticks.items():
            assert abs(ticks(session)[state] - 2 * time) <= 1  # shares are rounded once


def test_the_second_run_waits_until_the_memory_is_awake() -> None:
    """tXS of lpddr5-6400 is 287.5 ns; without the policy nothing is waited for."""
    for policy, wait in (("rests", 287_500), ("awake", 0)):
        first, second = every(1e-3, policy).played.of("run")
        assert (second.end - second.asked) - (first.end - first.asked) == wait


def test_a_model_is_placed_the_same_with_either_policy() -> None:
    rests, awake = (place(token().trace, machine(policy)) for policy in POLICIES)
    assert rests == awake


@pytest.mark.parametrize("policy", POLICIES)
def test_the_share_of_the_background_in_the_energy_of_a_dram_rises_with_any_idle_time(
    policy: str,
) -> None:
    """A theorem there: only the background grows. In the total it is none, for the chip leaks."""
    sessions = [every(period_s, policy) for period_s in (7e-5, 1.6e-4, 2e-4, 1e-3, 1.0)]
    background = [one.static_energy_by_component_j["dram"] for one in sessions]
    dram = [one.energy_by_component_j["dram"] for one in sessions]
    shares = [part / whole for part, whole in zip(background, dram, strict=True)]
    assert all(more > less for less, more in pairwise(shares))
    assert shares[0] < 0.2
    assert shares[-1] > 0.98
    moved = [whole - part for part, whole in zip(background, dram, strict=True)]
    assert moved == pytest.approx([moved[0]] * len(moved), rel=1e-3)


def test_the_figure_is_drawn_from_every_case(found: Any, tmp_path: Path) -> None:
    path = figure.draw(found, tmp_path / "duty.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    without = {case: one for case, one in found.items() if case != CASES[-1]}
    with pytest.raises(KeyError, match=CASES[-1][1]):
        figure.draw(without, tmp_path / "less.png")
