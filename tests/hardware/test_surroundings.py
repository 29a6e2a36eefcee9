"""Names and paths in a hardware file: presets of its plugins, and files beside it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import PlainValidator, TypeAdapter, ValidationInfo
from tiny_dram import TEXT, written
from toy_hardware import ToyEngine

from codesign import Hardware, load_hardware, simulate
from codesign.cli import main
from codesign.errors import HardwareError
from codesign.hardware.component import Component, Memory
from codesign.hardware.dram_file import find_device
from codesign.hardware.spec import read_hardware
from codesign.hardware.surroundings import Surroundings

PLUGIN = """
from pathlib import Path
from codesign.hookspecs import hookimpl

@hookimpl
def codesign_hardware_folders():
    return [Path(__file__).parent / "boards"]
"""
LARGE = TEXT.replace("rows: 1024", "rows: 65536")
BOARD = """\
name: board
components:
  npu: {kind: systolic, buffer: sram, rows: 8, cols: 8}
  lanes: {kind: vector, buffer: sram}
  sram: {kind: sram, size: 64 KiB}
  bus: {kind: link, connects: [dram, sram]}
  dram: {kind: dram, device: DEVICE}
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def plugins(tmp_path: Path) -> list[Path]:
    """A folder with a plugin that brings a device, ``tiny``, and a board with it."""
    (tmp_path / "mine" / "boards" / "dram").mkdir(parents=True)
    (tmp_path / "mine" / "board_maker.py").write_text(PLUGIN)
    written(tmp_path / "mine" / "boards" / "dram", LARGE)
    board("tiny", tmp_path / "mine" / "boards")
    return [tmp_path / "mine"]


def board(device: str, folder: Path = Path()) -> Path:
    """Writes a hardware file with a device."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "board.yaml"
    path.write_text(BOARD.replace("DEVICE", device))
    return path


def device_of(machine: Hardware) -> str:
    part: Any = machine.components["dram"]
    return str(part.part.name)


def test_a_file_and_a_preset_name_a_device_that_a_plugin_folder_brings(plugins: list[Path]) -> None:
    assert device_of(load_hardware(board("tiny"), plugins=plugins)) == "tiny"
    assert device_of(load_hardware("board", plugins=plugins)) == "tiny"
    with pytest.raises(HardwareError, match=r"board.yaml:7: dram.device: unknown DRAM device 'ti"):
        load_hardware(board("tiny"))


def test_a_path_begins_in_the_folder_of_the_hardware_file() -> None:
    Path("boards/parts").mkdir(parents=True)
    written(Path("boards"))
    written(Path("boards/parts"), TEXT.replace("name: tiny", "name: other"))
    written(Path(), TEXT.replace("name: tiny", "name: wrong"))
    for text, name in (
        ("tiny.yaml", "tiny"),
        ("parts/tiny.yaml", "other"),
        ("./tiny.yaml", "tiny"),
    ):
        assert device_of(load_hardware(board(text, Path("boards")))) == name
    here = board("tiny.yaml")
    assert device_of(load_hardware(here)) == "wrong"
    assert device_of(load_hardware(board(str(Path("tiny.yaml").resolve()), Path("boards")))) == (
        "wrong"
    )


def test_a_preset_has_its_device_beside_it(plugins: list[Path]) -> None:
    board("dram/tiny.yaml", plugins[0] / "boards")
    assert device_of(load_hardware("board", plugins=plugins)) == "tiny"


def test_a_path_that_leads_nowhere_is_told_with_the_folder() -> None:
    with pytest.raises(
        HardwareError,
        match=r"^boards/board.yaml:7: dram.device: boards/parts/none.yaml: no such file; give a",
    ):
        load_hardware(board("parts/none.yaml", Path("boards")))


def test_a_change_finds_what_the_plugins_bring_and_paths_from_where_one_works(
    plugins: list[Path],
) -> None:
    machine = load_hardware(board("hbm2", Path("boards")), plugins=plugins)
    assert device_of(machine.with_("dram.device", "tiny")) == "tiny"
    written(Path(), TEXT.replace("name: tiny", "name: here"), "here.yaml")
    assert device_of(machine.with_("dram.device", "here.yaml")) == "here"
    with pytest.raises(HardwareError, match=r"^dram.device: board.yaml: no such file|unknown key"):
        machine.with_("dram.device", "board.yaml")
    with pytest.raises(HardwareError, match="unknown DRAM device 'tiny'"):
        load_hardware(board("hbm2")).with_("dram.device", "tiny")


def test_another_change_does_not_read_the_device_again() -> None:
    part = written(Path())
    machine = load_hardware(board("tiny.yaml"))
    part.unlink()
    assert device_of(machine.with_("dram.grain", "2 KiB")) == "tiny"


def test_what_is_sent_to_another_process_still_finds_devices(plugins: list[Path]) -> None:
    machine = load_hardware(board("hbm2"), plugins=plugins)
    Path("machine").write_bytes(pickle.dumps(machine))
    program = (
        "import pickle, pathlib; from codesign.plugins import registry; registry();"
        "machine = pickle.loads(pathlib.Path('machine').read_bytes());"
        "print(machine.with_('dram.device', 'tiny').digest)"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert other.stdout.decode().strip() == machine.with_("dram.device", "tiny").digest


def test_the_command_line_takes_devices_of_plugins_in_files_and_settings(
    plugins: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    words = [
        "simulate",
        "lstm_lm",
        "--plugins",
        str(plugins[0]),
        "--dtype=int8",
        "--steps=1",
        "--json",
    ]
    for device, settings in (("tiny", []), ("hbm2", ["--set", "dram.device=tiny"])):
        with pytest.raises(SystemExit) as end:
            main([*words, "--hardware", str(board(device)), *settings])
        assert end.value.code == 0
        found.append(json.loads(capsys.readouterr().out)["latency_s"])
    assert found[0] == found[1] > 0


def test_a_bad_device_of_a_plugin_is_told_with_its_folder(plugins: list[Path]) -> None:
    written(plugins[0] / "boards" / "dram", TEXT.replace("cl: 22", "cl: x"))
    with pytest.raises(
        HardwareError, match=r"board.yaml:7: dram.device: .*/mine/boards/dram/tiny.yaml:13: timings"
    ):
        load_hardware(board("tiny"), plugins=plugins)


def read_lines(value: object, info: ValidationInfo) -> int:
    return len((Surroundings.of(info).folder / str(value)).read_text().splitlines())


@dataclass(frozen=True, kw_only=True)
class Listed(Memory):
    """A third party's memory with a file of its own."""

    kind: ClassVar[str] = "listed"

    lines: Annotated[int, PlainValidator(read_lines)]


