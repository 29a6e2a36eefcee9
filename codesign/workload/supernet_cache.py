"""Captured blocks, each captured once: kept in memory and, where asked, in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codesign.workload.supernet_code import code_of
from codesign.workload.supernet_file import load_part, save_part
from codesign.workload.supernet_key import spelled
from codesign.workload.supernet_part import Part


class Captures:
    """Captured blocks by what they are.

    Args:
        folder: with files of captured blocks; made when the first is written. None for memory
            alone.

    Attributes:
        count: blocks captured so far, and neither remembered nor read.
    """

    def __init__(self, folder: Path | None) -> None:
        self.count = 0
        self._folder = folder
        self._parts: dict[tuple[Callable[..., Any], str], Part] = {}

    def part(
        self, build: Callable[..., Any], options: Mapping[str, Any], arguments: tuple[Any, ...]
    ) -> Part:
        """The captured block.

        Args:
            build: makes the module.
            options: its keyword arguments.
            arguments: shapes that the module is called with, and tuples of them.

        Raises:
            CodesignError: it cannot be built, captured, read or written.
        """
        key = build, spelled(options, arguments)
        if key not in self._parts:
            self._parts[key] = self._found(build, options, arguments, key[1])
        return self._parts[key]

    def _found(
        self,
        build: Callable[..., Any],
        options: Mapping[str, Any],
        arguments: tuple[Any, ...],
        text: str,
    ) -> Part:
        if self._folder is None:
            return self._captured(build, options, arguments)
        of = f"{code_of(build)} {text}"
        path = self._folder / f"{hashlib.sha256(of.encode()).hexdigest()}.json.gz"
        if path.exists():
            return load_part(path, of)
        part = self._captured(build, options, arguments)
        save_part(part, of, path)
        return part

    def _captured(
        self, build: Callable[..., Any], options: Mapping[str, Any], arguments: tuple[Any, ...]
    ) -> Part:
        from codesign.workload.capture_block import capture_block

        self.count += 1
        return capture_block(build, options, arguments)
