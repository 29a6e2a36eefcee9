"""What of a study travels to machines that have none of its files, and what they do with it.

An executor of a cluster sends bytes alone and calls ``measure_packed`` there. Whatever they hold is
read after the plugins that it needs are loaded. The machines have codesign, the plugin folders and
the modules of the user's functions, and nothing else: the traces travel too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from codesign import __version__
from codesign.errors import OF_OTHERS, StudyError, one_line
from codesign.explore.evaluate import Done, Evaluator, Job, Task, Traces
from codesign.explore.objectives import told
from codesign.plugins import registry

_lock = Lock()
"""Held while points are measured: threads of a process share what an evaluator remembers."""


def packed_job(job: Job, *, has_folder: bool) -> bytes:
    """A job as it travels.

    Args:
        job: what all points share.
        has_folder: whether who measures sees the folder of the traces; else these travel too.

    Raises:
        StudyError: it holds what no other process can have.
    """
    folders = tuple(map(str, job.plugins))
    inside = _packed(replace(job, folder=job.folder.resolve()))
    return _packed((__version__, folders, has_folder, inside))


def packed_tasks(tasks: Sequence[Task]) -> bytes:
    """Points as they travel.

    Raises:
        StudyError: they hold what no other process can have.
    """
    return _packed(tuple(tasks))


def trace_bytes(job: Job, digest: str) -> bytes:
    """A captured trace as it travels."""
    return _place(job.folder, digest).read_bytes()


def measure_packed(job: bytes, tasks: bytes, traces: Mapping[str, bytes]) -> list[Done]:
    """Measures points where they have travelled to.

    What one job needs is read once by each process, and remembered until another job comes.

    Args:
        job: of ``packed_job``.
        tasks: of ``packed_tasks``.
        traces: of ``trace_bytes``, by digest, of every point; none where the job has its folder.

    Raises:
        StudyError: this process has another codesign, or lacks a plugin or a module.
    """
    with _lock:
        return _opened(job).measure(ForkingPickler.loads(tasks), traces)


class _Opened:
    """A job where it has travelled to."""

    def __init__(self, packed: bytes) -> None:
        version, folders, has_folder, inside = ForkingPickler.loads(packed)
        if version != __version__:
            raise StudyError(f"it has codesign {__version__}, the study {version}")
        if folders:  # classes of plugin files must be there before what is made of them
            registry(folders)
        job: Job = ForkingPickler.loads(inside)
        self._scratch = None if has_folder else TemporaryDirectory(prefix="codesign-")
        self._folder = Path(self._scratch.name) if self._scratch else job.folder
        self._evaluator = Evaluator(replace(job, folder=self._folder))

    def measure(self, tasks: Sequence[Task], traces: Mapping[str, bytes]) -> list[Done]:
        for digest, data in traces.items():
            place = _place(self._folder, digest)
            if not place.exists():
                place.write_bytes(data)
        return [self._evaluator.measure(task) for task in tasks]


@lru_cache(maxsize=2)
def _opened(packed: bytes) -> _Opened:
    try:
        return _Opened(packed)
    except OF_OTHERS as error:  # its kind may be unknown where it is told
        raise StudyError(
            f"a worker cannot start: {told(error)}; it needs the modules and plugin folders of the "
            "study where they are here, and the same codesign"
        ) from None


def _place(folder: Path, digest: str) -> Path:
    return Traces(folder, None, ()).path(digest)


def _packed(value: Any) -> bytes:
    try:
        return bytes(ForkingPickler.dumps(value))
    except OF_OTHERS as error:  # whatever a class of the user raises when it is packed
        raise StudyError(
            f"the study cannot travel to another process: {one_line(error)}; give classes and "
            "functions of modules, or take executor 'serial'"
        ) from error
