"""Estimates that follow what they are made from: a node, a size, the tables of a user."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from codesign_plugins.sram import Sram
from estimated import machine, origin
from strategies import Sketch

from codesign import Hardware, load_hardware, simulate
from codesign.energy import EnergyTables, Estimated, read_table, shipped_tables
from codesign.errors import HardwareError
from codesign.hardware.surroundings import Surroundings

ENERGIES = ("read_energy", "write_energy")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def scratchpad(*fields: str, tables: EnergyTables | None = None) -> Hardware:
    """A machine of one SRAM of 1 MiB."""
    return machine(*fields, kind="sram", tables=tables)


def sram(hardware: Hardware) -> Sram:
    """Its memory."""
    part = hardware.components["store"]
    assert isinstance(part, Sram)
    return part


def test_energies_and_leakage_of_an_sram_follow_its_node() -> None:
    part = sram(scratchpad("node: 22 nm"))
    assert part.read_energy == pytest.approx(14.6337e-12 / 8)
    assert part.write_energy == pytest.approx(12.357e-12 / 8)
    assert part.leakage == pytest.approx(0.14e-9 * 2**20)
    assert part.energies_j() == {"read": part.read_energy, "write": part.write_energy}


def test_a_changed_size_changes_what_follows_from_it_and_where_it_is_from() -> None:
    whole = scratchpad("node: 22 nm")
    half = whole.with_("store.size", "512 KiB")
    assert sram(half).read_energy == pytest.approx(10.5751e-12 / 8)
    assert sram(half).leakage == pytest.approx(sram(whole).leakage / 2)
    assert origin(half, "read_energy").value == "1.322 pJ/B"
    assert origin(half, "size").source == "set for this run"
    assert half.with_("store.size", "1 MiB").digest == whole.digest != half.digest
    large = half.with_("store.size", "16 MiB")
    assert origin(large, "read_energy").status == "assumed"
    assert "beyond the rows" in origin(large, "read_energy").note


def test_node_voltage_width_and_banks_can_be_swept() -> None:
    plain = scratchpad("node: 22 nm")
    energies = {
        path: sram(plain.with_(f"store.{path}", value)).read_energy
        for path, value in (("node", "45 nm"), ("voltage", "0.8 V"), ("width", 256), ("banks", 4))
    }
    base = sram(plain).read_energy
    assert energies["node"] == pytest.approx(41.9309e-12 / 8)
    assert energies["voltage"] == pytest.approx(base * (0.8 / 0.6) ** 2)
    assert energies["width"] == pytest.approx(base * 3.1 / 4)
    assert energies["banks"] < base
    leakages = {sram(plain.with_("store.voltage", v)).leakage for v in ("0.6 V", "0.9 V")}
    assert leakages == {sram(plain).leakage}


def test_given_energies_stay_whatever_changes() -> None:
    found = scratchpad("node: 22 nm", "read_energy: 2 pJ/B", "leakage: 0 W")
    for changed in (found, found.with_("store.size", "64 KiB")):
        assert sram(changed).read_energy == pytest.approx(2e-12)
        assert sram(changed).leakage == 0
        assert origin(changed, "leakage").value == "0 W"
    assert sram(found.with_("store.size", "64 KiB")).write_energy < sram(found).write_energy
    now_given = scratchpad("node: 22 nm").with_("store.read_energy", "3 pJ/B")
    assert sram(now_given.with_("store.size", "64 KiB")).read_energy == pytest.approx(3e-12)
    assert origin(now_given, "read_energy").source == "set for this run"


def test_a_node_given_later_makes_defaults_follow_but_not_given_values() -> None:
    later = scratchpad("write_energy: 2 pJ/B").with_("store.node", "22 nm")
    assert sram(later).read_energy == pytest.approx(14.6337e-12 / 8)
    assert sram(later).write_energy == pytest.approx(2e-12)
    edge = load_hardware("edge-npu")
    swept = edge.with_("sram.node", "7 nm").components["sram"]
    assert swept.energies_j() == edge.components["sram"].energies_j()


def test_without_a_node_the_defaults_are_as_ever() -> None:
    part = sram(scratchpad())
    assert (part.read_energy, part.write_energy, part.leakage) == (1.829e-12, 1.5e-12, 0.0)
    assert not isinstance(part.read_energy, Estimated)
    assert part.estimates() == {}


def test_a_field_that_is_left_open_has_no_origin_and_no_part_in_the_digest() -> None:
    found = scratchpad()
    fields = {row.field for row in found.provenance if row.component == "store"}
    assert fields == {"size", "leakage", "bandwidth", "read_energy", "write_energy"}


@pytest.mark.parametrize("line", ["voltage: 0.8 V", "width: 128", "banks: 2"])
def test_what_only_the_tables_use_needs_a_node(line: str) -> None:
    field = line.partition(":")[0]
    with pytest.raises(HardwareError, match=rf"store.{field} needs a node that energies follow"):
        scratchpad(line)


def test_a_node_of_another_unit_is_told_with_its_line() -> None:
    with pytest.raises(HardwareError, match=r"^toy.yaml:5: store.node: expected a node of 1 to"):
        scratchpad("node: 22 kg")


OWN = (
    "component,action,tool,node_nm,size_bytes,width_bits,energy_j,status,source\n"
    "sram,read,ours,22,1 MiB,64,8 pJ,datasheet,our compiler\n"
)


def test_rows_of_the_user_beat_shipped_ones_in_files_too_and_after_changes() -> None:
    tables = shipped_tables().with_rows(read_table(OWN, "mine.csv"))
    found = scratchpad("node: 22 nm", tables=tables)
    assert sram(found).read_energy == pytest.approx(1e-12)
    assert origin(found, "read_energy").source == "our compiler"
    assert origin(found, "read_energy").status == "datasheet"
    for other in (found, pickle.loads(pickle.dumps(found))):
        assert sram(other.with_("store.size", "4 MiB")).read_energy == pytest.approx(2e-12)


def test_tables_of_a_plugin_are_found_where_hardware_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mine.csv").write_text(OWN)
    (folder / "our_process.py").write_text(
        "from pathlib import Path\nfrom codesign import hookimpl\n\n@hookimpl\n"
        "def codesign_energy_tables():\n    return [Path(__file__).parent / 'mine.csv']\n"
    )
    (tmp_path / "board.yaml").write_text(
        "name: board\ncomponents:\n  npu: {kind: systolic, buffer: store}\n"
        "  store: {kind: sram, size: 1 MiB, node: 22 nm}\n"
    )
    mine = load_hardware(tmp_path / "board.yaml", plugins=[folder])
    assert sram(mine).read_energy == pytest.approx(1e-12)
    plain = load_hardware(tmp_path / "board.yaml")
    assert sram(plain).read_energy == pytest.approx(14.6337e-12 / 8)


def test_hardware_with_other_tables_is_the_same_if_its_values_are() -> None:
    other = EnergyTables(shipped_tables().rows)
    found = scratchpad("node: 22 nm")
    assert replace(found, around=Surroundings(tables=other)) == found


BOARD = """\
name: board
precision: int8
components:
  npu: {kind: systolic, buffer: store, rows: 16, cols: 16}
  lanes: {kind: vector, buffer: store}
  store: {kind: sram, size: SIZE, node: 22 nm}
