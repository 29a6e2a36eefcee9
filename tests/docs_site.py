"""What mkdocs asks while it builds the site: pages for files outside ``docs/`` that pages link to.

On the site a link to a source file leads to a page that shows it, a link to a folder to a list of
its files, and a link to another Markdown file or a picture to that itself. So every link of the
repository works on the site too, and ``mkdocs build --strict`` refuses one that leads nowhere.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
SHOWN = "source"
"""Folder of the site for what lies outside ``docs/``."""
_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^(```\w+) ([^\s`]+)$", re.MULTILINE)
_FETCHED = re.compile(r'<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)="https?://[^"]*"')
_PICTURES = {".png", ".svg"}


def relinked(text: str, change: Callable[[str], str]) -> str:
    """A page with every relative link changed, and its code as it is."""

    def renamed(match: re.Match[str]) -> str:
        before, link, anchor, after = match.groups(default="")
        is_elsewhere = link.startswith(("http:", "https:", "mailto:"))
        return match[0] if is_elsewhere else before + change(link) + anchor + after

    parts = _CODE.split(text)  # every second one is code
    return "".join(
        part if place % 2 else _LINK.sub(renamed, part) for place, part in enumerate(parts)
    )


def titled(text: str) -> str:
    """A page whose blocks with a file name behind the language have it as their title."""
    return _FILE.sub(r'\1 title="\2"', text)


def links(text: str) -> list[str]:
    """The relative links of a page, without their anchors."""
    found: list[str] = []
    relinked(text, lambda link: found.append(link) or link)  # type: ignore[func-returns-value]
    return found


def site_path(path: str) -> str:
    """Where a file of the repository lies among the sources of the site.

    Args:
        path: path from the root of the repository, with slashes.
    """
    inside = path.removeprefix("docs/")
    if inside != path:
        return inside
    kept = Path(path).suffix in _PICTURES or path.endswith(".md")
    return f"{SHOWN}/{path}" if kept else f"{SHOWN}/{path}.md"


def outside(pages: Iterable[Path]) -> list[str]:
    """Files and folders outside ``docs/`` that pages link to, and those that these link to."""
    todo, found = list(pages), set[str]()
    while todo:
        page = todo.pop()
        for target in _linked(page):
            path = target.relative_to(ROOT).as_posix()
            if path in found or path.startswith("docs/") or not target.exists():
                continue
            found.add(path)
            todo += [target] if target.suffix == ".md" else []
            found |= {_path(one) for one in _inside(target)} if target.is_dir() else set()
    return sorted(found)


def shown(path: str) -> str:
    """The page that shows a file or folder outside ``docs/``."""
    target = ROOT / path
    if target.suffix == ".md":
        return target.read_text()
    if target.is_dir():
        names = [one.name for one in _inside(target)]
        return f"# {path}\n\n" + "".join(f"- [{name}]({target.name}/{name})\n" for name in names)
    language = {".py": "python", ".yaml": "yaml", ".json": "json"}.get(target.suffix, "text")
    return f"# {path}\n\n````{language}\n{target.read_text()}````\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what lies outside ``docs/``."""
    pages = [*Path(config.docs_dir).rglob("*.md"), ROOT / "README.md"]
    for path in ["README.md", *outside(pages)]:
        if Path(path).suffix in _PICTURES:
            made = File.generated(config, site_path(path), abs_src_path=str(ROOT / path))
        else:
            made = File.generated(config, site_path(path), content=shown(path))
        files.append(made)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links of the repository into links of the site, and names of files into titles."""
    here = page.file.src_uri
    home = _repository_path(here)
    if (ROOT / home).is_file() and not home.endswith(".md"):
        return markdown  # a source, shown as it is

    def moved(link: str) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(home), link))
        return posixpath.relpath(site_path(target), posixpath.dirname(here) or ".")

    return titled(relinked(markdown, moved))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuses a page that would fetch something from elsewhere when it is read.

    Raises:
        PluginError: the tag that would.
    """
    fetched = _FETCHED.search(output)
    if fetched:
        raise PluginError(f"{page.file.src_uri} fetches from elsewhere: {fetched[0]}")
    return output


def _repository_path(uri: str) -> str:
    """The path in the repository of a page of the site."""
    if not uri.startswith(f"{SHOWN}/"):
        return f"docs/{uri}"
    path = uri.removeprefix(f"{SHOWN}/")
    return path if (ROOT / path).exists() else path.removesuffix(".md")


def _linked(page: Path) -> list[Path]:
    return [Path(os.path.normpath(page.parent / link)) for link in links(page.read_text())]


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _inside(folder: Path) -> list[Path]:
    """The files of a folder that people read, without those of folders in it."""
    read = (".py", ".yaml", ".md", ".json")
    return sorted(one for one in folder.iterdir() if one.is_file() and one.suffix in read)
