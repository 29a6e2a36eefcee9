"""Fixtures that several folders of tests share."""

from __future__ import annotations

import gc
import os
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import settings
from shelf import SHELF

from codesign import models
from codesign.cli import main
from codesign.zoo import ModelEntry, codesign_models

# no test times anything, and a failure must come back on every machine
settings.register_profile("codesign", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("nightly", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("codesign")

ROOT = Path(__file__).resolve().parents[1]


LONGEST = (
    "test_docs.py",
    "test_study_pool.py",
    "test_study_kill.py",
    "test_queueing.py",
    "test_exactness.py",
    "test_zoo_capture.py",
    "test_schedule_torch.py",
    "test_dram_duty.py",
    "test_mapping_quality.py",
    "test_banked_dram.py",
    "test_aten_recurrent.py",
    "test_vela.py",
    "test_rnnt.py",
    "test_greedy.py",
    "test_planner_laws.py",
    "test_cell_loop.py",
    "test_aten_control.py",
    "test_rnnt_memory.py",
    "test_capture.py",
    "test_decode.py",
)
"""Files that take longest. They go first, so that all workers end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts the longest files to the front."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


def pytest_collection_finish() -> None:
    """Spares the tests what would be done over and over again, to the same end."""
    gc.collect()
    gc.freeze()  # what was imported, torch above all, lives to the end
    gc.set_threshold(100_000, 20, 100)
    if "torch" in sys.modules:
        _spare_captures()


def _spare_captures() -> None:
    """Takes a third off a small capture: what torch works out anew at each one.

    That is its list of composite operators, and the annotations of 11,000 closures, which
    ``typing`` remembers and ``collections.abc`` does not.
    """
    import torch
    from torch.export import exported_program

    torch._ops.Callable = typing.Callable
    collect = exported_program._collect_all_valid_cia_ops
    # torchao brings operators of its own, when a test first imports it
    known = cache(lambda has_torchao: collect())
    exported_program._collect_all_valid_cia_ops = lambda: known("torchao" in sys.modules)


@pytest.fixture(scope="session", autouse=True)
def _shelf_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = tmp_path_factory.getbasetemp()
    SHELF.folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shelf"
    SHELF.folder.mkdir(exist_ok=True)


_CAPTURE = models._from_entry


@pytest.fixture(scope="session", autouse=True)
def _zoo_is_captured_once(_shelf_of_the_session: None) -> Iterator[None]:
    """Captures a model of the zoo when a test first names it with these options."""

    def from_entry(
        spec: str, entry: ModelEntry, given: Mapping[str, int], capture: Mapping[str, Any]
    ) -> Any:
        is_shipped = codesign_models().get(spec) == entry
        if not is_shipped or capture["plugins"] or capture["allow_unsupported"]:
            return _CAPTURE(spec, entry, given, capture)
        chosen = sorted(entry.choose(spec, given).items())
        return SHELF.get(f"{spec} {chosen}", lambda: _CAPTURE(spec, entry, given, capture))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "_from_entry", from_entry)
        yield


@pytest.fixture
def captures_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that compares captures with each other: none of them from the shelf."""
    monkeypatch.setattr(models, "_from_entry", _CAPTURE)


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
