"""Points measured by processes of this machine; one that dies is replaced, its points run again."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from codesign.errors import StudyError
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Kept, check_workers
from codesign.explore.nursery import GONE, Nursery

_CHUNK = 50
"""Most points that a worker is sent at a time."""
_DEATHS = 4
"""Workers that one point may end before it is left alone: the default of Dask, since what ends a
worker now and then from outside must not be put down to a point."""
_STARTS = 5
"""Workers in a row that may end before their first point until no more are started."""


@dataclass(eq=False)
class _Worker:
    """A process, the line to it, and what it has been sent and has not told."""

    process: int
    line: Connection
    ready: bool = False
    sent: deque[Task] = field(default_factory=deque)


class Pool(Kept):
    """Processes of this machine.

    While it is entered (``with Pool(4) as pool:``), they wait for the next run of the same job, and
    remember what its points shared.

    Attributes:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        """Checks the number of workers.

        Raises:
            StudyError: fewer than 1.
        """
        self.workers = check_workers(workers)
        self._idle: _Crew | None = None

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``.

        Raises:
            StudyError: a worker cannot start.
        """
        crew, self._idle = self._idle or _Crew(self.workers), None
        try:
            yield from crew.work(job, tasks)
        finally:
            if self.is_kept and self._idle is None:
                crew.rest()
                self._idle = crew
            else:
                crew.end()

    def close(self) -> None:
        """Ends the workers that wait for another run."""
        if self._idle is not None:
            self._idle.end()
        self._idle = None


class _Crew:
    """The workers of one job, and the nursery that they come from."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._nursery: Nursery | None = None
        self._workers: list[_Worker] = []
        self._job: Job | None = None
        self._queue: deque[Task] = deque()
        self._deaths: Counter[int] = Counter()
        self._stillborn = 0

    def work(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """What the workers tell, until nothing is left."""
        if job is not self._job:  # a worker knows one job, and imports for one alone
            self._dismiss_all()
            self._job = job
        self._queue.extend(tasks)
        self._deaths.clear()
        self._stillborn = 0
        while self._fill(job):
            for line in wait([worker.line for worker in self._workers]):
                worker = next(one for one in self._workers if one.line is line)
                try:
                    found = worker.line.recv()
                except (*GONE, OSError):  # it died, perhaps in the middle of a word
                    yield from self._bury(worker)
                    continue
                if worker.ready:
                    worker.sent.popleft()
                    yield found
                elif found:
                    raise StudyError(f"a worker cannot start: {found}")
                worker.ready, self._stillborn = True, 0

    def rest(self) -> None:
        """Ends what cannot serve another run: workers that have points of this one to tell."""
        if self._queue or any(worker.sent for worker in self._workers):
            self._queue.clear()
            self._dismiss_all()
        if self._nursery is not None and not self._nursery.is_sound:
            self.end()

    def end(self) -> None:
        """Ends every worker, whatever it does, and the nursery."""
        self._dismiss_all()
        if self._nursery is not None:
            self._nursery.close()
        self._nursery = None

    def _fill(self, job: Job) -> bool:
        """Gives every worker something to do, and says whether there is anything to wait for."""
        for worker in self._workers:  # one that had nothing left may have what a dead one leaves
            self._feed(worker)
        busy = sum(bool(worker.sent) for worker in self._workers)
        if not busy and not self._queue:
            return False
        while len(self._workers) < min(self._size, busy + len(self._queue)):
            self._start(job)
        return True

    def _start(self, job: Job) -> None:
        self._nursery = self._nursery or Nursery()
        try:
            worker = _Worker(*self._nursery.start())
        except GONE:  # it died; those that it has started live on
            code = self._nursery.close()
            self._nursery = None
            self._count_stillborn(code)
            return
        folder = str(Path.cwd())  # where functions given by name are looked for
        _send(worker.line, (folder, [*sys.path, folder], job.plugins))
        _send(worker.line, job)
        self._workers.append(worker)

    def _feed(self, worker: _Worker) -> None:
        """Sends points to a worker that has none."""
        if worker.sent or not worker.ready or not self._queue:
            return
        count = max(1, min(_CHUNK, len(self._queue) // (2 * self._size)))
        worker.sent.extend(self._queue.popleft() for _ in range(count))
        _send(worker.line, list(worker.sent))

    def _bury(self, worker: _Worker) -> Iterator[Done]:
        """Puts back what a dead worker had, but for a point that has ended several."""
        code = self._dismiss(worker)
        if not worker.ready:
            self._count_stillborn(code)
        if not worker.sent:
            return
        first = worker.sent[0]
        self._deaths[first.index] += 1
        if self._deaths[first.index] >= _DEATHS:
            worker.sent.popleft()
            yield Done(first.index, message=f"ended {_DEATHS} workers (exit code {code})")
        self._queue.extendleft(reversed(worker.sent))

    def _count_stillborn(self, code: int | None) -> None:
        self._stillborn += 1
        if self._stillborn >= _STARTS:
            raise StudyError(
                f"{_STARTS} workers ended before their first point (exit code {code}); run with "
                "workers=1 to see why"
            )

    def _dismiss(self, worker: _Worker) -> int | None:
        self._workers.remove(worker)
        worker.line.close()
        return self._nursery.end(worker.process) if self._nursery else None

    def _dismiss_all(self) -> None:
        while self._workers:
            self._dismiss(self._workers[0])


def _send(line: Connection, value: object) -> None:
    # if it died, the next word from it tells
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        line.send(value)
