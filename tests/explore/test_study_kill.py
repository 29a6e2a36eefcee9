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
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet
import pytest
from executor_parts import below, indexes
from study_parts import study

from codesign.explore.study import Study
from codesign.explore.swept import Swept

CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from test_study_kill import done_in, wide
for line in sys.stdin:
    folder, points, workers, exhaustive = line.split()
    study = wide(int(points))
    driver = os.fork()
    if not driver:
        print("driver", os.getpid(), flush=True)
        asked = {"workers": int(workers), "exhaustive": bool(int(exhaustive)), "resume": True}
        known = done_in(folder)
        tell = lambda *counts: counts[0] > known and print(*counts, flush=True)
        study.run(folder, watch=tell, **asked)
        os._exit(0)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(driver, 0)[1]), flush=True)
"""
"""Studies in processes of their own, without importing anything again for each of them."""
DRIVER, WORKER = "driver", "worker"


def wide(points: int) -> Study:
    """A study of so many points: two widths at many rates."""
    return study(
        hardware_space={"dram.bandwidth": [f"{n} MB/s" for n in range(1, points // 2 + 1)]}
    )


def done_in(folder: str) -> int:
    """Points that a journal has, if there is one."""
    journal = Path(folder) / "journal.jsonl"
    return len(indexes(journal.parent)) if journal.exists() else 0


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
    """One study in one folder, killed and run again."""

    def __init__(
        self,
        runner: subprocess.Popen[str],
        folder: Path,
        points: int,
        seed: int,
        *,
        exhaustive: bool = True,
    ) -> None:
        assert runner.stdin is not None
        assert runner.stdout is not None
        self._to, self._from = runner.stdin, runner.stdout
        self.folder, self._points, self._exhaustive = folder, points, exhaustive
        self._draw = random.Random(seed)
        self.kills: Counter[str] = Counter()

    def run(self, workers: int, victims: list[str], step: int) -> bool:
        """One run, whose victims fall in turn; returns whether it ended by itself."""
        self._to.write(f"{self.folder} {self._points} {workers} {int(self._exhaustive)}\n")
        self._to.flush()
        driver = int(self._from.readline().split()[1])
        for victim in victims:
            for _ in range(self._draw.randrange(step)):
                if (code := self._ended()) is not None:
                    assert code == 0
                    return True
            self._spin()
            self._kill(victim, driver)
        while (code := self._ended()) is None:
            pass
        if victims[-1:] == [DRIVER]:  # or it was faster
            assert code in (0, -signal.SIGKILL)
        else:
            assert code == 0
        return code == 0

    def _ended(self) -> int | None:
        word, *numbers = self._from.readline().split()
        return int(numbers[0]) if word == "ended" else None

    def _spin(self) -> None:
        """Lets a while pass, most often a short one."""
        for _ in range(int(10 ** self._draw.uniform(0, 6.3))):
            pass

    def _kill(self, victim: str, driver: int) -> None:
        chosen = [driver] if victim == DRIVER else below(driver)
        if chosen:
            with suppress(ProcessLookupError):  # it was faster
                os.kill(self._draw.choice(chosen), signal.SIGKILL)
                self.kills[victim] += 1


def check_whole(folder: Path, points: int, expected: Swept) -> None:
    """Nothing is torn, repeated or lost, and the table is that of a study that was left alone."""
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in lines), "torn"
    ended = Counter(json.loads(line).get("index") for line in lines)
    del ended[None]
    assert max(ended.values()) == 1, "repeated"
    assert len(ended) == points, "lost"
    assert Swept.read(folder).digest == expected.digest
    table = pyarrow.parquet.read_table(folder / "results.parquet").to_pylist()
    assert [row["energy_j"] for row in table] == expected.columns()["energy_j"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return wide(120).run(tmp_path_factory.mktemp("undisturbed"), exhaustive=True)


def test_a_study_killed_at_any_instant_loses_and_repeats_nothing(
    runner: subprocess.Popen[str], undisturbed: Swept, tmp_path: Path
) -> None:
    disturbed = Disturbed(runner, tmp_path / "out", 120, 0)
    while not disturbed.run(1, [DRIVER], 30):
        pass
    assert disturbed.kills[DRIVER] >= 6
    check_whole(tmp_path / "out", 120, undisturbed)


def test_with_workers_it_loses_and_repeats_nothing_either(
    runner: subprocess.Popen[str], undisturbed: Swept, tmp_path: Path
) -> None:
    disturbed = Disturbed(runner, tmp_path / "out", 120, 1)
    assert not disturbed.run(2, [WORKER, WORKER, DRIVER], 15)
    assert disturbed.run(1, [], 1)
    assert disturbed.kills == {DRIVER: 1, WORKER: 2}
    check_whole(tmp_path / "out", 120, undisturbed)


def test_a_study_that_prunes_goes_on_with_the_same_points(
    runner: subprocess.Popen[str], tmp_path: Path
) -> None:
    undisturbed = wide(400).run(tmp_path / "undisturbed")
    assert undisturbed.pruned > 0
    disturbed = Disturbed(runner, tmp_path / "out", 400, 2, exhaustive=False)
    while not disturbed.run(1, [DRIVER], 6):
        pass
    assert disturbed.kills[DRIVER] >= 2
    check_whole(tmp_path / "out", len(undisturbed.done), undisturbed)
    assert Swept.read(tmp_path / "out").pruned == undisturbed.pruned


@pytest.mark.nightly
def test_two_hundred_kills_over_two_thousand_points_lose_and_repeat_nothing(
    runner: subprocess.Popen[str], tmp_path: Path
) -> None:
    undisturbed = wide(2000).run(tmp_path / "undisturbed", exhaustive=True)
    disturbed = Disturbed(runner, tmp_path / "out", 2000, 3)
    draw, is_done = random.Random(4), False
    while not is_done:
        workers = draw.choice([1, 2, 3])
        before = [WORKER] * draw.randrange(3 if workers > 1 else 1)
        is_done = disturbed.run(workers, [*before, DRIVER], 14)
    assert disturbed.kills.total() >= 200
    assert min(disturbed.kills.values()) >= 60
    check_whole(tmp_path / "out", 2000, undisturbed)
