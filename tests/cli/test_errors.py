"""A mistake of the user is one line on standard error and exit code 2, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Codesign

HARDWARE = ("--hardware", "edge-npu")
SAMPLE = str(Path(__file__).parents[2] / "traces" / "v1_sample.json")

MISTAKES = {
    "unknown model": (("simulate", "resnet5", *HARDWARE), "did you mean 'resnet50'?"),
    "no such trace": (("simulate", "none.json", *HARDWARE), "none.json does not exist"),
    "no such program": (("simulate", "none.pt2", *HARDWARE), "none.pt2 does not exist"),
    "a folder of models": (("simulate", ".", *HARDWARE), ". is a folder; a model is"),
    "a folder of hardware": (("simulate", SAMPLE, "--hardware", "."), ".: is a folder; give a"),
    "no such factory": (("simulate", "no.such:f", *HARDWARE), "importing 'no.such' failed"),
    "unknown preset": (("simulate", SAMPLE, "--hardware", "edge-npv"), "did you mean 'edge-npu'?"),
    "no such hardware": (("simulate", SAMPLE, "--hardware", "x.yaml"), "x.yaml"),
    "batch of none": (("simulate", "resnet50", *HARDWARE, "--batch", "0"), "at least 1, got 0"),
    "negative batch": (("simulate", "resnet50", *HARDWARE, "--batch", "-3"), "at least 1, got -3"),
    "negative length": (("trace", "gpt2", "-o", "t.json", "--seq-len", "-1"), "at least 1, got -1"),
    "no steps": (("trace", "lstm_lm", "-o", "t.json", "--steps", "0"), "at least 1, got 0"),
    "steps of a picture": (("simulate", "resnet50", *HARDWARE, "--steps", "4"), "not steps"),
    "batch of a trace": (("simulate", SAMPLE, *HARDWARE, "--batch", "2"), "fixed shapes"),
    "set without =": (("simulate", SAMPLE, *HARDWARE, "--set", "npu.rows"), "got 'npu.rows'"),
    "set without value": (("simulate", SAMPLE, *HARDWARE, "--set", "npu.rows="), "got 'npu.rows='"),
    "set without field": (("simulate", SAMPLE, *HARDWARE, "--set", "npu=3"), "got 'npu=3'"),
    "set twice": (
        ("simulate", SAMPLE, *HARDWARE, "--set", "npu.rows=1", "--set", "npu.rows=2"),
        "'npu.rows' twice",
    ),
    "set of no part": (("simulate", SAMPLE, *HARDWARE, "--set", "gpu.rows=1"), "'gpu'"),
    "set of no field": (("simulate", SAMPLE, *HARDWARE, "--set", "npu.row=1"), "mean 'rows'?"),
    "set of no number": (("simulate", SAMPLE, *HARDWARE, "--set", "npu.rows=many"), "'many'"),
    "set of a wrong unit": (("simulate", SAMPLE, *HARDWARE, "--set", "npu.clock=3 MB"), "Hz"),
    "set of nothing": (("simulate", SAMPLE, *HARDWARE, "--set", "npu.rows=0"), "npu.rows"),
    "unknown format": (("simulate", SAMPLE, *HARDWARE, "--dtype", "int"), "unknown dtype 'int'"),
    "nothing takes it": (
        ("simulate", SAMPLE, *HARDWARE, "--dtype", "fp64"),
        "no engine of edge-npu",
    ),
    "too small": (("simulate", SAMPLE, *HARDWARE, "--set", "sram.size=1"), "enlarge the buffer"),
    "unknown policy": (("simulate", SAMPLE, *HARDWARE, "--residency", "gredy"), "mean 'greedy'?"),
    "parts of the best": (
        ("simulate", SAMPLE, *HARDWARE, "--residency", "optimal", "--partial"),
        "take the policy 'greedy'",
    ),
    "no digits": (("simulate", SAMPLE, *HARDWARE, "--schedule", "layer-major:-3"), "1 to 9 digits"),
    "no plugin folder": (("models", "--plugins", "nowhere"), "nowhere does not exist"),
    "unknown kind": (("plugins", "show", "systolc"), "did you mean 'systolic'?"),
    "show nothing": (("hardware", "show", "edge-npv"), "did you mean 'edge-npu'?"),
    "check nothing": (("hardware", "check", "none.yaml"), "none.yaml"),
    "trace to nowhere": (("trace", SAMPLE, "-o", "no/such/t.json"), "no/such/t.json"),
    "scan of a trace": (
        ("trace", SAMPLE, "-o", "t.json", "--scan-zeros"),
        "holds no values to scan for zeros",
    ),
    "trace of a kind": (("trace", SAMPLE, "-o", "t.txt"), "t.txt"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(
    codesign: Codesign, mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words, hint = MISTAKES[mistake]
    ran = codesign(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert hint in ran.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_json_does_not_change_how_a_mistake_is_told(
    codesign: Codesign, flags: tuple[str, ...]
) -> None:
    ran = codesign("simulate", "resnet5", *HARDWARE, *flags)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: unknown model")


def test_a_result_that_cannot_be_written_is_a_mistake(codesign: Codesign, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = codesign("simulate", SAMPLE, *HARDWARE, "--out", tmp_path / "file")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot write a result to" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("simulate",),
        ("simulate", SAMPLE),
        ("simulate", SAMPLE, *HARDWARE, "--batch", "two"),
        ("simulate", SAMPLE, *HARDWARE, "--nothing"),
        ("trace",),
        ("hardware", "shows"),
        ("simulat",),
    ],
)
def test_wrong_use_is_exit_code_2_with_the_usage(
    codesign: Codesign, words: tuple[str, ...]
) -> None:
    ran = codesign(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: codesign")
    assert "Error: " in ran.err


def test_a_plugin_that_fails_is_named(codesign: Codesign, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    ran = codesign("models", "--plugins", tmp_path)
    assert ran.code == 2
    assert "plugin 'broken'" in ran.err
    assert "ZeroDivisionError: division by zero" in ran.err


def test_a_fault_of_our_own_keeps_its_traceback(
    codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folders: object) -> object:
        raise AssertionError("a bug")

    monkeypatch.setattr("codesign.hardware.spec.list_hardware", fail)
    with pytest.raises(AssertionError, match="a bug"):
        codesign("hardware", "list")
