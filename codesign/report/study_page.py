"""The page of a study: its front, what it is made of, and which parameter moves what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from codesign.explore.alike import Alike, alike_on_front, unlike
from codesign.explore.effects import main_effects
from codesign.explore.figures.all import FIGURES
from codesign.explore.figures.cloud import Cloud
from codesign.explore.figures.scale import Scale, change_text
from codesign.explore.pairs import measured_pairs
from codesign.explore.swept import Swept
from codesign.quantities import count
from codesign.report.document import Card, Document, Section, Table, table
from codesign.report.figures.kit import Drawn
from codesign.report.names import shown
from codesign.report.pictures import picture

_WORDS = {
    "front": (
        "Pareto front",
        "Each two objectives. Nothing that was measured beats a point of the front in all of them; "
        "what is dominated lies behind it.",
    ),
    "parallel": (
        "What the front is made of",
        "A line for each point of the front, an upright axis for each parameter and objective.",
    ),
    "effects": (
        "Sensitivity",
        "Main effects: the mean of each objective at each value of each parameter, over all other "
        "parameters, and the share of the variance that it explains.",
    ),
    "hypervolume": (
        "Hypervolume",
        "How much of the space of objectives was dominated after each measured point.",
    ),
}
_PAIRS = (
    "Sensitivity",
    "Each line joins two measured points that differ in this parameter alone; nothing is fitted. "
    "Not all points were measured, so neither means over all of them nor shares of the variance "
    "are known; codesign sweep --exhaustive measures all.",
)
"""The words of effects where not all points were measured."""
_NAMED = 500
"""Most points that are named for who points at them (assumed)."""
_MOST = 500
"""Rows of a table (assumed)."""


def study_cloud(swept: Swept, order: list[int]) -> Cloud:
    """What the figures show, with names that are harmless.

    Raises:
        StudyError: no point was measured.
    """
    return Cloud.of(tame(swept), order, None)


def study_page(cloud: Cloud) -> Document:
    """Everything that a folder of a study has to show."""
    swept = cloud.swept
    front = alike_on_front(swept)
    sections = [_headline(swept, front), _figure(cloud, "front")]
    sections[1] = replace(sections[1], tables=(_front(swept, front),))
    sections += [_figure(cloud, name) for name in FIGURES if name != "front"]
    sections[3] = replace(sections[3], tables=(_effects(swept),))
    sections += [_failures(swept)] if swept.failed else []
    sections += [*_assumptions(swept), _origin(swept)]
    return _document(swept, sections)


def _document(swept: Swept, sections: list[Section]) -> Document:
    return Document(
        f"{swept.model} on {swept.hardware}: a study",
        f"{count(len(swept.done))} of {count(swept.points)} points measured, "
        f"table {swept.digest[:14]}",
        tuple(sections),
    )


def failures_page(swept: Swept) -> Document:
    """What a folder of a study has to show of which no point was measured: why points failed.

    Args:
        swept: the table, with names that are harmless.
    """
    sections = [_headline(swept, ())] + ([_failures(swept)] if swept.failed else [])
    return _document(swept, [*sections, *_assumptions(swept)])


def tame(swept: Swept) -> Swept:
    """The table with names and texts that figures and pages can hold."""

    def row(given: dict[str, Any]) -> dict[str, Any]:
        return {
            shown(name, 80): shown(value) if isinstance(value, str) else value
            for name, value in given.items()
        }

    return replace(
        swept,
        model=shown(swept.model),
        hardware=shown(swept.hardware),
        parameters=tuple(shown(name, 80) for name in swept.parameters),
        objectives=tuple((shown(name, 80), is_max) for name, is_max in swept.objectives),
        done=tuple(map(row, swept.done)),
        failed=tuple(map(row, swept.failed)),
    )


def _figure(cloud: Cloud, name: str) -> Section:
    is_pairs = name == "effects" and cloud.swept.untried
    title, words = _PAIRS if is_pairs else _WORDS[name]
    made = picture(name, partial(_drawn, FIGURES[name], cloud, words), title, cloud.title)
    return Section(f"{name}-heading", title, (words,), pictures=(made,))


def _drawn(draw: Callable[[Cloud], Figure], cloud: Cloud, words: str) -> Drawn:
    return Drawn(draw(cloud), f"{words} {cloud.title}", _titles(cloud))


def _titles(cloud: Cloud) -> dict[str, tuple[str, ...]]:
    """What points of the figure of the front are called, by the id of their marks."""
    found: dict[str, tuple[str, ...]] = {}
    for name, mask in (("front", cloud.front), ("dominated", cloud.feasible & ~cloud.front)):
        places = np.flatnonzero(mask)
        if len(places) <= _NAMED:
            texts = tuple(_point(cloud.swept, cloud.swept.done[place]) for place in places)
            for x, y in combinations(range(len(cloud.scales)), 2):
                found[f"{name}-{x}-{y}"] = texts
    return found


def _point(swept: Swept, row: dict[str, Any]) -> str:
    chosen = [f"{name} {_plain(row.get(name))}" for name in swept.parameters]
    reached = [f"{name} {_text(name, row[name])}" for name, _ in swept.objectives]
    return f"point {row['index']}: {', '.join(chosen)}; {', '.join(reached)}"


def _headline(swept: Swept, front: Sequence[Alike]) -> Section:
    best = [
        Card(f"{'Most' if most else 'Least'} {_name(name)}", _best(swept, name, most), "")
        for name, most in swept.objectives
    ]
    left = f"{count(swept.left_out)} more were left out by what is known before a replay"
    points = sum(len(one.rows) for one in front)
    told = "; ".join(filter(None, (f"of {count(len(swept.done))} measured points", unlike(front))))
    cards = (
        Card("On the front", count(points), told),
        Card("Measured", count(len(swept.done)), f"of {count(swept.points)}; {left}"),
        Card("Pruned", count(swept.pruned), "a measured point beats their bounds"),
        Card("Failed", count(len(swept.failed)), "see failures" if swept.failed else "none"),
        *(replace(card, words="of all that keep to the constraints") for card in best),
    )
    words = (
        "Errors: figures of a study are those of its results. No error is known that holds for "
        "all of its points; compare differences before absolute figures."
    )
    return Section("headline", "At a glance", (*_to_come(swept), words), cards)


def _to_come(swept: Swept) -> tuple[str, ...]:
    if not swept.to_come:
        return ()
    return (
        f"The study has not ended: at most {count(swept.to_come)} of {count(swept.points)} points "
        "are still to come, and may change the front. Unless it runs just now, codesign sweep "
        "STUDY -o DIR --resume goes on.",
    )


def _best(swept: Swept, name: str, most: bool) -> str:
    values = [float(row[name]) for row in swept.done if row["feasible"]]
    return _text(name, (max if most else min)(values)) if values else "none"


def _name(name: str) -> str:
    """An objective as figures call it: without the unit, which stands with each value."""
    return Scale.of(name, np.zeros(1)).name


def _text(name: str, value: float) -> str:
    return Scale.of(name, np.array([float(value)])).text(float(value))


def _front(swept: Swept, front: Sequence[Alike]) -> Table:
    names = [name for name, _ in swept.objectives]
    are_alike = any(len(one.rows) > 1 for one in front)
    rows = [
        (
            one.first["index"],
            *(one.spans.get(name) or _plain(one.first.get(name)) for name in swept.parameters),
            *(_text(name, one.first[name]) for name in names),
            *([count(len(one.rows))] if are_alike else []),
        )
        for one in front
    ]
    heads = (">point", *swept.parameters, *(f">{_name(name)}" for name in names))
    heads += (">alike",) if are_alike else ()
    return table("Points of the front", heads, rows, most=_MOST, is_open=True)


def _effects(swept: Swept) -> Table:
    if swept.untried:
        return _pairs(swept)
    found = main_effects(swept)
    rows = [
        (name, one.name, f"{100 * one.shares[name]:.1f} %")
        for name, _ in swept.objectives
        for one in sorted(found.effects, key=lambda one: -one.shares[name])
    ]
    heads = ("objective", "parameter", ">share of the variance")
    return table("Main effects", heads, rows, most=_MOST)


def _pairs(swept: Swept) -> Table:
    names = [name for name, _ in swept.objectives]
    rows = [
        (
            one.name,
            f"{step.before} to {step.after}",
            step.pairs,
            *(change_text(name, *step.means[name]) for name in names),
        )
        for one in measured_pairs(swept).told
        for step in one.steps
    ]
    heads = ("parameter", "change", ">pairs", *(f">{name}" for name in names))
    return table("Means over measured pairs", heads, rows, most=_MOST)


def _failures(swept: Swept) -> Section:
    rows = [(row["index"], row["message"]) for row in swept.failed]
    listed = table("Points that failed", (">point", "why"), rows, most=_MOST)
    return Section("failures-heading", "Failures", tables=(listed,))


def _assumptions(swept: Swept) -> tuple[Section, ...]:
    if not swept.own_kinds:
        return ()
    return (Section("assumptions-heading", "Assumptions", points=swept.own_kinds),)


def _origin(swept: Swept) -> Section:
    versions = dict.fromkeys(str(row["version"]) for row in swept.done)
    rows = (
        ("model", swept.model),
        ("hardware", swept.hardware),
        ("objectives", ", ".join(f"{'most' if m else 'least'} {n}" for n, m in swept.objectives)),
        ("parameters", ", ".join(swept.parameters)),
        ("version of codesign", ", ".join(versions)),
        ("digest of the table", swept.digest),
    )
    listed = table("Versions and digests", ("what", "value"), rows, is_open=True)
    return Section("origin-heading", "Provenance", tables=(listed,))


def _plain(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
