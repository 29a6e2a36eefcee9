"""Without numba the same code runs as plain Python and gives the same integers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codesign.memory.compiled import has_compiler

SCRIPT = """
import hashlib, sys
if sys.argv[1] == "plain":
    sys.modules["numba"] = None
from dataclasses import replace
from memory_devices import variants
from codesign.memory.compiled import has_compiler
from codesign.memory.kernel import simulate
from codesign.memory.streams import stream
assert has_compiler() == (sys.argv[1] == "compiled")
text = []
for name, device in variants().items():
    for pattern in ("random_rw", "rw_2to1_fine", "two_1k"):
        wanted = stream(pattern, 60, 64, 0.1 if pattern == "two_1k" else 0.0)
        wanted = replace(wanted, address=wanted.address % device.organisation.capacity_bytes)
        run = simulate(device, wanted, log=True)
        text.append(f"{name} {pattern} {run.counts} {run.log.tolist()} {run.completed.tolist()}")
print(len(text), hashlib.sha256("".join(text).encode()).hexdigest())
"""


def ran(mode: str) -> str:
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), str(root / "tests" / "memory")])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, mode],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_plain_python_replays_every_kind_of_device() -> None:
    assert ran("plain").startswith("42 ")


@pytest.mark.skipif(not has_compiler(), reason="numba is not installed")
def test_compiled_and_plain_runs_are_equal_to_the_last_command() -> None:
    plain, machine = ran("plain"), ran("compiled")
    assert plain == machine
    assert len(plain.split()[1]) == len(hashlib.sha256(b"").hexdigest())
