"""The documentation as a site: links of the repository lead somewhere, and nothing is left out.

``make site`` builds it with mkdocs in strict mode, which refuses dead links, dead anchors, names of
the reference that do not exist, and pages that the navigation forgets.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml
from docs_site import (
    ROOT,
    links,
    on_page_markdown,
    on_post_page,
    outside,
    relinked,
    shown,
    site_path,
    titled,
)
from mkdocs.config import load_config
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import codesign
from codesign import errors, hookspecs, testing

REFERENCE = sorted((ROOT / "docs" / "reference").glob("*.md"))
ERRORS = [
    name
    for name, value in vars(errors).items()
    if inspect.isclass(value) and value.__module__ == "codesign.errors"
]
CONFIG = (ROOT / "mkdocs.yml").read_text()


def documented() -> list[str]:
    """What the pages of the reference name, in any order."""
    return [
        name for page in REFERENCE for name in re.findall(r"^::: (\S+)$", page.read_text(), re.M)
    ]


def filters(page: str) -> list[str]:
    """Patterns of the members that a page of the reference shows."""
    (found,) = re.findall(r"filters: (\[.*\])", (ROOT / "docs" / "reference" / page).read_text())
    patterns: list[str] = yaml.safe_load(found)
    return patterns


def test_every_public_name_has_one_entry_in_the_reference() -> None:
    names = [name.removeprefix("codesign.") for name in documented()]
    modules = {"errors", "hookspecs", "testing"}
    assert sorted(set(names) - modules) == codesign.__all__
    assert len(names) == len(set(names))
    assert modules.issubset(names)


def test_every_error_and_every_hook_is_shown_by_the_reference() -> None:
    shows, hides = filters("errors.md")
    assert [name for name in ERRORS if not re.search(shows, name)] == []
    assert [name for name in ERRORS if re.search(hides.removeprefix("!"), name)] == [
        "CodesignError"
    ]
    (shows,) = filters("hooks.md")
    specs = [name for name, value in vars(hookspecs).items() if hasattr(value, "codesign_spec")]
    assert len(specs) > 5
    assert [name for name in specs if not re.search(shows, name)] == []


def test_every_part_of_the_conformance_kit_has_a_docstring_to_show() -> None:
    assert [name for name in testing.__all__ if not getattr(testing, name).__doc__] == []


def test_every_family_of_errors_has_an_example_that_raises_it() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert sorted(sections) == sorted(ERRORS)
    raised = {name: re.findall(r"^(\w+): .+$", text, re.M) for name, text in sections.items()}
    assert {name: set(found) - {"Way"} for name, found in raised.items()} == {
        name: {name} for name in ERRORS
    }
    assert all("Way out: " in text for text in sections.values())


def test_every_page_is_in_the_navigation() -> None:
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if not re.search(rf"^ +- (.*: )?{page}$", CONFIG, re.M)] == []


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://cdn.example/x.js">',
        '<link rel="stylesheet" href="http://fonts.example/x.css">',
        '<img alt="a" src="https://img.example/x.png">',
    ],
)
def test_a_page_that_fetches_something_when_it_is_read_stops_the_build(tag: str) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"))
    page = Page(None, File("x.md", None, config.site_dir, False), config)
    with pytest.raises(PluginError, match=r"x\.md fetches from elsewhere: <"):
        on_post_page(f"<p>{tag}</p>", page, config)
    fine = '<a href="https://example.org">there</a><script src="assets/x.js"></script>'
    assert on_post_page(fine, page, config) == fine


def test_the_theme_takes_no_font_from_elsewhere() -> None:
    assert "font: false" in CONFIG
    assert "http" not in CONFIG


def test_links_outside_the_docs_become_links_of_the_site() -> None:
    config = load_config(str(ROOT / "mkdocs.yml"))
    files = Files([])

    def moved(uri: str, text: str) -> str:
        page = Page(None, File(uri, None, config.site_dir, False), config)
        return on_page_markdown(text, page, config, files)

    assert moved("cim.md", "[a](../plugins/gpu)") == "[a](source/plugins/gpu.md)"
    assert moved("cim.md", "[a](cli.md#x)") == "[a](cli.md#x)"
    assert moved("reference/errors.md", "[a](../errors.md)") == "[a](../errors.md)"
    assert moved("source/README.md", "[a](docs/cim.md)") == "[a](../cim.md)"
    assert moved("source/traces/FORMAT.md", "[a](v1_sample.json)") == "[a](v1_sample.json.md)"
    assert moved("source/plugins/array.py.md", "[a](b.md)") == "[a](b.md)"


@pytest.mark.parametrize("page", REFERENCE, ids=lambda page: page.name)
def test_links_of_the_reference_lead_somewhere(page: Path) -> None:
    assert [link for link in links(page.read_text()) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("path", "on_the_site"),
    [
        ("docs/cli.md", "cli.md"),
        ("docs/reference/index.md", "reference/index.md"),
        ("CHANGELOG.md", "source/CHANGELOG.md"),
        ("plugins/array.py", "source/plugins/array.py.md"),
        ("plugins/gpu", "source/plugins/gpu.md"),
        ("examples/quality_digits.png", "source/examples/quality_digits.png"),
    ],
)
def test_a_file_of_the_repository_has_a_place_on_the_site(path: str, on_the_site: str) -> None:
    assert site_path(path) == on_the_site


def test_links_are_changed_and_code_and_addresses_are_not() -> None:
    text = "[a](x.md#part) `[b](y.md)` [c](https://z.org)\n```text\n[d](w.md)\n```\n![e](p.png)"
    assert relinked(text, lambda link: f"to/{link}") == (
        "[a](to/x.md#part) `[b](y.md)` [c](https://z.org)\n```text\n[d](w.md)\n```\n![e](to/p.png)"
    )
    assert links(text) == ["x.md", "p.png"]


def test_a_file_that_a_block_is_written_to_is_its_title() -> None:
    text = "```yaml a/b.yaml\nx: 1\n```\n```python\ny\n```\n````python\n```json c.json\n````\n"
    assert titled(text).splitlines()[0] == '```yaml title="a/b.yaml"'
    assert "\n```python\ny\n" in titled(text)


def test_what_a_page_links_to_outside_is_shown_with_what_that_links_to(tmp_path: Path) -> None:
    page = ROOT / "docs" / "gpu.md"
    found = outside([page])
    assert "plugins/gpu" in found
    assert "plugins/gpu/engine.py" in found
    assert not [path for path in found if path.startswith("docs/")]
    assert "traces/v1_sample.json" in outside([ROOT / "docs" / "traces.md"])  # from FORMAT.md


def test_a_source_is_shown_whole_and_a_folder_as_its_files() -> None:
    source = (ROOT / "plugins" / "array.py").read_text()
    assert shown("plugins/array.py") == f"# plugins/array.py\n\n````python\n{source}````\n"
    assert "- [engine.py](gpu/engine.py)\n" in shown("plugins/gpu")
    assert shown("CHANGELOG.md").startswith("# Changes")


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == codesign.__version__
    assert citation["license"] == "Apache-2.0"
    readme = (ROOT / "README.md").read_text()
    assert f"version = {{{codesign.__version__}}}" in readme
    assert f"title = {{{citation['title']}}}" in readme


def test_the_picture_of_the_readme_is_there_and_small() -> None:
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", (ROOT / "README.md").read_text())
    assert (ROOT / picture).stat().st_size < 200_000
