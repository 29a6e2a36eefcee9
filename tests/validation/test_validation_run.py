"""Running families: what is read, what is listed as not run, and who is named when one fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from toy_validation import chips, plugin

from codesign.errors import PluginError, ValidationError
from codesign.plugins import registry
from codesign.validation import FamilyResult, NotRun, find_validations, validate


def only(data: Path | None, folder: Path) -> FamilyResult:
    """The family ``chip`` of a plugin folder."""
    (found,) = validate(data, ("chip",), (folder,))
    return found


def changed(folder: Path, old: str, new: str) -> Path:
    """A plugin folder in which a part of the plugin is another."""
    made = plugin(folder, change=lambda text: text.replace(old, new))
    assert new in (made / "toy_chip.py").read_text()
    return made


def test_a_family_comes_through_the_hook_that_anyone_has(tmp_path: Path) -> None:
    offers = find_validations((plugin(tmp_path),))
    assert offers["chip"].owner == "toy_chip"
    assert offers["chip"].value.title == "power of chip"
    assert {"scalesim", "traffic", "dram-kernel", "dram-window"} <= set(offers)


def test_without_a_folder_typed_rows_run_and_the_file_is_listed(tmp_path: Path) -> None:
    found = only(None, plugin(tmp_path))
    assert [(case.name, case.ours, case.theirs) for case in found.cases] == [("typed", 11, 10)]
    reason = "needs the data folder, which --data names"
    assert found.not_run == (NotRun(name="chips/chip.csv", reason=reason),)


def test_with_the_folder_every_row_is_a_case_or_has_a_reason(tmp_path: Path) -> None:
    data = chips(tmp_path / "data", "a,1,2", "broken chip,1,2", "b,3,2")
    found = only(data, plugin(tmp_path / "plugins"))
    assert [(case.name, case.ours, case.theirs) for case in found.cases] == [
        ("a", 1, 2),
        ("b", 3, 2),
    ]
    assert found.not_run == (NotRun(name="broken chip", reason="it never ran"),)
    assert found.plugin == "toy_chip"
    assert found.summaries[0].cases == 2


def test_a_family_whose_file_is_missing_says_so_and_others_run(tmp_path: Path) -> None:
    folder = plugin(plugin(tmp_path / "plugins"), "die")
    data = chips(tmp_path / "data", "a,1,2")
    chip, die = validate(data, ("chip", "die"), (folder,))
    assert [case.name for case in chip.cases] == ["a"]
    assert [case.name for case in die.cases] == ["typed"]
    assert die.not_run == (NotRun(name="chips/die.csv", reason="not in the data folder"),)


def test_families_come_in_the_order_of_their_names_and_once(tmp_path: Path) -> None:
    folder = plugin(plugin(tmp_path), "die")
    names = [one.family for one in validate(None, ("die", "chip", "die"), (folder,))]
    assert names == ["chip", "die"]


def test_an_unknown_family_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        validate(None, ("chips",), (plugin(tmp_path),))
    assert str(caught.value).startswith("unknown family 'chips'; did you mean 'chip'? known: chip,")


def test_a_folder_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    folder = changed(tmp_path, "def rows(data):", "def rows(data):\n    1 / 0")
    with pytest.raises(ValidationError, match=r"data folder .*nowhere does not exist; name one"):
        validate(tmp_path / "nowhere", ("chip",), (folder,))


def test_a_folder_without_any_of_the_files_is_told_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        validate(tmp_path, ("chip",), (plugin(tmp_path / "plugins"),))
    assert str(caught.value) == (
        f"data folder {tmp_path} has none of chips/chip.csv; name the folder above them"
    )


def test_a_family_without_files_gets_any_folder(tmp_path: Path) -> None:
    folder = changed(tmp_path / "plugins", 'files=("chips/chip.csv",), ', "")
    with pytest.raises(ValidationError, match=r"chip.csv cannot be read: No such file"):
        only(tmp_path, folder)
    assert only(None, folder).not_run == ()


def test_all_rows_are_read_before_the_first_is_compared(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "plugins", "die")
    changed(folder, "def compare(row):", "def compare(row):\n    1 / 0")
    data = chips(chips(tmp_path / "data", "a,1,2"), "a,one,2", name="die")
    with pytest.raises(
        ValidationError, match=r"die.csv:2: ours must be a finite number, got 'one'"
    ):
        validate(data, ("chip", "die"), (folder,))


def test_progress_counts_references_up_to_the_last(tmp_path: Path) -> None:
    data = chips(tmp_path / "data", "a,1,2", "broken chip,1,2", "b,3,2")
    seen: list[tuple[int, int]] = []
    folder = plugin(plugin(tmp_path / "plugins"), "die")
    validate(data, ("chip", "die"), (folder,), lambda *step: seen.append(step))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


FAULTS = {
    "exits while it compares": (
        "name, ours, theirs = row",
        "raise SystemExit(0)",
        "raised SystemExit: 0 in row 1 of 1",
    ),
    "exits while it reads": (
        "if data is None:",
        "raise SystemExit(0)\n    if data is None:",
        "raised SystemExit: 0 while it read its rows",
    ),
    "raises while it compares": (
        "name, ours, theirs = row",
        "raise RuntimeError('no licence\\nfor it')",
        "raised RuntimeError: no licence in row 1 of 1",
    ),
    "raises an error of ours": (
        "name, ours, theirs = row",
        "from codesign.errors import MappingError; raise MappingError('no tile fits')",
        "raised MappingError: no tile fits in row 1 of 1",
    ),
    "raises while it reads": (
        "if data is None:",
        "1 / 0\n    if data is None:",
        "raised ZeroDivisionError: division by zero while it read its rows",
    ),
    "gives figures that mean nothing": (
        "name, ours, theirs = row",
        "name, ours, theirs = row; theirs = 0",
        "raised ValidationError: power of case 'typed': theirs must be finite and above 0, got 0;",
    ),
    "gives something else": (
        'return [Case(name=name, quantity="power", unit="W", ours=ours, theirs=theirs)]',
        "return [3]",
        "must give Case or NotRun objects, got 3",
    ),
    "gives nothing": (
        'return [Case(name=name, quantity="power", unit="W", ours=ours, theirs=theirs)]',
        "return []",
        "gives nothing for row 1 of 1; give NotRun with the reason",
    ),
    "gives one case twice": (
        'return [Case(name=name, quantity="power", unit="W", ours=ours, theirs=theirs)]',
        'return 2 * [Case(name=name, quantity="power", unit="W", ours=ours, theirs=theirs)]',
        "gives power of case 'typed' twice; name every case for itself",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_validation_that_fails_names_its_plugin_in_one_line(fault: str, tmp_path: Path) -> None:
    old, new, message = FAULTS[fault]
    folder = changed(tmp_path, old, new)
    with pytest.raises(PluginError) as caught:
        validate(None, ("chip",), (folder,))
    start = f"plugin 'toy_chip' ({folder / 'toy_chip.py'}): validation 'chip' "
    assert str(caught.value).startswith(start + message)
    assert "\n" not in str(caught.value)


def test_what_is_no_validation_is_refused_with_its_plugin(tmp_path: Path) -> None:
    text = "from codesign import hookimpl\n@hookimpl\ndef codesign_validations():\n    return "
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "odd.py").write_text(text + "{'odd': 'cycles'}\n")
    expected = re.escape(f"plugin 'odd' ({folder / 'odd.py'}): codesign_validations must return V")
    with pytest.raises(PluginError, match=expected):
        find_validations((folder,))


def test_two_families_of_one_name_are_both_named(tmp_path: Path) -> None:
    folder = plugin(tmp_path, "chip")
    (folder / "other.py").write_text((folder / "toy_chip.py").read_text())
    with pytest.raises(PluginError, match=r"'chip' is offered by both plugin 'other'.*'toy_chip'"):
        find_validations((folder,))


def test_the_same_rows_give_the_same_results(tmp_path: Path) -> None:
    data, folder = chips(tmp_path / "data", "a,1,2", "b,3,7"), plugin(tmp_path / "plugins")
    assert only(data, folder) == only(data, folder)


def test_the_validations_that_ship_come_through_the_same_door() -> None:
    offers = registry().offers("codesign_validations")
    assert find_validations() == dict(offers)
    assert all(offer.origin.startswith("codesign_plugins.") for offer in offers.values())
