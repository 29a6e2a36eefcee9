"""The table of main effects that ``codesign pareto --effects`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from codesign.cli.output import print_rich, table
from codesign.cli.quantities import share

if TYPE_CHECKING:
    from codesign.explore.effects import Effect, Effects
    from codesign.explore.swept import Swept

_COLUMNS = ("=objective", "parameter", ">share", "best mean at", "worst mean at")
_LEAST = 0.0005
"""Share that is told as 0.0 %."""
_ROUNDING = 1e-9
"""Relative difference of means that are the same; roundings are about 1e-15."""


def print_effects(found: Effects, swept: Swept) -> None:
    """Prints what each parameter does to each objective, the strongest first.

    Args:
        found: the effects.
        swept: the table that they are those of.
    """
    if not found.effects:
        print_rich("no main effects: no parameter varies among the measured points")
        return
    rows = [row for name, maximise in swept.objectives for row in _rows(found, name, maximise)]
    without = f" without the {swept.pruned:,} that were pruned" if swept.pruned else ""
    heading = (
        f"main effects over {found.points:,} points{without}: share of the variance, and the mean "
        "over all other parameters"
    )
    if swept.pruned:
        heading += (
            ", as a fitted sum has it: nobody has measured the pruned ones, so it may be far off; "
            "--exhaustive measures all"
        )
    print_rich("", heading, table("", _COLUMNS, rows))


def effects_json(found: Effects) -> dict[str, Any]:
    """The same for programs."""
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
        if abs(part) >= _LEAST:
            yield (head, words, share(part, 1), "", "")


def _ends(effect: Effect, name: str, maximise: bool) -> tuple[str, str]:
    """Values with the best and the worst mean."""
    import numpy as np

    from codesign.explore.figures.scale import Scale

    means = effect.means[name]
    if max(means) - min(means) <= _ROUNDING * max(map(abs, means)):
        return "all the same", ""
    pairs = sorted(zip(means, effect.values, strict=True), key=lambda pair: pair[0])
    (best, where), (worst, there) = (pairs[-1], pairs[0]) if maximise else (pairs[0], pairs[-1])
    scale = Scale.of(name, np.array([best]))
    more = f" ({worst / best - 1:+.1%})" if best * worst > 0 else ""
    return f"{where}: {scale.text(best)}", f"{there}: {scale.text(worst)}{more}"
