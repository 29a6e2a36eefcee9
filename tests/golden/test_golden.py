"""Law 10: numbers change only on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from corpus import CORPUS, NUMBERS, PRESETS, measure

from codesign.workload.record import Trace

FROZEN = json.loads(NUMBERS.read_text())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("make", CORPUS, ids=lambda make: make.__name__)
def test_numbers_are_those_of_the_last_release(make: Callable[[], Trace], preset: str) -> None:
    measured, frozen = measure(make(), preset), FROZEN[f"{make.__name__} {preset}"]
    # the last bits of a float sum may differ between processors; everything else is an integer
    assert measured.pop("energy_j") == pytest.approx(frozen.pop("energy_j"), rel=1e-12), (
        "numbers changed: add a CHANGELOG line and regenerate"
    )
    assert measured == frozen, "numbers changed: add a CHANGELOG line and regenerate"


def test_the_corpus_and_the_frozen_numbers_name_the_same_cases() -> None:
    assert list(FROZEN) == [f"{make.__name__} {preset}" for make in CORPUS for preset in PRESETS]
