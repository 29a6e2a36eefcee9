"""What may not happen while a file of a stranger is read, and who notices.

An audit hook sees code that is compiled or run, processes, sockets and files outside the folder of
the case; an alarm ends what does not end; a limit on the address space ends what grows.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from hostile_values import CANARY

import codesign

LONGEST_S = 5
"""Seconds of the processor that one input may take: an alarm and no measurement."""
MOST_BYTES = 512 * 2**20
"""Growth of the address space that all inputs of a door may take together."""
LONGEST_MESSAGE = 1000
"""Characters of one error."""

_NEVER = (
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.kill",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pickle.find_class",
    "pty.spawn",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
)
_CHANGES = ("os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink")
_CODE = ("compile", "exec")
_ANNOTATIONS = ("/typing.py", "/inspect.py", "/dataclasses.py", "/collections/__init__.py")
"""Modules of Python that compile annotations of classes and functions, which we wrote."""
_ROOT = Path(codesign.__file__).parents[1]
_OWN = (str(_ROOT), sys.prefix, sys.base_prefix, *(p for p in sys.path if p))
_HARMLESS = ("/dev/null", "/proc/self/", "/etc/localtime", "/usr/share/zoneinfo", "/dev/urandom")


class Escaped(BaseException):
    """Something ran, or was opened, that no reader of a file needs; no handler takes it."""


class Hung(BaseException):
    """An input that took more of the processor than any may."""


class _Watch:
    """The hook, which cannot be taken out again, only told to look away."""

    def __init__(self) -> None:
        self.folder = ""
        self.seen: list[str] = []
        self.is_installed = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event in _NEVER or (event in _CODE and not _is_of_a_program(args[0])):
            self.tell(event, args)
        elif event == "open":
            self.opened(*args)
        elif event in _CHANGES and not self.is_inside(args[0]):
            self.tell(event, args)

    def opened(self, path: object, mode: object, flags: object) -> None:
        if isinstance(path, int) or self.is_inside(path):
            return
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not str(path).startswith("/dev/null"):
            self.tell("open to write", (path,))
        if not writes and not str(path).startswith((*_OWN, *_HARMLESS)):
            self.tell("open", (path,))

    def is_inside(self, path: object) -> bool:
        try:
            text = os.fsdecode(path)  # type: ignore[arg-type]  # anything else is outside
        except TypeError:
            return False
        return os.path.normpath(os.path.join(os.getcwd(), text)).startswith(self.folder)

    def tell(self, event: str, args: tuple[Any, ...]) -> None:
        told = f"{event} {args!r:.200}"
        self.seen.append(told)
        raise Escaped(told)


_WATCH = _Watch()


def _is_of_a_program(code: object) -> bool:
    """Whether it comes from an import, or from annotations of classes, and not from data."""
    frame: FrameType | None = sys._getframe(2)
    if CANARY in str(code):
        return False
    if frame is not None and frame.f_code.co_filename.endswith(_ANNOTATIONS):
        return True
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def guarded(folder: Path) -> Iterator[list[str]]:
    """Lets nothing run, write or open outside a folder, and nothing hang.

    Args:
        folder: what may be read and written.

    Yields:
        What was tried all the same, also where a handler has swallowed it.
    """
    if not _WATCH.is_installed:
        sys.addaudithook(_WATCH)
        _WATCH.is_installed = True
    before = signal.signal(signal.SIGPROF, _hang)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    _WATCH.folder, _WATCH.seen = os.path.realpath(folder), []
    try:
        yield _WATCH.seen
    finally:
        _WATCH.folder = ""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _hang(number: int, frame: FrameType | None) -> None:
    place = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "somewhere"
    raise Hung(f"over {LONGEST_S} s of the processor, at {place}")


@contextmanager
def bounded(more: int = MOST_BYTES) -> Iterator[None]:
    """Lets the address space of this process grow by so many bytes and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def fault_of(message: str, name: str) -> str:
    """What is wrong with an error; empty if nothing is.

    Args:
        message: what it says.
        name: of the file, which it must give; empty where there is none.
    """
    if not message.strip() or message != message.strip():
        return "is empty or has blanks around it"
    if not message.isprintable():
        return "has control characters"
    if len(message) > LONGEST_MESSAGE:
        return f"has {len(message)} characters"
    return "" if name in message else f"does not name {name}"
