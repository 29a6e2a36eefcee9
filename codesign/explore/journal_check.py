"""What the records of a journal must have before anybody builds on them; a stranger may hand it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from codesign.errors import StudyError
from codesign.explore.journal import Record, read_journal

Rule: TypeAlias = "tuple[str, Callable[[Any], bool]]"
"""What a value must be, in words and as a test."""


def read_records(path: Path) -> list[Record]:
    """Every whole record of a journal, as ``read_journal``, and checked.

    Raises:
        StudyError: as ``read_journal`` and ``check_records``.
    """
    records = read_journal(path)
    check_records(records, path)
    return records


def check_records(records: Iterable[Record], path: Path) -> None:
    """Checks that each record has what its event says, and all points have all objectives.

    Args:
        records: of a journal, in order, without the header.
        path: of the journal, for errors.

    Raises:
        StudyError: a record that breaks a rule; with file and line.
    """
    objectives: list[str] = []
    for line, record in enumerate(records, start=2):
        place = f"{path}:{line}"
        _check(record, place)
        if record["event"] == "study":
            objectives = [name for name, _ in record["objectives"]]
        elif record["event"] == "done":
            row = {**record["point"], **record["figures"]}
            for name in objectives:
                if not _is_number(row.get(name)):
                    raise _fault(place, f"figures.{name}", "a finite number", row.get(name))


def _check(record: Mapping[str, Any], place: str) -> None:
    event = record.get("event")
    rules = _EVENTS.get(event) if isinstance(event, str) else None
    if rules is None:
        raise _fault(place, "event", f"one of {', '.join(_EVENTS)}", event)
    for key, (words, holds) in rules.items():
        if key not in record and (event, key) in _OPTIONAL:
            continue
        if key not in record:
            raise StudyError(
                f"{place}: a record {event!r} needs the key {key!r}; restore the journal"
            )
        if not holds(record[key]):
            raise _fault(place, key, words, record[key])


def _fault(place: str, key: str, words: str, value: object) -> StudyError:
    return StudyError(
        f"{place}: {key[:60]} must be {words}, got {repr(value)[:60]}; restore the journal"
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _are(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(holds, value))


def _is_plain(value: object) -> bool:
    """No infinite number anywhere in it: JSON has no form for one."""
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, (int, float)) or isinstance(value, bool) or _is_number(value)


def _is_point(value: object) -> bool:
    return isinstance(value, dict) and _is_plain(value)


def _are_figures(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _is_goal(value: object) -> bool:
    is_pair = isinstance(value, list) and len(value) == 2
    return is_pair and _is_name(value[0]) and isinstance(value[1], bool)  # type: ignore[index]


def _are_goals(value: object) -> bool:
    return bool(value) and _are(_is_goal)(value)


_COUNT: Rule = ("a whole number of at least 0", _is_count)
_TEXT: Rule = ("a text", _is_text)
_NAME: Rule = ("a line of text", _is_name)
_POINT: Rule = ("a map from name to value, without infinite numbers", _is_point)
_NUMBER: Rule = ("a finite number", _is_number)
_POINTS: Mapping[str, Rule] = {"key": _TEXT, "index": _COUNT, "point": _POINT, "seconds": _NUMBER}
_EVENTS: Mapping[str, Mapping[str, Rule]] = {
    "study": {
        "model": _NAME,
        "hardware": _NAME,
        "parameters": ("a list of names", _are(_is_name)),
        "combinations": _COUNT,
        "points": _COUNT,
        "left_out": _COUNT,
        "objectives": ("a list of pairs of a name and true or false", _are_goals),
    },
    "traced": {"model": _POINT, "trace": _TEXT},
    "planned": {"points": _COUNT, "left_out": _COUNT},
    "known": {"objective": _NAME, "values": _POINT, "figure": _NUMBER},
    "asked": {"search": _TEXT, "points": ("a list of combinations", _are(_is_count))},
    "done": {
        **_POINTS,
        "figures": ("a map from name to finite number", _are_figures),
        "violated": ("a list of texts", _are(_is_text)),
        "trace": _TEXT,
        "hardware": _TEXT,
        "version": _TEXT,
    },
    "failed": {**_POINTS, "message": _TEXT, "most_events": _COUNT},
    "pruned": {"points": _COUNT},
    "own_kinds": {"lines": ("a list of texts", _are(_is_text))},
}
"""Keys of the records of each event. A record may have more, of a later version."""
_OPTIONAL = {
    ("study", "combinations"),
    ("study", "points"),
    ("study", "left_out"),
    ("failed", "most_events"),
}
"""Events and keys that records of earlier versions, of large spaces or without a bound lack."""
