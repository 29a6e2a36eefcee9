"""A search whose process is killed at any instant goes on as if nothing had happened (law 7)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from search_parts import search, wide

from codesign.explore.journal import read_journal

CODE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from search_parts import search, wide
told = lambda *counts: print(*counts, flush=True)
search(wide(), Path(sys.argv[2]), sampler=sys.argv[3], budget=40, batch=3, resume=True, watch=told)
"""


def run_until(folder: Path, sampler: str, evaluations: int) -> int:
    """Kills a search once it has told of so many evaluations; returns how it ended."""
    words = [sys.executable, "-c", CODE, str(Path(__file__).parent), str(folder), sampler]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        for _ in range(evaluations):
            started.stdout.readline()
        started.kill()
        return started.wait()


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_no_evaluation_is_lost_or_repeated(tmp_path: Path, sampler: str) -> None:
    if sampler != "random":
        pytest.importorskip("optuna", reason="the extra 'search' is not installed")
    for evaluations in (1, 14, 26):
        assert run_until(tmp_path / "killed", sampler, evaluations) == -signal.SIGKILL
    resumed = search(wide(), tmp_path / "killed", sampler=sampler, budget=40, batch=3, resume=True)
    undisturbed = search(wide(), tmp_path / "whole", sampler=sampler, budget=40, batch=3)
    assert resumed.order == undisturbed.order
    assert resumed.digest == undisturbed.digest
    records = read_journal(tmp_path / "killed" / "journal.jsonl")
    counts = Counter(record["key"] for record in records if "key" in record)
    assert len(counts) == 40
    assert set(counts.values()) == {1}
