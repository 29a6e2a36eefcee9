"""Parts that an engine brings: they are there, follow their owner, and no file names them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from toy_hardware import KINDS, ToyEngine, ToyLink, ToyMemory

from codesign.errors import HardwareError, PluginError
from codesign.hardware.brought import with_brought
from codesign.hardware.component import Component
from codesign.hardware.spec import Hardware, read_hardware
from codesign.units import Count


@dataclass(frozen=True, kw_only=True)
class Bringer(ToyEngine):
    """An engine with a memory of its own, as large as its field says."""

    kind: ClassVar[str] = "bringer"

    sets: Count = 1

    @property
    def brings(self) -> tuple[Component, ...]:
        return (ToyMemory(name=f"{self.name}.cells", size=64 * self.sets),)

    @property
    def stages(self) -> tuple[str, ...]:
        return (f"{self.name}.cells",)


@dataclass(frozen=True, kw_only=True)
class Misnamer(ToyEngine):
    """An engine that brings what somebody else would name."""

    kind: ClassVar[str] = "misnamer"

    word: str = "cells"

    @property
    def brings(self) -> tuple[Component, ...]:
        return (ToyMemory(name=self.word, size=1),)


@dataclass(frozen=True, kw_only=True)
class Grandparent(ToyEngine):
    """An engine that brings one that brings."""

    kind: ClassVar[str] = "grandparent"

    @property
    def brings(self) -> tuple[Component, ...]:
        return (Bringer(name=f"{self.name}.child", buffer="sram", clock=1e9),)


FILE = """\
name: brought
precision: int8
components:
  npu: {kind: bringer, buffer: sram, clock: 1 GHz, sets: 2}
  sram: {kind: toy-memory, size: 64 KiB}
  bus: {kind: toy-link, connects: [dram, sram, npu.cells]}
  dram: {kind: toy-memory, size: 1 GiB}
