"""Overload in the result of a scenario: of components and streams, and in the background."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_case import scenario, stream, work
from strategies import KIB, Sketch, machine

from codesign.hardware.component import Engine
from codesign.hardware.process import Ports, Process
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.mapping.residency import Residency
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.demand import component_loads
from codesign.scenario.result import ScenarioResult
from codesign.scenario.schedule import rates
from codesign.scenario.simulate import replay_scenario, simulate_scenario
from codesign.scenario.spec import Scenario, Stream
from codesign.workload.record import Op, Trace

CHUNK = Periodic(100e-6)


def of_work(
    case: Scenario, cycles: int | dict[str, int], hardware: Hardware | None = None
) -> ScenarioResult:
    """A scenario whose streams only compute so many cycles (nanoseconds) on one array."""
    each = dict.fromkeys(case.by_name, cycles) if isinstance(cycles, int) else cycles
    placements: dict[str, Placement] = {name: work(count) for name, count in each.items()}
    return replay_scenario(case, hardware or machine(), placements)


def test_overload_is_said_in_words_with_numbers() -> None:
    result = of_work(scenario(stream("a", CHUNK)), 150_000)
    assert result.real_time_factor == pytest.approx(1.5)
    assert result.overloads == (
        "npu0 is overloaded: each second of input brings 1.5 s of work for it",
        "a is overloaded: a run is asked for every 0.0001 s and ends every 0.00015 s; the longest "
        "response is 0.0006 s, and 4 runs are left when the input ends",
    )
    assert result.summary()["overloads"] == result.overloads


def test_no_overload_is_said_where_the_work_keeps_up() -> None:
    for cycles in (10_000, 99_000):
        assert of_work(scenario(stream("a", CHUNK)), cycles).overloads == ()


def test_overload_of_two_streams_together_is_found() -> None:
    result = of_work(scenario(stream("a", CHUNK), stream("b", CHUNK)), 60_000)
    assert result.overloads[0].startswith("npu0 is overloaded: each second of input brings 1.2 s")
    assert len(result.overloads) > 1


def test_silence_does_not_hide_an_overload() -> None:
    case = scenario(stream("a", CHUNK), silence_s=9e-3, utterances=2)
    result = of_work(case, 150_000)
    assert "npu0 is overloaded" in result.overloads[0]
    assert "a is overloaded: a run is asked for every 0.0001 s" in result.overloads[1]


@pytest.mark.parametrize("silence", [0.0, 1e-3])
def test_a_background_that_falls_behind_is_reported(silence: float) -> None:
    """It drains after the end, so the whole span never looks more than full."""
    camera = stream("camera", Periodic(10e-6), background=True)
    case = scenario(stream("a", Periodic(250e-6)), camera, silence_s=silence)
    result = of_work(case, {"a": 1_000, "camera": 15_000})
    assert result.utilization["npu0"] <= 1
    assert result.overloads[0].startswith("npu0 is overloaded: each second of input brings 1.5 s")
    assert result.overloads[1].startswith("camera is overloaded: a run is asked for every 1e-05 s")
    assert result.streams["camera"].left > 30


def test_a_background_overloads_an_utterance_that_alone_would_keep_up() -> None:
    """0.6 of the time each while there is input; over the silence all is well."""
    camera = stream("camera", CHUNK, background=True)
    case = scenario(stream("a", CHUNK), camera, silence_s=9e-3)
    result = of_work(case, 60_000)
    assert result.utilization["npu0"] < 0.7
    assert result.overloads[0].startswith("npu0 is overloaded: each second of input brings 1.2 s")
    assert any(line.startswith("a is overloaded") for line in result.overloads)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("load", [0.5, 0.8])
def test_four_random_runs_in_a_healthy_queue_are_no_overload(load: float, seed: int) -> None:
    case = scenario(stream("a", Rate(4_000, seed=seed)), silence_s=1e-3, utterances=2)
    assert of_work(case, int(load * 250_000)).overloads == ()


@pytest.mark.parametrize("seed", range(10))
def test_random_runs_beyond_the_load_are_found_by_component_and_by_stream(seed: int) -> None:
    found = of_work(scenario(stream("a", Rate(40_000, seed=seed))), 30_000).overloads
    assert found[0] == "npu0 is overloaded: each second of input brings 1.2 s of work for it"
    assert found[1].startswith("a is overloaded: a run is asked for every 2.5e-05 s and ends every")


def test_a_stream_with_too_few_runs_to_judge_is_named() -> None:
    case = scenario(stream("a", CHUNK), stream("b", Periodic(0.5e-3)))
    result = of_work(case, 1_000)
    assert result.unjudged == ("b",)
    assert result.summary()["unjudged"] == ("b",)


def test_many_utterances_of_a_run_each_are_too_few_to_judge() -> None:
    once = stream("a", Periodic(0.7e-3))
    several = scenario(once, stream("b", CHUNK), silence_s=1e-3, utterances=5)
    result = of_work(several, 1_000)
    assert result.streams["a"].runs == 5
    assert result.unjudged == ("a",)


# -- the work that is brought ----------------------------------------------------------------------


def test_rates_are_those_of_runs() -> None:
    case = scenario(
        stream("a", CHUNK, beam=3),
        stream("b", After(("a",), times=2)),
        stream("c", Rate(5000, seed=1), background=True),
    )
    found = rates(case, of_work(case, 100).played.releases)
    each = Fraction(1, 10**8)
    assert found == {"a": 3 * each, "b": 2 * each, "c": each / 2}


def model(width: int) -> Trace:
    sketch = Sketch("model")
    sketch.recurrent("cell", sketch.matmul("head", sketch.input("x", 4, width), width), width)
    return sketch.trace()


@given(
    st.sampled_from([8, 16]),
    st.sampled_from([50e-6, 100e-6, 250e-6]),
    st.integers(1, 3),
    st.sampled_from(["none", "region"]),
)
def test_work_is_what_the_replay_did_where_arrivals_are_even(
    width: int, period: float, beam: int, residency: str
) -> None:
    """Work per second times seconds of input is use of the span times its length."""
    hardware = machine(bandwidth=1e9, memory_rate=8e9, size=16 * KIB)
    streams = (
        Stream("a", model(width), Periodic(period), beam=beam, residency=residency),
        Stream("b", model(8), After(("a",)), residency=residency),
    )
    result = simulate_scenario(Scenario("case", streams, 1e-3), hardware)
    found = component_loads(result.parts, rates(result.scenario, result.played.releases), hardware)
    assert list(found) == list(result.utilization)
    for name, load in found.items():
        assert load == pytest.approx(result.utilization[name] * result.span_s / 1e-3, rel=1e-9)
    assert found["npu0"] > 0
    assert found["bus0"] > 0


def test_what_is_loaded_once_is_no_work_that_keeps_coming() -> None:
    pinned = Residency("pinned", pins=("head.weight",), across_runs=True)
    sketch = Sketch("model")
    sketch.matmul("head", sketch.input("x", 1, 64), 64)
    trace = sketch.trace()
    hardware = machine(bandwidth=1e9, memory_rate=8e9, size=16 * KIB)
    case = Scenario("s", (Stream("a", trace, Periodic(1e-3), residency=pinned),), 1e-3)
    result = simulate_scenario(case, hardware)
    found = component_loads(result.parts, rates(case, result.played.releases), hardware)
    # 64 bytes in and 64 out in a run, and 4,096 bytes of weights once
    assert found["bus0"] == pytest.approx(128 / 1e9 / 1e-3)
    assert result.utilization["bus0"] * result.span_s == pytest.approx((128 + 4096) / 1e9)


@dataclass(frozen=True, kw_only=True)
class Worker(Engine):
    """A process that loads its inputs, works a nanosecond on each byte, and stores its outputs."""

    kind: ClassVar[str] = "worker"

    def supports(self, op: Op) -> str | None:
        return None if op.kind == "softmax" else "takes a softmax only"

    def process(self, env: Any, op: Op, ports: Ports) -> Process:
        for number, access in enumerate(op.inputs):
            yield ports.load(number, access.bytes)
            yield ports.compute(access.bytes, 1e9)
        for number, access in enumerate(op.outputs, start=len(op.inputs)):
            yield ports.store(number, access.bytes)


def softmax(rows: int) -> Trace:
    sketch = Sketch("softmax")
    sketch.softmax("op", sketch.input("x", rows, 64))
    return sketch.trace()


def test_the_work_of_an_engine_that_is_a_process_counts_too() -> None:
    """256 and 768 ns of compute, 512 and 1,536 bytes, in each run of the two streams."""
    parts = dict(machine(bandwidth=1e9).components)
    parts["vector"] = Worker(name="vector", buffer="sram0")
    hardware = Hardware("process", "", None, parts)
    streams = (Stream("a", softmax(4), CHUNK), Stream("b", softmax(12), CHUNK))
    result = simulate_scenario(Scenario("s", streams, 1e-3), hardware)
    found = component_loads(result.parts, rates(result.scenario, result.played.releases), hardware)
    assert found["vector"] == pytest.approx((256 + 768) * 1e-9 / 100e-6)
    assert found["bus0"] == pytest.approx((512 + 3 * 512) / 1e9 / 100e-6)
    assert found["npu0"] == 0
