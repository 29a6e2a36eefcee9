"""One family of errors: each message says the rule, the value, the place and the way out."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from typing import Final

OF_OTHERS: Final = (Exception, SystemExit)
"""What the code of others, such as a plugin's or a user's, may raise where it is called: an exit
would else end the program in silence, and with success."""
LONGEST = 1000
"""Most characters of a message: it quotes what a stranger wrote, which may be of any length."""
_TAIL = 300


class CodesignError(Exception):
    """A mistake in what the user gave us; the command line prints it and exits with 2.

    Its message is one printable line of at most ``LONGEST`` characters: signs that steer a terminal
    are spelled out, and of a longer text the middle is left out, as the rule stands in front and
    the way out at the end.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(_shown(one) if isinstance(one, str) else one for one in args))


class UnitError(CodesignError, ValueError):
    """A quantity without a number, or with a unit of another dimension."""


class HardwareError(CodesignError):
    """A hardware file or a change to it that breaks a rule."""


class EnergyError(CodesignError):
    """A question to the energy tables, or a row of them, that breaks a rule."""


class TraceError(CodesignError):
    """A trace or trace file that breaks a rule of the format."""


class CaptureError(CodesignError):
    """A model that cannot be captured as one graph."""


class UnsupportedOperatorError(CaptureError):
    """A graph holds operators that no lowering knows."""


class PluginError(CodesignError):
    """A plugin that cannot be loaded, or two plugins that claim one name."""


class MappingError(CodesignError):
    """An operator that no engine takes, or a tile or tensor that fits nowhere."""


class ModelError(CodesignError):
    """A model name, factory or option that means nothing."""


class ScenarioError(CodesignError):
    """A scenario or scenario file that breaks a rule."""


class ValidationError(CodesignError):
    """A reference figure or file, or a request to compare with it, that breaks a rule."""


class StudyError(CodesignError):
    """A space, constraint, objective or journal of a study that breaks a rule."""


class ReportError(CodesignError):
    """A saved result that cannot be read, or a report that cannot be made or written."""


class CalibrationError(CodesignError):
    """Measurements that no engine can be fitted to, or an engine that has nothing to fit."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns ``; did you mean 'x'? known: a, b`` for a word that is not among ``known``."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{hint} known: {', '.join(names) or 'none'}"


def nearest(
    word: str, known: Iterable[str], otherwise: str = "take a name from the trace, or drop it"
) -> str:
    """Returns ``; did you mean 'x'?``, and never all names, of which a trace may have thousands."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; {otherwise}"


def no_file(path: os.PathLike[str] | str) -> str:
    """What a path is that should have been a file: ``is a folder`` or ``no such file``."""
    return "is a folder" if os.path.isdir(path) else "no such file"


def _shown(text: str) -> str:
    if not text.isprintable():
        text = "".join(
            sign if sign.isprintable() else " " if sign.isspace() else repr(sign)[1:-1]
            for sign in text
        )
    text = text.strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - _TAIL - 5]} ... {text[-_TAIL:]}"


def one_line(error: BaseException) -> str:
    """The kind of an error and the first line of its message, to be quoted in one of ours."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
