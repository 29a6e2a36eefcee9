"""``codesign energy``: estimates, their rivals and the tables as people and programs read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Codesign

from codesign.energy import shipped_tables

SRAM = ("energy", "show", "sram", "--size", "64 KiB")
OWN = (
    "component,action,tool,node_nm,size_bytes,width_bits,energy_j,status,source\n"
    "sram,read,ours,22,64 KiB,64,8 pJ,datasheet,our compiler\n"
)


def line_of(text: str, *words: str) -> str:
    """The only line of a text that begins with some words."""
    found = [line for line in text.splitlines() if line.split()[: len(words)] == list(words)]
    assert found, f"no line {' '.join(words)!r} in:\n{text}"
    return found[0]


@pytest.mark.parametrize(("node", "spread"), [("22", "1.6"), ("45", "2.1")])
def test_the_spread_between_tools_is_displayed(codesign: Codesign, node: str, spread: str) -> None:
    ran = codesign(*SRAM, "--node", node)
    assert ran.code == 0
    assert f"tools differ by a factor of {spread}" in line_of(ran.out, "read")
    assert "read between 32 KiB and 128 KiB" in line_of(ran.out, "read")
    assert line_of(ran.out, "sram:").endswith("an access of 64 bit")


def test_each_quantity_has_its_best_answer_and_all_tools(codesign: Codesign) -> None:
    ran = codesign(*SRAM, "--node", "22 nm")
    best, every = ran.out.split("All tools")
    for name in ("read", "write", "latency", "area", "leakage"):
        assert line_of(best, name)
        assert line_of(every, name)
    assert line_of(best, "read").split()[1:6] == ["3.552", "pJ", "444", "fJ/B", "tool"]
    assert "1.60x" in line_of(every, "hwcomponents", "1.0.114", "5.67")
    assert "assumed" in line_of(best, "leakage")


def test_json_has_every_row_that_a_figure_rests_on(codesign: Codesign) -> None:
    ran = codesign(*SRAM, "--node", "22", "--json")
    read = json.loads(ran.out)[0]
    assert (read["name"], read["unit"], read["status"]) == ("read", "J", "tool")
    assert read["value"] == pytest.approx(3.552e-12, rel=1e-3)
    assert read["flags"] == ["interpolated"]
    assert read["spread"] == pytest.approx(1.596, abs=0.001)
    assert [row["size_bytes"] for row in read["rows"]] == [32768, 131072]
    assert [row["place"] for row in read["rows"]] == ["sram.csv:3", "sram.csv:4"]
    assert read["asked"] == {
        "component": "sram",
        "action": "read",
        "quantity": "energy",
        "node_nm": 22.0,
        "size_bytes": 65536,
        "width_bits": 64,
        "banks": 1,
        "format": "int",
        "accumulator_bits": 32,
        "length_mm": 1.0,
        "state": "active",
        "count": 1,
    }
    assert [rival["tool"] for rival in read["rivals"]] == ["hwcomponents 1.0.114"]


def test_every_word_has_an_option(codesign: Codesign) -> None:
    mac = codesign(
        "energy",
        "show",
        "mac",
        "--action",
        "compute",
        "--node",
        "45",
        "--activation-bits",
        "4",
        "--weight-bits",
        "4",
        "--accumulator-bits",
        "32",
    )
    assert "150 fJ" in line_of(mac.out, "compute")
    wire = codesign("energy", "show", "wire", "--length", "2 mm", "--width", "64")
    assert "12.8 pJ" in line_of(wire.out, "move")
    kept = codesign(*SRAM, "--node", "22", "--state", "retention", "--count", "4", "--banks", "2")
    assert "11.01 uW" in line_of(kept.out, "leakage")
    carried = codesign(*SRAM, "--node", "22", "--voltage", "0.3 V", "--width", "32")
    assert "scaled" not in line_of(carried.out, "latency")
    assert "carried from 0.6 to 0.3 V" in carried.out
    half = codesign("energy", "show", "mac", "--node", "45", "--format", "fp16")
    assert "2 pJ" in line_of(half.out, "compute")
    dram = codesign("energy", "show", "dram", "--type", "HBM2")
    assert "31.2 pJ/B" in line_of(dram.out, "access")


def test_an_action_can_be_asked_for_alone(codesign: Codesign) -> None:
    ran = codesign(*SRAM, "--node", "22", "--action", "write", "--json")
    assert [one["name"] for one in json.loads(ran.out)] == ["write", "latency", "area", "leakage"]


def test_rows_of_ones_own_come_first_and_are_shown_as_such(
    codesign: Codesign, tmp_path: Path
) -> None:
    (tmp_path / "mine.csv").write_text(OWN)
    for place in (tmp_path / "mine.csv", tmp_path):
        ran = codesign(*SRAM, "--node", "22", "--tables", place)
        assert "8 pJ" in line_of(ran.out, "read")
        assert line_of(ran.out.split("All tools")[1], "read").split()[1:3] == ["ours", "(yours)"]
        assert "0.44x" in ran.out


def test_a_table_of_ones_own_that_breaks_a_rule_is_told_with_its_line(
    codesign: Codesign, tmp_path: Path
) -> None:
    (tmp_path / "mine.csv").write_text(OWN.replace("8 pJ", "8 ns"))
    ran = codesign(*SRAM, "--node", "22", "--tables", tmp_path / "mine.csv")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: mine.csv:2: energy_j: expected a unit of J, got '8 ns'")


def test_tables_and_estimators_of_a_plugin_are_found(codesign: Codesign, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(OWN)
    (tmp_path / "ours.py").write_text(
        "from pathlib import Path\nfrom codesign import hookimpl\n"
        "from codesign.energy import Row\n\n"
        "def ask(query):\n"
        "    return Row('sram', query.action, 'compiler', 'datasheet', 'asked', energy_j=5e-12,\n"
        "               latency_s=1e-9, area_m2=1e-8, leakage_w=1e-6)\n\n"
        "@hookimpl\ndef codesign_energy_tables():\n"
        "    return [Path(__file__).parent / 'mine.csv']\n\n"
        "@hookimpl\ndef codesign_energy_estimators():\n    return {'compiler': ask}\n"
    )
    ran = codesign(*SRAM, "--node", "22", "--plugins", tmp_path)
    assert "8 pJ" in line_of(ran.out, "read")
    asked = codesign(*SRAM, "--node", "22", "--plugins", tmp_path, "--estimator", "compiler")
    assert "5 pJ" in line_of(asked.out, "read")
    assert "1 uW" in line_of(asked.out, "leakage")
    listed = codesign("plugins", "show", "ours", "--plugins", tmp_path)
    assert "energy estimators" in listed.out
    assert "energy tables" in listed.out


def test_the_tables_are_listed_with_and_without_their_word(codesign: Codesign) -> None:
    listed = codesign("energy", "list")
    assert listed.out == codesign("energy", "show").out
    for name in shipped_tables().components:
        assert line_of(listed.out, name)
    assert "from its parts" in line_of(listed.out, "vector_lane")
    facts = json.loads(codesign("energy", "list", "--json").out)
    sram = next(one for one in facts if one["component"] == "sram")
    assert sram["nodes_nm"] == [7, 22, 32, 45, 65]
    assert sram["actions"] == ["read", "write"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sran",), "unknown component 'sran'; did you mean 'sram'? known: adc, adder,"),
        (("sram", "--size", "0", "--node", "22"), "size: must be a whole number from 1 B to"),
        (("sram", "--size", "-4", "--node", "22"), "size: must be a whole number from 1 B to"),
        (("sram", "--size", "4 ns", "--node", "22"), "size: expected a unit of B, got '4 ns'"),
        (("sram", "--size", "4", "--node", "22 kg"), "node: expected a node of 1 to 1000 nm"),
        (("sram", "--size", "4"), "sram read needs a node; add for example 'node: 22 nm'"),
        (("sram", "--node", "22"), "sram read needs a size; add for example 'size: 64 KiB'"),
        (("mac", "--node", "22"), "mac compute needs activation_bits and weight_bits, bits for"),
        (("mac", "--bits", "8", "--size", "4"), "mac takes no 'size'; it takes action, node,"),
        (("sram", "--action", "erase"), "unknown action 'erase' of sram; known: read, write"),
        (("dram",), "dram needs a type; add for example 'type: LPDDR4'"),
        (("dram", "--type", "HBM9"), "unknown type 'HBM9' of dram; did you mean 'HBM'?"),
        (("sram", "--estimator", "x"), "unknown estimator 'x'; known: hwcomponents"),
        (("sram", "--tables", "none.csv"), "none.csv: no such file; give a CSV table or a folder"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(
    codesign: Codesign, words: tuple[str, ...], message: str
) -> None:
    ran = codesign("energy", "show", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {message}")
    assert ran.err.count("\n") == 1


def test_a_node_outside_the_tables_is_flagged_and_no_error(codesign: Codesign) -> None:
    ran = codesign(*SRAM, "--node", "3", "--json")
    read = json.loads(ran.out)[0]
    assert read["flags"] == ["scaled"]
    assert read["status"] == "assumed"
    assert any("carried from 7 to 3 nm" in note for note in read["notes"])
