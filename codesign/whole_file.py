"""Files that appear whole or not at all, and whether they can be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from codesign.errors import CodesignError


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Lets ``write`` fill a draft beside ``path`` and then puts it in the place of ``path``.

    Raises:
        OSError: the draft cannot be written or moved; ``path`` is as before and no draft is left.
    """
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        write(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def check_folder(folder: Path, other: str = "") -> None:
    """Finds out before any work whether a result can be written, and leaves nothing behind.

    Args:
        folder: to write to; it need not be there.
        other: a file that only a folder of something else has.

    Raises:
        CodesignError: the folder is no folder, it or its nearest parent cannot be written, or it
            holds something else.
    """
    if other and (folder / other).exists():
        raise CodesignError(
            f"{folder} holds {other}, which another command has written; give another folder"
        )
    parents = [folder.absolute(), *folder.absolute().parents]
    there = next(parent for parent in parents if parent.exists())
    if folder == Path() or not there.is_dir() or not os.access(there, os.W_OK):
        raise CodesignError(
            f"cannot write a result to {str(folder)!r}: {there} is not a folder that can be "
            "written; give another folder"
        )


def check_file(path: Path) -> None:
    """Finds out before any work whether a file can be written, and leaves nothing behind.

    Raises:
        CodesignError: the path is a folder, or its folder is missing or cannot be written.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise CodesignError(
            f"cannot write to {str(path)!r}: it must be a file in a folder that can be written; "
            "give another path"
        )
