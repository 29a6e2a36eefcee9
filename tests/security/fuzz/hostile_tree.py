"""Changes to valid documents: of their values, of their keys, and of their bytes."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from hostile_values import KEYS, NUMBERS, PIECES, QUANTITIES, SHAPES, TEXTS, VALUES, Pairs, Raw

Place: TypeAlias = "tuple[Any, ...]"


def places(value: Any, path: Place = ()) -> list[Place]:
    """Where a value can be replaced: every node below the root."""
    if isinstance(value, dict):
        children: list[tuple[Any, Any]] = list(value.items())
    else:
        children = list(enumerate(value)) if isinstance(value, list) else []
    inner = [place for key, item in children for place in places(item, (*path, key))]
    return [path, *inner] if path else inner


def written(value: object, is_yaml: bool = False) -> str:
    """A document as JSON, which YAML reads too; what is raw in it stays raw."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return written(Pairs(tuple(value.items())), is_yaml)
    if isinstance(value, Pairs):
        gap = ": " if is_yaml else ":"
        parts = (f"{_quoted(key)}{gap}{written(one, is_yaml)}" for key, one in value.entries)
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(written(one, is_yaml) for one in value) + "]"
    return _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=isinstance(value, str) and "\ud800" in value)


def changed(document: Any, draw: random.Random) -> Any:
    """A copy of a document with one to three of its places changed."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        document = _copy(document)  # each time: what was put in must stay as it is elsewhere
        known = places(document)
        if not known:
            return document
        *path, key = draw.choice(known)
        parent = document
        for step in path:
            parent = parent[step]
        draw.choice(_CHANGES)(parent, key, draw)
    return document


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _replace(parent: Any, key: Any, draw: random.Random) -> None:
    parent[key] = draw.choice(VALUES)


def _alike(parent: Any, key: Any, draw: random.Random) -> None:
    """A number for a number and a text for a text: what comes further before it is refused."""
    value = parent[key]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        parent[key] = draw.choice(NUMBERS)
    elif isinstance(value, str):
        parent[key] = draw.choice(QUANTITIES if value[:1].isdigit() else TEXTS)
    else:
        parent[key] = draw.choice(SHAPES)


def _drop(parent: Any, key: Any, draw: random.Random) -> None:
    del parent[key]


def _add(parent: Any, key: Any, draw: random.Random) -> None:
    if isinstance(parent, dict):
        parent[draw.choice(KEYS)] = draw.choice((parent[key], draw.choice(VALUES)))
    else:
        parent.insert(key, draw.choice((parent[key], draw.choice(VALUES))))


def _swap(parent: Any, key: Any, draw: random.Random) -> None:
    other = draw.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
    parent[key], parent[other] = parent[other], parent[key]


def _scale(parent: Any, key: Any, draw: random.Random) -> None:
    value = parent[key]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        parent[key] = draw.choice((-value, value + 1, value * 1000, value * 10**12, value / 3))
    elif isinstance(value, str):
        parent[key] = draw.choice((value * 2, value[:-1], value.upper(), value + "\n", f"-{value}"))
    else:
        parent[key] = [value]


def _twice(parent: Any, key: Any, draw: random.Random) -> None:
    """A key that is there twice; ``Pairs`` has no places, so this comes last."""
    value = parent[key]
    if isinstance(value, dict) and value:
        first = next(iter(value.items()))
        parent[key] = Pairs((*value.items(), first))


_CHANGES = (
    _replace,
    _replace,
    _replace,
    _alike,
    _alike,
    _alike,
    _drop,
    _add,
    _swap,
    _scale,
    _scale,
    _twice,
)


def torn(data: bytes, draw: random.Random) -> bytes:
    """Bytes with one to four flips, cuts, repetitions or insertions."""
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data) + 1)
        piece = draw.choice((*PIECES, draw.randbytes(draw.randint(1, 4))))
        data = draw.choice(_TEARS)(data, at, piece)
    return data[: 2**20]


def _repeated(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + data[at : at + 60] * 3 + data[at:]


_TEARS: tuple[Callable[[bytes, int, bytes], bytes], ...] = (
    lambda data, at, piece: data[:at] + piece + data[at + len(piece) :],
    lambda data, at, piece: data[:at] + piece + data[at:],
    lambda data, at, piece: data[:at] + data[at + 1 + len(piece) :],
    lambda data, at, piece: (
        data[:at] + bytes([data[at] ^ (1 << len(piece) % 8)]) + data[at + 1 :]
        if at < len(data)
        else data
    ),
    lambda data, at, piece: data[:at],
    _repeated,
)


def disguised(data: bytes, draw: random.Random) -> bytes:
    """The same text in another dress: marks of byte order, UTF-16, ends of lines, noise."""
    return draw.choice(_DRESSES)(data)


_DRESSES: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data.decode("utf-8", "replace").encode("utf-16"),
    lambda data: data.decode("utf-8", "replace").encode("utf-32"),
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: data.replace(b"\n", b"\r"),
    lambda data: data + data,
    lambda data: data + b"\x00" * 1000,
    lambda data: data[::-1],
    lambda data: b"",
    lambda data: b"\n" * 1000,
    lambda data: gzip.compress(data, mtime=0),
    lambda data: b"PK\x03\x04" + data,
    lambda data: b"PAR1" + data + b"\xff\xff\xff\x7fPAR1",
    lambda data: b"\x80\x04cos\nsystem\n(S'touch canary'\ntR.",
    lambda data: data.replace(b"1", b"9" * 400),
)
