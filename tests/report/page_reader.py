"""A page of a report as a test reads it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from codesign.report import write_report

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "<!--",
    "]]>",
    "' onclick='alert(4)",
    "{{ 7 * 7 }}",
    "$x^2$",
    "\x00\x1b[31m\u202e\u2028",
    "&lt;b&gt;",
    "javascript:alert(5)",
    "名前 имя 🚀",
)
"""Names that harm a page that believes them."""
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as an HTML reader sees it; well nested, or it fails."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, found in self.tags if (value := found.get(name)) is not None]

    @property
    def headings(self) -> list[str]:
        return self.texts["h2"]


def page_of(folder: Path, output: Path) -> tuple[Page, str]:
    write_report(folder, output)
    text = output.read_text(encoding="utf-8")
    return Page(text), text
