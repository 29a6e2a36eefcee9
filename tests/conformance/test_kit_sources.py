"""Sources of energies and imports of plugins: what passes, and what is told of the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from toy_plugins import Store, caught

from codesign.plugins import registry
from codesign.testing.imports import check_imports
from codesign.testing.suite_parts import check_pickle, check_sources, check_yaml, documentation
from codesign.units import Hertz, JoulesPerByte, Watts


def store(words: str, default: float = 1e-12) -> type[Store]:
    class Sourced(Store):
        __doc__ = f"A memory.\n\n    Attributes:\n        extra: energy per byte{words}\n"
        kind: ClassVar[str] = "sourced"
        energy: JoulesPerByte = 0.0
        extra: JoulesPerByte = default

    return dataclass(frozen=True, kw_only=True)(Sourced)


@pytest.mark.parametrize(
    "words",
    [
        "; assumed.",
        " (Horowitz, ISSCC 2014).",
        "; source: our foundry.",
        ", see https://example.org/chip.",
        " of\n            a chip (Chen, JSSC 2017).",
    ],
)
def test_a_reference_or_a_confession_is_a_source(words: str) -> None:
    check_sources(store(words))


@pytest.mark.parametrize("words", [".", " of 12 nm.", " of resources.", " in room 1234."])
def test_other_words_are_no_source(words: str) -> None:
    caught(lambda: check_sources(store(words)), "Sourced.extra: its default has no source")


def test_what_claims_nothing_needs_no_source() -> None:
    check_sources(store(".", default=0.0))

    @dataclass(frozen=True, kw_only=True)
    class Clocked(Store):
        """A memory.

        Attributes:
            clock: a choice of the designer.
            idle: given by the file.
        """

        energy: JoulesPerByte = 0.0
        clock: Hertz = 1e9
        idle: Watts | None = field(default=None)

    check_sources(Clocked)


def test_documentation_of_a_field_is_found_in_any_base_on_one_line() -> None:
    assert (
        documentation(store(" of\n            two lines."))["extra"]
        == "energy per byte of two lines."
    )
    assert documentation(store("."))["energy"] == "energy per byte."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from codesign import _HOME", "x.py:1: imports codesign._HOME, which is private"),
        ("from codesign import Nothing", "imports codesign.Nothing, which does not exist"),
        ("from codesign import hookspecs", "which is not in codesign.__all__; import it from its"),
        ("from codesign.units import Parsec", "codesign.units.Parsec, which does not exist"),
        ("from codesign.nowhere import a", "imports codesign.nowhere, which does not exist"),
        ("import codesign.nowhere", "imports codesign.nowhere, which does not exist"),
        ("import codesign_plugins.sram", "imports codesign_plugins.sram, another plugin"),
        ("def f():\n    from codesign.cli import app", "x.py:2: imports codesign.cli.app"),
    ],
)
def test_an_import_that_is_not_public_is_told_with_its_line(
    text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.py"
    file.write_text(text)
    caught(lambda: check_imports([file]), message)


@pytest.mark.parametrize(
    "text",
    [
        "from codesign import Engine, hookimpl",
        "import codesign.units",
        "from codesign.mapping import tiling",
        "from .own import thing",
        "from _private_of_mine import thing",
        "import numpy as np",
    ],
)
def test_public_names_and_those_of_others_may_be_imported(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(text)
    check_imports([file])


def test_a_part_reads_back_from_yaml_or_is_told_which_field_does_not() -> None:
    kinds: dict[str, Any] = dict(registry().components())
    check_yaml(kinds["sram"](name="s", size=1024), kinds)
    caught(
        lambda: check_yaml(kinds["sram"](name="s", size=-1), kinds),
        "s.size must be >= 1, got -1; raise it",
    )


def test_a_class_inside_a_function_cannot_be_sent_to_a_process() -> None:
    caught(lambda: check_pickle(store(".")(name="s", size=1)), "define its class in the module")
