"""``codesign calibrate``: what it prints and writes, and bad input in one line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Codesign

from codesign import load_hardware

HEAD = "kind,dims,dtype,latency_us,protocol,source"
T0, COMPUTE, MEMORY = 5e-6, 0.7, 0.85
PEAK, BANDWIDTH = 84 * 512 * 1.74e9, 696e9


def row(m: int, k: int, n: int) -> str:
    """A product that fills whole waves of whole tiles, so that its time is a line of arithmetic."""
    compute = m * k * n / PEAK / COMPUTE
    memory = 2 * (m * k + k * n + m * n) / BANDWIDTH / MEMORY
    return f"contraction,{m}x{k}x{n},fp16,{(T0 + max(compute, memory)) * 1e6:.3f},kernel,bench of 1"


ROWS = [
    *(row(256 * 12 * i, 4096 + 512 * j, 128 * 7 * 4) for i in range(1, 5) for j in range(5)),
    *(row(16 * i, 8192, 4096 * j) for i in range(1, 4) for j in range(2, 6)),
]


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    path = tmp_path / "measured.csv"
    path.write_text("\n".join([HEAD, *ROWS, ""]))
    return path


def test_it_prints_constants_and_both_errors_by_rows(codesign: Codesign, measured: Path) -> None:
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert done.code == 0, done.err
    text = done.out
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if "gpu." in line}
    assert rows["gpu.t0"] == ["5", "us"]
    assert set(rows) == {"gpu.t0", "gpu.compute_efficiency", "gpu.memory_efficiency"}
    for word in ("fit", "held back", "mean error", "bias", "<= 64", "> 512", "bench of 1"):
        assert word in text
    assert "protocol kernel" in text


def test_json_has_the_constants_that_the_times_were_made_with(
    codesign: Codesign, measured: Path
) -> None:
    done = codesign("calibrate", str(measured), "--hardware", "a40", "--json")
    found = json.loads(done.out)
    assert found["engine"] == "gpu"
    assert found["constants"]["compute_efficiency"] == pytest.approx(COMPUTE, rel=0.02)
    assert found["constants"]["memory_efficiency"] == pytest.approx(MEMORY, rel=0.05)
    assert found["fit"][0]["mean"] < 0.01
    assert found["held_back"][0]["points"] + found["fit"][0]["points"] == len(ROWS)
    assert found["changes"]["calibrated_work"] == ["contraction fp16*fp16"]
    assert (found["untold"], found["at_limit"], found["left_out"]) == ([], [], 0)
    assert found["units"]["t0"] == "s"


def test_the_file_that_it_writes_can_be_simulated(
    codesign: Codesign, measured: Path, tmp_path: Path
) -> None:
    target = tmp_path / "board.yaml"
    done = codesign(
        "calibrate", str(measured), "--hardware", "a40", "--engine", "gpu", "-o", str(target)
    )
    assert done.code == 0, done.err
    assert f"wrote {target}" in done.err
    machine = load_hardware(target)
    assert machine.name == "board"
    assert "constants fitted to kernel times" in machine.engines[0].notes[1]
    assert codesign("hardware", "check", str(target)).code == 0


def test_a_file_is_calibrated_by_its_path(
    codesign: Codesign, measured: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    words = ("calibrate", str(measured), "--hardware")
    assert codesign(*words, "a40", "-o", str(first)).code == 0
    assert codesign(*words, str(first), "-o", str(second)).code == 0
    assert load_hardware(second).engines == load_hardware(first).engines


@pytest.mark.parametrize("source", ["[/bold] lab", "[red]", "[link=x]", "a:b"])
def test_a_source_is_text_and_no_markup(codesign: Codesign, measured: Path, source: str) -> None:
    measured.write_text(measured.read_text().replace("bench of 1", source))
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert done.code == 0, done.err
    assert f"sources: {source}; digest" in done.out


def test_points_at_the_resolution_of_the_clock_are_counted(
    codesign: Codesign, measured: Path
) -> None:
    short = ["contraction,1x2x3,fp16,0.005,kernel,bench of 1"] * 3
    measured.write_text("\n".join([HEAD, *ROWS, *short, ""]))
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert "left out, at the resolution of the clock: 3 points" in done.out
    done = codesign("calibrate", str(measured), "--hardware", "a40", "--json")
    assert json.loads(done.out)["left_out"] == 3


def test_what_the_points_do_not_tell_is_said(codesign: Codesign, measured: Path) -> None:
    thin = [row(16 * i, 8192, 4096 * j) for i in range(1, 4) for j in range(2, 10)]
    measured.write_text("\n".join([HEAD, *thin, ""]))
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert done.code == 0, done.err
    (line,) = [line for line in done.out.splitlines() if "compute_efficiency" in line]
    assert " ".join(line.split()[1:]) == "as it was the points do not tell it"


def test_errors_of_each_kind_are_printed(codesign: Codesign, measured: Path) -> None:
    soft = [
        f"softmax,{m}x4096,fp16,{(T0 + 16384 * m / BANDWIDTH / 0.5) * 1e6:.3f},kernel,bench of 1"
        for m in range(500, 4000, 400)
    ]
    measured.write_text("\n".join([HEAD, *ROWS, *soft, ""]))
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert done.code == 0, done.err
    for points in ("fit", "held back"):
        for work in ("all", "contraction fp16*fp16", "softmax fp16"):
            assert [
                line
                for line in done.out.splitlines()
                if line.split(points)[-1].strip().startswith(work)
            ], (points, work)


def test_a_pipe_is_refused_and_not_waited_for(codesign: Codesign, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    done = codesign("calibrate", str(tmp_path / "pipe.csv"), "--hardware", "a40")
    assert done.code == 2
    assert "pipe.csv is a pipe or a device; save what it gives to a file" in done.err


def test_a_file_that_is_there_is_told_before_anything_is_read(
    codesign: Codesign, tmp_path: Path
) -> None:
    target = tmp_path / "board.yaml"
    target.write_text("precious")
    done = codesign("calibrate", "missing.csv", "--hardware", "a40", "-o", str(target))
    assert done.code == 2
    assert "board.yaml is already there; name another file, or remove it" in done.err
    assert target.read_text() == "precious"


def test_nothing_is_written_without_a_place(
    codesign: Codesign, measured: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    assert codesign("calibrate", str(measured), "--hardware", "a40").code == 0
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("dims", "sizes"), "no column 'dims'"),
        (("source", "latency_us,source"), "2 columns are called 'latency_us'; keep one"),
        ((",", ";"), "no column 'kind'; separate the cells by commas"),
        (("bench of 1", ""), "source must be a line of 1 to 200 letters"),
        (("contraction", "gather"), "kind must be one whose bytes its shape tells"),
        (("latency_us", "latency"), "one column must give the latency with its unit"),
        (("kernel", "warm"), "protocol 'warm' is none of engine 'gpu'"),
        (("fp16", "int3"), "predicts no contraction of int3*int3"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_and_code_2(
    codesign: Codesign, measured: Path, change: tuple[str, str], message: str
) -> None:
    measured.write_text(measured.read_text().replace(*change))
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_too_few_points_are_one_line(codesign: Codesign, measured: Path) -> None:
    measured.write_text("\n".join([HEAD, *ROWS[:7], ""]))
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert done.code == 2
    assert "a fit needs at least 20 different operators, got 7 in 7 points; mea" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_mixed_protocols_are_one_line(codesign: Codesign, measured: Path) -> None:
    mixed = [HEAD, *ROWS[1:], ROWS[0].replace("kernel", "host"), ""]
    measured.write_text("\n".join(mixed))
    done = codesign("calibrate", str(measured), "--hardware", "a40")
    assert done.code == 2
    assert "must have one protocol" in done.err


def test_a_place_that_cannot_be_written_is_told_before_anything_is_fitted(
    codesign: Codesign, measured: Path, tmp_path: Path
) -> None:
    done = codesign("calibrate", "missing.csv", "--hardware", "a40", "-o", "no/where.yaml")
    assert done.code == 2
    assert "folder no does not exist; make it first" in done.err


def test_a_hardware_that_has_nothing_to_fit_is_one_line(codesign: Codesign, measured: Path) -> None:
    done = codesign("calibrate", str(measured), "--hardware", "edge-npu")
    assert done.code == 2
    assert "must have one engine that can be calibrated, has 0" in done.err
