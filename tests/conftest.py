"""Fixtures that several folders of tests share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import settings

from codesign.cli import main

# no test times anything, and a failure must come back on every machine
settings.register_profile("codesign", deadline=None, derandomize=True)
settings.load_profile("codesign")

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: object
    out: str
    err: str


Codesign: TypeAlias = Callable[..., Ran]


@pytest.fixture
def codesign(capsys: pytest.CaptureFixture[str]) -> Codesign:
    """Runs the command line in this process: ``codesign("hardware", "list")``."""

    def run(*words: str | Path) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def sample() -> Path:
    """A small trace file that uses every feature of the format."""
    return ROOT / "traces" / "v1_sample.json"
