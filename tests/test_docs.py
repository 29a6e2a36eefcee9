"""The documentation is true: snippets run, outputs are as printed, links and hooks exist."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest
import studies
from docs_runner import PAGES, ROOT, blocks, run_page

from codesign import hookspecs
from codesign.cli.app import app
from codesign.templates import write_plugin

LONG = ("hybrid_cim", "quality", "recommender_pim", "recurrent_cim")
HOOKS = {name: value for name, value in vars(hookspecs).items() if name.startswith("codesign_")}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _run(page: Path) -> object:
    """A page as a case; one whose study takes minutes is left to the night."""
    return pytest.param(page, marks=pytest.mark.nightly if page.stem in LONG else ())


@pytest.mark.parametrize("page", [_run(page) for page in PAGES], ids=map(_name, PAGES))
def test_a_page_runs_and_prints_what_it_says(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for study, measured in studies.ON_THE_SHELF.items():
        monkeypatch.setattr(getattr(studies, study), "measure_all", measured)
    for output in run_page(page):
        assert output.actual == output.block.text, "renew with: make docs"


def test_a_page_may_name_a_module_as_the_tests_do(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python studies.py\ndef length():\n    return 3\n```\n\n"
        "```python\nfrom codesign.explore.functions import import_function\n"
        'print(import_function("studies:length")())\n```\n\n```text\n3\n```\n'
    )
    assert [output.actual for output in run_page(page)] == ["3\n"]
    assert sys.modules["studies"] is studies


@pytest.mark.parametrize("page", [*PAGES, ROOT / "traces" / "FORMAT.md"], ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_pages_hold_no_path_of_somebodys_machine(page: Path) -> None:
    assert not re.search(r"/(home|root|Users|tmp|var)/", page.read_text())


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_arguments(hook: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[hook]).parameters)
    assert f"\n## `{hook}({arguments})`\n" in (ROOT / "docs" / "hooks.md").read_text()
    assert inspect.getdoc(HOOKS[hook])


def test_no_hook_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^## `(\w+)\(", (ROOT / "docs" / "hooks.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(HOOKS)


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    commands = [
        command.callback.__name__ for command in app.registered_commands if command.callback
    ]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        names = group.typer_instance.registered_commands
        commands += [f"{group.name} {c.name or getattr(c.callback, '__name__', '')}" for c in names]
    assert len(commands) == 26
    assert [command for command in commands if f"\n## `codesign {command}" not in page] == []


def test_every_page_is_reachable_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "index.md"]
    assert [page for page in pages if f"({page})" not in index] == []


def test_the_first_screen_of_the_readme_has_the_commands_to_start() -> None:
    start = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])
    assert all(command in start for command in ("make demo", "make test", "pip install"))


def test_the_plugin_example_is_what_plugins_new_writes(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text()
    first = next(block for block in blocks(page) if block.language == "python" and block.file)
    write_plugin("engine", "mac_row", tmp_path / "made")
    assert first.text == (tmp_path / "made" / "mac_row.py").read_text()
    assert 30 <= len(first.text.splitlines()) < 60


@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=_name)
def test_every_example_is_run_by_a_page(script: Path) -> None:
    assert any(f"python {_name(script)}" in page.read_text() for page in PAGES)


def test_the_gate_calls_make_test() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[-1] == "exec make test"
    assert "\ntest:" in (ROOT / "Makefile").read_text()
