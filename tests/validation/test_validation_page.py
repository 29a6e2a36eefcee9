"""The matrix as Markdown: every figure, its words as they are, and the rest of a page untouched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_validation import case, result

from codesign.errors import ValidationError
from codesign.validation import NotRun
from codesign.validation.page import BEGIN, END, check_page, matrix, section, write_page
from codesign.validation.wording import CASE_HEADS, SUMMARY_HEADS, number, percent

TOY = result(
    case(110, name="slow | run", note="a <b> c"),
    case(100, name="even", quantity="energy"),
    case(50, name="half", calibrated=True),
    NotRun(name="pruned", reason="no record"),
    NotRun(name="odd", reason="no record"),
)


def cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [part.strip() for part in line.replace("\\|", "¦").strip("|").split("|")]


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a page, without the lines below their headings."""
    found: list[list[list[str]]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("|"):
            found = found if inside else [*found, []]
            found[-1].append(cells(line))
        inside = line.startswith("|")
    return [[row for row in one if set("".join(row)) != {"-"}] for one in found]


def test_the_summary_has_a_line_for_each_quantity_and_calibration() -> None:
    overview, _ = tables(matrix([TOY]))
    assert overview == [
        list(SUMMARY_HEADS),
        ["toy", "cycles", "no", "1", "0", "10.000 %", "+10.000 %", "+10.000 %", "100.0 %",
         "slow ¦ run"],
        ["toy", "energy", "no", "1", "1", "0 %", "0 %", "0 %", "100.0 %", ""],
        ["toy", "cycles", "yes", "1", "0", "50.000 %", "-50.000 %", "-50.000 %", "0.0 %", "half"],
    ]  # fmt: skip


def test_a_section_has_every_case_and_every_reason() -> None:
    text = section(TOY)
    (found,) = tables(text)
    assert found == [
        list(CASE_HEADS),
        ["slow ¦ run", "cycles", "110", "100", "+10.000 %", "no", "a \\<b> c"],
        ["even", "energy", "100", "100", "exact", "no", ""],
        ["half", "cycles", "50", "100", "-50.000 %", "yes", ""],
    ]
    assert text.startswith("### toy: a title\n\nSource: a source.\n")
    assert "Not run:\n\n- pruned, odd: no record\n" in text
    assert "<details><summary>3 figures</summary>" in text


def test_a_family_without_cases_has_words_and_no_table() -> None:
    text = section(result(NotRun(name="runs.csv", reason="not in the data folder")))
    assert "- runs.csv: not in the data folder" in text
    assert tables(text) == []
    assert "details" not in text


def test_every_family_has_its_section_in_order() -> None:
    text = matrix([result(case(1), family=name) for name in ("b", "a")])
    assert text.index("### b") < text.index("### a")
    assert len(tables(text)) == 3


@given(st.text(max_size=40), st.floats(min_value=0, max_value=1e30))
def test_no_name_and_no_figure_breaks_a_table(name: str, ours: float) -> None:
    (found,) = tables(section(result(case(ours, name=name))))
    assert [len(row) for row in found] == [len(CASE_HEADS)] * 2


def test_a_new_page_has_a_title_and_the_marks(tmp_path: Path) -> None:
    write_page(tmp_path / "new.md", [TOY])
    text = (tmp_path / "new.md").read_text()
    assert text == f"# Validation\n\n{BEGIN}\n\n{matrix([TOY])}\n{END}\n"


def test_what_stands_around_the_marks_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Mine\n\nbefore\n{BEGIN}\nold figures\n{END}\nafter, without a line end")
    write_page(page, [TOY])
    text = page.read_text()
    assert text.startswith(f"# Mine\n\nbefore\n{BEGIN}\n\n")
    assert text.endswith(f"{END}\nafter, without a line end")
    assert "old figures" not in text


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    write_page(page, [TOY])
    once = page.read_bytes()
    write_page(page, [TOY])
    assert page.read_bytes() == once


@pytest.mark.parametrize("text", ["", "# Mine\n", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"])
def test_a_page_without_its_marks_in_order_is_left_alone(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    for work in (check_page, lambda path: write_page(path, [TOY])):
        with pytest.raises(ValidationError, match=r"page.md exists and has no lines '<!-- codesi"):
            work(page)
    assert page.read_text() == text
    assert list(tmp_path.iterdir()) == [page]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"folder .*/none of page.md does not exist; make it"):
        check_page(tmp_path / "none" / "page.md")
    with pytest.raises(ValidationError, match="is a folder; name a file for the matrix"):
        check_page(tmp_path)
    (tmp_path / "page.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ValidationError, match=r"page.md is no text; name another file"):
        check_page(tmp_path / "page.md")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4991, "4,991"),
        (4991.0, "4,991"),
        (0, "0"),
        (1.69163e10, "16,916,300,000"),
        (0.000123456789, "0.000123457"),
        (1.5, "1.5"),
        (1e18, "1e+18"),
    ],
)
def test_numbers_are_whole_or_in_six_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.1, "+10.000 %"),
        (-0.00336, "-0.336 %"),
        (0.0, "0 %"),
        (-1e-13, "0 %"),
        (3e-6, "+3e-04 %"),
        (2.0, "+200.000 %"),
    ],
)
def test_an_error_that_is_there_is_never_printed_as_zero(share: float, text: str) -> None:
    assert percent(share) == text
