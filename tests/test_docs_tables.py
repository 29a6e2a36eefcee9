"""Figures that pages repeat are those of the validation page, calibrated ones apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_tables import HEADLINES, PAGES, ROOT, SUMMARY, families_shown, figures, renewed, tables

HEAD = "| family | quantity | calibrated | cases | exact | mean error | bias | worst |\n| --- |\n"
TOY = (
    f"# Page\n\n{HEAD}"
    "| a | cycles | no | 3 | 1 | 2 % | +1 % | -4 % |\n"
    "| a | energy | yes | 2 | 0 | 9 % | -9 % | -9 % |\n"
    "| b | time | no | 1 | 1 | 0 % | 0 % | 0 % |\n"
    "\n| family | of another table |\n"
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_figures_of_a_page_are_those_of_the_validation_page(page: Path) -> None:
    text = page.read_text()
    assert renewed(text, SUMMARY.read_text()) == text, "renew with: make docs"


def test_every_validated_family_is_on_the_page_of_a_hardware_family() -> None:
    shown = set().union(*(families_shown(page.read_text()) for page in PAGES))
    assert {row["family"] for row in figures(SUMMARY.read_text())} - shown == set()


def test_the_summary_ends_where_its_table_ends() -> None:
    rows = figures(TOY)
    assert [(row["family"], row["quantity"], row["worst"]) for row in rows] == [
        ("a", "cycles", "-4 %"),
        ("a", "energy", "-9 %"),
        ("b", "time", "0 %"),
    ]


def test_calibrated_figures_stand_apart_and_are_called_so() -> None:
    free, fitted = tables(figures(TOY), ["a"]).split("A constant of ours was fitted")
    assert "| a | cycles | 3 | 1 | 2 % | +1 % | -4 % |" in free
    assert "energy" not in free
    assert "| a | energy | 2 | 0 | 9 % | -9 % | -9 % |" in fitted


def test_one_sort_of_figures_can_be_asked_for() -> None:
    assert "energy" not in tables(figures(TOY), ["uncalibrated", "a", "b"])
    assert "cycles" not in tables(figures(TOY), ["calibrated", "a"])


def test_a_page_is_renewed_between_its_marks_only() -> None:
    page = "before\n<!-- figures: b -->\nold | figures\n<!-- figures: end -->\nafter\n"
    text = renewed(page, TOY)
    assert text.startswith("before\n<!-- figures: b -->\n")
    assert text.endswith("<!-- figures: end -->\nafter\n")
    assert "old" not in text
    assert "| b | time | 1 | 1 | 0 % | 0 % | 0 % |" in text
    assert renewed(text, TOY) == text


def test_two_marks_of_a_page_keep_what_is_between_them() -> None:
    mark = "<!-- figures: {} -->\n<!-- figures: end -->\n"
    text = renewed(f"{mark.format('a')}between\n{mark.format('b')}", TOY)
    assert text.index("cycles") < text.index("between") < text.index("time")
    assert families_shown(text) == {"a", "b"}


def test_a_family_without_figures_is_an_error_and_no_empty_table() -> None:
    with pytest.raises(AssertionError, match="no figures of \\['c'\\]"):
        tables(figures(TOY), ["a", "c"])


def test_headlines_are_lines_of_the_summary_in_their_order() -> None:
    rows = figures(SUMMARY.read_text())
    free, fitted = tables(rows, ["headlines"]).split("A constant of ours was fitted")
    lines = [line.split(" | ")[:2] for line in free.splitlines() if line.startswith("| ")][2:]
    named = [[f"| {family}", quantity] for family, quantity in HEADLINES]
    assert lines == [one for one in named if one in lines]
    assert "| scalesim | cycles | 137 | 137 |" in free
    assert "| tpuv3 | cycles | 5 | 0 |" in fitted


def test_a_headline_without_a_figure_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"no figures of .*scalesim"):
        tables(figures(TOY), ["headlines"])
