"""Names from outside as pages and figures show them: harmless, and no longer than they need be."""

from __future__ import annotations

import unicodedata

_LONGEST = 240
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that turn the direction of what follows, so that a name could pose as another."""


def shown(text: object, most: int = _LONGEST) -> str:
    """A text without what no XML file may hold and without signs that turn it round.

    Each of these becomes the replacement sign, line ends become blanks; the middle of a longer text
    goes.

    Args:
        text: what somebody has called something.
        most: signs that are kept, at least 3.
    """
    kept = "".join(_sign(sign) for sign in str(text))
    if len(kept) <= most:
        return kept
    head = most // 2
    return f"{kept[:head]}…{kept[len(kept) - (most - 1 - head) :]}"


def _sign(sign: str) -> str:
    if sign in "\t\n\r\v\f\x85\u2028\u2029":
        return " "
    if sign in _TURNS or unicodedata.category(sign) in ("Cc", "Cs") or sign in "\ufffe\uffff":
        return "\ufffd"
    return sign
