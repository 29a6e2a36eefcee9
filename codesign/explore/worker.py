"""A worker: a process that measures what it is sent, until nobody sends more.

It starts from nothing instead of running the main script of the user again, so that a script needs
no guard and a worker no torch. What it says: first "" or why it cannot start, then each point.
"""

from __future__ import annotations

import contextlib
import signal
from multiprocessing.connection import Connection

from codesign.explore.evaluate import Evaluator, told
from codesign.plugins import registry


def main(handle: int) -> None:
    """Serves a driver.

    Args:
        handle: file number of the end of the pipe that is the worker's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver ends its workers itself
    # without a driver there is nobody to tell
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _serve(Connection(handle))


def _serve(line: Connection) -> None:
    try:
        folders = line.recv()
        if folders:  # classes of plugin files must be there before what is made of them
            registry(folders)
        evaluator = Evaluator(line.recv())
    except EOFError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver tells
        line.send(told(error))
        return
    line.send("")
    while True:
        for task in line.recv():
            line.send(evaluator.measure(task))
