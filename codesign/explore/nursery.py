"""Where the workers of a pool come from: one process that is ready to become any of them.

It has imported what they need and nothing of the user's, so that a worker, and the one that
replaces it, costs a fork and not the start of an interpreter.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle

_CODE = (
    # the driver ends its workers itself
    "import json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = json.loads(sys.argv[1]); "
    "from codesign.explore.worker import main; main(int(sys.argv[2]))"
)
GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""What the end of the process at the other side of a pipe raises."""


class Nursery:
    """A process that forks workers.

    Attributes:
        is_sound: whether it has answered all that it was asked; after an interrupt it may not have,
            and nobody can tell which answer is next.
    """

    def __init__(self) -> None:
        self.is_sound = True
        self._line, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
                [sys.executable, "-c", _CODE, json.dumps(sys.path), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what the user's code prints is no part of our output
            )

    def start(self) -> tuple[int, Connection]:
        """Process number of a new worker, and the line to it.

        Raises:
            EOFError: the nursery has ended; one of ``GONE``.
        """
        ours, theirs = Pipe()
        with theirs:
            self.is_sound = False
            self._line.send(None)
            send_handle(self._line, theirs.fileno(), self._process.pid)
            worker: int = self._line.recv()
        self.is_sound = True
        return worker, ours

    def end(self, worker: int) -> int | None:
        """Ends a worker, whatever it does, and tells how it ended; None where nobody knows."""
        with contextlib.suppress(ProcessLookupError):  # nobody has it where the nursery has died
            os.kill(worker, signal.SIGKILL)
        if not self.is_sound:
            return None
        self.is_sound = False
        with contextlib.suppress(*GONE):
            self._line.send(worker)
            code: int | None = self._line.recv()
            self.is_sound = True
            return code
        return None

    def close(self) -> int:
        """Ends the nursery, and tells how it ended; its workers go on."""
        self._line.close()
        self._process.kill()
        return self._process.wait()
