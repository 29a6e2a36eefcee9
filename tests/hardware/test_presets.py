"""The shipped hardware files: what they promise, and that every number says where it is from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from codesign.errors import HardwareError
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import Hardware, list_hardware, load_hardware

PRESETS = ("edge-npu", "server-npu")
LEFT_TO_THE_KIND = ("operations",)


def _numbers(machine: Hardware) -> list[tuple[str, str]]:
    """Component and field of every number; entries of tables each."""
    found: list[tuple[str, str]] = []
    for name, part in machine.components.items():
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Mapping):
                found += [(name, f"{field.name}.{key}") for key in value]
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                found.append((name, field.name))
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_source_and_a_status(preset: str) -> None:
    machine = load_hardware(preset)
    rows = {(row.component, row.field): row for row in machine.provenance}
    numbers = _numbers(machine)
    assert len(numbers) > 30
    for number in numbers:
        assert rows[number].status in STATUSES
        assert rows[number].source not in ("", f"{preset}.yaml"), number


@pytest.mark.parametrize("preset", PRESETS)
def test_the_file_itself_states_every_number_but_the_tables_of_the_kind(preset: str) -> None:
    machine = load_hardware(preset)
    left = {
        row.field.split(".")[0]
        for row in machine.provenance
        if row.source.startswith("default of kind")
    }
    assert left <= set(LEFT_TO_THE_KIND)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_header_says_that_no_error_is_known_yet(preset: str) -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == preset]
    header = path.read_text().split("\nname:")[0]
    assert "Uncalibrated" in header
    assert "CACTI 7" in header
    assert all(line.startswith("#") or not line for line in header.splitlines())


@pytest.mark.parametrize("preset", PRESETS)
def test_components_have_the_documented_names(preset: str) -> None:
    machine = load_hardware(preset)
    assert tuple(machine.components) == ("npu", "vector", "sram", "bus", "dram")
    assert machine.home("npu").name == machine.home("vector").name == "dram"
    assert machine.route("dram", "sram") == ("bus",)


def _shape(preset: str) -> tuple[object, ...]:
    parts = load_hardware(preset).components
    npu, sram = parts["npu"], parts["sram"]
    fields = ("rows", "cols", "arrays", "weight_preload")
    return (*(getattr(npu, field) for field in fields), getattr(sram, "size", None))


def test_edge_npu_is_the_machine_of_the_studies() -> None:
    machine = load_hardware("edge-npu")
    assert _shape("edge-npu") == (64, 64, 1, "shadow", 2**20)
    assert str(machine.precision) == "int8"
    assert machine.links[0].bytes_per_s == 32_000_000_000


def test_one_lpddr4x_channel_is_sixteen_bits_at_4266_megatransfers() -> None:
    dram = load_hardware("edge-npu").components["dram"]
    assert getattr(dram, "bandwidth", None) == pytest.approx(4266e6 * 2)


def test_server_npu_has_two_arrays_and_sixteen_mebibytes() -> None:
    assert _shape("server-npu") == (128, 128, 2, "shadow", 2**24)
    assert str(load_hardware("server-npu").precision) == "bf16"


@pytest.mark.parametrize(("preset", "bits"), [("edge-npu", 8), ("server-npu", 16)])
def test_an_eight_billion_parameter_model_fits_the_dram(preset: str, bits: int) -> None:
    home = load_hardware(preset).home("npu")
    cache = 2 * 32 * 8 * 128 * 2048
    assert home.size * 8 >= (8_030_261_248 + cache) * bits


@pytest.mark.parametrize("preset", PRESETS)
def test_the_deployed_precision_has_a_rate_and_an_energy(preset: str) -> None:
    machine = load_hardware(preset)
    pair = f"{machine.precision}*{machine.precision}"
    npu = machine.components["npu"]
    assert getattr(npu, "macs_per_cell", {}).get(pair) == 1
    assert npu.energies_j()[f"mac {pair}"] > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_off_chip_bytes_cost_more_than_on_chip_bytes(preset: str) -> None:
    parts = load_hardware(preset).components
    assert parts["dram"].energy_j("read", 1) > 5 * parts["sram"].energy_j("read", 1)


@pytest.mark.parametrize("preset", PRESETS)
def test_writing_the_scratchpad_is_not_priced_as_reading_it(preset: str) -> None:
    sram = load_hardware(preset).components["sram"]
    assert 0.68 <= sram.energy_j("write", 1) / sram.energy_j("read", 1) <= 0.94


def test_presets_are_listed_by_name_with_a_description() -> None:
    found = {entry.name: entry for entry in list_hardware()}
    assert set(PRESETS) <= set(found)
    assert list(found) == sorted(found)
    for preset in PRESETS:
        assert found[preset].description == load_hardware(preset).description != ""


def test_a_preset_loads_by_name_and_by_path() -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == "edge-npu"]
    by_name = load_hardware("edge-npu")
    for place in (path, str(path)):
        assert load_hardware(place).components == by_name.components
        assert load_hardware(place).digest == by_name.digest


def test_an_unknown_preset_says_what_there_is() -> None:
    with pytest.raises(
        HardwareError, match=r"unknown hardware 'edge-npv'; did you mean 'edge-npu'\?"
    ):
        load_hardware("edge-npv")


def test_a_missing_path_is_not_searched_among_the_presets() -> None:
    with pytest.raises(HardwareError, match=r"^\./edge-npu.yaml: no such file"):
        load_hardware("./edge-npu.yaml")


PLUGIN = """
from pathlib import Path
from codesign.hookspecs import hookimpl

@hookimpl
def codesign_hardware_folders():
    return [Path(__file__).parent / "boards"]
"""


def _plugin_folder(folder: Path, name: str, text: str) -> Path:
    (folder / "boards").mkdir(parents=True)
    (folder / "board_maker.py").write_text(PLUGIN)
    (folder / "boards" / f"{name}.yaml").write_text(text)
    return folder


def _edge(name: str) -> str:
    (path,) = [entry.path for entry in list_hardware() if entry.name == "edge-npu"]
    return path.read_text().replace("name: edge-npu", f"name: {name}")


def test_a_plugin_folder_can_bring_presets(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path, "mine", _edge("mine"))
    assert load_hardware("mine", plugins=[folder]).name == "mine"
    assert "mine" in [entry.name for entry in list_hardware([folder])]


def test_a_preset_is_named_as_its_file(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path, "mine", _edge("yours"))
    with pytest.raises(
        HardwareError, match=r"mine.yaml: name must equal the file name 'mine', got"
    ):
        load_hardware("mine", plugins=[folder])


def test_two_presets_of_one_name_are_refused_with_both_files(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path, "edge-npu", _edge("edge-npu"))
    with pytest.raises(HardwareError, match=r"'edge-npu' is offered by both .* and .*; rename one"):
        load_hardware("edge-npu", plugins=[folder])
