"""What is asked of a memory about its banks: a property that every memory has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from codesign_plugins.flat_dram import FlatDram
from strategies import Sketch, machine

from codesign import load_hardware, simulate
from codesign.explore.changes import find_changes
from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.memory.device import Device
from codesign.result.result import Result


@dataclass(frozen=True, kw_only=True)
class Numbered(FlatDram):  # type: ignore[misc]  # plugins have no types here
    """A memory with a rate of its own and a number on its package.

    Attributes:
        part: the number.
        channels: of the package.
    """

    kind: ClassVar[str] = "numbered"

    part: str = "MT53E"
    channels: int = 2


@dataclass(frozen=True, kw_only=True)
class Behind(FlatDram):  # type: ignore[misc]  # plugins have no types here
    """A memory with a flat rate that says which device it stands for."""

    kind: ClassVar[str] = "behind"

    @property
    def bank_device(self) -> Device:
        found = load_hardware("edge-npu-lpddr5").home("npu").bank_device
        assert found is not None
        return found


def run(memory: Memory) -> Result:
    sketch = Sketch("one")
    sketch.matmul("op", sketch.input("x", 4, 256), 256)
    parts = dict(machine(bandwidth=1e12).components)
    return simulate(sketch.trace(), Hardware("numbered", "", None, {**parts, "dram": memory}))


def test_a_memory_with_an_attribute_called_part_is_explained_and_saved(tmp_path: Path) -> None:
    numbered = run(Numbered(name="dram", device="toy", size=1 << 30, bandwidth=1e9))
    plain = run(FlatDram(name="dram", device="toy", size=1 << 30, bandwidth=1e9))
    assert numbered.why() == plain.why()
    texts = [one.text for one in find_changes(numbered, numbered.why())]
    assert "dram.channels x2" not in texts  # they give it no rate
    numbered.save(tmp_path)
    assert (tmp_path / "why.json").is_file()


def test_a_memory_that_names_its_device_misses_rows() -> None:
    """The share of the peak of its data buses that a transfer alone does not reach."""
    memory = Behind(name="dram", device="toy", size=1 << 30, bandwidth=1e9)
    rate, peak = 0.75e9, memory.bank_device.peak_bytes_per_s
    why = run(memory).why()
    spent = {cause: why.by("cause").get(cause, 0) for cause in ("row misses", "bandwidth")}
    assert spent["bandwidth"] > 0
    share = spent["row misses"] / sum(spent.values())
    assert share == pytest.approx(1 - rate / peak, rel=1e-6)


@pytest.mark.parametrize(("preset", "has"), [("edge-npu-lpddr5", True), ("edge-npu", False)])
def test_shipped_memories_say_whether_banks_give_their_rates(preset: str, has: bool) -> None:
    memory = load_hardware(preset).home("npu")
    assert (memory.bank_device is not None) == has
