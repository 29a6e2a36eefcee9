"""Constraints mean what they say, and nothing in them runs."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.errors import StudyError
from codesign.explore.grammar import Constraint

POINT: dict[str, Any] = {"a": 2, "b": 3.0, "sram.size": 1 << 20, "cell": "lstm", "chunked": True}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a <= 2", True),
        ("a < 2", False),
        ("a + b * 2 == 8", True),
        ("(a + b) * 2 == 10", True),
        ("10 - 4 - 3 == 3", True),
        ("16 / 4 / 2 == 2", True),
        ("-a + 5 == b", True),
        ("--a == 2", True),
        ("2e-1 * 10 == a", True),
        (".5 * 4. == a", True),
        ("sram.size <= 1024 * 1024", True),
        ("sram.size >= 2 * 1024 * 1024", False),
        ("cell == 'lstm'", True),
        ('cell != "lstm"', False),
        ("chunked", True),
        ("not chunked", False),
        ("not not chunked", True),
        ("a == 1 or b == 3", True),
        ("a == 1 and b == 3", False),
        ("a == 1 or b == 3 and cell == 'gru'", False),
        ("(a == 1 or b == 3) and cell == 'lstm'", True),
        ("not a == 1 and b == 3", True),
        ("min(a, b) == 2 and max(a, b, 7) == 7", True),
        ("a==2and b==3", True),
        ("cell == 'gru' or 1 / 0 == 1 or a == 2", None),
        ("a == 2 or 1 / 0 == 1", True),
    ],
)
def test_a_constraint_holds_or_not(text: str, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(StudyError, match="division by zero"):
            Constraint.parse(text).holds(POINT)
    else:
        assert Constraint.parse(text).holds(POINT) is holds


def test_it_knows_what_it_speaks_of() -> None:
    assert Constraint.parse("b * a <= max(sram.size, a) or cell == 'a'").names == (
        "b",
        "a",
        "sram.size",
        "cell",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at its end (character 1): a number, a name or a text must stand here"),
        ("a <=", "at its end (character 5)"),
        ("a <= <= b", "at '<=' (character 6)"),
        ("a b", "at 'b' (character 3): must end here"),
        ("a <= b <= 4", "at '<=' (character 8): must end here"),
        ("(a <= b", "a bracket must be closed"),
        ("a <= b)", "at ')' (character 7): must end here"),
        ("min(a, b <= 2", "a bracket must be closed"),
        ("a = 2", "at '=' (character 2): this sign means nothing"),
        ("a; b", "this sign means nothing"),
        ("__import__('os')", "at '(' (character 11): must end here"),
        ("and", "a number, a name or a text must stand here"),
        ("a ** 2 == 4", "at '*' (character 4)"),
        ("'lstm", "this sign means nothing"),
        ("(" * 60 + "a" + ")" * 60, "at most 50 brackets and signs"),
        ("-" * 60 + "a < 1", "at most 50 brackets and signs"),
        ("not " * 60 + "chunked", "at most 50 brackets and signs"),
    ],
)
def test_what_breaks_the_grammar_is_told_with_the_place(text: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        Constraint.parse(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sram.siz <= 4", "unknown name 'sram.siz'; did you mean 'sram.size'?"),
        ("cell <= 4", "means nothing for cell='lstm'"),
        ("cell + 1 == 4", "'lstm' is no number"),
        ("chunked * 2 == 2", "True is no number"),
        ("a + b", "must be true or false, got 5.0; compare it with something"),
        ("a and b == 3", "2 is neither true nor false"),
        ("not a", "2 is neither true nor false"),
        ("a / (b - 3) <= 4", "division by zero"),
    ],
)
def test_what_means_nothing_for_a_point_is_told(text: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        Constraint.parse(text).holds(POINT)
    assert message in str(caught.value)


SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@st.composite
def sums(draw: st.DrawFn, depth: int = 4) -> tuple[str, float]:
    """A text with what it comes to, worked out beside it."""
    if depth == 0 or draw(st.booleans()):
        number = draw(st.integers(0, 99))
        return str(number), float(number)
    (left, a), (right, b) = draw(sums(depth - 1)), draw(sums(depth - 1))
    sign = draw(st.sampled_from(sorted(SIGNS)))
    return f"({left}) {sign} ({right})", SIGNS[sign](a, b)


@settings(max_examples=80, deadline=None)
@given(sums())
def test_arithmetic_is_that_of_numbers(case: tuple[str, float]) -> None:
    text, value = case
    assert Constraint.parse(f"{text} == x").holds({"x": value})
    assert not Constraint.parse(f"{text} < x").holds({"x": value})


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab1.+-*/()<>=!,' andort", max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    message = ""
    try:
        assert Constraint.parse(text).text == text
    except StudyError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize("text", ["a < 1 or " * 100 + "a < 1", 4, None])
def test_a_constraint_is_a_text_that_a_person_can_read(text: Any) -> None:
    with pytest.raises(StudyError, match="must be a text of at most 500 characters"):
        Constraint.parse(text)


def test_the_longest_sum_is_worked_out() -> None:
    text = "a" + "+a" * 245 + ">= 1"
    assert Constraint.parse(text).holds({"a": 1})
