"""The journal of a study: one JSON line for each event, on disk before anything builds on it.

A line is written at once and synchronised, so that a kill at any instant tears at most the last
line, which the next one to open the file cuts off. One process writes at a time; the lock goes with
the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from codesign.errors import StudyError

FORMAT = "codesign-journal"
VERSION = 1

Record: TypeAlias = "dict[str, Any]"
"""JSON values by name."""


def read_journal(path: Path) -> list[Record]:
    """Every whole record of a journal, which somebody may be writing; the file stays as it is.

    Raises:
        StudyError: no such file, or no journal.
    """
    try:
        if path.exists() and not path.is_file():
            raise StudyError(f"{path}: is no file; give the folder of a study")
        header, *lines = _split(_whole_lines(path.read_bytes()))
    except OSError as error:
        raise StudyError(
            f"{path}: cannot be read: {error.strerror}; give the folder of a study"
        ) from error
    _check_format(_parsed(header, path, 1), path)
    return [_parsed(line, path, number) for number, line in enumerate(lines, start=2)]


class Journal:
    """An open journal; use it as a context manager.

    Attributes:
        path: of the file.
        records: every record that is on disk, in order, without the header.
    """

    def __init__(self, path: Path, digest: str) -> None:
        """Opens a journal, or begins one.

        Args:
            path: of the file; its folder must exist.
            digest: of the study that it belongs to.

        Raises:
            StudyError: the file is no journal, has a broken line before its last, belongs to
                another study, or another process is writing it.
        """
        self.path = path
        try:
            # a pipe would be waited for, and a device takes whatever is written
            if path.exists() and not path.is_file():
                raise StudyError(f"{path}: is no file; give another folder")
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise StudyError(
                f"{path}: cannot be opened: {error.strerror}; give another folder"
            ) from error
        try:
            self._lock()
            self.records = list(self._read(digest))
        except BaseException:
            os.close(self._file)
            raise

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes a record; it is on disk when this returns.

        Args:
            record: JSON values, without NaN or infinity.

        Raises:
            ValueError: it holds something else.
        """
        self._write(record)
        self.records.append(dict(record))

    def close(self) -> None:
        """Lets others write."""
        os.close(self._file)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StudyError(
                f"{self.path} is being written by another process; wait for it, or give another "
                "folder"
            ) from error

    def _read(self, digest: str) -> Iterator[Record]:
        """Records of the file; begins one with a header where there is none."""
        size = os.fstat(self._file).st_size
        data = os.pread(self._file, size, 0)
        whole = _whole_lines(data)
        if not whole and not _may_be_torn(data):
            raise StudyError(f"{self.path} is no journal; give another folder")
        if len(whole) < size:
            os.ftruncate(self._file, len(whole))
            os.fsync(self._file)
        header, *lines = _split(whole)
        if not header:
            self._write({"format": FORMAT, "version": VERSION, "study": digest})
            _sync_folder(self.path.parent)
            return
        self._check(_parsed(header, self.path, 1), digest)
        for number, line in enumerate(lines, start=2):
            yield _parsed(line, self.path, number)

    def _check(self, header: Record, digest: str) -> None:
        _check_format(header, self.path)
        if header.get("study") != digest:
            raise StudyError(
                f"{self.path} is the journal of another study ({str(header.get('study'))[:12]}, "
                f"this one is {digest[:12]}); give another folder, or the study that it was made of"
            )

    def _write(self, record: Mapping[str, Any]) -> None:
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
        line = text.encode() + b"\n"
        written = os.write(self._file, line)
        while written < len(line):  # a full disk or a signal may stop it half way
            written += os.write(self._file, line[written:])
        os.fsync(self._file)


def _check_format(header: Record, path: Path) -> None:
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise StudyError(f"{path} is no journal of version {VERSION}; give another folder")


def _parsed(line: bytes, path: Path, number: int) -> Record:
    record = _parse(line)
    if record is None:
        raise StudyError(
            f"{path}:{number}: not a line of a journal; restore the file, or give another folder"
        )
    return record


def _may_be_torn(data: bytes) -> bool:
    """Whether a file without a whole line can be a journal that a crash has torn."""
    begin = f'{{"format":"{FORMAT}"'.encode()
    return not data.strip(b"\0") or data[: len(begin)] == begin[: len(data)]


def _split(data: bytes) -> list[bytes]:
    """Lines of a journal, at least one, cut where it cuts them and nowhere else."""
    return data.removesuffix(b"\n").split(b"\n")


def _whole_lines(data: bytes) -> bytes:
    """The data without a torn last line."""
    whole = data[: data.rfind(b"\n") + 1]
    last = whole[:-1].rfind(b"\n") + 1
    # a block of zeros may stand where a crash lost the bytes of the last line
    return whole if _parse(whole[last:-1]) is not None or not last else whole[:last]


def _parse(line: bytes) -> Record | None:
    try:
        found = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is never written")


def _sync_folder(folder: Path) -> None:
    """Lets the name of a new file survive a crash, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