"""


def kinds() -> Mapping[str, type[Component]]:
    return {**KINDS, **{one.kind: one for one in (Bringer, Misnamer, Grandparent)}}


def read(text: str, folder: Path) -> Hardware:
    path = folder / "brought.yaml"
    path.write_text(text)
    return read_hardware(path, kinds(), path.name)


def refused(text: str, folder: Path) -> str:
    with pytest.raises((HardwareError, PluginError)) as caught:
        read(text, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_an_engine_brings_stands_behind_it_and_is_a_memory_as_any(tmp_path: Path) -> None:
    machine = read(FILE, tmp_path)
    assert list(machine.components) == ["npu", "npu.cells", "sram", "bus", "dram"]
    cells = machine.components["npu.cells"]
    assert isinstance(cells, ToyMemory)
    assert cells.size == 128
    assert [memory.name for memory in machine.memories] == ["npu.cells", "sram", "dram"]


def test_links_connect_what_is_brought_by_its_name(tmp_path: Path) -> None:
    machine = read(FILE, tmp_path)
    assert machine.route("dram", "npu.cells") == ("bus",)
    assert machine.crossed("dram", "npu.cells") == ()
    assert machine.home("npu").name == "dram"  # a stage is nobody's home


@pytest.mark.parametrize("sets", [1, 3, 4])
def test_a_change_of_the_owner_changes_what_it_brings(tmp_path: Path, sets: int) -> None:
    machine = read(FILE, tmp_path)
    changed = machine.with_("npu.sets", sets)
    assert changed.components["npu.cells"] == ToyMemory(name="npu.cells", size=64 * sets)
    assert list(changed.components) == list(machine.components)
    assert changed.with_("npu.sets", 2) == machine.with_("npu.sets", 2)


def test_the_digest_tells_machines_with_other_brought_parts_apart(tmp_path: Path) -> None:
    machine = read(FILE, tmp_path)
    assert machine.with_("npu.sets", 4).digest != machine.digest
    assert machine.with_("npu.sets", 2).digest == machine.digest

    @dataclass(frozen=True, kw_only=True)
    class Larger(Bringer):
        @property
        def brings(self) -> tuple[Component, ...]:
            return (ToyMemory(name=f"{self.name}.cells", size=999),)

    npu = Larger(name="npu", buffer="sram", clock=1e9, sets=2)
    other = dataclasses.replace(machine, components={**machine.components, "npu": npu})
    assert other.components["npu.cells"].size == 999  # type: ignore[attr-defined]
    assert other.digest != machine.digest  # its own fields say the same


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_brings_the_same(tmp_path: Path, copied: object) -> None:
    assert callable(copied)
    machine = read(FILE, tmp_path).with_("npu.sets", 5)
    again = copied(machine)
    assert again == machine
    assert list(again.components) == list(machine.components)
    assert again.digest == machine.digest
    kind, arguments = machine.__reduce__()
    assert kind(*arguments) == machine


def test_what_was_brought_before_is_brought_anew_and_once() -> None:
    npu = Bringer(name="npu", buffer="sram", clock=1e9)
    once = with_brought({"npu": npu})
    stale = {**once, "npu": dataclasses.replace(npu, sets=7)}
    again = with_brought(stale)
    assert list(again) == ["npu", "npu.cells"]
    assert again["npu.cells"] == ToyMemory(name="npu.cells", size=7 * 64)
    assert with_brought(again) == again


def test_who_loses_its_owner_goes_with_it() -> None:
    found = with_brought({**with_brought({"npu": Bringer(name="npu", buffer="s", clock=1e9)})})
    del found["npu"]
    assert with_brought(found) == {}


def test_two_owners_bring_parts_of_their_own() -> None:
    npus = {n: Bringer(name=n, buffer="sram", clock=1e9) for n in ("a", "b")}
    assert list(with_brought(npus)) == ["a", "a.cells", "b", "b.cells"]


def test_a_file_names_no_component_with_a_dot(tmp_path: Path) -> None:
    text = FILE.replace("  dram: {", "  npu.cells: {kind: toy-memory, size: 1}\n  dram: {")
    assert "must be a word, got 'npu.cells'; rename it" in refused(text, tmp_path)


def test_a_brought_part_has_no_fields_to_change(tmp_path: Path) -> None:
    machine = read(FILE, tmp_path)
    for path in ("npu.cells", "npu.cells.size"):
        with pytest.raises(HardwareError, match="npu") as caught:
            machine.with_(path, 4)
        assert "'cells'" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("forgotten", ["[dram, sram]", "[dram, sram, npu.cell]"])
def test_cells_that_no_link_connects_are_one_line(tmp_path: Path, forgotten: str) -> None:
    text = FILE.replace("[dram, sram, npu.cells]", forgotten)
    message = refused(text, tmp_path)
    assert "brought.yaml" in message
    assert "npu.cells" in message


@pytest.mark.parametrize("word", ["cells", "npu.", ".cells", "other.cells", "npu"])
def test_a_part_with_a_wrong_name_is_the_plugins_mistake(tmp_path: Path, word: str) -> None:
    text = FILE.replace("kind: bringer", "kind: misnamer").replace("sets: 2", f"word: {word!r}")
    message = refused(text, tmp_path)
    assert f"npu (misnamer) brings a part named {word!r}" in message
    assert message.endswith("mend the plugin")


def test_a_brought_part_brings_nothing(tmp_path: Path) -> None:
    text = FILE.replace("bringer", "grandparent").replace(", sets: 2", "")
    message = refused(text.replace(", npu.cells", ""), tmp_path)
    assert "npu.child (bringer) is brought by npu and brings others" in message


def test_two_parts_of_one_name_are_refused() -> None:
    class Twice(Bringer):
        @property
        def brings(self) -> tuple[Component, ...]:
            return super().brings * 2

    with pytest.raises(PluginError, match=r"brings a part named 'npu\.cells'"):
        with_brought({"npu": Twice(name="npu", buffer="sram", clock=1e9)})


def test_most_engines_bring_nothing() -> None:
    npu = ToyEngine(name="npu", buffer="sram", clock=1e9)
    link = ToyLink(name="bus", connects=("dram", "sram"))
    assert npu.brings == link.brings == ()
    assert with_brought({"npu": npu, "bus": link}) == {"npu": npu, "bus": link}
