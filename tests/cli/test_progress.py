"""Progress is shown on standard error, in a terminal, and nowhere else."""

from __future__ import annotations

import io

import pytest

from codesign.cli.output import progress


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
