"""Which changes of a machine are asked about."""

from __future__ import annotations

import pytest
from strategies import Sketch, machine

from codesign import load_hardware, simulate
from codesign.explore.changes import Change, find_changes
from codesign.hardware.spec import Hardware
from codesign.workload.dtype import DType


def changes(hardware: Hardware) -> dict[str, Change]:
    # presets store a trace in fp32 in their own precision
    sketch = Sketch("two", DType.parse("fp32" if hardware.precision else "int8"))
    sketch.softmax("soft", sketch.matmul("op", sketch.input("x", 8, 64), 64))
    result = simulate(sketch.trace(), hardware)
    return {one.text: one for one in find_changes(result, result.why())}


def test_each_rate_clock_buffer_and_set_up_is_asked_about_once() -> None:
    found = changes(machine(setup=10e-9))
    assert list(found) == [
        "npu0.clock x2",
        "vector.clock x2",
        "sram0.bandwidth x2",
        "sram0.size x2",
        "bus0.bandwidth x2",
        "bus0.setup / 2",
        "dram.bandwidth x2",
    ]


def test_twice_is_twice_and_half_is_half() -> None:
    hardware = machine(bandwidth=3e9, setup=10e-9, clock=1.5e9)
    found = changes(hardware)
    assert found["bus0.bandwidth x2"].settings == {"bus0.bandwidth": 6e9}
    assert found["bus0.setup / 2"].settings == {"bus0.setup": 5e-9}
    assert found["npu0.clock x2"].settings == {"npu0.clock": 3e9}


def test_what_is_nothing_is_not_halved() -> None:
    assert not [text for text in changes(machine(setup=0.0)) if text.endswith("/ 2")]


def test_the_home_memory_is_not_made_larger() -> None:
    """Only buffers that engines stage operands in hold a run back by their size."""
    sizes = [text for text in changes(machine(buffers=2, links=2)) if ".size" in text]
    assert sizes == ["sram0.size x2", "sram1.size x2"]


@pytest.mark.parametrize("preset", ["edge-npu", "edge-npu-lpddr5", "h100", "aim-like", "gemmini"])
def test_every_change_is_one_that_the_machine_takes(preset: str) -> None:
    hardware = load_hardware(preset)
    found = changes(hardware)
    assert len(found) >= 3
    for one in found.values():
        assert one.component in hardware.components
        if one.settings:
            changed = hardware.with_all(one.settings)
            assert changed.digest != hardware.digest
        else:
            assert one.kind == "engine"


def test_a_memory_with_banks_gets_channels() -> None:
    hardware = load_hardware("edge-npu-lpddr5")
    (one,) = (c for c in changes(hardware).values() if ".channels" in c.text)
    ((_, channels),) = one.settings.items()
    memory = hardware.components[one.component]
    assert channels == 2 * memory.part.organisation.channels  # type: ignore[attr-defined]


def test_an_operator_moves_to_engines_that_take_it_only() -> None:
    found = changes(machine(systolics=2, formats=("int8", "fp16")))
    # the second array has no multipliers for the format of the model
    assert not [one for one in found.values() if one.kind == "engine"]
