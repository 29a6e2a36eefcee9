"""``codesign memory run``, ``list`` and ``warm-up``: as people and programs read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign

from codesign.hardware.dram_file import list_devices, load_device
from codesign.memory import compiled, kernel
from codesign.memory.energy import energy
from codesign.memory.kernel import LOOPS, simulate
from codesign.memory.streams import stream

ASKED = ("memory", "run", "--device", "ddr4-3200", "--requests", "600")
FOLDER = Path(__file__).parents[2] / "hardware" / "dram"


def ran(codesign: Codesign, *words: str | Path) -> dict[str, Any]:
    found = codesign(*ASKED, *words, "--json")
    assert (found.code, found.err) == (0, "")
    result: dict[str, Any] = json.loads(found.out)
    return result


def test_the_figures_are_those_of_the_kernel(codesign: Codesign) -> None:
    device = load_device("ddr4-3200")
    counts = simulate(device, stream("seq_rd", 600, 64)).counts
    spent = energy(device, counts)
    found = ran(codesign, "--stream", "seq_rd")
    assert found["peak_bytes_per_s"] == device.peak_bytes_per_s
    assert found["bandwidth_bytes_per_s"] == counts.bandwidth_bytes_per_s
    assert found["read_latency_mean_s"] == pytest.approx(counts.latency_mean * 625e-12)
    assert found["read_latency_p99_s"] == pytest.approx(counts.latency_p99 * 625e-12)
    assert found["activates"] == counts.activates
    assert found["row_hits"] + found["row_misses"] + found["row_conflicts"] == 600
    assert found["total_j"] == sum(found["energy_j"].values()) == spent.total_j
    assert found["total_j_per_bit"] == pytest.approx(spent.total_j / (600 * 512))
    assert found["average_w"] * found["seconds"] == pytest.approx(found["total_j"])
    assert set(found["statuses"]) <= {"standard", "datasheet", "published", "fitted", "assumed"}


def test_people_see_the_same_figures_with_units(codesign: Codesign) -> None:
    found = ran(codesign, "--stream", "random_rw")
    out = codesign(*ASKED, "--stream", "random_rw").out
    assert out.splitlines()[0] == "random_rw on ddr4-3200"
    assert f"{found['bandwidth_bytes_per_s'] / 1e9:.3f} GB/s"[:5] in out
    assert "of 25.60 GB/s" in out
    assert f"{found['row_conflicts']:,} conflicts" in out
    for word in ("read latency", "turnarounds", "refreshes", "mean power", "pJ/bit", "precharged"):
        assert word in out
    assert f"device values: {found['statuses']['published']} published" in out


def _changed(pattern: str, new: str) -> str:
    text, times = re.subn(pattern, new, (FOLDER / "ddr4-3200.yaml").read_text(), flags=re.DOTALL)
    assert times == 1
    return text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_changed("DDR4-3200,", "DDR4,"), ""),
        (_changed("value: 3.0 pJ/bit", "value: 0 pJ/bit"), "; core only, without I/O"),
        (
            (FOLDER / "lpddr5-6400.yaml").read_text(),
            "; I/O of the device is in rail vddq, that of the host is left out",
        ),
        (
            _changed("\nrails:.*\nio:", "\nrails: {}\nio:"),
            "; I/O only, since the device has no currents",
        ),
    ],
)
def test_where_the_energy_of_io_is_stands_beside_the_total(
    text: str, said: str, codesign: Codesign, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    words = ("memory", "run", "--stream", "seq_rd", "--requests", "50", "--device", path)
    (line,) = (line for line in codesign(*words).out.splitlines() if line.startswith("energy"))
    assert line.partition("W")[2] == said


def test_a_load_is_what_is_offered(codesign: Codesign) -> None:
    light = ran(codesign, "--stream", "seq_rd", "--load", "0.25")
    offered = light["peak_bytes_per_s"] / 4
    assert light["bandwidth_bytes_per_s"] == pytest.approx(offered, rel=0.05)
    full = ran(codesign, "--stream", "seq_rd")
    assert light["read_latency_mean_s"] < full["read_latency_mean_s"]


def test_more_channels_have_more_peak_and_bandwidth(codesign: Codesign) -> None:
    one, four = (ran(codesign, "--stream", "random_rd", "--channels", n) for n in ("1", "4"))
    assert four["peak_bytes_per_s"] == 4 * one["peak_bytes_per_s"]
    assert four["bandwidth_bytes_per_s"] > 2 * one["bandwidth_bytes_per_s"]
    assert four["channels"] == 4


def test_the_mapping_decides_what_a_sequential_stream_costs(codesign: Codesign) -> None:
    slow = ran(codesign, "--stream", "seq_rd", "--mapping", "ro ch ra ba bg co")
    fast = ran(codesign, "--stream", "seq_rd", "--mapping", "ro ch ra ba co bg")
    assert fast["bandwidth_bytes_per_s"] > 1.3 * slow["bandwidth_bytes_per_s"]
    assert slow["mapping"] == "ro ch ra ba bg co"
    mixed = ran(codesign, "--stream", "seq_rd", "--mapping", "mop4clxor")
    assert mixed["mapping"].endswith("co:2")


def test_a_device_may_be_a_file(codesign: Codesign, tmp_path: Path) -> None:
    file = tmp_path / "ddr4-3200.yaml"
    file.write_text((FOLDER / "ddr4-3200.yaml").read_text())
    words = ("memory", "run", "--stream", "two_1k", "--requests", "80", "--json", "--device")
    assert codesign(*words, file).out == codesign(*words, "ddr4-3200").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--device", "ddr4-3201", "--stream", "seq_rd"), "did you mean 'ddr4-3200'?"),
        (("--device", "no/such.yaml", "--stream", "seq_rd"), "no/such.yaml"),
        (("--stream", "seq_read"), "unknown stream 'seq_read'; did you mean 'seq_rd'?"),
        (("--stream", "seq_rd", "--requests", "0"), "--requests must be 1 to 10,000,000, got 0"),
        (("--stream", "seq_rd", "--requests", "10000001"), "got 10,000,001"),
        (("--stream", "seq_rd", "--load", "1.5"), "--load must be 0 to 1"),
        (("--stream", "seq_rd", "--load", "nan"), "--load must be 0 to 1"),
        (("--stream", "seq_rd", "--channels", "3"), "channels must be a power of two, got 3"),
        (("--stream", "seq_rd", "--channels", "0"), "--channels must be 1 to 1024, got 0"),
        (("--stream", "seq_rd", "--channels", "1048576"), "--channels must be 1 to 1024"),
        (("--stream", "seq_rd", "--mapping", "ro ra ba bg"), "covers 0 of the"),
        (("--stream", "seq_rd", "--mapping", "ro ra bank bg co"), "did you mean 'ba'?"),
        (("--stream", "seq_rd", "--mapping", ""), "covers 0 of the"),
    ],
)
def test_a_mistake_is_one_line(codesign: Codesign, words: tuple[str, ...], message: str) -> None:
    failed = codesign(*ASKED, *words)
    assert (failed.code, failed.out) == (2, "")
    assert message in failed.err
    assert failed.err.startswith("error: ")
    assert failed.err.count("\n") == 1


def test_every_device_is_listed_with_peak_and_capacity(codesign: Codesign) -> None:
    rows = json.loads(codesign("memory", "list", "--json").out)
    assert [row["name"] for row in rows] == [device.name for device in list_devices()]
    by_name = {row["name"]: row for row in rows}
    assert by_name["ddr4-3200"]["peak_bytes_per_s"] == pytest.approx(25.6e9)
    assert by_name["ddr4-3200"]["capacity_bytes"] == 8 * 2**30
    lines = codesign("memory", "list").out.splitlines()
    assert any(line.split()[:5] == ["ddr4-3200", "25.60", "GB/s", "8", "GiB"] for line in lines)


def test_a_warm_up_compiles_each_loop_once(
    codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(kernel, "compile_style", done.append)
    monkeypatch.setattr(kernel, "is_warm", lambda style: style == "dramsim3")
    monkeypatch.setattr(compiled, "has_compiler", lambda: True)
    rows = json.loads(codesign("memory", "warm-up", "--json").out)
    assert sorted(done) == ["dramsim3", "ramulator"]
    assert {LOOPS[row["style"]] for row in rows} == set(LOOPS.values())
    assert {row["style"]: row["how"] for row in rows} == {
        "dramsim3": "from the cache",
        "ramulator": "compiled",
    }
    out = codesign("memory", "warm-up").out
    assert "numba" not in out
    assert all(line.endswith(" s") for line in out.splitlines()[1:])


def test_a_warm_up_without_a_compiler_says_what_to_install(
    codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "compile_style", lambda style: None)
    monkeypatch.setattr(kernel, "is_warm", lambda style: False)
    monkeypatch.setattr(compiled, "has_compiler", lambda: False)
    out = codesign("memory", "warm-up").out
    assert out.count("plain Python") == 2
    assert "pip install 'codesign[kernel]'" in out


@pytest.mark.parametrize(
    ("warm", "has_compiler", "told"), [(False, True, 1), (True, True, 0), (False, False, 0)]
)
def test_a_pipe_too_is_told_that_the_kernel_is_compiled_first(
    warm: bool,
    has_compiler: bool,
    told: int,
    codesign: Codesign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "is_warm", lambda style: warm)
    monkeypatch.setattr(kernel, "compile_style", lambda style: None)
    monkeypatch.setattr(compiled, "has_compiler", lambda: has_compiler)
    line = "note: compiling the memory kernel, once on this machine, takes some seconds\n"
    for words in (("memory", "warm-up"), (*ASKED, "--stream", "seq_rd")):
        assert codesign(*words).err == told * line
        assert codesign(*words, "--json").err == ""
