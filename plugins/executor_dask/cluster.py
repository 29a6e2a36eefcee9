"""A Dask scheduler: one that runs already, or one of this process with workers of this machine."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign.errors import StudyError, one_line
from codesign.explore.evaluate import Job
from codesign.explore.travel import packed_job

if TYPE_CHECKING:
    from distributed import Client, Future

LOOK_S = 1.0
"""How often workers of this machine are looked after."""
PATIENCE_S = 10.0
"""Time that a scheduler has to answer."""
_STARTS = 5
"""Ends in a row of what keeps the workers of this machine alive until it is left alone."""
_TENDER = str(Path(__file__).with_name("tender.py"))
_CODE = (
    # the driver ends its workers itself
    "import json, runpy, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = json.loads(sys.argv[1]); "
    "runpy.run_path(sys.argv[2])['tend_workers'](*sys.argv[3:])"
)


class Cluster:
    """A scheduler, and the workers of this machine if it has no others.

    Attributes:
        client: line to the scheduler.
        is_here: whether the workers are processes of this machine.
    """

    def __init__(self, workers: int, address: str | None) -> None:
        """Starts what is needed.

        Args:
            workers: processes of this machine; of no matter where there is an address.
            address: of a scheduler that runs already, or none.

        Raises:
            StudyError: nobody answers there.
        """
        self.is_here = address is None
        self._workers, self._place = workers, "of this machine" if self.is_here else f"at {address}"
        self._tender: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._last: tuple[Job, bytes] | None = None
        self._open = ExitStack()
        self._open.enter_context(_quiet())
        with ExitStack() as undo:
            undo.callback(self.close)
            self.client = self._connected(self._start_scheduler() if address is None else address)
            if self.is_here:
                self._start_workers()
            undo.pop_all()

    def size(self) -> int:
        """Processes that there are now, at least 1."""
        return self._workers if self.is_here else max(1, len(self.client.nthreads()))

    def packed(self, job: Job) -> bytes:
        """A job as it travels: the same bytes at every run, by which a worker remembers it.

        Raises:
            StudyError: it holds what no other process can have.
        """
        if self._last is None or self._last[0] is not job:
            self._last = job, packed_job(job, has_folder=self.is_here)
        return self._last[1]

    def result(self, future: Future[Any]) -> Any:
        """What a task has found.

        Raises:
            StudyError: the scheduler is gone, or the worker cannot start.
            KilledWorker: the task has ended several workers.
        """
        from distributed import KilledWorker

        while True:
            try:
                found = future.result(timeout=LOOK_S)
            except TimeoutError:  # it was lost with its worker, and runs again
                self.look_after()
            except CancelledError as error:
                raise StudyError(
                    f"the Dask scheduler {self._place} is gone; go on with resume=True (--resume)"
                ) from error
            except (KilledWorker, StudyError):
                raise
            except Exception as error:  # a worker that cannot read what it was sent
                raise StudyError(
                    f"a worker cannot start: {one_line(error)}; it needs the same Python, packages "
                    "and codesign as this process"
                ) from error
            else:
                self._deaths = 0
                return found

    def look_after(self) -> None:
        """Starts the workers of this machine again if what keeps them alive has ended.

        Raises:
            StudyError: it does so again and again.
        """
        code = self._tender.poll() if self._tender else None
        if code is None:
            return
        self._deaths += 1
        if self._deaths >= _STARTS:
            raise StudyError(
                f"the Dask workers of this machine ended {_STARTS} times (exit code {code}); take "
                "executor 'serial' to see why"
            )
        self._start_workers()

    def forget(self, futures: list[Future[Any]]) -> None:
        """Takes back tasks that nobody waits for."""
        with suppress(Exception):  # the scheduler may be what has failed
            self.client.cancel(futures)

    def close(self) -> None:
        """Ends the workers and the scheduler of this machine, or leaves those at the address."""
        if self._tender is not None and self._tender.stdin is not None:
            self._tender.stdin.close()
            self._tender.wait()
        self._open.close()

    def _start_scheduler(self) -> str:
        from distributed import LocalCluster

        made = LocalCluster(
            n_workers=0,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=False,
            scheduler_kwargs={"dashboard": False},
        )
        self._open.enter_context(made)
        return str(made.scheduler_address)

    def _connected(self, address: str) -> Client:
        from distributed import Client

        try:
            # a client that reaches nobody is not ended by itself; a loop may run in this thread
            with ThreadPoolExecutor(1) as aside:
                aside.submit(asyncio.run, _knock(address)).result()
            client = Client(address, timeout=PATIENCE_S, set_as_default=False)
        except Exception as error:  # an address may be wrong in any way
            raise StudyError(
                f"no Dask scheduler answers at {address[:80]!r}: {one_line(error)}; start one with "
                "'dask scheduler', and give the address that it prints"
            ) from error
        self._open.enter_context(client)
        return client

    def _start_workers(self) -> None:
        words = [json.dumps([*sys.path, str(Path.cwd())]), _TENDER]
        words += [self.client.scheduler.address, str(self._workers)]
        self._tender = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
            [sys.executable, "-c", _CODE, *words],
            stdin=subprocess.PIPE,
            stdout=2,  # what the user's code prints is no part of our output
        )


async def _knock(address: str) -> None:
    """Asks whether a scheduler is there.

    Raises:
        Exception: none, or no address.
    """
    from distributed import Security
    from distributed.comm import connect

    secrets = Security().get_connection_args("client")
    comm = await connect(address, timeout=PATIENCE_S, **secrets)
    await comm.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what Dask logs from the terminal meanwhile: what matters of it is in our errors."""
    import distributed  # noqa: F401  # which makes its handlers

    handlers = {h: h.level for h in logging.getLogger("distributed").handlers}
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in handlers.items():
            handler.setLevel(level)
