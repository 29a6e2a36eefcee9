"""The result of a scenario: real time, latency, power and traffic, each from first principles."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace

import pytest
from scenario_case import scenario, stream, work
from strategies import KIB, Sketch, machine

from codesign import simulate
from codesign.errors import CodesignError, ScenarioError
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.result import ScenarioResult
from codesign.scenario.simulate import replay_scenario, simulate_scenario
from codesign.scenario.spec import Scenario, Stream
from codesign.workload.record import Trace

CHUNK = Periodic(100e-6)
SPARSE = 41
"""A seed for which three windows of 1 ms get 1, 0 and 1 of 1,000 releases a second."""


def of_work(
    case: Scenario, cycles: int | dict[str, int], hardware: Hardware | None = None
) -> ScenarioResult:
    """A scenario whose streams only compute so many cycles (nanoseconds) on one array."""
    each = dict.fromkeys(case.by_name, cycles) if isinstance(cycles, int) else cycles
    placements: dict[str, Placement] = {name: work(count) for name, count in each.items()}
    return replay_scenario(case, hardware or machine(), placements)


def layers(width: int, name: str = "layers") -> Trace:
    sketch = Sketch(name)
    sketch.recurrent("cell", sketch.pointwise("relu", sketch.input("x", 4, width)), width)
    return sketch.trace()


def edge(**values: float) -> Hardware:
    return machine(bandwidth=1e9, memory_rate=8e9, size=16 * KIB, **values)  # type: ignore[arg-type]


# -- time ------------------------------------------------------------------------------------------


def test_the_real_time_factor_is_the_time_with_unfinished_work_per_second_of_input() -> None:
    result = of_work(scenario(stream("a", CHUNK)), 30_000)
    assert result.real_time_factor == pytest.approx(0.3)
    assert result.streams["a"].real_time_factor == pytest.approx(0.3)


def test_overlapping_streams_count_once_and_the_background_does_not() -> None:
    a, b = stream("a", CHUNK), stream("b", CHUNK)
    two = machine(systolics=2)
    placements = {"a": work(40_000), "b": work(30_000, engine="npu1")}
    assert replay_scenario(scenario(a, b), two, placements).real_time_factor == pytest.approx(0.4)
    behind = scenario(a, replace(b, background=True))
    assert replay_scenario(behind, two, placements).real_time_factor == pytest.approx(0.4)
    assert of_work(scenario(a, b), {"a": 40_000, "b": 30_000}).real_time_factor == pytest.approx(
        0.7
    )


def test_the_background_delays_the_utterance() -> None:
    alone = of_work(scenario(stream("a", CHUNK), outputs=("a",)), 30_000)
    camera = stream("camera", CHUNK, background=True)
    busy = of_work(scenario(camera, stream("a", CHUNK), outputs=("a",)), 30_000)
    assert alone.perceived_latency
    assert busy.perceived_latency
    assert alone.perceived_latency.mean_s == pytest.approx(30e-6)
    assert busy.perceived_latency.mean_s == pytest.approx(60e-6)


def test_perceived_latency_is_from_the_end_of_input_to_the_last_output() -> None:
    case = scenario(
        stream("encoder", CHUNK),
        stream("tokens", Rate(4_000, within="encoder")),
        stream("joiner", After(("tokens",))),
        outputs=("joiner", "encoder"),
        silence_s=0.5e-3,
        utterances=3,
    )
    result = of_work(case, {"encoder": 20_000, "tokens": 7_000, "joiner": 5_000})
    assert result.perceived_latency is not None
    assert result.perceived_latency.max_s == pytest.approx(32e-6, rel=1e-12)
    assert result.perceived_latency.p50_s == result.perceived_latency.max_s


def test_an_output_that_ends_before_the_input_keeps_nobody_waiting() -> None:
    case = scenario(stream("a", Periodic(0.7e-3)), outputs=("a",))
    result = of_work(case, 10_000)
    assert result.perceived_latency is not None
    assert result.perceived_latency.max_s == 0
    assert of_work(replace(case, outputs=()), 10_000).perceived_latency is None


def test_an_utterance_without_an_output_has_no_latency() -> None:
    """It is no utterance with a latency of 0."""
    tokens = Rate(1000, seed=SPARSE)
    case = scenario(stream("a", tokens), outputs=("a",), silence_s=1e-3, utterances=3)
    result = of_work(case, 600_000)
    assert [len(runs) for runs in result.played.runs["a"]] == [1, 0, 1]
    ends = [
        runs[0].end - (2 * n + 1) * 10**9 for n, runs in enumerate(result.played.runs["a"]) if runs
    ]
    expected = [max(0, end) / 1e12 for end in ends]
    assert result.utterances_without_output == 1
    assert result.perceived_latency is not None
    assert result.perceived_latency.mean_s == pytest.approx(sum(expected) / 2)
    assert result.perceived_latency.mean_s > 0


def test_outputs_that_are_never_named_are_no_missing_ones() -> None:
    assert of_work(scenario(stream("a", CHUNK)), 1_000).utterances_without_output == 0


def test_runs_that_miss_their_period_are_late() -> None:
    assert of_work(scenario(stream("a", CHUNK)), 100_000).streams["a"].late == 0
    assert of_work(scenario(stream("a", CHUNK)), 100_001).streams["a"].late == 10
    after = of_work(scenario(stream("a", CHUNK), stream("b", After(("a",)))), 1_000)
    assert after.streams["b"].late is None


def test_the_figures_of_a_stream_are_those_of_its_runs() -> None:
    figures = of_work(scenario(stream("a", CHUNK, beam=3)), 10_000).streams["a"]
    assert (figures.runs, figures.beam, figures.peak_backlog) == (30, 3, 3)
    assert figures.waiting.mean_s == pytest.approx(10e-6)
    assert figures.service.max_s == pytest.approx(10e-6)
    assert figures.response.max_s == pytest.approx(30e-6)
    assert figures.left == 3  # the last are asked for when the input ends


# -- energy and bytes ------------------------------------------------------------------------------


def two_models(**values: object) -> Scenario:
    streams = (
        Stream("encoder", layers(16, "encoder"), Periodic(200e-6)),
        Stream("joiner", layers(8, "joiner"), After(("encoder",), times=2), beam=2),
    )
    return Scenario("two", streams, 1e-3, **values)  # type: ignore[arg-type]


def test_a_stream_costs_as_much_as_so_many_single_runs() -> None:
    case, hardware = two_models(), edge(leakage=0.01)
    result = simulate_scenario(case, hardware)
    assert {name: figures.runs for name, figures in result.streams.items()} == {
        "encoder": 5,
        "joiner": 20,
    }
    for name, figures in result.streams.items():
        model = case.by_name[name].model
        assert isinstance(model, Trace)
        alone = simulate(model, edge())
        assert figures.offchip_bytes == {
            role: size * figures.runs for role, size in alone.offchip_bytes.items()
        }
        assert figures.energy_j == pytest.approx(alone.energy_j * figures.runs, rel=1e-12)
        total = sum(figures.offchip_bytes.values())
        assert figures.offchip_bytes_per_s == pytest.approx(total / 1e-3)
        assert figures.trace_digest == alone.trace_digest


def test_leakage_is_counted_once_over_everything() -> None:
    hardware = edge(leakage=0.25)
    for silence in (0.0, 9e-3):
        result = simulate_scenario(two_models(silence_s=silence), hardware)
        assert result.span_s == pytest.approx(1e-3 + silence, rel=0.3)
        assert result.static_energy_j == pytest.approx(0.25 * result.span_s)
        assert result.static_energy_by_component_j["npu0"] == result.static_energy_j


def test_the_span_ends_with_the_silence_or_with_the_last_run() -> None:
    short = of_work(scenario(stream("a", CHUNK), silence_s=1e-3), 30_000)
    assert short.span_s == pytest.approx(2e-3, rel=1e-12)
    long = of_work(scenario(stream("a", CHUNK)), 30_000)
    assert long.span_s == pytest.approx(1.03e-3, rel=1e-12)


def test_energy_is_the_sum_of_its_parts() -> None:
    result = simulate_scenario(two_models(silence_s=1e-3), edge(leakage=0.01))
    assert math.isclose(
        math.fsum(result.energy_by_component_j.values()), result.energy_j, rel_tol=1e-12
    )
    streams = math.fsum(figures.energy_j for figures in result.streams.values())
    assert result.energy_j == pytest.approx(streams + result.static_energy_j, rel=1e-12)
    assert result.average_power_w == pytest.approx(result.energy_j / result.span_s)


def test_silence_takes_leakage_and_nothing_else() -> None:
    hardware = edge(leakage=0.01)
    busy = simulate_scenario(two_models(), hardware)
    rest = simulate_scenario(two_models(silence_s=9e-3), hardware)
    added = 0.01 * (rest.span_s - busy.span_s)
    assert rest.energy_j - busy.energy_j == pytest.approx(added, rel=1e-9)
    assert rest.average_power_w < busy.average_power_w


@pytest.mark.parametrize("silence", [1e-3, 4e-3, 99e-3])
def test_the_power_at_a_duty_is_that_of_so_much_silence(silence: float) -> None:
    hardware = edge(leakage=0.01)
    camera = Stream("camera", layers(8), Periodic(250e-6, first_s=1e-4), background=True)
    case = two_models(silence_s=silence, utterances=2)
    case = replace(case, streams=(*case.streams, camera))
    rest = simulate_scenario(case, hardware)
    dense = simulate_scenario(replace(case, silence_s=0), hardware)
    duty = 1e-3 / (1e-3 + silence)
    assert rest.average_power_at_w(duty) == pytest.approx(rest.average_power_w, rel=1e-9)
    assert dense.average_power_at_w(duty) == pytest.approx(rest.average_power_w, rel=1e-9)
    assert rest.average_power_at_w(0) < rest.average_power_w < rest.average_power_at_w(1)


@pytest.mark.parametrize("duty", [-0.1, 1.01, float("nan"), "0.2", None, True, [1]])
def test_a_duty_beyond_all_or_nothing_is_a_mistake(duty: float) -> None:
    with pytest.raises(ScenarioError, match="duty must be from 0 to 1, got"):
        of_work(scenario(stream("a", CHUNK)), 1_000).average_power_at_w(duty)


def test_utilization_is_a_share_of_the_whole_span() -> None:
    half = of_work(scenario(stream("a", CHUNK), silence_s=1e-3), 30_000)
    assert half.utilization["npu0"] == pytest.approx(0.15)
    result = simulate_scenario(two_models(), edge())
    moved = sum(sum(figures.offchip_bytes.values()) for figures in result.streams.values())
    assert result.utilization["bus0"] == pytest.approx(moved / 1e9 / result.span_s)


# -- the result as a whole -------------------------------------------------------------------------


def test_the_same_scenario_gives_the_same_digest_and_another_does_not() -> None:
    case, hardware = two_models(), edge()
    digest = simulate_scenario(case, hardware).digest
    assert simulate_scenario(case, hardware).digest == digest
    assert simulate_scenario(case, hardware, exact_events=True).digest == digest
    others = (
        simulate_scenario(replace(case, silence_s=1e-6), hardware),
        simulate_scenario(replace(case, outputs=("joiner",)), hardware),
        simulate_scenario(case, hardware, settings={"bus0.bandwidth": "2 GB/s"}),
    )
    assert len({digest, *(other.digest for other in others)}) == 4


def test_the_summary_is_json_and_complete() -> None:
    result = simulate_scenario(two_models(outputs=("joiner",)), edge())
    summary = json.loads(json.dumps(result.summary()))
    assert set(summary["streams"]) == {"encoder", "joiner"}
    assert summary["streams"]["encoder"]["response"]["p95_s"] > 0
    assert summary["perceived_latency"]["mean_s"] > 0
    promised = "digest version hardware real_time_factor average_power_w utilization assumptions"
    assert set(promised.split()) <= set(summary)


def test_assumptions_are_common_or_name_their_streams() -> None:
    streams = (
        Stream("small", layers(8), CHUNK),
        Stream("none", layers(8), CHUNK, residency="none"),
    )
    lines = simulate_scenario(Scenario("s", streams, 1e-3), edge()).assumptions
    assert any(line.startswith("every operator takes its operands") for line in lines)
    assert any(line.startswith("small: but what ") for line in lines)
    assert any(line.startswith("none: ") for line in lines)
    assert any("real-time factor" in line for line in lines)
    assert len(set(lines)) == len(lines)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    simulate_scenario(two_models(), edge(), watch=lambda done, total: told.append((done, total)))
    assert told[-1] == (25, 25)


def test_a_mistake_in_a_stream_names_it() -> None:
    def tell(one: Stream) -> str:
        with pytest.raises(CodesignError) as told:
            simulate_scenario(Scenario("s", (one,), 1e-3), edge())
        assert "\n" not in str(told.value)
        return str(told.value)

    assert tell(Stream("a", "no_such_model", CHUNK)).startswith("a: unknown model 'no_such_model'")
    options = {"steps": 3}
    assert "a: steps can be set for a model given by name" in tell(
        Stream("a", layers(8), CHUNK, options=options)
    )


def test_a_mistake_in_the_arrivals_is_told_before_any_model_is_looked_at() -> None:
    lazy = Stream("a", "no_such_model", Periodic(1))
    with pytest.raises(ScenarioError, match="is never run"):
        simulate_scenario(Scenario("s", (lazy,), 1e-3), edge())


def test_a_result_is_the_same_behind_a_pickle() -> None:
    result = simulate_scenario(two_models(outputs=("joiner",), utterances=2), edge(leakage=0.01))
    fresh = pickle.loads(pickle.dumps(result))
    assert fresh == result
    assert hash(fresh) == hash(result)
    assert fresh.summary() == result.summary()
    assert pickle.loads(pickle.dumps(result)).digest == result.digest  # with its cached figures
    assert pickle.loads(pickle.dumps(result.streams)) == result.streams
    assert result != simulate_scenario(two_models(), edge())
    assert result != 5


def test_a_part_of_a_scenario_has_no_latency_to_be_mistaken_for_one() -> None:
    """Its makespan counts from tick 0 of the scenario, over all silences."""
    result = simulate_scenario(two_models(silence_s=1e-3, utterances=2), edge())
    one = result.parts["joiner"]
    assert one.replay.makespan > 1e-3 * 1e12
    with pytest.raises(ScenarioError, match="a part of a scenario has no latency, got that of joi"):
        _ = one.latency_s
    with pytest.raises(ScenarioError, match="read response or end_to_end of ScenarioResult"):
        one.summary()
    assert repr(one).startswith("<StreamPart of joiner on machine: 40 runs, ")
    assert one.energy_j > 0
