"""What is wrong with the fields of a component, in one line: of a file, or of a class."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from codesign.errors import CodesignError, HardwareError, PluginError
from codesign.hardware.component import Component
from codesign.raised import class_place, place_of

_BOUNDS = {
    "greater_than_equal": (">=", "ge", "raise it"),
    "greater_than": (">", "gt", "raise it"),
    "less_than_equal": ("<=", "le", "lower it"),
    "less_than": ("<", "lt", "lower it"),
}


class Lines:
    """Finds the place in the file of a field that is wrong.

    Args:
        label: what errors call the file; empty if there is none.
        line: line of the component.
        lines: lines of its fields and table entries, by path.
    """

    def __init__(
        self, label: str = "", line: int = 0, lines: Mapping[tuple[str, ...], int] | None = None
    ) -> None:
        self.label, self.line, self.lines = label, line, lines or {}

    def place(self, path: Sequence[str] = ()) -> str:
        """``file:line: `` of a path, or of its nearest part that has a line."""
        for length in range(len(path), 0, -1):
            if tuple(path[:length]) in self.lines:
                return f"{self.label}:{self.lines[tuple(path[:length])]}: "
        return f"{self.label}:{self.line}: " if self.label else ""


def refusal(
    error: ValidationError, cls: type[Component], name: str, given: Collection[str], lines: Lines
) -> CodesignError:
    """What is wrong with given values; with a default of the class only if they are all right.

    Args:
        error: of the validator of the class.
        cls: class of the component.
        name: of the component.
        given: fields that somebody gave.
        lines: where they are in the file.
    """
    found = bad_default(error, cls, given)
    faults = [fault for fault in _faults(error) if not _is_default(fault, given)]
    if found is not None and not faults:
        return found
    first = faults[0]
    path = _path(first)
    cause = first.get("ctx", {}).get("error")
    at = place_of(cause, cls) if isinstance(cause, Exception) and not path else ""
    return HardwareError(lines.place(path) + explain(first, name, cls.kind) + at)


def bad_default(
    error: ValidationError, cls: type[Component], given: Collection[str]
) -> PluginError | None:
    """The first default of a class that breaks the rule of its own field; None if none does.

    Args:
        error: of the validator of the class.
        cls: class of the component.
        given: fields that somebody gave.
    """
    for fault in _faults(error):
        if _is_default(fault, given):
            field = _path(fault)[0]
            return PluginError(
                f"{class_place(cls, field)}the default of field {field!r} of class "
                f"{cls.__qualname__} breaks its own rule: {explain(fault, cls.kind, cls.kind)}; "
                "mend it there"
            )
    return None


def explain(error: ErrorDetails, name: str, kind: str, *above: str) -> str:
    """The rule that a value breaks, the value, and the way out.

    Args:
        error: one of a validator.
        name: of the component.
        kind: of the component.
        *above: path to what was validated.
    """
    path = [*above, *_path(error)]
    place = ".".join([name, *path])
    context: dict[str, Any] = error.get("ctx", {})
    got = reprlib.repr(error["input"])
    if error["type"] == "missing":
        return f"{name} ({kind}) needs the field {path[-1]!r}; add it"
    if error["type"] in ("value_error", "assertion_error"):
        return f"{place}: {context['error']}"
    if error["type"] in _BOUNDS:
        sign, key, remedy = _BOUNDS[error["type"]]
        return f"{place} must be {sign} {context[key]}, got {got}; {remedy}"
    if error["type"] == "literal_error":
        return f"{place} must be {context['expected']}, got {got}; choose one of them"
    rule = error["msg"][:1].lower() + error["msg"][1:]
    return f"{place}: {rule}, got {got}; see what a {kind} takes with: codesign plugins show {kind}"


def _faults(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False)


def _is_default(fault: ErrorDetails, given: Collection[str]) -> bool:
    """Whether a fault is about a value that nobody gave."""
    return bool(fault["loc"]) and fault["type"] != "missing" and str(fault["loc"][0]) not in given


def _path(fault: ErrorDetails) -> list[str]:
    return [str(key) for key in fault["loc"] if key != "[key]"]
