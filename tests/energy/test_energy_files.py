"""Tables as files: numbers with units, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from energy_case import HEAD
from hypothesis import given
from hypothesis import strategies as st

from codesign.energy import EnergyTables, read_query, read_table, read_tables, shipped_tables
from codesign.energy.read import MAX_BYTES
from codesign.errors import CodesignError, EnergyError

GOOD = "sram,read,ours,22 nm,64 KiB,64,3 pJ,datasheet,our compiler"


def table(*lines: str, head: str = HEAD) -> str:
    return "\n".join((head, *lines)) + "\n"


def test_numbers_may_have_units_or_be_in_si() -> None:
    plain = GOOD.replace("22 nm", "22").replace("64 KiB", "65536").replace("3 pJ", "3e-12")
    plain = plain.replace("read", "write")
    first, second = read_table(table(GOOD, plain), "mine.csv")
    assert (first.node_nm, first.size_bytes, first.energy_j) == (22.0, 65536.0, 3e-12)
    assert (first.node_nm, first.size_bytes) == (second.node_nm, second.size_bytes)
    assert first.energy_j == pytest.approx(second.energy_j)
    assert (first.place, second.place) == ("mine.csv:2", "mine.csv:3")
    assert first.is_own


def test_columns_stand_in_any_order_and_empty_lines_do_not_count() -> None:
    (row,) = read_table("source,status,leakage_w,component\n\ns,tool,3 uW,sram\n", "mine.csv")
    assert (row.component, row.leakage_w, row.action, row.tool) == ("sram", 3e-6, "", "s")
    assert row.place == "mine.csv:3"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3 pJ", "3 ns", r"mine.csv:2: energy_j: expected a unit of J, got '3 ns'; write for"),
        ("3 pJ", "three", r"mine.csv:2: energy_j: expected a number in J, got 'three'"),
        ("3 pJ", "-3 pJ", r"mine.csv:2: energy_j must not be negative, got '-3 pJ'; correct it"),
        ("3 pJ", "nan", r"mine.csv:2: energy_j: expected a number in J, got 'nan'"),
        ("3 pJ", "", r"mine.csv:2: the row gives no figure; fill in one of energy_j, latency_s,"),
        ("64 KiB", "0", r"mine.csv:2: size_bytes must be above 0, got '0'; correct it"),
        ("64 KiB", "64 mm", r"mine.csv:2: size_bytes: expected a unit of B, got '64 mm'"),
        ("22 nm", "22 um", r"mine.csv:2: node_nm: expected a node of 1 to 1000 nm, got '22 um'"),
        ("datasheet", "sure", r"mine.csv:2: unknown status 'sure'; known: assumed, datasheet"),
        ("datasheet", "datashet", r"unknown status 'datashet'; did you mean 'datasheet'\?"),
        ("our compiler", "", r"mine.csv:2: source is empty; fill it in"),
        (",ours,", ",", r"mine.csv:2: must have 9 cells as the heading, got 8; mend it"),
    ],
)
def test_a_wrong_cell_is_told_with_its_line(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(EnergyError, match=message):
        read_table(table(GOOD.replace(old, new)), "mine.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("energy_j", "energy", r"mine.csv:1: unknown column 'energy'; did you mean 'energy_j'\?"),
        ("energy_j", "tool", r"mine.csv:1: column 'tool' is there twice; remove one"),
        (",source", "", r"mine.csv:1: column 'source' is missing; add it"),
    ],
)
def test_a_wrong_heading_is_told_with_line_one(old: str, new: str, message: str) -> None:
    with pytest.raises(EnergyError, match=message):
        read_table(table(GOOD, head=HEAD.replace(old, new)), "mine.csv")


FULL = (
    "component,action,tool,type,node_nm,vdd_v,size_bytes,width_bits,energy_j,area_m2,status,source"
)
FIRST = "sram,read,ours,hd,22 nm,0.8 V,64 KiB,64,3 pJ,1e-8,datasheet,our compiler"


def test_a_figure_given_twice_is_told_with_both_places_and_the_way_out() -> None:
    other = FIRST.replace("3 pJ", "4 pJ").replace("64 KiB", "65536").replace("0.8 V", "800 mV")
    with pytest.raises(EnergyError) as caught:
        read_table(table(FIRST, FIRST.replace("64 KiB", "1 MiB"), other, head=FULL), "mine.csv")
    assert str(caught.value) == (
        "mine.csv:4: gives the energy of sram read a second time, after mine.csv:2 (same tool, "
        "type, node, voltage, size and width); remove one, or give it another tool or type"
    )


def test_the_same_voltage_in_two_units_is_one_voltage() -> None:
    first = FIRST.replace("0.8 V", "0.7 V")
    with pytest.raises(EnergyError, match=r"a second time, after mine.csv:2"):
        read_table(table(first, first.replace("0.7 V", "700 mV"), head=FULL), "mine.csv")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sram", "cache"),
        ("read", "write"),
        ("ours", "theirs"),
        ("hd", "hp"),
        ("22 nm", "16 nm"),
        ("22 nm", ""),
        ("0.8 V", "0.6 V"),
        ("0.8 V", ""),
        ("64 KiB", "1 MiB"),
        (",64,", ",128,"),
        ("3 pJ,1e-8", ","),
    ],
)
def test_rows_that_differ_in_one_of_these_are_two(old: str, new: str) -> None:
    assert old in FIRST
    head, lines = FULL, [FIRST, FIRST.replace(old, new, 1)]
    if new == ",":
        head = f"{FULL},latency_s"
        lines = [f"{lines[0]},", f"{lines[1]},1 ns"]
    assert len(read_table(table(*lines, head=head), "mine.csv")) == 2


def test_two_actions_may_state_one_area_but_not_two() -> None:
    write = FIRST.replace("read", "write")
    assert len(read_table(table(FIRST, write, head=FULL), "mine.csv")) == 2
    with pytest.raises(EnergyError, match=r"mine.csv:3: gives the area of sram write a second"):
        read_table(table(FIRST, write.replace("1e-8", "2e-8"), head=FULL), "mine.csv")


def test_of_two_tables_the_earlier_gives_a_figure_that_both_have(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(GOOD))
    (tmp_path / "b.csv").write_text(table(GOOD.replace("3 pJ", "4 pJ")))
    words = {"component": "sram", "action": "read", "node": 22, "size": "64 KiB"}
    for order, energy in (("ab", 3e-12), ("ba", 4e-12)):
        rows = read_tables([tmp_path / f"{name}.csv" for name in order])
        assert EnergyTables(rows).estimate(read_query(words)).value == pytest.approx(energy)


def test_an_empty_file_misses_its_columns() -> None:
    with pytest.raises(EnergyError, match=r"mine.csv:1: column 'component' is missing; add it"):
        read_table("", "mine.csv")


def test_a_folder_gives_the_rows_of_its_tables_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(table(GOOD))
    (tmp_path / "a.csv").write_text(table(GOOD, GOOD.replace("read", "write")))
    (tmp_path / "notes.txt").write_text("no table")
    assert [row.place for row in read_tables([tmp_path])] == ["a.csv:2", "a.csv:3", "b.csv:2"]


def test_files_that_cannot_be_read_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(EnergyError, match=r"none.csv: no such file; give a CSV table"):
        read_tables([tmp_path / "none.csv"])
    with pytest.raises(EnergyError, match=r"the folder has no \*.csv file"):
        read_tables([tmp_path])
    (tmp_path / "latin.csv").write_bytes(b"component,\xe9\n")
    with pytest.raises(EnergyError, match="not UTF-8; save the file as UTF-8"):
        read_tables([tmp_path / "latin.csv"])
    (tmp_path / "big.csv").write_bytes(b"a" * (MAX_BYTES + 1))
    with pytest.raises(EnergyError, match="must be at most 4,194,304 bytes; split it"):
        read_tables([tmp_path / "big.csv"])


@given(st.text(alphabet=st.characters(max_codepoint=300), max_size=80))
def test_any_text_gives_rows_or_one_line(text: str) -> None:
    for content in (text, table(text)):
        told = ""
        try:
            assert isinstance(read_table(content, "mine.csv"), tuple)
        except CodesignError as error:
            told = str(error)
        assert told.startswith("mine.csv:") or not told


def test_a_byte_order_mark_in_front_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(table(GOOD), encoding="utf-8-sig")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [row.energy_j for row in read_tables([path])] == [3e-12]


def test_no_energy_needs_a_reason() -> None:
    nothing = GOOD.replace("3 pJ", "0 J")
    with pytest.raises(EnergyError, match=r"^mine.csv:2: energy_j must not be 0 without a reason"):
        read_table(table(nothing), "mine.csv")
    (row,) = read_table(table(f"{nothing},gated off", head=f"{HEAD},note"), "mine.csv")
    assert (row.energy_j, row.note) == (0.0, "gated off")


@pytest.mark.parametrize("action", ["raed", "reads", "wirte", "Read"])
def test_an_action_that_is_nearly_one_of_a_shipped_component_is_refused(action: str) -> None:
    rows = read_table(table(GOOD.replace("read", action)), "mine.csv")
    with pytest.raises(EnergyError, match=rf"^mine.csv:2: unknown action '{action}' of sram; did"):
        shipped_tables().with_rows(rows)


@pytest.mark.parametrize("line", ["sram,search", "sram,", "lookup_table,raed"])
def test_other_actions_and_those_of_own_components_are_free(line: str) -> None:
    rows = read_table(table(GOOD.replace("sram,read", line)), "mine.csv")
    assert shipped_tables().with_rows(rows).rows[0].action == line.partition(",")[2]
