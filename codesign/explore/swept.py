"""What a study has found: its table, its front and its failures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from codesign.errors import StudyError
from codesign.explore.journal import Record
from codesign.explore.journal_check import read_records
from codesign.explore.pareto import on_front
from codesign.mistaken import other_than

JOURNAL = "journal.jsonl"
"""Name of the journal in the folder of a study."""
"""Name of a file that only the folder of a scenario has."""

Row: TypeAlias = "dict[str, Any]"
"""Values of one point by column."""


@dataclass(frozen=True, repr=False)
class Swept:
    """The points of a study that have been measured.

    Attributes:
        model: what it was called.
        hardware: what it was called.
        parameters: names of what varies, in order.
        objectives: name of each, and whether more of it is better.
        points: how many there are in all, measured or not. A search counts those that constraints
            on facts leave out, too, and of more than 65,536 combinations all.
        pruned: how many need no replay, because a point that was measured beats their bounds.
        left_out: how many more were left out by what is known before a replay; of a search that is
            read again, by constraints on parameters.
        done: rows of the points that were measured, in order of the space: ``index``, the
            parameters, facts, figures and objectives, ``feasible``, ``violated`` (the constraints
            that it breaks), and the digests of the trace and the hardware, and the version.
        failed: rows of those that failed: ``index``, the parameters, ``message``.
        to_come: points that a sweep which was interrupted, or still runs, has yet to look at, at
            most: bounds may prune some of them. 0 of a search, which plans no points.
        own_kinds: kinds of components that do not ship with codesign, a line for each, as in
            ``Result.own_kinds``; no digest covers them.
    """

    model: str
    hardware: str
    parameters: tuple[str, ...]
    objectives: tuple[tuple[str, bool], ...]
    points: int
    pruned: int
    left_out: int
    done: tuple[Row, ...]
    failed: tuple[Row, ...]
    to_come: int = 0
    own_kinds: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"<Swept {self.model} on {self.hardware}: {len(self.done)} of {self.points} points, "
            f"{self.pruned} pruned, {len(self.failed)} failed>"
        )

    @property
    def untried(self) -> int:
        """Points that were neither measured nor failed: pruned, not asked for, or not yet."""
        return max(self.pruned, self.points - len(self.done) - len(self.failed))

    @classmethod
    def of(cls, records: Iterable[Record]) -> Swept:
        """What the records of a journal come to.

        Raises:
            StudyError: nothing was measured yet.
        """
        events: dict[str, list[Record]] = {}
        for record in records:
            events.setdefault(record["event"], []).append(record)
        told, planned = events.get("study"), _planned(events)
        if not told or planned is None:
            raise StudyError(
                "the study has measured no point yet; run it first, or go on with the same "
                "command and --resume"
            )
        # a point that failed for want of events may have been run again with more
        ended = {one["index"]: one for one in (*events.get("failed", []), *events.get("done", []))}
        done = [one for _, one in sorted(ended.items()) if one["event"] == "done"]
        failed = [one for _, one in sorted(ended.items()) if one["event"] == "failed"]
        pruned = sum(record["points"] for record in events.get("pruned", [])[-1:])
        left = planned["points"] - len(ended) - pruned if "planned" in events else 0
        return cls(
            told[0]["model"],
            told[0]["hardware"],
            tuple(told[0]["parameters"]),
            tuple((name, maximise) for name, maximise in told[0]["objectives"]),
            planned["points"],
            pruned,
            planned["left_out"],
            tuple(map(_row, done)),
            tuple(_index(r) | r["point"] | _index(r) | {"message": r["message"]} for r in failed),
            max(0, left),
            _own_kinds(events),
        )

    @classmethod
    def read(cls, folder: str | Path) -> Swept:
        """What a folder of a study has so far; also while the study runs.

        Raises:
            StudyError: there is no journal, it breaks a rule, nothing was measured yet, or the
                folder is that of a result.
        """
        path = Path(folder) / JOURNAL
        _check_is_study(path.parent)
        records = read_records(path)
        try:
            return cls.of(records)
        except StudyError as error:
            raise StudyError(f"{path}: {error}") from error

    def table(self) -> list[Row]:
        """Rows of the points that were measured, see ``done``."""
        return [dict(row) for row in self.done]

    def columns(self) -> dict[str, list[Any]]:
        """The table by column; None where a point has no such parameter."""
        names = dict.fromkeys(name for row in self.done for name in row)
        return {name: [row.get(name) for row in self.done] for name in names}

    def pareto(self) -> list[Row]:
        """Rows that keep to all constraints and that no other such row dominates.

        In order of the first objective, best first; equal ones in order of the space.
        """
        rows = [row for row in self.done if row["feasible"]]
        if not rows:
            return []
        signs = [-1.0 if maximise else 1.0 for _, maximise in self.objectives]
        values = np.array([[row[name] for name, _ in self.objectives] for row in rows], dtype=float)
        scores = values * signs
        front = np.flatnonzero(on_front(scores))
        order = sorted(front, key=lambda n: (*scores[n], rows[n]["index"]))
        return [dict(rows[n]) for n in order]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every row: equal digests, equal results to the bit."""
        text = json.dumps([self.done, self.failed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _check_is_study(folder: Path) -> None:
    """Refuses a file, and the folder of a result or a scenario.

    Raises:
        StudyError: it is one; with the commands that read it.
    """
    if folder.is_file():
        raise StudyError(
            f"{folder} is a file and no folder of a study; give the folder that sweep -o wrote"
        )
    if told := other_than(folder, "study"):
        raise StudyError(f"{folder} holds no study but seems to be {told}")


def _own_kinds(events: Mapping[str, list[Record]]) -> tuple[str, ...]:
    """Lines of all who have measured, each once."""
    return tuple(
        dict.fromkeys(line for one in events.get("own_kinds", []) for line in one["lines"])
    )


def _planned(events: Mapping[str, list[Record]]) -> Record | None:
    """What a sweep has planned, or the whole space of a search, which plans nothing."""
    if "planned" in events:
        return events["planned"][0]
    told = events.get("study", [{}])[0]
    has_ended = "done" in events or "failed" in events
    # combinations are not in journals of versions that read none of a search
    return space_counts(told) if has_ended and "combinations" in told else None


def space_counts(told: Mapping[str, Any]) -> Record:
    """Points of the whole space, and how many constraints on parameters leave out.

    Args:
        told: the record ``study`` of a journal, with ``combinations``; one of a large space, or of
            an earlier version, has not counted points, so that every combination may be one.
    """
    if "points" in told and "left_out" in told:
        return {"points": told["points"], "left_out": told["left_out"]}
    return {"points": told["combinations"], "left_out": 0}


def _row(record: Mapping[str, Any]) -> Row:
    broken = record["violated"]
    provenance = {name: record[name] for name in ("trace", "hardware", "version")}
    kept = {"feasible": not broken, "violated": "; ".join(broken)}
    index = _index(record)  # in front, also where a parameter has its name
    return {**index, **record["point"], **record["figures"], **index, **kept, **provenance}


def _index(record: Mapping[str, Any]) -> Row:
    return {"index": record["index"]}
