"""Kinds that codesign does not ship: every result says so, and no figure depends on it."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

import pytest
from codesign_plugins.sram import Sram
from conftest import Codesign

import codesign as package
from codesign.hardware.machine import Hardware
from codesign.hardware.own_kinds import own_kind_notes
from codesign.hardware.spec import list_hardware, load_hardware
from codesign.plugins import registry
from codesign.templates import write_plugin
from codesign.testing import matmul
from codesign.workload.record import Trace

BEYOND = "nothing that codesign validates covers it; hold it to the promises of plugins with"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    registry.cache_clear()


@pytest.fixture
def row(tmp_path: Path) -> Path:
    """The folder of a plugin with an engine of its own, and a hardware file that names it."""
    write_plugin("engine", "mac_row", tmp_path / "mac_row")
    return tmp_path / "mac_row"


def told(folder: Path) -> str:
    place = folder / "mac_row.py"
    check = f"'codesign plugins check {place}'"
    return f"own: own kind 'mac_row' (plugin mac_row from {place}): {BEYOND} {check}"


def board(folder: Path) -> Hardware:
    return load_hardware(folder / "mac_row.yaml", plugins=[folder])


def work() -> Trace:
    op = matmul(8, 8, 8)
    return Trace("work", (op,), tuple(access.tensor for access in op.operands))


def test_a_result_names_the_kind_its_plugin_and_the_way_to_check_it(row: Path) -> None:
    result = package.simulate(work(), board(row))
    assert result.own_kinds == (told(row),)
    assert result.assumptions[0] == told(row)
    assert result.summary()["own_kinds"] == (told(row),)


def test_no_shipped_preset_has_a_kind_of_its_own() -> None:
    assert {own_kind_notes(load_hardware(preset.name)) for preset in list_hardware()} == {()}


def test_a_result_on_shipped_kinds_says_nothing_even_where_a_plugin_is_loaded(row: Path) -> None:
    result = package.simulate(work(), "edge-npu", plugins=[row])
    assert result.own_kinds == ()
    assert "own_kinds" not in result.summary()
    assert result.digest == package.simulate(work(), "edge-npu").digest


def test_where_a_plugin_lies_moves_no_digest(row: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(row, tmp_path / "elsewhere"))
    one, other = (package.simulate(work(), board(folder)) for folder in (row, again))
    assert one.assumptions != other.assumptions
    assert one.digest == other.digest


def test_several_parts_of_one_kind_have_one_line(row: Path) -> None:
    file = row / "mac_row.yaml"
    line = "  own: {kind: mac_row, buffer: sram}\n"
    assert line in file.read_text()
    file.write_text(file.read_text().replace(line, line.replace("own", "own2") + line))
    (found,) = own_kind_notes(board(row))
    assert found == told(row).replace("own: ", "own2, own: ", 1)


def test_changed_values_and_a_trip_to_another_process_keep_it(row: Path) -> None:
    changed = board(row).with_("own.lanes", 32)
    assert own_kind_notes(changed) == own_kind_notes(pickle.loads(pickle.dumps(changed)))
    assert own_kind_notes(changed) == (told(row),)


def test_a_copy_of_a_shipped_plugin_is_that_plugin(tmp_path: Path) -> None:
    installed = Path(str(import_module("codesign_plugins.systolic").__file__)).parent
    shutil.copytree(installed, tmp_path / "systolic")
    assert own_kind_notes(load_hardware("edge-npu", plugins=[tmp_path])) == ()


@dataclass(frozen=True, kw_only=True)
class Quiet(Sram):  # type: ignore[misc]  # plugins are not typed from here
    """A scratchpad of this file, under a name that ships."""


def test_a_machine_made_in_python_names_the_classes_that_do_not_ship() -> None:
    shipped = load_hardware("edge-npu")
    sram = Quiet(**{f.name: getattr(shipped.components["sram"], f.name) for f in fields(Sram)})
    parts = dict(shipped.components)
    assert own_kind_notes(Hardware("mine", "", None, parts)) == ()
    assert own_kind_notes(Hardware("mine", "", None, {**parts, "sram": sram})) == (
        f"sram: own kind 'sram' (class Quiet of {__name__}): {BEYOND} codesign.testing",
    )


class Installed(Distribution):
    """A distribution of one entry point."""

    def read_text(self, filename: str) -> str | None:
        return "Name: row-parts\nVersion: 2.1\n" if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


def test_a_kind_of_an_installed_distribution_is_somebodys_own_too(
    row: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("mac_row", "mac_row", "codesign")
    entry = entry._for(Installed())  # type: ignore[attr-defined]  # as importlib does it
    found = entry_points
    monkeypatch.setattr("codesign.plugins.entry_points", lambda group: [*found(group=group), entry])
    monkeypatch.syspath_prepend(str(row))
    registry.cache_clear()
    machine = load_hardware(row / "mac_row.yaml")
    line = (
        "own: own kind 'mac_row' (plugin mac_row of row-parts 2.1): "
        f"{BEYOND} 'codesign plugins check mac_row'"
    )
    assert own_kind_notes(machine) == (line,)
    assert own_kind_notes(Hardware("mine", "", None, machine.components)) == (
        f"own: own kind 'mac_row' (class MacRow of mac_row): {BEYOND} codesign.testing",
    )


def test_simulate_report_and_compare_show_it(row: Path, codesign: Codesign, tmp_path: Path) -> None:
    words = ("simulate", "lstm_lm", "--steps", "2", "--hardware")
    own, ours = tmp_path / "own", tmp_path / "ours"
    ran = codesign(*words, row / "mac_row.yaml", "--plugins", row, "--out", own)
    assert "- own: own kind 'mac_row'" in ran.out
    codesign(*words, "edge-npu", "--out", ours)
    assert json.loads((own / "summary.json").read_text())["own_kinds"] == [told(row)]
    codesign("report", own, "-o", tmp_path / "page.html")
    assert "own kind &#39;mac_row&#39;" in (tmp_path / "page.html").read_text()
    compared = codesign("compare", ours, own, "--json")
    assert json.loads(compared.out)["notes"] == [f"in B, {told(row)}"]
    assert compared.err == f"note: in B, {told(row)}\n"


def test_a_scenario_says_it_once_and_its_digest_does_not_move(row: Path, tmp_path: Path) -> None:
    stream = package.Stream("talk", work(), package.Periodic(1e-4))
    case = package.Scenario("case", (stream,), 3e-4)
    again = Path(shutil.copytree(row, tmp_path / "elsewhere"))
    one, other = (package.simulate_scenario(case, board(folder)) for folder in (row, again))
    assert one.assumptions.count(told(row)) == 1
    assert one.summary()["assumptions"] != other.summary()["assumptions"]
    assert one.digest == other.digest
