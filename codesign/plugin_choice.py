"""Which plugins are loaded, in the words of ``--plugins``, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, TypeAlias

from codesign.errors import PluginError, did_you_mean

State: TypeAlias = Literal["loaded", "failed", "blocked"]
_NO, _ONLY = "no:", "only:"
_SHIPPED = "codesign"
"""Distribution of the plugins that come with codesign."""


class PluginWarning(UserWarning):
    """An installed plugin that failed: what it offers is missing, and all else goes on."""


@dataclass(frozen=True, slots=True)
class Source:
    """A plugin that was found, and what became of it.

    Attributes:
        name: of the plugin.
        origin: the module of its entry point, or its file.
        distribution: the installed distribution; empty for a file.
        version: of the distribution; empty for a file.
        state: ``loaded``, ``failed`` or ``blocked``.
        reason: why it failed, or what blocked it; one line, empty where it is loaded.
    """

    name: str
    origin: str
    distribution: str = ""
    version: str = ""
    state: State = "loaded"
    reason: str = ""

    @property
    def is_shipped(self) -> bool:
        """Whether it comes with codesign itself."""
        return self.distribution == _SHIPPED

    def told(self) -> str:
        """What failed and why, in one line, with the way out."""
        return (
            f"plugin {self.name!r} ({self.origin}) {self.reason}; mend it, or leave it out with "
            f"--plugins {_NO}{self.name}"
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The words of ``--plugins``: folders, ``no:NAME`` and ``only:NAME``.

    A NAME is that of a plugin or of an installed distribution, and may have ``*``.

    Attributes:
        folders: folders with further plugin files, or single plugins.
        no: names of installed plugins that are left out.
        only: names of those that are loaded; all where there is none.
    """

    folders: tuple[Path, ...] = ()
    no: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Sequence[Path | str]) -> Choice:
        """Sorts the words.

        Raises:
            PluginError: ``no:`` or ``only:`` without a name.
        """
        texts = [str(word) for word in words]
        for text in texts:
            if text in (_NO, _ONLY):
                raise PluginError(f"plugins: {text!r} names no plugin; write for example {text}gpu")
        rules = tuple(
            tuple(text.removeprefix(rule) for text in texts if text.startswith(rule))
            for rule in (_NO, _ONLY)
        )
        folders = tuple(Path(text) for text in texts if not is_rule(text))
        return cls(folders, *rules)

    def blocked_by(self, source: Source) -> str:
        """The word that leaves an installed plugin out; empty if none does."""
        names = (source.name, source.distribution)
        for pattern in self.no:
            if any(fnmatchcase(name, pattern) for name in names):
                return f"{_NO}{pattern}"
        if self.only and not any(fnmatchcase(n, p) for n in names for p in self.only):
            return " ".join(f"{_ONLY}{pattern}" for pattern in self.only)
        return ""

    def check(self, found: Iterable[Source]) -> None:
        """Every name has to be that of an installed plugin or distribution.

        Raises:
            PluginError: one that is not, so that a slip does not load what it should block.
        """
        names = {name for source in found for name in (source.name, source.distribution) if name}
        for pattern in (*self.no, *self.only):
            if not any(fnmatchcase(name, pattern) for name in names):
                hint = did_you_mean(pattern[:60], names)
                raise PluginError(f"no installed plugin is called {pattern[:60]!r}{hint}")


def is_rule(word: Path | str) -> bool:
    """Whether a word of ``--plugins`` is a rule and no folder."""
    return str(word).startswith((_NO, _ONLY))
