"""``codesign validate``: the matrix as people and programs read it, and bad input in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Codesign
from toy_validation import chips, plugin

from codesign.validation import families

ROOT = Path(__file__).parents[2]
ROWS = ("fast,110,100", "even,7,7", "broken chip,1,2", "slow,40,50")


@pytest.fixture
def words(tmp_path: Path) -> tuple[str, ...]:
    """Words of a command on a family with known figures."""
    folder = plugin(tmp_path / "plugins")
    data = chips(tmp_path / "data", *ROWS)
    return ("validate", "--plugins", str(folder), "--data", str(data))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the families that ship, so that all of them are quick."""
    known = {name: families.find_validations()[name] for name in ("scalesim", "traffic")}
    monkeypatch.setattr("codesign.validation.run.find_validations", lambda plugins: known)


def lines(text: str) -> list[list[str]]:
    """The words of every line."""
    return [line.split() for line in text.splitlines()]


def test_a_family_that_is_named_is_shown_with_its_cases(
    codesign: Codesign, words: tuple[str, ...]
) -> None:
    ran = codesign(*words, "--family", "chip")
    found = lines(ran.out)
    assert ran.code == 0
    assert ["chip", "power", "(W)", "no", "3", "1", "10.000", "%", "-3.333", "%", "-20.000", "%",
            "66.7", "%", "slow"] in found  # fmt: skip
    assert ["fast", "power", "(W)", "110", "100", "+10.000", "%", "no"] in found
    assert ["even", "power", "(W)", "7", "7", "exact", "no"] in found
    assert ["slow", "power", "(W)", "40", "50", "-20.000", "%", "no"] in found
    assert "not run: chip: broken chip: it never ran" in ran.out
    assert "chip: power of chip" in ran.out
    assert "source: data sheet of chip" in ran.out


@pytest.mark.usefixtures("few")
def test_the_summary_stands_alone_until_cases_are_asked_for(codesign: Codesign) -> None:
    short, long = codesign("validate"), codesign("validate", "--cases")
    assert "SCALE-Sim" not in short.out
    assert long.out.startswith(short.out.rstrip("\n"))
    assert "source: own runs of SCALE-Sim 3.0.0 (MIT), without stalls" in long.out


@pytest.mark.usefixtures("few")
def test_a_fresh_install_shows_typed_cases_and_names_what_is_missing(codesign: Codesign) -> None:
    ran = codesign("validate")
    shown = {row[0] for row in lines(ran.out) if "no" in row}
    assert shown == {"scalesim", "traffic"}
    assert "not run: scalesim: npus/scalesim.csv: needs the data folder, which --data" in ran.out
    assert ran.err == ""


def test_a_program_gets_every_figure(codesign: Codesign, words: tuple[str, ...]) -> None:
    ran = codesign(*words, "--family", "chip", "--json")
    (found,) = json.loads(ran.out)
    assert ran.err == ""
    assert [(one["case"], one["ours"], one["theirs"]) for one in found["cases"]] == [
        ("fast", 110, 100),
        ("even", 7, 7),
        ("slow", 40, 50),
    ]
    assert found["cases"][0] == {
        "case": "fast",
        "quantity": "power",
        "unit": "W",
        "ours": 110,
        "theirs": 100,
        "error": 0.1,
        "calibrated": False,
        "note": "",
    }
    assert (
        found["summaries"]
        == [
            {
                "quantity": "power",
                "unit": "W",
                "calibrated": False,
                "cases": 3,
                "exact": 1,
                "mean_absolute_error": pytest.approx(0.1),
                "bias": pytest.approx(-0.1 / 3),
                "worst_case": "slow",
                "worst_error": -0.2,
                "within_10_percent": pytest.approx(2 / 3),
            }
        ]
        or found["summaries"][0]["worst_case"] == "fast"
    )
    assert found["not_run"] == [{"name": "broken chip", "reason": "it never ran"}]
    keys = ("family", "title", "source", "note", "plugin")
    assert [found[key] for key in keys] == [
        "chip",
        "power of chip",
        "data sheet of chip",
        "nothing is fitted",
        "toy_chip",
    ]


@pytest.mark.usefixtures("few")
def test_one_json_document_has_all_families(codesign: Codesign) -> None:
    found = json.loads(codesign("validate", "--json").out)
    assert [one["family"] for one in found] == ["scalesim", "traffic"]
    assert all(one["source"] and one["cases"] and one["not_run"] for one in found)


@pytest.mark.usefixtures("few")
def test_a_page_is_written_beside_what_is_printed(codesign: Codesign, tmp_path: Path) -> None:
    page = tmp_path / "matrix.md"
    ran = codesign("validate", "-o", page)
    assert "### scalesim: " in page.read_text()
    assert ran.err == f"note: wrote {page}\n"
    assert "scalesim" in ran.out


@pytest.mark.usefixtures("few")
def test_json_and_a_page_go_together_without_another_word(
    codesign: Codesign, tmp_path: Path
) -> None:
    ran = codesign("validate", "--json", "--output", tmp_path / "matrix.md")
    assert (tmp_path / "matrix.md").exists()
    assert json.loads(ran.out)
    assert ran.err == ""


BAD = {
    ("--family", "scale-sim"): "unknown family 'scale-sim'; did you mean 'scalesim'? known: ",
    ("--data", "nowhere"): "data folder nowhere does not exist; name one with reference files",
    (
        "--data",
        "empty",
        "--family",
        "dram-kernel",
    ): "data folder empty has none of dram/device_params.json, ",
    ("--data", "broken", "--family", "scalesim"): "broken/npus/scalesim.csv:1: no column 'kind'",
    ("-o", "empty"): "empty is a folder; name a file for the matrix",
    ("-o", "none/page.md"): "folder none of page.md does not exist; make it first",
    ("-o", "page.md", "--family", "traffic"): "--output writes the matrix of all families; leave",
    ("--plugins", "nowhere"): "plugin folder nowhere does not exist; give a folder",
}


@pytest.mark.parametrize("words", BAD, ids=" ".join)
def test_bad_input_is_one_line(
    words: tuple[str, ...], codesign: Codesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken" / "npus").mkdir(parents=True)
    (tmp_path / "broken" / "npus" / "scalesim.csv").write_text("case,layer\n1,2\n")
    ran = codesign("validate", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {BAD[words]}")
    assert ran.err.count("\n") == 1


def test_words_of_a_plugin_are_no_markup(codesign: Codesign, tmp_path: Path) -> None:
    folder = plugin(
        tmp_path / "plugins", change=lambda text: text.replace("it never ran", "[bold]never[/x]")
    )
    data = chips(tmp_path / "data", *ROWS)
    ran = codesign("validate", "--plugins", folder, "--data", data, "--family", "chip")
    assert "[bold]never[/x]" in ran.out
