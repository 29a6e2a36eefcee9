"""What ``sweep``, ``search`` and ``pareto`` print: counts, the front, and what to know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign.cli.output import line_width, print_json, print_note, print_rich, table
from codesign.cli.quantities import count
from codesign.errors import StudyError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from codesign.explore.alike import Alike
    from codesign.explore.swept import Swept


_GAP, _ROOM = 2, 24
"""Blanks between columns; signs of a line that a column of words needs (assumed)."""


def print_front(found: Swept, folder: Path, *, json: bool, **more: Any) -> None:
    """Prints the front of a study, for people or as one document.

    Args:
        found: the study.
        folder: of it.
        json: whether to print the document.
        **more: what else that has.
    """
    if json:
        counts = {"points": found.points, "left_out": found.left_out}
        ended = {"done": len(found.done), "pruned": found.pruned, "failed": len(found.failed)}
        told: dict[str, Any] = {"to_come": found.to_come, "own_kinds": list(found.own_kinds)}
        told |= {"digest": found.digest, "front": found.pareto()}
        print_json({**counts, **ended, **told, **more})
        return
    from codesign.explore.alike import alike_on_front

    front = alike_on_front(found)
    print_rich(
        f"{found.model} on {found.hardware}: {len(found.done):,} of {found.points:,} points "
        f"replayed, {found.pruned:,} pruned, {len(found.failed):,} failed, "
        f"{found.left_out:,} left out",
        *_to_come(found, folder),
        _counted(front) if front else _no_front(found, folder),
        *(_table(found, front) if front else ()),
        *own_kind_lines(found.own_kinds),
    )


def own_kind_lines(notes: Sequence[str]) -> Iterator[str]:
    """Kinds that do not ship, a line for each, in the words of the assumptions of a result."""
    yield from (f"assumption: {' '.join(note.splitlines())}" for note in notes)


def note_failures(found: Swept, folder: Path, *, quiet: bool) -> None:
    """Says on standard error that points failed; nothing where none did.

    Args:
        found: the study.
        folder: of it.
        quiet: whether to say nothing where others were measured.

    Raises:
        StudyError: no point was measured, as all failed that no bound excluded.
    """
    if not found.failed:
        return
    told = f"{_reason(found)}; codesign report {folder} lists all"
    failed, points = count(len(found.failed)), count(found.points)
    if not found.done:
        raise StudyError(
            f"{folder}: no point of {points} could be measured: {failed} failed, {told}"
        )
    if not quiet:
        print_note(f"{failed} of {points} points failed, {told}")


def _reason(found: Swept) -> str:
    """The most frequent reason for which points failed, and the first of them."""
    (reason, times), *_ = Counter(row["message"] for row in found.failed).most_common(1)
    first = next(row["index"] for row in found.failed if row["message"] == reason)
    if times == 1:
        return f"{'first ' if found.failed[1:] else ''}point {first}: {reason}"
    often = "all" if times == len(found.failed) else f"most often ({count(times)} times)"
    return f"{often} as point {first}: {reason}"


def _to_come(found: Swept, folder: Path) -> Iterator[str]:
    if found.to_come:
        yield (
            f"at most {count(found.to_come)} still to come: unless it runs just now, "
            f"codesign sweep STUDY -o {folder} --resume goes on"
        )


def _counted(front: Sequence[Alike]) -> str:
    from codesign.explore.alike import unlike

    points = count(sum(len(one.rows) for one in front))
    return ", ".join(filter(None, (f"{points} on the front", unlike(front))))


def _table(found: Swept, front: Sequence[Alike]) -> Iterator[RenderableType]:
    """A row for each point of the front, or for several alike, and what all of them have."""
    cells = [{name: _cell(one, name) for name in found.parameters} for one in front]
    varies = [name for name in found.parameters if len({row[name] for row in cells}) > 1]
    same = [f"{name} = {cells[0][name]}" for name in found.parameters if name not in varies]
    names = [name for name, _ in found.objectives]
    columns = {
        ">point": [str(one.first["index"]) for one in front],
        **{f" {name}": [row[name] for row in cells] for name in varies},
        **{f">{n}": objective_texts(n, [one.first[n] for one in front]) for n in names},
    }
    sizes = [len(one.rows) for one in front]
    if any(size > 1 for size in sizes):
        columns[">alike"] = [count(size) for size in sizes]
    if _has_room(columns):
        columns["changes"] = ["", *(_changes(varies, names, *pair) for pair in pairwise(front))]
    heads = [head.removeprefix(" ") for head in columns]
    yield table("", heads, list(zip(*columns.values(), strict=True)))
    if same:
        yield f"all have {', '.join(same)}"


def _has_room(columns: Mapping[str, Sequence[str]]) -> bool:
    """Whether what differs from row to row can stand beside a table."""
    lengths = (max(len(head) - 1, *map(len, texts)) for head, texts in columns.items())
    return line_width() - sum(length + _GAP for length in lengths) >= _ROOM


def _cell(one: Alike, name: str) -> str:
    return one.spans.get(name) or _text(one.first.get(name))


def _no_front(found: Swept, folder: Path) -> str:
    from codesign.explore.swept import JOURNAL

    if found.done or found.pruned:  # bounds alone may show that a point breaks a constraint
        return "no point keeps to all constraints"
    if found.failed:
        return (
            f"no point was measured; {folder / JOURNAL} has why, and codesign report {folder} "
            "lists it"
        )
    return "no point was measured yet" if found.to_come else "no point was measured"


def _changes(varies: Sequence[str], names: Sequence[str], before: Alike | None, one: Alike) -> str:
    """What differs from the neighbour above, and what that costs and brings."""
    if before is None:
        return ""
    apart = [name for name in varies if not before.values(name) & one.values(name)]
    # where each parameter has a value in common, the points that stand for all differ in some
    changed = apart or [n for n in varies if _differ(before.first, one.first, n)]
    shares = [
        f"{name} {one.first[name] / before.first[name] - 1:+.1%}"
        for name in names
        if before.first[name] and one.first[name] != before.first[name]
    ]
    return f"{', '.join(changed) or 'the combination'}: {', '.join(shares)}"


def _differ(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    return repr(one.get(name)) != repr(other.get(name))


def objective_texts(name: str, values: Sequence[float]) -> list[str]:
    """Values of an objective with their unit, all with the prefix that its axis in figures has.

    Args:
        name: of the objective; its end says the unit, as in ``energy_j``.
        values: in that unit, finite; whole numbers without a unit stay exact.
    """
    import numpy as np

    from codesign.explore.figures.scale import Scale

    scale = Scale.of(name, np.array(values, dtype=float))
    is_plain = not scale.has_unit
    return [
        f"{value:,}" if is_plain and isinstance(value, int) else scale.text(value)
        for value in values
    ]


def _text(value: object) -> str:
    """A value as a table shows it: four digits, and a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
