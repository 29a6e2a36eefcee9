"""Names with markup, escapes and tags in them are printed as they are, or spelled out."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import fuzz_seeds as seeds
import pytest
from fuzz_doors import prepare, run_command
from hostile_tree import written

from codesign.cli.output import headed, printable, table
from codesign.errors import CodesignError

MARKUP = ("[red]x[/red]", "[/]", "[/nothing]", "[bold", "[link=http://a]b[/link]", ":warning:",
          "<script>alert(1)</script>", "{0.__class__}", "%s%n")  # fmt: skip
ESCAPES = ("\x1b[31mred", "a\rb", "\x07", "\u202eabc", "\x9b31m", "\x1b]0;title\x07", "\u2028")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    return tmp_path


def shown(*words: str) -> str:
    """What a command prints, without the blanks and lines that a table puts in."""
    return "".join(run_command(words).split())


@pytest.mark.parametrize("name", MARKUP)
def test_markup_in_the_names_of_a_hardware_file_is_printed_as_it_is(name: str) -> None:
    machine = seeds.MACHINE | {"name": name, "description": name}
    Path("odd.yaml").write_text(written(machine, is_yaml=True))
    assert f"{name}:{name}" in shown("hardware", "show", "odd.yaml")
    assert name in shown("simulate", "t.json", "--hardware", "odd.yaml")


@pytest.mark.parametrize("name", MARKUP)
def test_markup_in_the_names_of_a_trace_is_printed_as_it_is(name: str) -> None:
    text = json.dumps(seeds.trace_documents(Path())[0]).replace('"mm"', json.dumps(name))
    Path("odd.json").write_text(text)
    found = shown("mapping", "show", "odd.json", "--op", name, "--hardware", "m.yaml")
    assert name in found
    run_command(["simulate", "odd.json", "--hardware", "m.yaml"])


@pytest.mark.parametrize("name", [*MARKUP, *ESCAPES])
def test_markup_and_escapes_in_a_journal_are_harmless(name: str) -> None:
    records = copy.deepcopy(seeds.journal())
    for record in records[4:7]:
        record["point"] = {"npu.rows": name, "dram.bandwidth": record["index"]}
        record["figures"]["energy_j"] = record["index"] + 1.0
    Path("journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    found = run_command(["pareto", "."])
    assert "".join(printable(name).split()) in "".join(found.split())
    assert all(line.isprintable() for line in found.split("\n"))


@pytest.mark.parametrize("name", ESCAPES)
def test_escapes_in_a_name_of_a_file_are_refused_in_a_line_without_them(name: str) -> None:
    Path("odd.yaml").write_text(json.dumps(seeds.MACHINE | {"name": name}))
    document = seeds.trace_documents(Path())[0] | {"name": name}
    Path("odd.json").write_text(json.dumps(document))
    for words in (("odd.json", "m.yaml"), ("t.json", "odd.yaml"), (name, "m.yaml")):
        with pytest.raises(CodesignError) as caught:
            run_command(["simulate", words[0], "--hardware", words[1]])
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", [*MARKUP, *ESCAPES])
def test_cells_headings_and_titles_of_a_table_have_no_markup(name: str) -> None:
    from rich.console import Console

    console = Console(width=200, file=open("/dev/null", "w"), record=True)  # noqa: SIM115
    console.print(table(name, (f"={name}", "b"), [(name, "1")]), headed(name, name))
    found = "".join(console.export_text().split())
    assert found.count("".join(printable(name).split())) == 5


def test_lines_stay_lines_and_letters_of_any_language_stay_letters() -> None:
    assert printable("é\nλ \t") == "é\nλ \\t"
