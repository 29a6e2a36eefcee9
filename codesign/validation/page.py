"""The validation matrix as Markdown, between two marks of a page whose other text stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from codesign.errors import ValidationError
from codesign.validation.families import FamilyResult
from codesign.validation.wording import (
    CASE_HEADS,
    LEGEND,
    SUMMARY_HEADS,
    case_cells,
    not_run_lines,
    summary_cells,
)
from codesign.whole_file import write_whole

BEGIN = "<!-- codesign validate: begin -->"
END = "<!-- codesign validate: end -->"
"""Lines around the part of a page that is renewed."""


def check_page(path: Path) -> None:
    """Checks that the matrix can be written to a file, before anything is run.

    Raises:
        ValidationError: a folder, a file without the marks in their order, or no such folder.
    """
    _around(path)


def write_page(path: Path, results: Sequence[FamilyResult]) -> None:
    """Writes the matrix between the marks of a page, or a new page if there is none.

    Raises:
        ValidationError: as ``check_page``.
        OSError: the file cannot be written; it is as before.
    """
    before, after = _around(path)
    text = f"{before}{BEGIN}\n\n{matrix(results)}\n{END}{after}"
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def matrix(results: Sequence[FamilyResult]) -> str:
    """The summary of all families, then a section with every case of each."""
    lines = [summary_cells(one.family, part) for one in results for part in one.summaries]
    overview = f"{_table(SUMMARY_HEADS, lines)}\n{_sentence(LEGEND)}\n"
    return "\n".join([overview, *map(section, results)])


def section(result: FamilyResult) -> str:
    """The part of the matrix on one family: what it is, what was not run, and every case."""
    about = result.validation
    lines = [
        _plain(f"### {result.family}: {about.title}"),
        "",
        _sentence(f"source: {about.source}"),
    ]
    if about.note:
        lines += ["", _sentence(about.note)]
    if result.not_run:
        lines += ["", "Not run:", ""]
        lines += [f"- {_plain(line)}" for line in not_run_lines(result.not_run)]
    if result.cases:
        title = f"<details><summary>{len(result.cases):,} figures</summary>"
        cases = _table(CASE_HEADS, map(case_cells, result.cases))
        lines += ["", title, "", cases, "</details>"]
    return "\n".join([*lines, ""])


def _around(path: Path) -> tuple[str, str]:
    """The text of a page before and after what is renewed."""
    if not path.parent.is_dir():
        raise ValidationError(f"folder {path.parent} of {path.name} does not exist; make it first")
    if path.is_dir():
        raise ValidationError(f"{path} is a folder; name a file for the matrix")
    if not path.exists():
        return "# Validation\n\n", "\n"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValidationError(f"{path} is no text; name another file") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValidationError(
            f"{path} exists and has no lines {BEGIN!r} and {END!r} to write between; add them or "
            "name another file"
        )
    return before, after


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(_plain, cells))} |\n" for cells in lines)


def _sentence(text: str) -> str:
    line = _plain(text)
    return f"{line[:1].upper()}{line[1:]}."


def _plain(text: str) -> str:
    """A text that Markdown prints as it is, on one line."""
    line = " ".join(text.split())
    for sign in ("\\", "|", "<", "*", "[", "`"):
        line = line.replace(sign, f"\\{sign}")
    return line
