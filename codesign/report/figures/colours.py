"""One colour for each thing, the same in every figure and section, and their order in legends.

Components, roles of tensors, causes of energy, causes of time and what a DRAM does have a palette
each. Palettes began as those of Okabe and Ito (2008) and of Tol (SRON/EPS/TN/09-002, 2021); a
search then moved them until any two colours of one are apart (CIE 1976, 13 and more) for normal
sight and for the three kinds of colour blindness (Machado, Oliveira and Fernandes, 2009), on light
and on dark. A test holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from codesign.report.saved import Saved
from codesign.result.causes import CAUSES
from codesign.result.static import COMPUTING, LEAKAGE, STATIC
from codesign.result.why import tied

GREY = "#999999"
PARTS = {
    "#0072b2": "#277eba", "#e69f00": "#e69f00", "#009e73": "#00a87a", "#cc79a7": "#dd93bb",
    "#4baae2": "#8fd0f5", "#4a46af": "#a18fec", "#715300": "#a08341", "#d55e00": "#e0661a",
    "#61377f": "#904e8a", "#93bea6": "#6be7bf", "#535838": "#616d52", "#d8ac5f": "#fece7e",
    "#0152ff": "#505aff", "#005558": "#bce7ec", "#9f88fa": "#7360d1", "#5b8e48": "#746434",
}  # fmt: skip
"""Of components: colour on light, colour on dark. Few machines have more than eight."""
_OF_ROLES = {
    "#332288": "#7d6fe0", "#aa4499": "#c964b8", "#6c9fcf": "#88ccee", "#4cb7a4": "#64dccc",
    "#e17771": "#e5808f", "#c9a227": "#ddcc77", "#117733": "#3f9a57", "#777777": "#6e6a6d",
}  # fmt: skip
_OF_ENERGY = {"#44525f": "#c9d3dc", "#8593a0": "#8793a0", "#aeb8c1": "#56626e"}
_OF_TIME = {
    "#d55e01": "#e06a10", "#e6a04f": "#f2bd85", "#7a3b00": "#a3673a", "#0072b3": "#1b9ef0",
    "#0a3767": "#5463c5", "#53a8e0": "#9ad4f5", "#8a8a8a": "#9e9fa7", "#1c9d67": "#10af7e",
    "#505050": "#6f7680", "#982892": "#cb70bf", "#c4ae02": "#d2c325",
}  # fmt: skip
_OF_BANKS = {
    "#3c608c": "#5f90c3", "#b87d00": "#e8b551", "#7ab648": "#9bd47c", "#f270af": "#c0588d",
    "#877368": "#a59386", "#129796": "#3fc4b8", "#6b3ea0": "#9672dc", "#b4aa96": "#e2e5e6",
}  # fmt: skip
PALETTES = (PARTS, _OF_ROLES, _OF_ENERGY, _OF_TIME, _OF_BANKS)
"""Colours on light with those that a dark page has in their place; no two keys are equal."""
IN_DARK = {light: dark for palette in PALETTES for light, dark in palette.items()}
"""What each colour is on a dark page."""

ROLES = ("weight", "constant", "state", "input", "output", "activation")
"""Of tensors, see ``codesign.workload.tensor.ROLES``."""
ROLE_COLOURS = dict(zip((*ROLES, COMPUTING, STATIC), _OF_ROLES, strict=True))
"""Of roles, in the order of legends; ``computing`` and ``static`` are energy that no tensor has."""
ENERGY_COLOURS = dict(zip(("dynamic", "background", LEAKAGE), _OF_ENERGY, strict=True))
"""Of causes of energy, in the order of legends."""
TIME_COLOURS = dict(zip(CAUSES, _OF_TIME, strict=True))
"""Of causes on the critical path, in the order of legends."""
ROW_COLOURS = dict(zip(("row open", "row opened"), _OF_BANKS, strict=False))
"""Of bursts of a DRAM."""


def part_colours(saved: Saved) -> dict[str, str]:
    """Colours of components in the order of the hardware file, which is that of legends.

    Memories off the chip have the first colours, engines the next, then memories on the chip, then
    links: a DRAM is blue on every page. Components that name a tie, such as ``bus, dram``, have the
    mean of the colours of both. From the seventeenth component on colours come again.

    Args:
        saved: the result, whose ledger names the components where an earlier version wrote it.
    """
    known = [part.name for part in saved.parts]
    names = list(dict.fromkeys((*known, *saved.engines, *saved.ledger["component"])))
    colours = list(PARTS)
    places = {name: place for place, name in enumerate(sorted(names, key=_sort_of(saved)))}
    found = {name: colours[places[name] % len(colours)] for name in names}
    return found | {
        name: mean_colour(found[one] for one in bound) if bound else GREY
        for name, bound in _ties(saved, found).items()
    }


def tie_colours(saved: Saved) -> dict[str, str]:
    """Colours of components that tie, which no palette has: that on light, and that on dark."""
    colours = part_colours(saved)
    return {
        colours[name]: mean_colour(IN_DARK[colours[one]] for one in bound)
        for name, bound in _ties(saved, colours).items()
        if bound
    }


def _ties(saved: Saved, colours: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What the critical path names beside single components: the components of each tie."""
    single = {part.name for part in saved.parts} | {*saved.engines, *saved.ledger["component"]}
    named = dict.fromkeys(part.component for part in saved.why.parts) if saved.why else ()
    return {
        name: tuple(one for one in tied(name) if one in colours)
        for name in named
        if name not in single
    }


