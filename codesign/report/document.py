"""What a page is made of: sections of words, figures and tables, all of them plain text but SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from codesign.report.names import shown


@dataclass(frozen=True)
class Card:
    """One figure of the headline: what it is, how much, and what to know of it."""

    name: str
    figure: str
    words: str


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers stand to the right."""

    name: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: what it lists.
        columns: left to right.
        rows: texts.
        left_out: how many more rows there are.
        is_open: whether it is seen without a click.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0
    is_open: bool = False

    @property
    def heading(self) -> str:
        """Title with the number of rows."""
        if self.left_out:
            return f"{self.title} ({len(self.rows):,} of {len(self.rows) + self.left_out:,})"
        return self.title


@dataclass(frozen=True)
class Picture:
    """A figure of a page: its name, its SVG and what stands below it."""

    name: str
    svg: Markup
    caption: str


@dataclass(frozen=True)
class Range:
    """A value between two bounds, as shares of the upper one, and its three texts."""

    lower: float
    value: float
    texts: tuple[str, str, str]
    said: str


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading.

    Attributes:
        id: of the heading; a word.
        title: of it.
        words: paragraphs.
        cards: figures of a headline.
        range: the bar below them.
        pictures: figures.
        tables: tables.
        points: a list.
        has_timeline: whether the timeline stands here.
    """

    id: str
    title: str
    words: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    range: Range | None = None
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    points: tuple[str, ...] = ()
    has_timeline: bool = False


@dataclass(frozen=True)
class Document:
    """A page.

    Attributes:
        title: of the page.
        subtitle: what stands below it.
        sections: in order.
        timeline: what the timeline draws, as JSON values; None where there is none.
        fallback: the timeline as SVG, for who runs no script.
        colours: that no other page has, each with that on dark.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    timeline: dict[str, Any] | None = None
    fallback: Markup | None = None
    colours: Mapping[str, str] = field(default_factory=dict)


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    most: int = 1000,
    is_open: bool = False,
) -> Table:
    """A table of texts.

    Args:
        title: what it lists.
        columns: names; ``>`` in front sets numbers to the right.
        rows: their values.
        most: rows that are there.
        is_open: whether it is seen without a click.
    """
    heads = tuple(Column(name.lstrip(">"), name.startswith(">")) for name in columns)
    texts = [tuple(shown(value, 600) for value in row) for row in rows]
    return Table(title, heads, tuple(texts[:most]), max(0, len(texts) - most), is_open)
