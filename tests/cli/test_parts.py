"""What both reports say of energy by cause, power states, and the devices of memories."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Codesign
from strategies import Sketch

from codesign import save_trace

BANKED = ("--hardware", "edge-npu-lpddr5")
CASE = """\
name: idle
duration: 4 ms
silence: 4 ms
streams:
  small: {model: small.json, arrival: {kind: periodic, period: 1 ms}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a trace and a scenario of it."""
    monkeypatch.chdir(tmp_path)
    sketch = Sketch("small")
    sketch.softmax("soft", sketch.matmul("head", sketch.input("x", 64, 256), 256))
    save_trace(sketch.trace(), tmp_path / "small.json")
    (tmp_path / "idle.yaml").write_text(CASE)
    return tmp_path


def reports(codesign: Codesign, *words: str) -> list[str]:
    """Both reports of the model on a machine."""
    ran = [codesign("simulate", "small.json", *words), codesign("scenario", "idle.yaml", *words)]
    assert [(one.code, one.err) for one in ran] == [(0, "")] * 2
    return [one.out for one in ran]


def line(out: str, *starts: str) -> str:
    """The one line whose first words are these."""
    (found,) = [one for one in out.splitlines() if one.split()[: len(starts)] == list(starts)]
    return found


@pytest.mark.usefixtures("folder")
def test_energy_is_told_by_cause(codesign: Codesign) -> None:
    for out in reports(codesign, *BANKED):
        said = line(out, "energy")
        assert [word in said for word in (" dynamic, ", " leakage, ", " background")] == [True] * 3
        assert "share   leakage  background  utilisation" in " ".join(line(out, "name").split("\n"))


@pytest.mark.usefixtures("folder")
def test_what_utilisation_is_a_share_of_is_said(codesign: Codesign) -> None:
    single, session = reports(codesign, *BANKED)
    assert "utilisation: share of the run" in single
    assert "utilisation: share of all the time, silence included" in " ".join(session.split())


@pytest.mark.usefixtures("folder")
def test_power_states_have_time_and_energy_of_their_own(codesign: Codesign) -> None:
    single, session = reports(codesign, *BANKED)
    for out in (single, session):
        assert " times " in line(out, "dram", "refresh")
        assert line(out, "dram", "active").count("%") == 2
    assert "self_refresh" in session
    assert float(line(session, "dram", "self_refresh").split()[4]) > 50


@pytest.mark.usefixtures("folder")
def test_a_flat_memory_has_no_background(codesign: Codesign) -> None:
    for out in reports(codesign, "--hardware", "edge-npu"):
        assert "Background of memories" not in out
        assert "background" not in line(out, "name")
        assert "LPDDR4X-4266, one 16-bit channel" in out


@pytest.mark.usefixtures("folder")
def test_a_device_set_without_its_channels_shows_both(codesign: Codesign) -> None:
    for out in reports(codesign, *BANKED, "--set", "dram.device=hbm2"):
        words = line(out, "dram", "hbm2").split()
        assert words == ["dram", "hbm2", "2", "64.00", "GB/s"]
    for out in reports(codesign, *BANKED, "--set", "dram.channels=8"):
        words = line(out, "dram", "lpddr5-6400").split()
        assert words == ["dram", "lpddr5-6400", "8", "102.4", "GB/s"]


@pytest.mark.usefixtures("folder")
def test_the_channels_of_the_device_are_shown_where_the_file_leaves_them(
    codesign: Codesign,
) -> None:
    pairs = ("--set", "dram.channels=0", "--set", "dram.device=hbm2")
    for out in reports(codesign, *BANKED, *pairs):
        assert line(out, "dram", "hbm2").split()[2] == "8"


@pytest.mark.usefixtures("folder")
def test_the_share_on_assumed_prices_is_one_line(codesign: Codesign) -> None:
    for out in reports(codesign, *BANKED):
        said = line(out, "assumed")
        assert said.endswith("of the energy rests on prices with status assumed")
        assert 0 < float(said.split()[1]) < 100


@pytest.mark.usefixtures("folder")
def test_bytes_off_chip_are_labelled_as_whole_bursts(codesign: Codesign) -> None:
    for out in reports(codesign, *BANKED):
        assert "moved in whole bursts" in line(out, "off", "chip")
        assert "bytes moved: whole bursts, with the ends that nobody asked for" in out
