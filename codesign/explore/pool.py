"""Points measured by processes of this machine; one that dies is replaced, its points run again."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path

from codesign.errors import StudyError
from codesign.explore.evaluate import Done, Job, Task

_CHUNK = 50
"""Most points that a worker is sent at a time."""
_DEATHS = 2
"""Workers that one point may end before it is left alone."""
_STARTS = 5
"""Workers in a row that may end before their first point until no more are started."""
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from codesign.explore.worker import main; main(int(sys.argv[2]))"
)


@dataclass(eq=False)
class _Worker:
    """A process, the line to it, and what it has been sent and has not told."""

    process: subprocess.Popen[bytes]
    line: Connection
    ready: bool = False
    sent: deque[Task] = field(default_factory=deque)


class Pool:
    """Processes of this machine.

    Attributes:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        """Checks the number of workers.

        Raises:
            StudyError: fewer than 1.
        """
        if type(workers) is not int or workers < 1:
            raise StudyError(f"workers must be at least 1, got {workers!r}; give 1 or more")
        self.workers = workers

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``.

        Raises:
            StudyError: a worker cannot start.
        """
        crew = _Crew(job, deque(tasks), self.workers)
        try:
            yield from crew.work()
        finally:
            crew.end()


class _Crew:
    """The workers of one run."""

    def __init__(self, job: Job, queue: deque[Task], size: int) -> None:
        self._job, self._queue, self._size = job, queue, size
        self._workers: list[_Worker] = []
        self._deaths: Counter[int] = Counter()
        self._stillborn = 0

    def work(self) -> Iterator[Done]:
        """What the workers tell, until nothing is left."""
        while self._fill():
            for line in wait([worker.line for worker in self._workers]):
                worker = next(one for one in self._workers if one.line is line)
                try:
                    found = worker.line.recv()
                except (EOFError, OSError):  # it died, perhaps in the middle of a word
                    yield from self._bury(worker)
                    continue
                if worker.ready:
                    worker.sent.popleft()
                    yield found
                elif found:
                    raise StudyError(f"a worker cannot start: {found}")
                worker.ready, self._stillborn = True, 0
                self._feed(worker)

    def end(self) -> None:
        """Ends every worker, whatever it does."""
        while self._workers:
            self._dismiss(self._workers[0])

    def _fill(self) -> bool:
        """Starts workers that are missing, and says whether there is anything to wait for."""
        busy = sum(bool(worker.sent) for worker in self._workers)
        if not busy and not self._queue:
            return False
        while len(self._workers) < min(self._size, busy + len(self._queue)):
            self._workers.append(_start(self._job))
        return True

    def _feed(self, worker: _Worker) -> None:
        """Sends points to a worker that has none."""
        if worker.sent or not self._queue:
            return
        count = max(1, min(_CHUNK, len(self._queue) // (2 * self._size)))
        worker.sent.extend(self._queue.popleft() for _ in range(count))
        _send(worker.line, list(worker.sent))

    def _bury(self, worker: _Worker) -> Iterator[Done]:
        """Puts back what a dead worker had, but for a point that has ended several."""
        code = self._dismiss(worker)
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= _STARTS:
                raise StudyError(
                    f"{_STARTS} workers ended before their first point (exit code {code}); run "
                    "with workers=1 to see why"
                )
        if not worker.sent:
            return
        first = worker.sent[0]
        self._deaths[first.index] += 1
        if self._deaths[first.index] >= _DEATHS:
            worker.sent.popleft()
            yield Done(first.index, message=f"ended {_DEATHS} workers (exit code {code})")
        self._queue.extendleft(reversed(worker.sent))

    def _dismiss(self, worker: _Worker) -> int:
        self._workers.remove(worker)
        worker.line.close()
        worker.process.kill()
        return worker.process.wait()


def _start(job: Job) -> _Worker:
    ours, theirs = Pipe()
    path = [*sys.path, str(Path.cwd())]  # where functions given by name are looked for
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
            [sys.executable, "-c", _CODE, json.dumps(path), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=2,  # what the user's code prints is no part of our output
        )
    _send(ours, job.plugins)
    _send(ours, job)
    return _Worker(process, ours)


def _send(line: Connection, value: object) -> None:
    # if it died, the next word from it tells
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        line.send(value)
