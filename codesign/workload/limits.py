"""JSON from strangers: read within limits on size, depth and count, all checked before parsing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from codesign.errors import TraceError

MAX_BYTES = 100 * 2**20
"""Largest trace file, and largest text inside a compressed one."""
MAX_DEPTH = 64
"""Deepest nesting of brackets."""
MAX_VALUES = 10_000_000
"""Most values in one file; bounds what the parsed form takes in memory to under 1 GiB."""

# A string that never ends runs to the end of the data: without that alternative every escaped
# quote in it would start a new search, and the time would be quadratic.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_OTHER = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def parse_json(data: bytes) -> Any:
    """Parses strict JSON: UTF-8, no duplicate keys, no NaN or Infinity.

    Args:
        data: at most ``MAX_BYTES`` bytes.

    Raises:
        TraceError: not such JSON, or over one of the limits of this module.
    """
    if not data.strip():
        raise TraceError("the file is empty; write the trace again")
    _check_structure(data)
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip())
        cause = "the file ends too early" if cut else f"not valid JSON: {error.msg}"
        raise TraceError(
            f"{cause} (line {error.lineno}, column {error.colno}); write the trace again"
        ) from error
    except UnicodeDecodeError as error:
        raise TraceError(f"not UTF-8 at byte {error.start}; write the trace again") from error
    except ValueError as error:  # an integer of thousands of digits
        raise TraceError("a number has too many digits; integers must be below 2**63") from error


def _check_structure(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise TraceError(f"must be at most {MAX_BYTES:,} bytes; split the model into parts")
    bare = _STRING.sub(b'"', data)
    brackets = bare.translate(None, _OTHER)
    values = bare.count(b",") + len(brackets)
    if values > MAX_VALUES:
        raise TraceError(f"must hold at most {MAX_VALUES:,} values, got about {values:,}")
    depth = max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
    if depth > MAX_DEPTH:
        raise TraceError(f"must nest at most {MAX_DEPTH} deep, got {depth}; flatten the regions")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = first_repeated(key for key, _ in pairs)
        raise TraceError(f"key {twice[:60]!r} appears twice in one object; remove one")
    return found


def first_repeated(names: Iterable[str]) -> str:
    """The first name that was there before, or an empty string."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _refuse_constant(name: str) -> float:
    raise TraceError(f"{name} is not a number of the format; write a finite one")
