"""How hostile inputs are made: of documents, of tables, of short texts."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import fuzz_seeds as seeds
from hostile_tree import changed, disguised, torn, written
from hostile_values import KEYS, NUMBERS, QUANTITIES, TEXTS, VALUES, Raw

Make: TypeAlias = Callable[["random.Random | None", Path], bytes]
"""One hostile input; the valid one that it is made of if there is nothing to draw from."""


def yaml_of(*found: Any) -> Make:
    """Inputs made of documents that are written as YAML."""
    return documents(lambda _: found, yaml_bytes)


def yaml_bytes(document: Any) -> bytes:
    return written(document, is_yaml=True).encode()


def documents(found: Callable[[Path], Sequence[Any]], spell: Callable[[Any], bytes]) -> Make:
    """Three in four inputs are changed as documents, the rest as bytes."""

    def make(draw: random.Random | None, folder: Path) -> bytes:
        if draw is None:
            return spell(found(folder)[0])
        document = draw.choice(found(folder))
        how = draw.random()
        if how < 0.75:
            return spell(changed(document, draw))
        data = spell(document)
        if how < 0.95:
            return torn(data, draw)
        return disguised(data, draw)

    return make


def json_bytes(document: Any) -> bytes:
    return written(document).encode("utf-8", "surrogatepass")


def gzip_bytes(document: Any) -> bytes:
    return gzip.compress(json_bytes(document), mtime=0)


def lines(documents: Any) -> bytes:
    rows = documents if isinstance(documents, list) else [documents]
    return b"".join(json_bytes(row) + b"\n" for row in rows)


def csv_of(text: bytes) -> Make:
    def make(draw: random.Random | None, folder: Path) -> bytes:
        if draw is None:
            return text
        how = draw.random()
        if how < 0.3:
            return torn(text, draw)
        if how < 0.35:
            return disguised(text, draw)
        rows = [line.split(",") for line in text.decode().splitlines()]
        for _ in range(draw.randint(1, 3)):
            row = draw.choice(rows[:6])
            value = draw.choice(VALUES)
            cell = value.text if isinstance(value, Raw) else str(value)
            row[draw.randrange(len(row))] = draw.choice((cell, f'"{cell}"', cell[:20]))
        return "\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass")

    return make


def words_of(known: Sequence[str]) -> Make:
    """Texts such as constraints and quantities: cut, joined and mixed with other texts."""
    others = [str(one.text if isinstance(one, Raw) else one) for one in VALUES]

    def make(draw: random.Random | None, folder: Path) -> bytes:
        if draw is None:
            return known[0].encode()
        text = draw.choice(known)
        for _ in range(draw.randint(1, 3)):
            at, piece = (
                draw.randrange(len(text) + 1),
                draw.choice((*known, *others, "(", "-", "not ")),
            )
            text = draw.choice(
                (text[:at] + piece + text[at:], text[:at] + piece, text[at:] * 2, piece)
            )
        return text[: draw.choice((80, 600, 20_000))].encode("utf-8", "surrogatepass")

    return make


def settings(draw: random.Random | None, folder: Path) -> bytes:
    """A path and a value, one of them odd."""
    if draw is None:
        return seeds.SETTINGS[0].encode()
    if draw.random() < 0.3:
        return words_of(seeds.SETTINGS)(draw, folder)
    path, _, value = draw.choice(seeds.SETTINGS).partition("=")
    other = draw.choice((*NUMBERS, *QUANTITIES, *TEXTS, *KEYS))
    pair = draw.choice(((path, other), (path, f"{{{other}: {value}}}"), (f"npu.{other}", value)))
    return "{}={}".format(*pair).encode("utf-8", "surrogatepass")
