"""The processes of a pool: a nursery, which imports once what all need, and the workers it forks.

They start from nothing instead of running the main script of the user again, so that a script needs
no guard and a worker no torch. What a worker says: first "" or why it cannot start, then each
point, until nobody sends more.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle

from codesign.errors import OF_OTHERS
from codesign.explore.evaluate import Evaluator
from codesign.explore.objectives import told
from codesign.plugins import registry


def main(handle: int) -> None:
    """Forks and buries workers, as a ``Nursery`` asks for it.

    Args:
        handle: file number of the end of the pipe that is ours.
    """
    registry()  # nothing is imported after a fork that could have been before
    line = Connection(handle)
    # without a driver there is nobody to work for
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            dead = line.recv()
            line.send(_fork(line) if dead is None else _bury(dead))


def _fork(line: Connection) -> int:
    """Process number of a new worker, whose end of a pipe comes with the question."""
    handle = recv_handle(line)
    worker = os.fork()
    if worker:
        os.close(handle)
        return worker
    try:
        line.close()
        # without a driver there is nobody to tell
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            _serve(Connection(handle))
    except BaseException:  # noqa: BLE001 - whatever it is, a worker must not become a nursery
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _bury(worker: int) -> int | None:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    except ChildProcessError:  # of a nursery before this one
        return None


def _serve(line: Connection) -> None:
    try:
        folder, sys.path[:], plugins = line.recv()
        os.chdir(folder)
        if plugins:  # classes of plugin files must be there before what is made of them
            registry(plugins)
        evaluator = Evaluator(line.recv())
    except EOFError:
        raise
    except OF_OTHERS as error:  # whatever it is, the driver tells
        line.send(told(error))
        return
    line.send("")
    while True:
        for task in line.recv():
            line.send(evaluator.measure(task))
