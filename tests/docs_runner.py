"""Runs every command and snippet of a page; ``python tests/docs_runner.py`` renews the outputs.

In the order of a page, in a folder of its own: a ``bash`` block is run line by line, a ``python``
block is executed in the page's one namespace, and a block with a file name behind its language is
written to that file. A ``text`` block right after one that ran must equal what it printed.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from codesign.cli import main
from codesign.plugins import registry

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"(make|pip|cd|git|#)\b|#")
"""Commands that set up the machine: the gate itself runs them, or they are the reader's own."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: word behind the fence.
        file: file name behind the language; empty where there is none.
        text: what is in it.
        span: place of the text in the page.
    """

    language: str
    file: str
    text: str
    span: tuple[int, int]


@dataclass(frozen=True)
class Output:
    """What a block of expected output says, and what came."""

    block: Block
    actual: str

    @property
    def is_right(self) -> bool:
        """Whether the page tells the truth."""
        return self.block.text == self.actual


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in order."""
    return [
        Block(match[1], match[2] or "", match[3], match.span(3)) for match in _FENCE.finditer(page)
    ]


def run_page(path: Path) -> list[Output]:
    """Runs a page and returns its blocks of expected output.

    Raises:
        AssertionError: a block that cannot be run, or a command that ends with another exit code
            than 0 (2 where the expected output is an error).
    """
    found = blocks(path.read_text())
    with tempfile.TemporaryDirectory() as folder, _inside(Path(folder)), _own_modules(found):
        return list(_outputs(found))


def _outputs(found: list[Block]) -> Iterator[Output]:
    names: dict[str, Any] = {"__name__": "page"}
    printed: str | None = None
    for block, after in zip(found, [*found, None][1:], strict=True):
        expected = after.text if after and after.language == "text" else ""
        if block.language == "text":
            assert printed is not None, f"output of nothing: {block.text[:60]!r}"
            yield Output(block, printed)
        printed = _run(block, names, expected) if block.language != "text" else None


def _run(block: Block, names: dict[str, Any], expected: str) -> str | None:
    if block.file:
        Path(block.file).parent.mkdir(parents=True, exist_ok=True)
        Path(block.file).write_text(block.text)
        return None
    registry.cache_clear()  # a command is a process of its own, which looks at its folders anew
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        if block.language == "bash":
            for line in block.text.replace("\\\n", " ").splitlines():
                _command(line, 2 if expected.startswith("error:") else 0)
        elif block.language == "python":
            exec(compile(block.text, "page", "exec"), names)
        else:
            assert block.language in ("bibtex", "json", "make"), f"nobody runs {block.language}"
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def _command(line: str, code: int) -> None:
    words = shlex.split(line, comments=True)
    if not words or _NOT_RUN.match(line):
        return
    if words[0] == "python":
        script = ROOT / words[1]
        beside = [str(script.parent), *sys.path]  # as Python itself does
        with patch.object(sys, "argv", words[1:]), patch.object(sys, "path", beside):
            runpy.run_path(str(script), run_name="__main__")
        return
    assert words[0] == "codesign", f"nobody runs {line!r}"
    ended = _exit_code(words[1:])
    assert ended == code, f"{line!r} ended with {ended}"


def _exit_code(words: list[str]) -> object:
    try:
        main(words)
    except SystemExit as ended:
        return ended.code
    return 0


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    with contextlib.chdir(folder), patch.dict(os.environ, {"COLUMNS": "80", "TERM": "dumb"}):
        yield


@contextlib.contextmanager
def _own_modules(found: list[Block]) -> Iterator[None]:
    """The modules a page writes, imported anew and forgotten after: tests use such names too."""
    names = {Path(block.file).stem for block in found if block.file.endswith(".py")}
    theirs = {name: sys.modules.pop(name) for name in names & sys.modules.keys()}
    try:
        yield
    finally:
        for name in names & sys.modules.keys():
            del sys.modules[name]
        sys.modules.update(theirs)


def renew(path: Path) -> int:
    """Writes what really came into the blocks of expected output; returns how many changed."""
    text = path.read_text()
    wrong = [output for output in run_page(path) if not output.is_right]
    for output in reversed(wrong):
        start, stop = output.block.span
        text = text[:start] + output.actual + text[stop:]
    path.write_text(text)
    return len(wrong)


if __name__ == "__main__":
    for page in PAGES:
        sys.stdout.write(f"{page.relative_to(ROOT)}: {renew(page)} outputs changed\n")