"""


@pytest.fixture
def board(tmp_path: Path) -> Hardware:
    """An array that reads its weights from its only memory, whose energies follow from its size."""
    (tmp_path / "board.yaml").write_text(BOARD.replace("SIZE", "4 MiB"))
    return load_hardware(tmp_path / "board.yaml")


def energy_of_memory(hardware: Hardware) -> float:
    """Joules of a run that the memory takes, without leakage."""
    sketch = Sketch()
    sketch.matmul("second", sketch.matmul("first", sketch.input("x", 4, 32), 64), 32)
    result = simulate(sketch.trace(), hardware.with_("store.leakage", 0.0))
    return result.energy_by_component_j["store"]


def test_the_energy_of_a_run_follows_the_size_of_the_memory(board: Hardware) -> None:
    large, small = board, board.with_("store.size", "1 MiB")
    reads, writes = (getattr(sram(large), f) / getattr(sram(small), f) for f in ENERGIES)
    ratio = energy_of_memory(large) / energy_of_memory(small)
    assert min(reads, writes) <= ratio <= max(reads, writes)
    assert ratio > 1.5


def test_scaling_every_row_scales_the_energy_of_a_run(board: Hardware) -> None:
    doubled = [
        replace(row, energy_j=2 * row.energy_j) if row.energy_j is not None else row
        for row in shipped_tables().rows
    ]
    tables = EnergyTables(doubled)
    twice = replace(board, around=Surroundings(tables=tables)).with_("store.size", "4 MiB")
    assert energy_of_memory(twice) == pytest.approx(2 * energy_of_memory(board))


def test_renaming_a_memory_changes_nothing_that_follows(tmp_path: Path) -> None:
    text = BOARD.replace("SIZE", "4 MiB")
    (tmp_path / "renamed.yaml").write_text(text.replace("store", "scratch"))
    (tmp_path / "board.yaml").write_text(text)
    renamed = load_hardware(tmp_path / "renamed.yaml").components["scratch"]
    plain = load_hardware(tmp_path / "board.yaml").components["store"]
    assert renamed.energies_j() == plain.energies_j()
    assert renamed.leakage == plain.leakage
