"""Devices by name and by path: found, cached by content, brought by plugins."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_dram import TEXT, written

from codesign.errors import HardwareError
from codesign.hardware.dram_file import list_devices, load_device, load_device_file


def test_an_unknown_device_says_what_there_is() -> None:
    with pytest.raises(
        HardwareError, match=r"unknown DRAM device 'ddr4-320'; did you mean 'ddr4-3"
    ):
        load_device("ddr4-320")


def test_a_path_is_not_searched_among_the_presets() -> None:
    with pytest.raises(HardwareError, match=r"^\./ddr4-3200.yaml: no such file"):
        load_device("./ddr4-3200.yaml")


def test_a_file_loads_by_path_and_anew_when_it_has_changed(tmp_path: Path) -> None:
    path = written(tmp_path)
    first = load_device_file(path)
    assert load_device_file(str(path)) is first
    assert load_device(path) is first.device
    written(tmp_path, TEXT.replace("cl: 22", "cl: 24"))
    assert load_device(path).timings.cl == 24


PLUGIN = """
from pathlib import Path
from codesign.hookspecs import hookimpl

@hookimpl
def codesign_hardware_folders():
    return [Path(__file__).parent / "boards"]
"""


def _plugin_folder(folder: Path, name: str, text: str) -> Path:
    (folder / "boards" / "dram").mkdir(parents=True)
    (folder / "part_maker.py").write_text(PLUGIN)
    written(folder / "boards" / "dram", text, f"{name}.yaml")
    return folder


def test_a_plugin_folder_brings_devices_in_its_subfolder(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path, "tiny", TEXT)
    assert load_device("tiny", [folder]).name == "tiny"
    (preset,) = [entry for entry in list_devices([folder]) if entry.name == "tiny"]
    assert preset.description == "a small device"
    assert preset.peak_bytes_per_s == pytest.approx(16 / 2.5e-9)
    assert preset.capacity_bytes == 128 * 2 * 1024 * 4
    with pytest.raises(HardwareError, match="unknown DRAM device 'tiny'"):
        load_device("tiny")


def test_a_preset_is_named_as_its_file(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path, "small", TEXT)
    with pytest.raises(HardwareError, match=r"small.yaml: name must equal the file name 'small'"):
        load_device("small", [folder])


def test_two_devices_of_one_name_are_refused_with_both_files(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path, "ddr4-3200", TEXT.replace("name: tiny", "name: ddr4-3200"))
    with pytest.raises(
        HardwareError, match=r"'ddr4-3200' is offered by both .* and .*; rename one"
    ):
        load_device("ddr4-3200", [folder])
