"""A document as one HTML file that needs no network and may use none."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from codesign import __version__
from codesign.report.document import Document
from codesign.report.figures.colours import page_colours
from codesign.report.names import shown

_LONGEST = 4000
"""Signs of a text in a page (assumed)."""
_STATIC = files("codesign.report") / "static"


def render(document: Document) -> str:
    """The page; the same document gives the same text.

    Everything but SVG is escaped. The policy of the page lets it run its one script, known by its
    digest, and load nothing.
    """
    script = _read("timeline_parts.js") + _read("timeline.js")
    return _template().render(
        document=document,
        # the page's own files, so nothing to escape
        style=Markup(_read("report.css") + page_colours(document.colours)),  # noqa: S704
        script=Markup(script),  # noqa: S704
        data=_json(document.timeline),
        policy=_policy(script),
        version=__version__,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    """The frame of every page, compiled once."""
    environment = Environment(
        loader=DictLoader({"page.html": _read("page.html")}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_tame,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html")


def _tame(value: object) -> object:
    """A text without what no page may hold; what we have made ourselves as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return shown(value, _LONGEST)
    return value


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _json(values: dict[str, Any] | None) -> Markup:
    """JSON that cannot end its element: no sign that HTML takes for its own is left in it."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704


def _read(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")
