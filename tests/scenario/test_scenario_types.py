"""Arguments of another type: one line that says the rule, the value and the way out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scenario_case import scenario, stream, work
from strategies import KIB, Sketch, machine

from codesign.errors import CodesignError
from codesign.hardware.spec import Hardware
from codesign.scenario.arrival import After, Periodic
from codesign.scenario.simulate import replay_scenario, simulate_scenario
from codesign.scenario.spec import Scenario
from codesign.workload.record import Trace

CHUNK = Periodic(100e-6)


def layers() -> Trace:
    sketch = Sketch("layers")
    sketch.pointwise("relu", sketch.input("x", 4, 8))
    return sketch.trace()


def edge() -> Hardware:
    return machine(bandwidth=1e9, memory_rate=8e9, size=16 * KIB)


def two() -> Scenario:
    return scenario(stream("encoder", CHUNK), stream("joiner", After(("encoder",))))


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "scenario": (
        lambda: simulate_scenario(None, edge()),  # type: ignore[arg-type]
        "scenario must be a Scenario, got None; build one, or give the path of a scenario file",
    ),
    "hardware": (
        lambda: simulate_scenario(two(), 5),  # type: ignore[arg-type]
        "hardware must be a Hardware, got 5; give a preset name, a path, or what",
    ),
    "settings": (
        lambda: simulate_scenario(two(), edge(), settings=["a"]),  # type: ignore[arg-type]
        "settings must be a map from names, got ['a']; write for example {'sram.size'",
    ),
    "plugins": (
        lambda: simulate_scenario(two(), edge(), plugins="my_plugins"),
        "plugins must be a list, got 'my_plugins'; write for example ['my_plugins']",
    ),
    "plugin": (
        lambda: simulate_scenario(two(), edge(), plugins=[5]),  # type: ignore[list-item]
        "plugins must hold nothing but str or Path, got 5",
    ),
    "replayed scenario": (
        lambda: replay_scenario("a.yaml", edge(), {}),  # type: ignore[arg-type]
        "scenario must be a Scenario, got 'a.yaml'; build one, or read a file with load_scenario",
    ),
    "machine": (
        lambda: replay_scenario(two(), "edge-npu", {}),  # type: ignore[arg-type]
        "machine must be a Hardware, got 'edge-npu'; give what codesign.load_hardware returns",
    ),
    "placements": (
        lambda: replay_scenario(two(), edge(), work(5)),  # type: ignore[arg-type]
        "placements must be a map from names, got ",
    ),
    "no placement": (
        lambda: replay_scenario(two(), edge(), {"encoder": work(5)}),
        "placements must be one for each of encoder, joiner, got encoder; add joiner",
    ),
    "a placement too many": (
        lambda: replay_scenario(scenario(stream("a", CHUNK)), edge(), dict.fromkeys("ab", work(5))),
        "placements must be one for each of a, got a, b; drop b",
    ),
    "another thing": (
        lambda: replay_scenario(scenario(stream("a", CHUNK)), edge(), {"a": layers()}),  # type: ignore[dict-item]
        "placement of a must be a Placement, got <Trace layers",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_argument_of_another_type_is_told_in_one_line(case: str) -> None:
    call, words = WRONG[case]
    with pytest.raises(CodesignError) as told:
        call()
    assert words in str(told.value)
    assert "\n" not in str(told.value)
