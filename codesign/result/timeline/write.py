"""Writing a timeline to a file of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError
from codesign.whole_file import write_whole


def save_timeline(document: Mapping[str, Any], path: Path) -> None:
    """Writes a document of ``chrome_trace``, whole or not at all.

    Raises:
        CodesignError: the file cannot be written.
    """
    text = dump(document)
    try:
        write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise CodesignError(
            f"cannot write the timeline to {path}: {error.strerror or error}; give another path"
        ) from error


def dump(document: Mapping[str, Any]) -> str:
    """A document as JSON, an event a line."""
    rest = {name: value for name, value in document.items() if name != "traceEvents"}
    events = ",\n".join(
        json.dumps(event, separators=(",", ":"), allow_nan=False)
        for event in document["traceEvents"]
    )
    return f'{json.dumps(rest, indent=1)[:-2]},\n "traceEvents": [\n{events}\n]}}\n'
