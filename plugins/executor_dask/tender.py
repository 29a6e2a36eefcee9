"""Keeps the Dask workers of this machine alive; runs as a process of its own.

It imports once what they need and forks each from that, so that a worker, and the one that replaces
it, costs no start of an interpreter, and none runs the main script of the user again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from tempfile import TemporaryDirectory
from threading import Thread

from distributed import Worker

from codesign.explore import travel  # noqa: F401  # what a worker runs is there before the fork
from codesign.plugins import registry


def tend_workers(address: str, count: str) -> None:
    """Keeps workers alive until standard input ends.

    Args:
        address: of the scheduler.
        count: number of workers.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    registry()
    with TemporaryDirectory(prefix="codesign-") as scratch:
        _tend(
            partial(get_context("fork").Process, target=_work, args=(address, scratch)), int(count)
        )


def _tend(make: Callable[[], BaseProcess], count: int) -> None:
    driver = sys.stdin.fileno()
    workers = [make() for _ in range(count)]
    for worker in workers:
        worker.start()
    while driver not in wait([driver, *(worker.sentinel for worker in workers)]):
        for place, worker in enumerate(workers):
            if not worker.is_alive():
                workers[place] = make()
                workers[place].start()
    for worker in workers:
        worker.kill()
        worker.join()


def _work(address: str, scratch: str) -> None:
    """A worker of one thread, which ends with the process that has forked it."""
    Thread(target=_follow, daemon=True).start()
    asyncio.run(_serve(address, scratch))


async def _serve(address: str, scratch: str) -> None:
    async with Worker(address, nthreads=1, memory_limit=0, local_directory=scratch) as worker:
        await worker.finished()


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(1)
