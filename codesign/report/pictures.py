"""Figures with their captions, ready for a page."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from codesign.report.document import Picture
from codesign.report.embed import embed
from codesign.report.figures.kit import Drawn


def picture(name: str, draw: Callable[[], Drawn], heading: str, caption: str = "") -> Picture:
    """Draws a figure for a page.

    Args:
        name: of the figure and of its file.
        draw: draws it.
        heading: what it is called for who cannot see it.
        caption: what stands below it; what the figure says of itself if it is empty.
    """
    svg, drawn = embed(name, draw, heading)
    # an XML writer has made it, so what comes from outside is escaped in it
    return Picture(name, Markup(svg), caption or drawn.said)  # noqa: S704
