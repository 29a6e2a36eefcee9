"""The hypervolume of a search: its reference, its growth, and whether it still grows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import StudyError
from codesign.explore.hypervolume import hypervolume
from codesign.explore.objectives import Goal
from codesign.explore.search.outcome import Outcome
from codesign.explore.search.volume import Volume

GOALS = (Goal("energy_j"), Goal("accuracy", maximise=True))


def outcome(energy: float, accuracy: float, excess: float = 0.0) -> Outcome:
    figures = {"energy_j": energy, "accuracy": accuracy, "latency_s": 9.0}
    return Outcome({}, 0, "done", figures, {"limit": excess})


FAILED = Outcome({}, 0, "failed", message="why")


def filled(volume: Volume, *outcomes: Outcome) -> Volume:
    for one in outcomes:
        volume.add(one)
    return volume


def test_a_volume_grows_by_what_each_evaluation_adds() -> None:
    volume = Volume(GOALS, {"energy_j": 10.0, "accuracy": 0.5})
    filled(volume, outcome(8, 0.75), FAILED, outcome(6, 0.625), outcome(9, 0.7), outcome(5, 1.0))
    assert volume.history == (0.5, 0.5, 0.75, 0.75, 2.5)
    assert volume.reference == {"energy_j": 10.0, "accuracy": 0.5}


def test_what_breaks_a_constraint_or_lies_beyond_the_reference_adds_nothing() -> None:
    volume = Volume(GOALS, {"energy_j": 10.0, "accuracy": 0.5})
    filled(volume, outcome(1, 1, excess=0.1), outcome(11, 1), outcome(1, 0.4), outcome(9, 1.0))
    assert volume.history == (0, 0, 0, 0.5)


def test_the_reference_is_the_worst_of_the_first_points_and_a_tenth_and_stays() -> None:
    volume = filled(Volume(GOALS), outcome(4, 0.9), outcome(100, 0.1, excess=1), FAILED)
    filled(volume, outcome(2, 0.8), outcome(8, 0.5), outcome(3, 0.6))
    expected = {"energy_j": pytest.approx(8.8), "accuracy": pytest.approx(0.45)}
    assert volume.reference == expected
    filled(volume, outcome(50, 0.01))
    assert volume.reference == expected
    assert len(volume.history) == 7


def test_a_worst_of_nothing_has_a_reference_beyond_it() -> None:
    flat = filled(Volume(GOALS[:1]), outcome(0, 1), outcome(0, 1))
    assert flat.reference == {"energy_j": pytest.approx(0.1)}
    spread = filled(Volume(GOALS[:1]), outcome(-5, 1), outcome(0, 1))
    assert spread.reference == {"energy_j": pytest.approx(0.5)}
    negative = filled(Volume(GOALS[:1]), outcome(-5, 1), outcome(-4, 1))
    assert negative.reference == {"energy_j": pytest.approx(-3.6)}


def test_without_a_point_there_is_no_reference_and_no_volume() -> None:
    volume = filled(Volume(GOALS), FAILED, outcome(1, 1, excess=1))
    assert volume.reference == {}
    assert volume.history == (0, 0)
    assert Volume(GOALS).history == ()


def test_a_search_stalls_from_its_last_gain() -> None:
    volume = Volume(GOALS, {"energy_j": 10.0, "accuracy": 0.5})
    counts = []
    for one in (
        FAILED,
        outcome(8, 0.75),
        outcome(9, 0.7),
        FAILED,
        outcome(6, 0.6),
        outcome(6, 0.6),
    ):
        volume.add(one)
        counts.append(volume.stalled())
    assert counts == [1, 0, 1, 2, 0, 1]


def test_a_search_does_not_stall_before_it_has_a_reference() -> None:
    volume = Volume(GOALS)
    for _ in range(50):
        volume.add(FAILED)
    for _ in range(3):
        volume.add(outcome(1, 1))
    assert volume.stalled() == 0
    volume.add(outcome(1, 1))
    assert volume.stalled() == 3  # the first of the four points was the last gain


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_last_volume_is_that_of_all_points(pairs: list[tuple[float, float]]) -> None:
    volume = filled(
        Volume(GOALS, {"energy_j": 9.0, "accuracy": 0.1}), *(outcome(*p) for p in pairs)
    )
    whole = hypervolume([[energy, -accuracy] for energy, accuracy in pairs], [9.0, -0.1])
    assert math.isclose(volume.history[-1], whole, rel_tol=1e-12, abs_tol=1e-12)
    assert list(volume.history) == sorted(volume.history)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"energy_j": 1.0}, "'accuracy' is missing; give each objective one"),
        ({"energy_j": 1.0, "accuracy": 1.0, "latency_s": 1.0}, "'latency_s' is no objective"),
    ],
)
def test_a_reference_names_every_objective(reference: dict[str, float], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        Volume(GOALS, reference)
