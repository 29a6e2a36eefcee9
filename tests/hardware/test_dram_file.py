"""DRAM device files: strict, safe, and every mistake told in one line with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tiny_dram import TEXT, written

from codesign.errors import HardwareError
from codesign.hardware.dram_file import load_device, read_device
from codesign.hardware.dram_sections import SECTIONS
from codesign.memory import AddressMapping, Device, Xor, simulate, stream


def _read(folder: Path, old: str = "", new: str = "") -> Device:
    assert old in TEXT
    path = written(folder, TEXT.replace(old, new, 1))
    return read_device(path, path.name).device


def _refused(folder: Path, old: str, new: str) -> str:
    with pytest.raises(HardwareError) as error:
        _read(folder, old, new)
    text = str(error.value)
    assert "\n" not in text
    assert "; " in text, "says no way out"
    return text


def _line(part: str) -> int:
    return TEXT[: TEXT.index(part)].count("\n") + 1


def test_a_file_becomes_a_device(tmp_path: Path) -> None:
    device = _read(tmp_path)
    assert device.name == "tiny"
    assert device.organisation.transaction_bytes == 16
    assert (device.organisation.channels, device.organisation.rank_banks) == (1, 4)
    assert device.mapping == AddressMapping(("ro", "ba", "co", "bg"), (Xor("ba", "ro", 0),))
    assert (device.controller.write_high, device.controller.shared_injection) == (0.9, False)
    assert device.io_j_per_bit == pytest.approx(3e-12)


def test_times_become_clocks_and_the_longest_of_a_list_holds(tmp_path: Path) -> None:
    timings = _read(tmp_path).timings
    assert (timings.tck_ps, timings.cl, timings.cwl) == (625, 22, 16)
    assert (timings.trcd_read, timings.tras, timings.tfaw) == (22, 52, 34)
    assert (timings.tccd_l, timings.trrd_s) == (8, 4)
    assert (timings.trfc, timings.trefi, timings.txs) == (560, 12480, 576)


def test_currents_and_voltages_become_amperes_and_volts(tmp_path: Path) -> None:
    ((name, rail),) = _read(tmp_path).rails
    assert name == "vdd"
    assert rail.voltage == pytest.approx(1.2)
    assert (rail.idd0, rail.idd4w, rail.idd6) == pytest.approx((0.057, 0.15, 0.03))
    assert rail.idd5_bank == 0


def test_a_device_without_rails_has_no_energy_but_is_a_device(tmp_path: Path) -> None:
    start = TEXT.index("rails:")
    path = written(tmp_path, f"{TEXT[:start]}rails: {{}}\n{TEXT[TEXT.index('io:') :]}")
    assert read_device(path, path.name).device.rails == ()


def test_a_file_can_be_simulated(tmp_path: Path) -> None:
    counts = simulate(_read(tmp_path), stream("seq_rd", 64, 16)).counts
    assert counts.reads == 64


def test_every_value_has_its_origin_and_the_inner_one_holds(tmp_path: Path) -> None:
    path = written(tmp_path)
    file = read_device(path, "tiny.yaml")
    rows = {row.field: row for row in file.provenance}
    assert file.description == "a small device"
    assert {row.component for row in file.provenance} == {"tiny"}
    tras, trp, idd0 = rows["timings.tras"], rows["timings.trp"], rows["rails.vdd.idd0"]
    assert (tras.value, tras.source, tras.status) == ("32 ns", "JESD79-4", "standard")
    assert tras.note == "of the slowest bin"
    assert (trp.value, trp.status) == ("13.75 ns", "datasheet")
    assert rows["timings.tccd_l"].value == "4 nCK, 5 ns"
    assert (idd0.source, idd0.status) == ("tiny.yaml", "assumed")
    assert rows["io.energy"].value == "3 pJ/bit"


def test_a_value_that_is_left_out_counts_as_assumed(tmp_path: Path) -> None:
    path = written(tmp_path)
    rows = {row.field: row for row in read_device(path, "tiny.yaml").provenance}
    for field, value in (
        ("organisation.channels", "1"),
        ("command_bus.column", "1"),
        ("controller.read_entries", "32"),
    ):
        row = rows[field]
        assert (row.value, row.status) == (value, "assumed")
        assert row.source == "default of the device model"


def test_a_timing_that_the_device_does_not_have_is_no_number(tmp_path: Path) -> None:
    path = written(tmp_path)
    fields = {row.field for row in read_device(path, "tiny.yaml").provenance}
    assert "timings.trtrs" in fields
    assert not fields & {"timings.taad", "timings.trfc_bank", "rails.vdd.idd5_bank"}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("trp: 13.75 ns", "trpp: 13.75 ns", "unknown field 'trpp' in timings; did you mean 'trp'?"),
        ("idd0: 57 mA", "idd_0: 57 mA", "unknown field 'idd_0' in rails.vdd; did you mean"),
        ("fields: ro ba co bg", "field: ro ba co bg", "unknown field 'field' in mapping"),
        ("activate: 1", "activates: 1", "unknown field 'activates' in command_bus; did you mean"),
        ("energy: 3 pJ/bit", "energi: 1 pJ/bit", "unknown field 'energi' in io; did you mean"),
        ("rows: 1024, ", "", "organisation needs the field 'rows'; add it"),
        ("    trc: 74\n", "", "timings needs the field 'trc'; add it"),
        ("    tck: 625 ps\n", "", "timings needs the field 'tck'; add it"),
        ("    idd2n: 37 mA\n", "", "rails.vdd needs the field 'idd2n'; add it"),
        ("fields: ro ba co bg, ", "", "mapping needs the field 'fields'; add it"),
    ],
)
def test_unknown_and_missing_fields_are_named(
    tmp_path: Path, old: str, new: str, rule: str
) -> None:
    text = _refused(tmp_path, old, new)
    assert text.startswith("tiny.yaml:")
    assert rule in text


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("tck: 625 ps", "tck: 625 pJ", "timings.tck: expected a unit of s, got '625 pJ'"),
        ("tck: 625 ps", "tck: 625", "timings.tck: expected a time, got '625'"),
        ("tck: 625 ps", "tck: 0.3 ps", "timings.tck: must be whole picoseconds up to 1 us"),
        ("tck: 625 ps", "tck: 2 us", "timings.tck: must be whole picoseconds up to 1 us"),
        ("trfc: 350 ns", "trfc: 350 mA", "timings.trfc: expected a unit of s, got '350 mA'"),
        ("cl: 22", "cl: 22.5", "timings.cl: expected clocks or a time, got '22.5'"),
        ("cl: 22", "cl: true", "timings.cl: expected clocks or a time, got 'True'"),
        ("cl: 22", "cl: []", "timings.cl: expected clocks or times in the list"),
        ("cl: 22", "cl: [[4]]", "timings.cl: expected clocks or times in the list"),
        ("trfc: 350 ns", "trfc: 0.9 s", "timings.trfc: must be at most 1,000,000,000, got"),
        ("idd0: 57 mA", "idd0: 57 mV", "rails.vdd.idd0: expected a unit of A, got '57 mV'"),
        ("voltage: 1.2 V", "voltage: 1.2 A", "rails.vdd.voltage: expected a unit of V, got"),
        ("3 pJ/bit", "3 pJ", "io.energy: expected a unit of J/B, got '3 pJ'"),
        ("3 pJ/bit", "-3 pJ/bit", "io.energy: must be 0 to 1 uJ/bit, got '-3 pJ/bit'"),
        ("rows: 1024", "rows: many", "organisation.rows: expected a whole number, got 'many'"),
        ("rows: 1024", "rows: true", "organisation.rows: expected a whole number, got 'True'"),
        ("write_high: 0.9", "write_high: high", "controller.write_high: expected a number in 1"),
        ("shared_injection: false", "shared_injection: 0", "expected true or false, got '0'"),
        ("style: ramulator", "style: 3", "controller.style: expected a word, got '3'"),
        ("ba ^= ro >> 0", "ba = ro", "mapping.xors: expected 'field ^= source >> shift', got"),
        ("rails:\n  vdd:", "rails:\n  VDD 1:", "a rail is a word such as 'vdd2', got 'VDD 1'"),
        ("ba ^= ro >> 0", "bb ^= ro >> 0", "mapping.xors: unknown field 'bb'; known: ba, bg"),
        ("ba ^= ro >> 0", "ba ^= rw >> 0", "mapping.xors: unknown field 'rw'; known: ba, bg"),
        ("io: {energy: 3 pJ/bit}", "io: 3 pJ/bit", "io must be a map from field to value"),
        ("command_bus: {activate: 1}", "command_bus: []", "command_bus must be a map from field"),
    ],
)
def test_wrong_units_and_types_are_told_with_the_line(
    tmp_path: Path, old: str, new: str, rule: str
) -> None:
    text = _refused(tmp_path, old, new)
    assert text.startswith(f"tiny.yaml:{_line(old)}: ")
    assert rule in text


@pytest.mark.parametrize(
    ("old", "new", "at", "rule"),
    [
        ("{value: 32 ns,", "{value: 10 ns,", "13.75 ns", "timings.trcd_read must be <= tras"),
        ("trc: 74", "trc: 73", "trc: 74", "timings.trc must be >= tras + trp, got 73 < 52 + 22"),
        ("ro ba co bg", "ro ba co", "mapping:", "covers 0 of the 1 bits of field 'bg'"),
        ("ro ba co bg", "ro ba co bk", "mapping:", "mapping has the unknown field 'bk'"),
        ("ba ^= ro >> 0", "ba ^= ba >> 0", "mapping:", "which cannot be undone"),
        ("rows: 1024", "rows: 1000", "bank_groups", "rows must be a power of two, got 1000"),
        ("activate: 1", "activate: 17", "activate: 1", "bus.activate must be 1 to 16 clocks"),
        ("idd2p: 25 mA", "idd2p: 45 mA", "idd2p", "vdd.idd2p must be <= idd2n"),
        ("style: ramulator", "style: fifo", "style", "unknown controller.style 'fifo'"),
    ],
)
def test_a_device_that_cannot_be_is_refused_at_its_line(
    tmp_path: Path, old: str, new: str, at: str, rule: str
) -> None:
    text = _refused(tmp_path, old, new)
    assert text.startswith(f"tiny.yaml:{_line(at)}: tiny: ")
    assert rule in text


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_required(tmp_path: Path, section: str) -> None:
    text = _refused(tmp_path, f"\n{section}:", f"\nx{section}:")
    assert f"unknown key 'x{section}'; did you mean {section!r}?" in text
    left_out = re.sub(rf"^{section}:.*\n( .*\n)*", "", TEXT, flags=re.MULTILINE)
    with pytest.raises(HardwareError, match=rf"^x:1: section '{section}' is missing; add it$"):
        read_device(written(tmp_path, left_out), "x")


@pytest.mark.parametrize("key", ["name", "description"])
def test_name_and_description_are_lines_of_text(tmp_path: Path, key: str) -> None:
    line = next(line for line in TEXT.splitlines() if line.startswith(f"{key}:"))
    assert f"{key} must be a line of text" in _refused(tmp_path, line, f"{key}: 3")
    assert f"{key} must be a line of text" in _refused(tmp_path, line, f'{key}: ""')


def test_a_duplicate_key_is_refused_with_both_lines(tmp_path: Path) -> None:
    text = _refused(tmp_path, "    cl: 22\n", "    cl: 22\n    cl: 24\n")
    assert text == f"tiny.yaml:{_line('cl: 22') + 1}: duplicate key 'cl', first on line " + (
        f"{_line('cl: 22')}; remove one"
    )


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("cl: 22", "cl: &x 22", "anchors and aliases are not read"),
        ("cl: 22", "cl: !!python/object:os.system 22", "tags such as"),
        ("status: datasheet", "status: guess", "unknown status 'guess'"),
        ("status: datasheet", "state: datasheet", "unknown key 'state'; did you mean 'status'?"),
        ("cl: 22", "cl: {estimate: {size: 3}}", "the energy tables know no DRAM"),
    ],
)
def test_nothing_in_a_file_expands_or_is_taken_on_trust(
    tmp_path: Path, old: str, new: str, rule: str
) -> None:
    assert rule in _refused(tmp_path, old, new)


def test_a_file_that_is_no_map_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match=r"^x:1: must be a map with the keys name, "):
        read_device(written(tmp_path, "- 1\n"), "x")
    with pytest.raises(HardwareError, match=r"^x: no such file; give a device file or the name"):
        read_device(tmp_path / "none.yaml", "x")
    with pytest.raises(HardwareError, match=r"^parts/none.yaml: no such file"):
        load_device("parts/none.yaml")
    with pytest.raises(HardwareError, match=r": is a folder; give a device file or the name"):
        load_device(tmp_path)


@pytest.mark.parametrize("name", ["a/" + "x" * 5000 + ".yaml", "a/\0.yaml"])
def test_a_path_that_cannot_be_is_an_error_of_one_line(name: str) -> None:
    with pytest.raises(HardwareError, match=r"no such file|cannot be read"):
        load_device(name)


@pytest.mark.parametrize("size", ["channels: 1048576", "rows: 536870912, channels: 1"])
def test_a_file_cannot_ask_for_a_memory_beyond_any(tmp_path: Path, size: str) -> None:
    new = (
        f"{size}, columns: 536870912, " if "rows" in size else f"{size}, rows: 1024, columns: 128,"
    )
    text = _refused(tmp_path, "rows: 1024, columns: 128,", new)
    assert "organisation must have at most 1,048,576 banks and 1 EiB, got" in text


def test_a_file_over_a_mebibyte_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT + "#" * 2**20)
    with pytest.raises(HardwareError, match="must be at most 1,048,576 bytes"):
        load_device(path)
