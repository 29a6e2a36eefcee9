"""One check of a plugin, and all that a plugin offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from codesign.errors import OF_OTHERS, CodesignError
from codesign.raised import class_place, defined_at, place_of, raised

if TYPE_CHECKING:
    from codesign.hardware.component import Component
    from codesign.testing.examples import Example


_PLACED = re.compile(r"\S+:\d+: ")


class Skip(Exception):  # noqa: N818 - no error: what cannot be checked is told
    """A check that has nothing to look at; its message says why."""


@dataclass(frozen=True)
class Outcome:
    """What came of a check.

    Attributes:
        title: what was checked.
        state: ``passed``, ``failed`` or ``skipped``.
        message: what fails and how to mend it, or why it was skipped; one line.
    """

    title: str
    state: Literal["passed", "failed", "skipped"]
    message: str = ""


@dataclass(frozen=True)
class Check:
    """One check of a plugin; calling it raises an AssertionError that says how to mend it.

    Attributes:
        title: what is checked; one line.
        run: the check.
        files: of the plugin, where what fails is looked for.
        owner: what the plugin offers and the check looks at; a class or a function has a line.
    """

    title: str
    run: Callable[[], object]
    files: tuple[Path, ...] = ()
    owner: object = None

    def __call__(self) -> None:
        """Runs it.

        Raises:
            AssertionError: it fails.
            Skip: there is nothing to look at.
        """
        try:
            self.run()
        except Skip:
            raise
        except CodesignError as error:
            raise AssertionError(f"{error}{place_of(error, *self.files)}") from error
        except OF_OTHERS as error:
            if isinstance(error, AssertionError) and not place_of(error, *self.files):  # of the kit
                raise AssertionError(f"{self._place(str(error))}{error}") from error
            raise AssertionError(
                f"raised {raised(error, *self.files)}; raise a codesign.CodesignError that says "
                "what to change, or mend it"
            ) from error

    def _place(self, message: str) -> str:
        """``FILE:LINE: `` of the owner, where a message does not name a line of the plugin."""
        if _PLACED.match(message) or any(f"{file.name}:" in message for file in self.files):
            return ""
        if isinstance(self.owner, type):
            return class_place(self.owner)
        at = defined_at(self.owner)
        return f"{at.removeprefix(' at ')}: " if at else ""

    def outcome(self) -> Outcome:
        """Runs it and tells what came of it."""
        try:
            self()
        except Skip as reason:
            return Outcome(self.title, "skipped", str(reason))
        except AssertionError as error:
            return Outcome(self.title, "failed", " ".join(str(error).split()))
        return Outcome(self.title, "passed")


@dataclass(frozen=True)
class Offered:
    """What a plugin offers and stands on.

    Attributes:
        name: of the plugin.
        words: what ``plugins=`` takes to load it.
        files: its Python files.
        hardware: hardware files that come with it.
        kinds: all component classes, its own among them.
        examples: what it lets the kit try, by name of what it offers.
    """

    name: str
    words: tuple[Path | str, ...]
    files: tuple[Path, ...]
    hardware: tuple[Path, ...]
    kinds: Mapping[str, type[Component]]
    examples: Mapping[str, Example]

    def example(self, name: str) -> Any:
        """What the example of an offer makes; None if there is no example."""
        found = self.examples.get(name)
        return found.make() if found else None
