"""Progress is shown on standard error, in a terminal, and nowhere else."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import cast

import pytest

from codesign import Hardware, load_hardware
from codesign.cli.output import announce, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_both_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    with progress("reading", "replaying", quiet=False) as watch:
        assert watch is not None
        watch(1, 4)
    assert "replaying" in shown.getvalue()


def test_what_is_no_terminal_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", "replaying", quiet=False) as watch:
        assert watch is None
    assert capsys.readouterr() == ("", "")


def test_quiet_is_quiet_in_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    with progress("reading", "replaying", quiet=True) as watch:
        assert watch is None
    assert shown.getvalue() == ""


def machine(*words: str) -> Hardware:
    """A machine whose components have something to say before a first run."""
    built = load_hardware("edge-npu")
    says = (SimpleNamespace(preparation=word) for word in words)
    return cast(
        Hardware, SimpleNamespace(components=dict(zip(built.components, says, strict=False)))
    )


def test_a_terminal_hears_once_what_takes_long_before_a_first_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    announce(machine("install [kernel]", "", "install [kernel]"))
    assert shown.getvalue() == "note: install [kernel]\n"


def test_a_pipe_hears_it_too_and_standard_output_stays_clean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    announce(machine("compiling", ""))
    assert capsys.readouterr() == ("", "note: compiling\n")
