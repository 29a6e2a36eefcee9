"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4


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
