"""The first answer comes fast because nothing heavy is imported before it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import json, sys
from codesign.cli import main
try:
    main(sys.argv[1:])
finally:
    print("\\n" + json.dumps(sorted(sys.modules)))
"""
HEAVY = {"torch", "pyarrow", "optuna", "dask", "numba", "matplotlib", "pandas", "scipy"}


def imported(*arguments: str) -> set[str]:
    """Modules that a command has imported by its end, in a process of its own."""
    command = [sys.executable, "-c", CODE, *arguments]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_help_needs_no_arrays_and_no_simulation() -> None:
    light = imported("--help")
    assert "codesign.cli.app" in light
    assert not light & (HEAVY | {"numpy", "networkx", "simpy", "pydantic"})


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["report", "json"])
def test_a_trace_file_is_simulated_without_what_only_models_or_files_need(
    sample: Path, options: tuple[str, ...]
) -> None:
    found = imported("simulate", str(sample), "--hardware", "tpu-like", *options)
    assert "codesign.replay.run" in found
    assert not found & HEAVY
    assert "codesign.result.timeline" not in found


def test_a_timeline_needs_no_more(sample: Path, tmp_path: Path) -> None:
    file = tmp_path / "line.json"
    found = imported("simulate", str(sample), "--hardware", "tpu-like", "--timeline", str(file))
    assert file.exists()
    assert "codesign.result.timeline" in found
    assert not found & HEAVY
