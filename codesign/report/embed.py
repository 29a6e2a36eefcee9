"""Figures as part of a page: SVG with names for its marks, own ids, and the page's colours."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

from codesign.explore.figures.style import ruled
from codesign.report.figures.colours import IN_DARK
from codesign.report.figures.kit import Drawn
from codesign.report.names import shown

_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
_COLOURS = {"#ffffff": "var(--paper)", "#333333": "var(--ink)", "#dddddd": "var(--rule)"}
_COLOURS |= {colour: f"var(--c-{colour[1:]})" for colour in IN_DARK}
"""Colours that a page has in light and dark: paper, text, grids, and those of what is drawn."""
_REM = 0.1
"""Size of a page's letters for a point of a figure (assumed)."""
_MARKS = frozenset(f"{{{_SVG}}}{name}" for name in ("path", "use", "image"))

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", _LINK)


def embed(name: str, draw: Callable[[], Drawn], heading: str) -> tuple[str, Drawn]:
    """Draws a figure as an ``<svg>`` element.

    Args:
        name: of the figure, a word; every id in the element begins with it.
        draw: draws it.
        heading: what it is called for who cannot see it.

    Returns:
        The element, and what was drawn.
    """
    with ruled(svg_fonttype="none"), warnings.catch_warnings():
        # a name in a script that the font of files lacks: a page shows it in a font of its own
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        drawn = draw()
        data = io.BytesIO()
        drawn.figure.savefig(data, format="svg", metadata={"Date": None, "Creator": None})
    root = ET.fromstring(data.getvalue())  # noqa: S314 - see above
    _name_marks(root, drawn)
    _own(root, name)
    _describe(root, name, heading, drawn.said)
    return ET.tostring(root, encoding="unicode"), drawn


def _name_marks(root: ET.Element, drawn: Drawn) -> None:
    """Gives each mark the title that a reader sees who points at it."""
    found = {group.get("id"): group for group in root.iter() if group.get("id") in drawn.titles}
    for gid, texts in drawn.titles.items():
        group = found.get(gid)
        marks = [] if group is None else list(_marks(group))
        for mark, text in zip(marks, texts if len(texts) > 1 else texts * len(marks), strict=False):
            title = ET.Element(f"{{{_SVG}}}title")
            title.text = text
            mark.insert(0, title)


def _marks(group: ET.Element) -> Iterator[ET.Element]:
    """What is drawn, in order; definitions are not."""
    for child in group:
        if child.tag in _MARKS:
            yield child
        elif child.tag != f"{{{_SVG}}}defs":
            yield from _marks(child)


def _own(root: ET.Element, name: str) -> None:
    """Makes ids those of this figure, and lets colours be the page's."""
    for parent in list(root.iter()):
        for child in list(parent):
            # the style is of the whole page, which has its own
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.get('id')}")
        link = element.get(f"{{{_LINK}}}href", "")
        if link.startswith("#"):
            element.set(f"{{{_LINK}}}href", f"#{name}-{link[1:]}")
        for key in ("clip-path", "style", "fill", "stroke"):
            value = element.get(key)
            if value is not None:
                value = re.sub(r"url\(#", f"url(#{name}-", value)
                element.set(key, _painted(value) if key != "clip-path" else value)


def _painted(style: str) -> str:
    return re.sub(
        "#[0-9a-f]{6}", lambda found: _COLOURS.get(found[0]) or _own_colour(found[0]), style
    )


def _own_colour(colour: str) -> str:
    """A colour that only some pages give a value on dark, see ``tie_colours``."""
    return f"var(--c-{colour[1:]}, {colour})"


def _describe(root: ET.Element, name: str, heading: str, said: str) -> None:
    width = float(root.get("viewBox", "0 0 0 0").split()[2])
    # as large as its letters ask for, whatever its width; a narrow page scrolls it
    root.set("style", f"max-width: {width * _REM:.1f}rem; min-width: {width * 0.6 * _REM:.1f}rem")
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    root.set("class", "figure")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for place, (tag, text) in enumerate((("title", heading), ("desc", said))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = shown(text, 4000)
        root.insert(place, element)
