"""An estimator that keeps its promises passes; with one fault it fails, in a line that says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_plugins import failures, outcomes

ESTIMATOR = """
from codesign import hookimpl
from codesign.energy import Row
from codesign.errors import EnergyError

COUNT = iter(range(10**9))


def ask(query):
    if query.component != "sram":
        raise EnergyError(f"our compiler makes no {query.component}; ask the tables")
    return Row("sram", query.action, "our compiler", "datasheet", "our foundry", energy_j=1e-12)


@hookimpl
def codesign_energy_estimators():
    return {"compiler": ask}
"""
ESTIMATOR_FAULTS = {
    "another error": ("raise EnergyError(f", "raise KeyError(f", "raised KeyError"),
    "no row": ("return Row(", "return tuple((", "must return a codesign.energy.Row"),
    "no number": ("=1e-12", "=float('nan')", "energy_j must be a finite number of at least 0"),
    "less than nothing": ("=1e-12", "=-1e-12", "energy_j must be a finite number of at least 0"),
    "no figure": (", energy_j=1e-12", "", "has no figure; give one of energy_j"),
    "another status": ('"datasheet"', '"good"', "status must be one of standard"),
    "no source": ('"our foundry"', '""', "has no source; say where the figure is from"),
    "a mind of its own": ("=1e-12", "=float(next(COUNT))", "two calls gave two answers"),
}


def estimator(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in ESTIMATOR
    module = folder / "compiler.py"
    module.write_text(ESTIMATOR.replace(old, new) if old else ESTIMATOR)
    return module


def test_an_estimator_that_answers_passes(tmp_path: Path) -> None:
    assert {one.state for one in outcomes(estimator(tmp_path))} == {"passed"}


@pytest.mark.parametrize("fault", ESTIMATOR_FAULTS)
def test_a_faulty_estimator_is_told_with_what_to_change(fault: str, tmp_path: Path) -> None:
    old, new, message = ESTIMATOR_FAULTS[fault]
    module = estimator(tmp_path, old, new)
    if fault == "no row":
        module.write_text(module.read_text().replace("energy_j=1e-12)", "1e-12))"))
    assert message in failures(module)


def test_an_estimator_that_answers_nothing_is_skipped_and_says_so(tmp_path: Path) -> None:
    (found,) = [
        one
        for one in outcomes(estimator(tmp_path, '!= "sram"', '!= "our macro"'))
        if one.title.startswith("estimator")
    ]
    assert found.state == "skipped"
    assert "our compiler makes no adc; ask the tables; offer a codesign.energy.Query" in (
        found.message
    )


@pytest.mark.parametrize(("asked", "state"), [("our macro", "passed"), ("another", "failed")])
def test_an_estimator_answers_its_own_example(tmp_path: Path, asked: str, state: str) -> None:
    module = estimator(tmp_path, '!= "sram"', '!= "our macro"')
    module.write_text(
        module.read_text()
        + "\n\n@hookimpl\ndef codesign_examples():\n"
        + "    from codesign.energy import Query\n"
        + "    from codesign.testing.examples import Example\n"
        + f"    return {{'compiler': Example(lambda: Query({asked!r}, 'read'))}}\n"
    )
    states = {one.title: one.state for one in outcomes(module)}
    assert states["estimator compiler: answers questions"] == state