def _sort_of(saved: Saved) -> Callable[[str], int]:
    """How soon a component chooses its colour."""
    orders = {"engine": 1, "memory": 2, "link": 3}
    found = {
        part.name: 0 if part.off_chip and part.sort == "memory" else orders.get(part.sort, 4)
        for part in saved.parts
    }
    return lambda name: found.get(name, 4)


def state_colours(names: Iterable[str]) -> dict[str, str]:
    """Colours of power states of all memories, in their order; those of bursts are not among them.

    Args:
        names: of the states; from the seventh on colours come again.
    """
    free = list(_OF_BANKS)[len(ROW_COLOURS) :]
    return {name: free[place % len(free)] for place, name in enumerate(dict.fromkeys(names))}


def ordered(names: Iterable[str], colours: Mapping[str, str]) -> dict[str, str]:
    """Colours of some things in the order of the palette; what it does not know is grey and last.

    Args:
        names: what has to have a colour.
        colours: of everything of that sort, in the order of legends.
    """
    wanted = dict.fromkeys(names)
    kept = {name: colour for name, colour in colours.items() if name in wanted}
    return kept | {name: GREY for name in wanted if name not in kept}


def page_colours(own: Mapping[str, str] = MappingProxyType({})) -> str:
    """Rules of a style sheet that give each colour its two values, see ``IN_DARK``.

    Args:
        own: colours of one page alone, each with that on dark.
    """
    both = {**IN_DARK, **own}
    light = "".join(f"--c-{name[1:]}:{name};" for name in both)
    dark = "".join(f"--c-{name[1:]}:{colour};" for name, colour in both.items())
    return (
        f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{{light}}}}}\n"
    )


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 to 1 (WCAG 2.1)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink_on(colour: str) -> str:
    """The colour of text on a colour: nearly white or nearly black, whichever stands out more.

    Neither is a colour that pages turn into that of their own paper or ink.
    """
    # where both stand out equally: (1.05 / (l + 0.05)) = (l + 0.05) / 0.05
    return "#fefefe" if luminance(colour) < 0.18 else "#111111"


def mean_colour(colours: Iterable[str]) -> str:
    """The mean of some colours ``#rrggbb``, channel by channel."""
    every = list(colours)
    channels = ([int(one[place : place + 2], 16) for one in every] for place in (1, 3, 5))
    return "#" + "".join(f"{round(sum(found) / len(found)):02x}" for found in channels)
