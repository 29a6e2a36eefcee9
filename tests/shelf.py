"""Results that many tests read and that take long: made once in a session, for both workers."""

from __future__ import annotations

import fcntl
import hashlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")


@dataclass
class Shelf:
    """A folder of results.

    Attributes:
        folder: lives as long as the session, and is that of all its workers.
    """

    folder: Path

    def get(self, name: str, make: Callable[[], Made]) -> Made:
        """What ``make`` returns: the first who asks makes it, meanwhile others wait.

        Everybody gets a copy of their own. What ``make`` raises is raised, and nothing is kept.
        """
        with self._alone(name) as path:
            if not path.exists():
                path.write_bytes(pickle.dumps(make()))
        copy: Made = pickle.loads(path.read_bytes())
        return copy

    def put(self, name: str, made: object) -> None:
        """Keeps what somebody made, unless there is one."""
        self.get(name, lambda: made)

    @contextmanager
    def _alone(self, name: str) -> Iterator[Path]:
        path = self.folder / hashlib.sha256(name.encode()).hexdigest()
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path


SHELF = Shelf(Path())
"""That of the session; conftest.py puts up its folder."""
