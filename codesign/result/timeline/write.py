"""A timeline as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def dump(document: Mapping[str, Any]) -> str:
    """A document as JSON, an event a line."""
    rest = {name: value for name, value in document.items() if name != "traceEvents"}
    events = ",\n".join(
        json.dumps(event, separators=(",", ":"), allow_nan=False)
        for event in document["traceEvents"]
    )
    return f'{json.dumps(rest, indent=1)[:-2]},\n "traceEvents": [\n{events}\n]}}\n'
