"""A study that is killed at any instant goes on as if nothing had happened (law 7)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
import study_parts

from codesign.explore.swept import Swept

CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from study_parts import many
study = many()
for line in sys.stdin:
    folder, workers = line.split()
    driver = os.fork()
    if not driver:
        study.run(folder, workers=int(workers), resume=True, watch=lambda *c: print(*c, flush=True))
        os._exit(0)
    print("driver", driver, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(driver, 0)[1]), flush=True)
"""
"""Studies in processes of their own, without importing anything again for each of them."""
POINTS = 300


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return study_parts.many().run(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def runner() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", CODE, str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        yield started


class Disturbed:
    """One study in one folder, run again and again."""

    def __init__(self, runner: subprocess.Popen[str], folder: Path, workers: int) -> None:
        assert runner.stdin is not None
        assert runner.stdout is not None
        self._to, self._from = runner.stdin, runner.stdout
        self._folder, self._workers = folder, workers

    def run(self, points: int, spin: int, kill_worker: bool = False) -> int:
        """Kills after so many points and a little later; returns how the driver ended."""
        self._to.write(f"{self._folder} {self._workers}\n")
        self._to.flush()
        word, driver = "", 0
        for _ in range(points + 1):
            word, *numbers = self._from.readline().split()
            driver = int(numbers[0]) if word == "driver" else driver
            if word == "ended":
                return int(numbers[0])
        for _ in range(spin):
            pass
        victims = children(driver) if kill_worker else [driver]
        for victim in victims[:1]:
            os.kill(victim, signal.SIGKILL)
        while word != "ended":
            word, *numbers = self._from.readline().split()
        return int(numbers[0])


def children(process: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def check_whole(folder: Path, expected: Swept) -> None:
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in lines), "torn"
    ended = Counter(json.loads(line).get("index") for line in lines)
    del ended[None]
    assert max(ended.values()) == 1, "duplicated"
    assert len(ended) == POINTS, "lost"
    assert Swept.read(folder).digest == expected.digest
    table = pyarrow.parquet.read_table(folder / "results.parquet").to_pylist()
    assert [row["energy_j"] for row in table] == expected.columns()["energy_j"]


def kill_until_done(disturbed: Disturbed, seed: int, step: int) -> int:
    """Kills a study until it ends by itself; returns how often it was killed."""
    draw, kills = random.Random(seed), 0
    while (code := disturbed.run(draw.randrange(step), draw.randrange(200_000))) != 0:
        assert code == -signal.SIGKILL
        kills += 1
    return kills


def test_a_study_killed_at_any_instant_loses_and_repeats_nothing(
    runner: subprocess.Popen[str], undisturbed: Swept, tmp_path: Path
) -> None:
    kills = 0
    for seed in range(2):
        folder = tmp_path / str(seed)
        kills += kill_until_done(Disturbed(runner, folder, 1), seed, 80)
        check_whole(folder, undisturbed)
    assert kills >= 12


def test_with_workers_it_loses_and_repeats_nothing_either(
    runner: subprocess.Popen[str], undisturbed: Swept, tmp_path: Path
) -> None:
    disturbed = Disturbed(runner, tmp_path / "out", 2)
    assert disturbed.run(60, 10_000) == -signal.SIGKILL
    assert disturbed.run(50, 50_000, kill_worker=True) == 0
    check_whole(tmp_path / "out", undisturbed)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(5))
def test_two_hundred_kills_lose_and_repeat_nothing(
    seed: int, runner: subprocess.Popen[str], undisturbed: Swept, tmp_path: Path
) -> None:
    kills = 0
    for workers, step in ((1, 16), (2, 60)):
        folder = tmp_path / str(workers)
        kills += kill_until_done(Disturbed(runner, folder, workers), 10 * seed + workers, step)
        check_whole(folder, undisturbed)
    for number in range(3):
        folder = tmp_path / f"workers_{number}"
        assert Disturbed(runner, folder, 2).run(1 + 30 * number, 0, kill_worker=True) == 0
        kills += 1
        check_whole(folder, undisturbed)
    assert kills >= 40
