"""What is known of a point before it is replayed: objectives that are functions of parameters.

An accuracy that was trained, or looked up, does not depend on the hardware: a function of
``cell`` and ``hidden`` is called once for each pair of them, in the main process, and its answer
counts before a replay.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from codesign.errors import OF_OTHERS, StudyError
from codesign.explore.journal import Record
from codesign.explore.objectives import Goal, number, told


def takes(function: Callable[..., Any], parameters: Collection[str]) -> tuple[str, ...]:
    """Parameters of a study that a function asks for by name; empty if it takes point and result.

    Args:
        function: an objective.
        parameters: of the study.
    """
    try:
        asked = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some objects that can be called say nothing of themselves
        return ()
    names = [name for name, one in asked.items() if one.default is one.empty or name in parameters]
    plain = all(one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) for one in asked.values())
    return tuple(names) if names and plain and set(names) <= set(parameters) else ()


class Known:
    """Answers of objectives that are functions of named parameters, each asked for once."""

    def __init__(
        self, goals: Sequence[Goal], records: Iterable[Record], note: Callable[[Record], None]
    ) -> None:
        """Takes over what a journal knows.

        Args:
            goals: of the study.
            records: of its journal.
            note: takes a record of each new answer.
        """
        self._goals = tuple(goal for goal in goals if goal.takes)
        self._note = note
        self._found: dict[str, float] = {}
        self._refused: dict[str, str] = {}
        for record in records:
            if record["event"] == "known":
                self._found[_key(record["objective"], record["values"])] = record["figure"]

    def of(self, point: Mapping[str, Any]) -> dict[str, float]:
        """Answers for a point, by name of the objective.

        Raises:
            StudyError: a function fails, or returns no finite number.
        """
        return {goal.name: self._of(goal, point) for goal in self._goals}

    def _of(self, goal: Goal, point: Mapping[str, Any]) -> float:
        values = {name: point.get(name) for name in goal.takes}
        key = _key(goal.name, values)
        if key in self._refused:
            raise StudyError(self._refused[key])
        if key not in self._found:
            try:
                figure = number(goal.name, goal.measure(**values))  # type: ignore[misc]  # it takes them
            except OF_OTHERS as error:
                self._refused[key] = told(error)
                raise StudyError(self._refused[key]) from error
            self._note(
                {"event": "known", "objective": goal.name, "values": values, "figure": figure}
            )
            self._found[key] = figure
        return self._found[key]


def _key(objective: str, values: Mapping[str, Any]) -> str:
    return f"{objective} {json.dumps(values, sort_keys=True)}"
