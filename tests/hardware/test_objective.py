"""Objectives: what they rank, how they are written, and what is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign import Objective
from codesign.errors import MappingError
from codesign.hardware.objective import LATENCY, as_objective

EXPONENTS = st.sampled_from([0.0, 0.3, 0.5, 1.0, 1.5, 2.0, 7.0])
FIGURES = st.floats(1e-9, 1e3)


@pytest.mark.parametrize(
    ("text", "latency", "energy"),
    [
        ("latency", 1, 0),
        ("energy", 0, 1),
        ("edp", 1, 1),
        ("latency*energy", 1, 1),
        ("latency^2*energy", 2, 1),
        ("latency^0.3*energy^0.7", 0.3, 0.7),
        (" energy ^ 2 * latency ", 1, 2),
        ("edp*latency", 2, 1),
        ("edp^2", 2, 2),
        ("latency^1e0", 1, 0),
        ("energy^0*latency", 1, 0),
    ],
)
def test_a_text_says_both_exponents(text: str, latency: float, energy: float) -> None:
    assert Objective.parse(text) == Objective(latency, energy)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latncy", "did you mean 'latency'"),
        ("power", "got 'power'"),
        ("EDP", "got 'EDP'"),
        ("", "got ''"),
        ("latency*", "product of powers, got 'latency*'"),
        ("latency energy", "product of powers, got 'latency energy'"),
        ("latency^2^2", "product of powers"),
        ("latency^", "product of powers"),
        ("latency^two", "at least 0, got 'two'"),
        ("latency^-1", "at least 0, got '-1'"),
        ("energy^nan", "at least 0, got 'nan'"),
        ("energy^inf", "at least 0, got 'inf'"),
        ("energy^1e999", "at least 0, got '1e999'"),
        ("latency^0", "got 0 for both"),
        ("latency^0*energy^0", "got 0 for both"),
        ("latency\nenergy", "product of powers"),
        ("x" * 500, "got 'xxx"),
    ],
)
def test_what_is_no_objective_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(MappingError) as caught:
        Objective.parse(text)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "2", None, 1j])
@pytest.mark.parametrize("name", ["latency", "energy"])
def test_an_exponent_is_a_number_of_at_least_0(name: str, value: Any) -> None:
    fields = {"latency": 1.0, "energy": 1.0, name: value}
    with pytest.raises(MappingError, match=f"exponent of {name} .* at least 0, got"):
        Objective(**fields)


@pytest.mark.parametrize("value", [1, ("latency",), b"edp"])
def test_only_a_text_can_be_read(value: Any) -> None:
    with pytest.raises(MappingError, match="must be a text, got"):
        Objective.parse(value)
    with pytest.raises(MappingError, match="must be a text, got"):
        as_objective(value)


@given(EXPONENTS, EXPONENTS)
def test_its_text_is_read_back_as_the_same(latency: float, energy: float) -> None:
    if not latency and not energy:
        return
    objective = Objective(latency, energy)
    assert Objective.parse(str(objective)) == objective
    assert as_objective(str(objective)) == objective


@pytest.mark.parametrize(
    ("exponents", "text"),
    [
        ((1, 0), "latency"),
        ((0, 1), "energy"),
        ((1, 1), "edp"),
        ((2, 1), "latency^2*energy"),
        ((1, 2), "latency*energy^2"),
        ((0, 3), "energy^3"),
        ((0.3, 0.7), "latency^0.3*energy^0.7"),
    ],
)
def test_it_is_named_by_its_word_or_its_powers(exponents: tuple[float, float], text: str) -> None:
    assert str(Objective(*exponents)) == text


def test_nothing_asked_for_is_nothing_and_the_default_is_latency() -> None:
    assert as_objective(None) is None
    assert Objective() == LATENCY == Objective.parse("latency")
    assert not LATENCY.weighs_energy
    assert Objective(1, 0.1).weighs_energy
    made = Objective(0, 1)
    assert as_objective(made) is made
    assert len({Objective(1, 0), Objective(1.0, 0.0)}) == 1


@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=8), EXPONENTS, EXPONENTS)
def test_scores_of_many_are_those_of_each(
    pairs: list[tuple[float, float]], a: float, b: float
) -> None:
    if not a and not b:
        return
    latency, energy = (np.array(column) for column in zip(*pairs, strict=True))
    scores = Objective(a, b).score(latency, energy)
    assert scores == pytest.approx([x**a * y**b for x, y in pairs], rel=1e-12)
    assert scores[0] == Objective(a, b).score(*pairs[0])


@given(FIGURES, FIGURES)
def test_scores_of_the_three_words_are_exact(latency: float, energy: float) -> None:
    assert Objective().score(latency, energy) == latency
    assert Objective(0, 1).score(latency, energy) == energy
    assert Objective(1, 1).score(latency, energy) == latency * energy


@given(FIGURES, FIGURES, FIGURES, FIGURES, EXPONENTS, EXPONENTS)
def test_units_change_no_ranking(
    first: float, second: float, third: float, fourth: float, a: float, b: float
) -> None:
    if not a and not b:
        return
    objective = Objective(a, b)
    one, other = float(objective.score(first, second)), float(objective.score(third, fourth))
    if not 0.999 < one / other < 1.001:
        in_ms = objective.score(first * 1e3, second * 1e12) < objective.score(
            third * 1e3, fourth * 1e12
        )
        assert bool(in_ms) == (one < other)


def test_what_is_better_in_both_scores_better() -> None:
    for exponents in ((1, 0), (0, 1), (1, 1), (2, 1), (0.3, 0.7)):
        objective = Objective(*exponents)
        assert objective.score(1.0, 2.0) <= objective.score(1.5, 2.5)
        assert objective.score(1.0, 2.0) < objective.score(3.0, 4.0)
