"""The guards of the campaign see what they are there for."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from fuzz_campaign import campaign
from fuzz_doors import DOORS, Door
from fuzz_guard import LONGEST_MESSAGE, Escaped, Hung, bounded, fault_of, guarded

from codesign.errors import CodesignError

EVIL = "!!python/object/apply:os.system [touch canary]"


def _loads() -> object:
    return pickle.loads(b"cos\nsystem\n(S'touch canary'\ntR.")


ESCAPES: dict[str, Callable[[], object]] = {
    "a tag of YAML": lambda: yaml.unsafe_load(EVIL),
    "a pickle": _loads,
    "eval": lambda: eval("1 + 1"),
    "a shell": lambda: os.system("true"),
    "a process": lambda: subprocess.run(["true"], check=True),
    "a socket": lambda: socket.create_connection(("127.0.0.1", 9)),
    "a file of the machine": lambda: Path("/etc/passwd").read_text(),
    "a file to write": lambda: Path("/tmp/canary").write_text("x"),
    "a link": lambda: os.symlink("/etc/passwd", "/tmp/canary"),
}


@pytest.mark.parametrize("what", ESCAPES)
def test_what_no_reader_needs_is_seen(what: str, tmp_path: Path) -> None:
    with pytest.raises(Escaped), guarded(tmp_path):
        ESCAPES[what]()
    assert not Path("/tmp/canary").exists()


def test_what_a_handler_swallows_is_seen_all_the_same(tmp_path: Path) -> None:
    with guarded(tmp_path) as seen, contextlib.suppress(Escaped):
        os.system("true")
    assert seen


def test_files_of_the_case_may_be_read_and_written(tmp_path: Path) -> None:
    with guarded(tmp_path) as seen:
        (tmp_path / "a").write_text("x")
        assert (tmp_path / "a").read_text() == "x"
    assert not seen


def _for_ever() -> None:
    while True:
        pass


def test_an_input_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz_guard.LONGEST_S", 0.05)
    with pytest.raises(Hung), guarded(tmp_path):
        _for_ever()


def test_an_input_that_takes_too_much_memory_gets_none() -> None:
    with pytest.raises(MemoryError), bounded():
        bytearray(2**30)
    assert len(bytearray(2**30)) == 2**30


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("case.yaml:1: no", ""),
        ("m.yaml:1: no", "does not name"),
        ("case.yaml: a\nb", "control"),
        ("case.yaml: \x1b[31m", "control"),
        ("case.yaml: " + "x" * LONGEST_MESSAGE, "characters"),
        ("", "empty"),
    ],
)
def test_a_message_is_one_short_line_that_names_the_file(message: str, fault: str) -> None:
    found = fault_of(message, "case.yaml")
    assert fault in found
    assert bool(fault) == bool(found)


@pytest.mark.parametrize("wrong", ["raises", "leaves", "runs", "says"])
def test_a_door_that_fails_is_told(wrong: str) -> None:
    def read(path: Path) -> None:
        if wrong == "raises":
            raise KeyError("x")
        if wrong == "leaves":
            (path.parent / ".draft").touch()
        if wrong == "runs":
            eval("1")
        if wrong == "says":
            raise CodesignError("no")

    tally = campaign(_only(read), range(3))
    assert len(tally.failures) == 3


def _only(read: Callable[[Path], object]) -> Door:
    calls: list[Path] = []

    def later(path: Path) -> object:
        calls.append(path)
        return read(path) if len(calls) > 1 else None  # the first is the valid one

    make = next(door.make for door in DOORS if door.name == "mapping")
    return Door("mapping", "case.yaml", make, later, 1)