KINDS: dict[str, type[Component]] = {"listed": Listed, "toy-engine": ToyEngine}


def test_any_component_may_read_a_file_beside_the_hardware() -> None:
    Path("far").mkdir()
    Path("far/list.txt").write_text("a\nb\n")
    path = Path("far/m.yaml")
    path.write_text(
        "name: m\ncomponents:\n  a: {kind: listed, size: 1, lines: list.txt}\n"
        "  npu: {kind: toy-engine, buffer: a, clock: 1 GHz}\n"
    )
    machine = read_hardware(path, KINDS, "m.yaml")
    part = machine.components["a"]
    assert isinstance(part, Listed)
    assert part.lines == 2
    Path("list.txt").write_text("a\n")
    changed = machine.with_("a.lines", "list.txt").components["a"]
    assert isinstance(changed, Listed)
    assert changed.lines == 1


@pytest.mark.parametrize("context", [None, {"folder": "x"}])
def test_a_value_without_a_hardware_around_it_sees_the_installed_plugins(context: object) -> None:
    seen: list[Surroundings] = []

    def look(value: object, info: ValidationInfo) -> object:
        seen.append(Surroundings.of(info))
        return value

    looked: Callable[..., object] = TypeAdapter(
        Annotated[str, PlainValidator(look)]
    ).validate_python
    looked("x", context=context)
    assert seen == [Surroundings()]
    assert find_device("hbm2", seen[0]).device.name == "hbm2"


def test_settings_of_a_run_take_devices_of_the_plugins(plugins: list[Path]) -> None:
    changes = {"dram.device": "tiny"}
    result = simulate(
        "lstm_lm", board("hbm2"), settings=changes, plugins=plugins, dtype="int8", steps=1
    )
    assert device_of(result.machine) == "tiny"
