"""What ``codesign pareto --effects`` prints: main effects, or changes between measured pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from codesign.cli.output import print_rich, table
from codesign.cli.quantities import LEAST_SHARE, ROUNDING, share

if TYPE_CHECKING:
    from codesign.explore.effects import Effect, Effects
    from codesign.explore.pairs import Contrast, Pairs, Step
    from codesign.explore.swept import Swept

_COLUMNS = ("=objective", "parameter", ">share", "best mean at", "worst mean at")
_STEPS = 12
"""Most changes of one parameter that are told, those with most pairs (assumed)."""


class EffectsTable:
    """Effects of a study: of all its points, or of what of them was measured."""

    def __init__(self, swept: Swept) -> None:
        """Reckons them.

        Args:
            swept: the table.

        Raises:
            StudyError: nothing was measured.
        """
        from codesign.explore.effects import main_effects
        from codesign.explore.pairs import measured_pairs

        self._swept = swept
        self._effects = None if swept.untried else main_effects(swept)
        self._pairs = measured_pairs(swept) if swept.untried else None

    def print(self) -> None:
        """Prints what each parameter does to each objective."""
        if self._effects is not None:
            _print_effects(self._effects, self._swept)
        if self._pairs is not None:
            _print_pairs(self._pairs, self._swept)

    def as_json(self) -> dict[str, Any]:
        """The same for programs: ``parameters`` of all points, or ``pairs`` of some."""
        if self._effects is not None:
            return _effects_json(self._effects)
        return _pairs_json(self._pairs) if self._pairs is not None else {}


def _print_effects(found: Effects, swept: Swept) -> None:
    if not found.effects:
        print_rich("no main effects: no parameter varies among the measured points")
        return
    rows = [row for name, maximise in swept.objectives for row in _rows(found, name, maximise)]
    heading = (
        f"main effects over {found.points:,} points: share of the variance, and the mean "
        "over all other parameters"
    )
    print_rich("", heading, table("", _COLUMNS, rows))


def _print_pairs(found: Pairs, swept: Swept) -> None:
    names = [name for name, _ in swept.objectives]
    heading = (
        f"{found.untried:,} points were not tried, so no mean over all is known; these are "
        "means over pairs of measured points that differ in this change alone "
        "(codesign sweep --exhaustive measures all)"
    )
    rows = [row for one in found.told for row in _steps(one, names)]
    parts: list[Any] = ["", heading]
    if rows:
        parts.append(table("", ("=parameter", "change", ">pairs", *names), rows))
    if found.untold:
        untold = ", ".join(one.name for one in found.untold)
        parts.append(f"no two measured points differ in one of these alone: {untold}")
    if not found.contrasts:
        parts.append("no parameter varies among the measured points")
    print_rich(*parts)


def _steps(one: Contrast, names: list[str]) -> Iterator[tuple[str, ...]]:
    """Lines of one parameter."""
    most = sorted(one.steps, key=lambda step: -step.pairs)[:_STEPS]
    head = one.name
    for step in one.steps:
        if step in most:
            told = (_changed(name, step) for name in names)
            yield (head, f"{step.before} to {step.after}", f"{step.pairs:,}", *told)
            head = ""
    if left := len(one.steps) - len(most):
        yield ("", f"and {left} more", "", *("" for _ in names))


def _changed(name: str, step: Step) -> str:
    from codesign.explore.figures.scale import change_text

    return change_text(name, *step.means[name])


def _pairs_json(found: Pairs) -> dict[str, Any]:
    return {
        "points": found.points,
        "untried": found.untried,
        "pairs": [
            {
                "names": list(one.parameters),
                "changes": [
                    {
                        "before": step.before,
                        "after": step.after,
                        "pairs": step.pairs,
                        "means": {name: list(means) for name, means in step.means.items()},
                    }
                    for step in one.steps
                ],
            }
            for one in found.contrasts
        ],
    }


def _effects_json(found: Effects) -> dict[str, Any]:
    return {
        "points": found.points,
        "parameters": [
            {
                "names": list(effect.parameters),
                "values": list(effect.values),
                "counts": list(effect.counts),
                "means": {name: list(means) for name, means in effect.means.items()},
                "shares": dict(effect.shares),
            }
            for effect in found.effects
        ],
        "together": dict(found.together),
        "interplay": dict(found.interplay),
    }


def _rows(found: Effects, name: str, maximise: bool) -> Iterator[tuple[str, ...]]:
    """Lines of one objective."""
    head = name
    for effect in found.ranked(name):
        yield (head, effect.name, share(effect.shares[name], 1), *_ends(effect, name, maximise))
        head = ""
    for words, part in (
        ("several together", found.together[name]),
        ("interplay", found.interplay[name]),
    ):
        if abs(part) >= LEAST_SHARE:
            yield (head, words, share(part, 1), "", "")


def _ends(effect: Effect, name: str, maximise: bool) -> tuple[str, str]:
    """Values with the best and the worst mean."""
    import numpy as np

    from codesign.explore.figures.scale import Scale

    means = effect.means[name]
    if max(means) - min(means) <= ROUNDING * max(map(abs, means)):
        return "all the same", ""
    pairs = sorted(zip(means, effect.values, strict=True), key=lambda pair: pair[0])
    (best, where), (worst, there) = (pairs[-1], pairs[0]) if maximise else (pairs[0], pairs[-1])
    scale = Scale.of(name, np.array([best]))
    more = f" ({worst / best - 1:+.1%})" if best * worst > 0 else ""
    return f"{where}: {scale.text(best)}", f"{there}: {scale.text(worst)}{more}"
