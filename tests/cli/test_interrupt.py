"""Ctrl-C ends every command in one line and exit code 130; a study says what it keeps."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codesign.testing.operators import matmul
from codesign.workload.file import save_trace
from codesign.workload.record import Trace

PROGRAM = "from codesign.cli.app import main; main()"
GENERIC = "interrupted before the end: the same command begins anew\n"
POINTS, HELD = 12, 5
LONGEST = 120
"""Seconds until a program that has hung is given up."""
STUDY = f"""\
model: tiny.json
hardware: edge-npu
hardware_space:
  dram.bandwidth: [{", ".join(f"{n} GB/s" for n in range(1, POINTS + 1))}]
objectives: [energy_j, "max:held:merit"]
"""
HOLDS = f"""\
import os
events = None

def tell(word):
    global events
    if events is None:
        events = os.open("events", os.O_WRONLY)
    os.write(events, (word + "\\n").encode())

def hold():
    tell("held")
    with open("hold") as forever:
        forever.read()

def merit(point, result):
    number = int(point["dram.bandwidth"].split()[0])
    if number == {HELD} and os.path.exists("hold"):
        hold()
    tell("measured")
    return float(number)
"""


class Child:
    """A command in a session of its own, and what the code of the user in it tells."""

    def __init__(self, *words: str) -> None:
        os.mkfifo("events")
        os.mkfifo("hold")
        # without a writer at first, which only a reader that does not block can wait for
        self._events = os.open("events", os.O_RDONLY | os.O_NONBLOCK)
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._said = b""

    def waits_for(self, told: int, held: int) -> None:
        """Reads until so many points were measured, and so many calls are held."""
        while self._said.count(b"measured") < told or self._said.count(b"held") < held:
            ready, _, _ = select.select([self._events], [], [], LONGEST)
            assert ready, f"only {self._said!r} was told"
            part = os.read(self._events, 1 << 16)
            assert part or not self._said, "all writers have ended"
            self._said += part

    def interrupt(self) -> tuple[int, str, str]:
        """Sends what a terminal sends, to the whole group; returns exit code and output."""
        os.killpg(self.process.pid, signal.SIGINT)
        out, err = self.process.communicate(timeout=LONGEST)
        return self.process.returncode, out, err

    def has_left_nobody(self) -> bool:
        """Whether every process that held the line to us has ended."""
        while True:
            ready, _, _ = select.select([self._events], [], [], LONGEST)
            if not ready:
                return False
            if not os.read(self._events, 1 << 16):
                return True

    def close(self) -> None:
        os.close(self._events)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
        for name in ("events", "hold"):
            Path(name).unlink()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    op = matmul(2, 16, 8)
    save_trace(Trace("tiny", (op,), tuple(a.tensor for a in op.operands)), tmp_path / "tiny.json")
    (tmp_path / "s.yaml").write_text(STUDY)
    (tmp_path / "held.py").write_text(HOLDS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "held", raising=False)
    yield tmp_path
    sys.modules.pop("held", None)


def points_in(folder: Path) -> int:
    lines = (folder / "journal.jsonl").read_text().splitlines()
    return sum(json.loads(line).get("event") == "done" for line in lines)


def ended(*words: str, told: int, held: int = 1) -> str:
    """Standard error of a command that was interrupted once so much had happened."""
    child = Child(*words)
    try:
        child.waits_for(told, held)
        code, out, err = child.interrupt()
        assert child.has_left_nobody(), "a worker goes on"
    finally:
        child.close()
    assert (code, out) == (130, "")
    assert err.count("\n") == 1
    return err


def test_a_sweep_says_what_it_keeps_and_how_to_go_on(folder: Path) -> None:
    err = ended("sweep", "s.yaml", "-o", "out", "--exhaustive", told=HELD - 1)
    assert err == (
        f"interrupted; {HELD - 1} of {POINTS} points are in out/journal.jsonl: "
        "the same command with --resume goes on\n"
    )
    assert points_in(folder / "out") == HELD - 1
    again = ended("sweep", "s.yaml", "-o", "out", "--exhaustive", "--resume", told=0)
    assert again == (
        f"interrupted; {HELD - 1} of {POINTS} points are in out/journal.jsonl: "
        "the same command goes on\n"
    )


def test_its_workers_stop_and_nothing_is_lost(folder: Path) -> None:
    err = ended("sweep", "s.yaml", "-o", "out", "--workers", "2", told=2)
    found = re.fullmatch(r"interrupted; (\d+) of 12 points are in out/journal\.jsonl: .*\n", err)
    assert found
    assert int(found[1]) == points_in(folder / "out")
    assert 0 < int(found[1]) < POINTS
    assert "Traceback" not in err


def test_a_search_says_what_it_keeps(folder: Path) -> None:
    words = ("search", "s.yaml", "-o", "out", "--sampler", "random", "--budget", "12")
    err = ended(*words, told=0)
    count = points_in(folder / "out")
    told = "1 point is" if count == 1 else f"{count} points are"
    assert err == (
        f"interrupted; {told} in out/journal.jsonl: the same command with --resume goes on\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "waits:made", "--hardware", "edge-npu", "--out", "result"),
        ("why", "waits:made", "--hardware", "edge-npu"),
        ("validate", "--plugins", "own"),
        ("memory", "list", "--plugins", "own"),
        ("sweep", "w.yaml", "-o", "out"),
    ],
)
def test_other_commands_say_that_they_begin_anew(words: tuple[str, ...], folder: Path) -> None:
    text = f"import sys; sys.path.insert(0, {str(folder)!r}); import held; held.hold()\n"
    (folder / "waits.py").write_text(text)
    (folder / "own").mkdir()
    (folder / "own" / "waiting.py").write_text(text)
    (folder / "w.yaml").write_text(STUDY.replace("tiny.json", "waits:made"))
    assert ended(*words, told=0) == GENERIC
    assert not (folder / "result").exists()
    assert not (folder / "out").exists()
