"""Points on a Dask cluster: in chunks, each the task of one worker.

Dask runs a task again that was lost with its worker. One that was lost with several is taken apart,
and its points run alone: so the one at fault is found, and no other is blamed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from codesign.errors import StudyError
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Kept, check_workers
from codesign.explore.travel import measure_packed, packed_tasks, trace_bytes

from .cluster import LOOK_S, Cluster

if TYPE_CHECKING:
    from distributed import Future

_CHUNK = 50
"""Points of a task where there are plenty: a task costs Dask about a millisecond."""
_SHARES = 4
"""Tasks of each worker where there are few points, so that all workers end together."""
_AHEAD = 1_000
"""Most tasks that the scheduler has at a time (assumed): a few minutes of a hundred workers."""
_KEPT = 64
"""Traces that are held on the cluster for the points to come (assumed)."""

Chunk: TypeAlias = "tuple[Task, ...]"


class Dask(Kept):
    """Processes of a Dask cluster.

    While it is entered (``with Dask(workers=4) as dask:``), the cluster stays for the next run, and
    its workers remember what the points of a job shared.

    Attributes:
        workers: processes of this machine; 0 where a scheduler has its own.
        address: of that scheduler, or none.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        """Looks for Dask; nothing is started, and nobody is asked.

        Args:
            workers: processes of this machine, at least 1; by default 1.
            address: of a scheduler that runs already, such as ``tcp://10.0.0.1:8786``.

        Raises:
            StudyError: both are given, a number that means nothing, or no Dask.
        """
        if address is not None and workers is not None:
            raise StudyError(
                f"the cluster at {address[:80]!r} has workers of its own, got workers={workers}; "
                "leave one of both out"
            )
        if find_spec("distributed") is None:
            raise StudyError(
                "executor 'dask' needs the packages dask and distributed; install them with: "
                "pip install 'codesign[cluster]'"
            )
        asked = 1 if workers is None else workers
        self.workers = check_workers(asked) if address is None else 0
        self.address = address
        self._idle: Cluster | None = None

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``.

        Raises:
            StudyError: nobody answers at the address, or a worker cannot start.
        """
        cluster, self._idle = self._idle, None
        is_done = False
        try:
            cluster = cluster or Cluster(self.workers, self.address)
            yield from _Run(cluster, job).work(tasks)
            is_done = True
        finally:
            if is_done and self.is_kept and self._idle is None:
                self._idle = cluster
            elif cluster is not None:
                cluster.close()

    def close(self) -> None:
        """Ends the cluster of this machine, or leaves that at the address."""
        if self._idle is not None:
            self._idle.close()
        self._idle = None


class _Run:
    """The points of one run."""

    def __init__(self, cluster: Cluster, job: Job) -> None:
        self._cluster, self._job = cluster, job
        self._packed = cluster.packed(job)
        self._held = lru_cache(_KEPT)(self._hold)
        self._ended: SimpleQueue[Future[Any]] = SimpleQueue()
        self._flying: dict[Future[Any], Chunk] = {}
        self._suspects: list[Task] = []
        self._is_trial = False

    def work(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """What the workers tell, until nothing is left."""
        left = _chunks(tasks, self._cluster.size())
        try:
            while self._fill(left):
                future = self._next()
                yield from self._told(future, self._flying.pop(future))
        finally:
            if self._flying:
                self._cluster.forget(list(self._flying))

    def _fill(self, left: deque[Chunk]) -> bool:
        """Gives the scheduler what it has room for, and says whether there is anything to wait for.

        A suspect flies alone: whatever ends its workers, it is no other point.
        """
        while left and len(self._flying) < _AHEAD:
            self._fly(left.popleft())
        self._is_trial = not self._flying and bool(self._suspects)
        if self._is_trial:
            self._fly((self._suspects.pop(),))
        return bool(self._flying)

    def _fly(self, chunk: Chunk) -> None:
        digests = () if self._cluster.is_here else {task.trace for task in chunk}
        traces = {digest: self._held(digest) for digest in digests}
        future = self._cluster.client.submit(
            measure_packed, self._held(""), packed_tasks(chunk), traces, pure=False
        )
        self._flying[future] = chunk
        future.add_done_callback(self._ended.put)

    def _hold(self, digest: str) -> Future[Any]:
        """A trace, or the job, as a task of its own: if it is lost, Dask makes it again."""
        data = trace_bytes(self._job, digest) if digest else self._packed
        return self._cluster.client.submit(bytes, data, pure=False)

    def _next(self) -> Future[Any]:
        while True:
            try:
                return self._ended.get(timeout=LOOK_S)
            except Empty:
                self._cluster.look_after()

    def _told(self, future: Future[Any], chunk: Chunk) -> Iterator[Done]:
        """What came of a chunk."""
        from distributed import KilledWorker

        try:
            found: list[Done] = self._cluster.result(future)
        except KilledWorker as killed:
            self._held.cache_clear()  # what a task was given may have been lost like the task
            if self._is_trial:
                deaths = killed.allowed_failures + 1
                found = [Done(chunk[0].index, message=f"ended {deaths} workers")]
            else:
                self._suspects.extend(chunk)
                found = []
        yield from found


def _chunks(tasks: Sequence[Task], workers: int) -> deque[Chunk]:
    """Points in their order, in tasks of the same size."""
    size = max(1, min(_CHUNK, len(tasks) // (_SHARES * workers)))
    return deque(tuple(tasks[n : n + size]) for n in range(0, len(tasks), size))
